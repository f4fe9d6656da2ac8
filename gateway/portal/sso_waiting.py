# SPDX-License-Identifier: EUPL-1.2
"""What waits in one browser on the way over the provider: errands, proved identities, and the way to sign out there.

Each is found by its reference in the browser that holds the cookie alone, for ten minutes. A reference may stand in an
address: without the cookie it is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.errors import Refused
from gateway.identity.cookie import read_cookie
from gateway.identity.sso_pending import LIFETIME, PendingSignIns
from gateway.model import Reason
from gateway.portal.cookies import SSO_COOKIE, given, taken_back

if TYPE_CHECKING:
    from gateway.identity.sso_identity import SsoIdentity
    from gateway.portal.answers import Headers
    from gateway.portal.doors import SsoDesk
    from gateway.portal.visit import Visit


@dataclass(frozen=True, slots=True)
class Errand:
    """Why somebody goes to the provider: the return reference `to`, whether only his card will do, and whether he is
    to choose his activity anew.
    """

    to: str = ""
    card: bool = False
    url: str = field(default="", repr=False)
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody whom the provider has proved, and who has to say something first: which account, to link it, or in which
    of his activities he works on `account`.
    """

    identity: SsoIdentity
    errand: Errand
    account: str = ""


class SsoWaiting:
    """The four kinds of what waits. In memory, bounded."""

    def __init__(self) -> None:
        self.errands: PendingSignIns[Errand] = PendingSignIns()
        self.proved: PendingSignIns[Proved] = PendingSignIns()
        """In no account yet."""
        self.choosing: PendingSignIns[Proved] = PendingSignIns()
        """In an account, but in none of their activities yet."""
        self.partings: PendingSignIns[str] = PendingSignIns()
        """Where a browser that has signed out here signs out at the provider too."""


def desk_of(visit: Visit) -> SsoDesk:
    """The way to the provider. Refused(SSO_NOT_SET_UP) without `[sso]`."""
    if visit.doors.sso is None:
        raise Refused(Reason.SSO_NOT_SET_UP)
    return visit.doors.sso


def start_values(visit: Visit, errand: Errand) -> dict[str, Any]:
    """What the page with the button needs: where to go on to, if only the card will do, if phones are asked."""
    phone = desk_of(visit).prompts is not None and not errand.card and not errand.anew
    return {"to": errand.to, "card": errand.card, "anew": errand.anew, "phone": phone}


def browser_of(visit: Visit) -> str | None:
    """The value of a browser that waits. Refused(COOKIE_AMBIGUOUS) if there are two."""
    value = read_cookie(visit.headers(b"cookie"), SSO_COOKIE)
    return None if value is None else value.decode("latin-1")


def sso_cookie(value: str) -> Headers:
    """Gives a browser its value; the empty one takes it back."""
    return given(SSO_COOKIE, value, LIFETIME) if value else taken_back(SSO_COOKIE)
