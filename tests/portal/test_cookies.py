# SPDX-License-Identifier: EUPL-1.2
"""Our cookies as they go out, byte for byte, and from one file alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.portal import cookies

OWN = Path(cookies.__file__)


@pytest.mark.parametrize(
    ("name", "site"),
    [
        (b"__Host-herse", b"Lax"),
        (b"__Host-herse-form", b"Strict"),
        (b"__Host-herse-change", b"Strict"),
        (b"__Host-herse-device", b"Lax"),
        (b"__Host-herse-card", b"Lax"),
        (b"__Host-herse-sso", b"Lax"),
    ],
)
def test_the_form_of_each(name, site):
    fixed = b"; Path=/; Secure; HttpOnly; SameSite=" + site
    assert cookies.given(name, "a-_9") == ((b"set-cookie", name + b"=a-_9" + fixed),)
    assert cookies.given(name, "a", timedelta(minutes=10)) == (
        (b"set-cookie", name + b"=a" + fixed + b"; Max-Age=600"),
    )
    assert cookies.taken_back(name) == ((b"set-cookie", name + b"=" + fixed + b"; Max-Age=0"),)


def test_every_name_keeps_out_what_comes_from_elsewhere():
    names = [value for key, value in vars(cookies).items() if key.endswith("_COOKIE")]
    texts = [one if isinstance(one, str) else one.decode() for one in names]
    assert len(set(texts)) == 6
    assert all(one.startswith(cookies.SESSION_COOKIE) for one in texts)
    assert cookies.SESSION_COOKIE.startswith("__Host-")


def test_nobody_else_writes_a_cookie_of_ours():
    writers = [one for one in OWN.parent.glob("*.py") if "set-cookie" in one.read_text()]
    assert writers == [OWN]
    namers = [one for one in OWN.parent.glob("*.py") if 'b"__Host-' in one.read_text()]
    assert namers == [OWN]
