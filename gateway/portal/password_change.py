# SPDX-License-Identifier: EUPL-1.2
"""The page that asks for a new password, after the old one was proved and before it opens anything.

It serves a campaign and a breached password alike. Who has a code application gives a code too: whoever stole a
password must not be able to put its holder out. The new password is on record before it is set, and older sessions
end before one opens.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.password import TooWeak
from gateway.model import EventKind, Method, Reason
from gateway.pages.password_words import advice
from gateway.pages.render import alert
from gateway.portal.answers import again, html, redirect, refuse
from gateway.portal.change_ticket import ENDED, ticket_of
from gateway.portal.cookies import session_cookie
from gateway.portal.forms import read_form
from gateway.portal.record import happened, need_ledger, record, record_password
from gateway.portal.returning import carry, destination
from gateway.portal.sign_in import arrived, open_session

if TYPE_CHECKING:
    from typing import Any

    from starlette.responses import Response

    from gateway.portal.change_ticket import Ticket
    from gateway.portal.visit import Visit

_SIGN_IN: Final = "/.herse/sign-in"
_OF_THE_CODE: Final = frozenset({Reason.CODE_WRONG, Reason.CODE_USED})
_OVER: Final = frozenset({Reason.SIGN_IN_REQUIRED, Reason.ACCOUNT_LOCKED})


async def show_change(visit: Visit) -> Response:
    """The form, for the browser that proved the old password; else the way to sign in."""
    found = ticket_of(visit)
    if found is None:
        return _start_over(visit)
    _, ticket = found
    return html(visit, "password_change", alert=None, advice=[], **_values(visit, ticket))


async def change(visit: Visit) -> Response:
    """The new password in, and a code where there is an application; a session out, and on to where one was going."""
    fields = await read_form(visit)
    need_ledger(visit)
    found = ticket_of(visit)
    if found is None:
        return _start_over(visit)
    token, ticket = found
    ticket.tries += 1
    password, code = fields.get("password", ""), fields.get("code", "")
    try:
        account, methods = await visit.doors.sign_in.change_password(
            ticket.must, password, code, visit.network, visit.at, partial(record_password, visit)
        )
    except Refused as refused:
        return await _failed(visit, refused, token, ticket)
    visit.doors.changes.drop(token)
    earlier = visit.session
    visit.doors.sessions.end_all(account.identifier, visit.at)
    new_token, session = await open_session(visit, account, methods)
    following = destination(visit, carry(visit, ticket.to, earlier, session), session)
    return arrived(visit, session, following, (*session_cookie(visit.doors, new_token), *ENDED))


async def _failed(visit: Visit, refused: Refused, token: bytes, ticket: Ticket) -> Response:
    account = ticket.must.account.identifier
    if refused.reason in _OF_THE_CODE:
        kind, reason = EventKind.STEP_UP_FAILED, refused.reason
        await record(visit, happened(visit, kind, account, method=Method.TOTP, reason=reason))
    if refused.reason in _OVER:
        visit.doors.changes.drop(token)
        return (
            refuse(visit, refused, headers=ENDED)
            if visit.json or refused.reason is Reason.ACCOUNT_LOCKED
            else (redirect(_SIGN_IN, ENDED))
        )
    told = advice(refused.weaknesses, visit.language) if isinstance(refused, TooWeak) else []
    return again(visit, "password_change", refused, advice=told, **_values(visit, ticket))


def _values(visit: Visit, ticket: Ticket) -> dict[str, Any]:
    account = ticket.must.account
    now = visit.doors.accounts.find(account.identifier)
    return {
        "identifier": account.identifier,
        "title": account.title,
        "asked": alert(ticket.must.reason, visit.language),
        "has_totp": now is not None and now.has_totp,
    }


def _start_over(visit: Visit) -> Response:
    """No ticket, or one that has died: the old password must be proved again."""
    if visit.json:
        raise Refused(Reason.SIGN_IN_REQUIRED)
    return redirect(_SIGN_IN, ENDED)
