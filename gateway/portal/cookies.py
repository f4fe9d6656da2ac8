# SPDX-License-Identifier: EUPL-1.2
"""Our cookies: what they are called, and the one form in which they go out.

Every name begins with `__Host-herse`. `__Host-` makes browsers take the cookie from this very host over TLS alone, for
every path (hence `Path=/` and `Secure`); names with that beginning never reach a portal, nor come from one. None is for
a script (`HttpOnly`). A cookie comes from our own pages alone (`Strict`) if it proves a form or stands for a password;
the others must come along when another site sends the person back (`Lax`): a portal, a card host or the provider. A
value is a secret of ours, made of letters, digits, `-` and `_`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.portal.answers import Headers
    from gateway.portal.doors import Doors

SESSION_COOKIE: Final = "__Host-herse"
FORM_COOKIE: Final = b"__Host-herse-form"
CHANGE_COOKIE: Final = b"__Host-herse-change"
DEVICE_COOKIE: Final = b"__Host-herse-device"
CARD_COOKIE: Final = b"__Host-herse-card"
SSO_COOKIE: Final = b"__Host-herse-sso"
_STRICT: Final = frozenset({FORM_COOKIE, CHANGE_COOKIE})


def given(name: bytes, value: str, lifetime: timedelta | None = None) -> Headers:
    """Gives a browser a cookie; without a lifetime it goes when the browser is closed."""
    age = b"" if lifetime is None else b"; Max-Age=%d" % int(lifetime.total_seconds())
    site = b"Strict" if name in _STRICT else b"Lax"
    cookie = b"%s=%s; Path=/; Secure; HttpOnly; SameSite=%s%s" % (name, value.encode(), site, age)
    return ((b"set-cookie", cookie),)


def taken_back(name: bytes) -> Headers:
    """Takes a cookie from a browser."""
    return given(name, "", timedelta())


def session_cookie(doors: Doors, token: str) -> Headers:
    """Gives a session to the browser: no lifetime of its own, the server ends it."""
    return given(doors.cookie_name.encode(), token)


def ended_cookie(doors: Doors) -> Headers:
    """Takes the session's cookie back."""
    return taken_back(doors.cookie_name.encode())
