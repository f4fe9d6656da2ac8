# SPDX-License-Identifier: EUPL-1.2
"""A teleservice that names its methods: the page with the ways that lead to one of them, or straight to the only one.

The address names methods, and is written by anybody: it chooses among our own pages and opens nothing by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.model import Method, Reason
from gateway.portal.answers import as_json, html, redirect, refuse

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.responses import Response

    from gateway.portal.visit import Visit

_PATHS: Final = {
    Method.SMART_CARD: "/.herse/card?",
    Method.SSO_CARD: "/.herse/sso?card=1&",
    Method.SSO: "/.herse/sso?",
    Method.PASSKEY: "/.herse/step-up/passkey?",
    Method.TOTP: "/.herse/step-up?",
    Method.PASSWORD: "/.herse/sign-in?",
}


def open_ways(visit: Visit, to: str, methods: Collection[str]) -> list[tuple[Method, str]]:
    """The ways to these methods that are open to who is signed in, strongest first."""
    return [(method, f"{path}to={to}") for method, path in _PATHS.items() if method in methods and _open(visit, method)]


def show_ways(
    visit: Visit, to: str, why: dict[str, str] | None = None, methods: Collection[str] | None = None
) -> Response:
    """The ways to `methods`, else to those that the address names; 401 in words if none of them is open here.

    Where there is something to be told (`why`), it is told also if there is one way only.
    """
    asked = set(visit.query("methods").split(".")) if methods is None else set(methods)
    ways = open_ways(visit, to, asked)
    if visit.json:
        return as_json(visit, {"ways": [{"method": method, "next": path} for method, path in ways]})
    if not ways:
        cards = asked <= {Method.SMART_CARD, Method.SSO_CARD}
        return refuse(visit, Refused(Reason.CARD_REQUIRED if cards else Reason.SECOND_FACTOR_MISSING), to=to)
    if len(ways) == 1 and why is None:
        return redirect(ways[0][1])
    return html(visit, "step_up_ways", ways=ways, asked=why)


def _open(visit: Visit, method: Method) -> bool:
    """Whether this account can prove itself so, as far as is known before it does."""
    doors, subject = visit.doors, visit.signed_in().subject
    name = subject.account or ""
    if method is Method.SMART_CARD:
        return doors.card is not None
    if subject.delegation is not None:  # what is the holder's is not the delegate's
        return False
    if method in {Method.SSO, Method.SSO_CARD}:
        return doors.sso is not None and bool(doors.sso.links.of_account(name))
    if method is Method.PASSKEY:
        return bool(doors.passkeys.table.of_account(name))
    account = doors.accounts.find(name)
    return account is not None and (account.has_totp if method is Method.TOTP else account.has_password)
