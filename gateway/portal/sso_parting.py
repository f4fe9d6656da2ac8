# SPDX-License-Identifier: EUPL-1.2
"""Signing out at the provider too, after our own sign-out: a link that is offered, and no step that could fail ours."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from gateway.errors import HerseError, Refused
from gateway.identity.sso_pending import browser_value
from gateway.portal.sso_waiting import browser_of, sso_cookie

if TYPE_CHECKING:
    from gateway.identity.session import Session
    from gateway.portal.answers import Headers
    from gateway.portal.visit import Visit


def token_for_parting(visit: Visit, session: Session) -> str | None:
    """Before the session ends: the ID token that its provider's session is signed out by, if it stands on one."""
    if visit.doors.sso is None:
        return None
    with suppress(HerseError):  # another key at rest: the sign-out goes on
        return visit.doors.sso.sessions.id_token(session.reference)
    return None


async def parting(visit: Visit, id_token: str | None) -> tuple[str, Headers]:
    """Where this browser may sign out at the provider: a reference to be shown to it alone, and its cookie."""
    desk = visit.doors.sso
    if desk is None or id_token is None:
        return "", ()
    try:
        url = await desk.sso.logout_url(id_token, visit.at)
        if url is None:
            return "", ()
        value = browser_value(browser_of(visit))
        return desk.waiting.partings.keep(url[0], value, visit.at), sso_cookie(value)
    except Refused:  # the provider is not there, or somebody plays with cookies
        return "", ()


def parting_address(visit: Visit, reference: str) -> str | None:
    """The address at the provider, in the browser that signed out."""
    if visit.doors.sso is None or not reference:
        return None
    with suppress(Refused):
        return visit.doors.sso.waiting.partings.find(reference, browser_of(visit), visit.at)
    return None
