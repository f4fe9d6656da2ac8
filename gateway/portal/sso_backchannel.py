# SPDX-License-Identifier: EUPL-1.2
"""The provider says, server to server, that somebody signed out there (OpenID Connect Back-Channel Logout 1.0, 2.5).

No browser comes here: no cookie is read, no `Origin` asked; the signed token alone counts, and once. The sessions are
ended first and recorded after, since a ledger that fails must not keep anybody signed in.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.errors import LedgerError, Refused
from gateway.model import Event, EventKind, Method, Reason
from gateway.portal.answers import answer
from gateway.portal.forms import read_body, read_pairs
from gateway.portal.record import record
from gateway.portal.sso_waiting import desk_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.portal.visit import Visit

log = logging.getLogger(__name__)

LARGEST_BODY: Final = 20_480
_MOST_FIELDS: Final = 16
_BAD_REQUEST: Final = 400


async def backchannel_logout(visit: Visit) -> Response:
    """200 once the sessions are ended, or there were none; 400 with an `error` otherwise (2.8)."""
    desk = desk_of(visit)
    try:
        # By address and in all: the tokens themselves are checked after.
        if desk.logouts is not None:
            desk.logouts.hit(visit.network, visit.network)
        told = await desk.sso.logged_out(await _token(visit), visit.at)
    except Refused as refused:
        log.warning("sso-logout-refused", extra={"reason": str(refused.reason)})
        return _not_done(refused)
    ended = desk.sessions.living(told, visit.doors.sessions)
    for session in ended:
        visit.doors.sessions.end(session, visit.at)
    # Place and device would be the provider's own.
    events = [
        Event(EventKind.SIGN_OUT, one.subject.account or "", visit.at, session=one.reference, method=Method.SSO)
        for one in ended
    ]
    if events:
        with suppress(LedgerError):
            await record(visit, *events)
    log.info("sso-logout", extra={"sessions": len(events)})
    return answer(b"", "text/plain; charset=utf-8")


async def _token(visit: Visit) -> str:
    """The field `logout_token` of a form; other fields are passed over (2.5). Refused: what is no such form."""
    body = await read_body(visit.request, LARGEST_BODY)
    pairs = read_pairs(body, visit.headers(b"content-type"), _MOST_FIELDS)
    tokens = [value for name, value in pairs if name == "logout_token"]
    if len(tokens) != 1:
        raise Refused(Reason.MALFORMED_REQUEST)
    return tokens[0]


def _not_done(refused: Refused) -> Response:
    """In the form of RFC 6749 5.2; the description is the name of our reason, and nothing of the token."""
    body = json.dumps({"error": "invalid_request", "error_description": str(refused.reason)}).encode()
    again = refused.retry_after_seconds
    later = () if again is None else ((b"retry-after", b"%d" % again),)
    return answer(body, "application/json", _BAD_REQUEST, later)
