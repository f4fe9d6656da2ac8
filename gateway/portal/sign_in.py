# SPDX-License-Identifier: EUPL-1.2
"""Sign-in and sign-out: password in, session out; the session ends on the server, whatever the ledger says."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.errors import LedgerError, Refused
from gateway.identity.password_change import MustChange
from gateway.model import EventKind, Method, Proof
from gateway.portal.answers import again, as_json, ended_cookie, html, redirect, session_cookie
from gateway.portal.change_ticket import ask_new_password
from gateway.portal.forms import read_form
from gateway.portal.record import happened, need_ledger, note_failure, record
from gateway.portal.returning import carry, destination
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.accounts import Account
    from gateway.identity.session import Session
    from gateway.model import Event
    from gateway.portal.visit import Visit

LONGEST_SHOWN: Final = 100
"""Characters of a typed identifier that are shown again."""

_CLEAR: Final = ((b"clear-site-data", b'"cache"'),)


async def show_sign_in(visit: Visit) -> Response:
    """The form."""
    return html(visit, "sign_in", to=visit.reference(), typed="", alert=None)


async def sign_in(visit: Visit) -> Response:
    """Identifier and password; then to where the person was going."""
    fields = await read_form(visit)
    need_ledger(visit)
    identifier = fields.get("identifier", "")
    to = clean_reference(fields.get("to", ""))
    try:
        account = await visit.doors.sign_in.by_password(identifier, fields.get("password", ""), visit.network, visit.at)
    except Refused as refused:
        note_failure(visit, EventKind.SIGN_IN_FAILED, identifier, Method.PASSWORD, refused.reason)
        if isinstance(refused, MustChange):
            return await ask_new_password(visit, refused, to)
        return again(visit, "sign_in", refused, to=to, typed=identifier[:LONGEST_SHOWN])
    earlier = visit.session
    token, session = await open_session(visit, account, (Method.PASSWORD,))
    following = destination(visit, carry(visit, to, earlier, session), session)
    return arrived(visit, session, following, session_cookie(visit.doors, token))


async def open_session(
    visit: Visit, account: Account, methods: tuple[Method, ...], *before: Event
) -> tuple[str, Session]:
    """A new session, recorded as a sign-in (after the events `before`); the browser's earlier one ends.

    LedgerError: the new session is ended again and no token leaves.
    """
    proofs = [Proof(method, visit.at) for method in methods]
    token, session = visit.doors.sessions.open(account, proofs, visit.at, visit.network, visit.device)
    events = [
        *before,
        happened(visit, EventKind.SIGN_IN, account.identifier, session=session, method="+".join(methods)),
    ]
    earlier = visit.session
    if earlier is not None and not earlier.ended and earlier.subject.account is not None:
        events.insert(0, happened(visit, EventKind.SIGN_OUT, earlier.subject.account, session=earlier))
    try:
        await record(visit, *events)
    except LedgerError:
        visit.doors.sessions.end(session, visit.at)
        raise
    if earlier is not None:
        visit.doors.sessions.end(earlier, visit.at)
    visit.session = session
    return token, session


def arrived(visit: Visit, session: Session, following: str, headers: tuple[tuple[bytes, bytes], ...]) -> Response:
    """The answer to a proof that was right: a redirect for people, a short report for programs."""
    if not visit.json:
        return redirect(following, headers)
    level = session.subject.assurance.level.name.lower()
    return as_json(visit, {"account": session.subject.account, "assurance": level, "next": following}, headers=headers)


async def show_sign_out(visit: Visit) -> Response:
    """A page with the button, or the page that says it is done. It changes nothing."""
    return html(visit, "signed_out" if visit.account is None else "sign_out")


async def sign_out(visit: Visit) -> Response:
    """End the session here, then tell the ledger, which cannot keep anybody signed in."""
    await read_form(visit)
    session = visit.session
    if session is not None and session.subject.account is not None:
        visit.doors.sessions.end(session, visit.at)
        with suppress(LedgerError):  # its failure is told wherever it stops something; it must not stop a sign-out
            await record(visit, happened(visit, EventKind.SIGN_OUT, session.subject.account, session=session))
    headers = (*ended_cookie(visit.doors), *_CLEAR)
    if visit.json:
        return as_json(visit, {"account": None, "assurance": "none", "next": "/.herse/sign-in"}, headers=headers)
    return redirect("/.herse/sign-out", headers)
