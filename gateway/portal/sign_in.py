# SPDX-License-Identifier: EUPL-1.2
"""Sign-in and sign-out: password in, session out; the session ends on the server, whatever the ledger says."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.errors import LedgerError, Refused
from gateway.identity.dormancy import asleep, wakes
from gateway.identity.identifiers import canonical_identifier
from gateway.identity.password_change import MustChange
from gateway.identity.sign_in import BothWrong
from gateway.model import EventKind, Method, Proof, Reason
from gateway.portal.acting import ACT_FOR_PATH, EMPLOYEE
from gateway.portal.answers import again, as_json, html, redirect, refuse
from gateway.portal.change_ticket import ask_new_password
from gateway.portal.cookies import ended_cookie, session_cookie
from gateway.portal.forms import read_form
from gateway.portal.known_device import KnownDevice, device_cookie
from gateway.portal.opening import enter, record_opening
from gateway.portal.record import happened, need_ledger, note_failure, record
from gateway.portal.returning import carry, destination
from gateway.portal.sso_parting import parting, parting_address, token_for_parting
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.responses import Response

    from gateway.identity.accounts import Account
    from gateway.identity.session import Session
    from gateway.portal.answers import Headers
    from gateway.portal.visit import Visit

LONGEST_SHOWN: Final = 100
"""Characters of a typed identifier that are shown again."""

_WRONG: Final = frozenset({Reason.CREDENTIALS_WRONG, Reason.CREDENTIALS_OR_CODE_WRONG})
_CLEAR: Final = ((b"clear-site-data", b'"cache"'),)


async def show_sign_in(visit: Visit) -> Response:
    """The form."""
    after_reset = visit.query("after") == "reset"
    return html(visit, "sign_in", to=visit.reference(), typed="", alert=None, after_reset=after_reset)


async def sign_in(visit: Visit) -> Response:
    """Identifier and password, and a code if he likes; then to where the person was going."""
    fields = await read_form(visit)
    need_ledger(visit)
    identifier = fields.get("identifier", "")
    to = clean_reference(fields.get("to", ""))
    try:
        account, methods = await _proved(visit, identifier, fields)
    except Refused as refused:
        _note_failure(visit, identifier, refused)
        if isinstance(refused, MustChange):
            return await ask_new_password(visit, refused, to)
        if refused.reason is Reason.ACCOUNT_ASLEEP:  # the form again would lead nowhere
            return refuse(visit, refused, to=to)
        replaced = refused.reason in _WRONG and _replaced_by_mail(visit, identifier)
        return again(visit, "sign_in", refused, to=to, typed=identifier[:LONGEST_SHOWN], replaced=replaced)
    earlier = visit.session
    token, session = await open_session(visit, account, methods)
    following = destination(visit, carry(visit, to, earlier, session), session)
    if account.profession == EMPLOYEE and following == "/":
        following = ACT_FOR_PATH
    return arrived(visit, session, following, session_cookie(visit.doors, token))


async def _proved(visit: Visit, identifier: str, fields: dict[str, str]) -> tuple[Account, tuple[Method, ...]]:
    sign_in, password, code = visit.doors.sign_in, fields.get("password", ""), fields.get("code", "")
    if code:
        return await sign_in.by_both(identifier, password, code, visit.network, visit.at)
    return await sign_in.by_password(identifier, password, visit.network, visit.at), (Method.PASSWORD,)


def _note_failure(visit: Visit, identifier: str, refused: Refused) -> None:
    """What its holder is told: also that a stranger had the right password, which the answer does not say."""
    if not isinstance(refused, BothWrong):
        note_failure(visit, EventKind.SIGN_IN_FAILED, identifier, Method.PASSWORD, refused.reason)
        return
    reason = Reason.CODE_WRONG if refused.password_right else refused.reason
    note_failure(visit, EventKind.SIGN_IN_FAILED, identifier, f"{Method.PASSWORD}+{Method.TOTP}", reason)
    if refused.password_right:
        visit.doors.later(lambda: visit.doors.sign_in.count_code(identifier, visit.at))


def _replaced_by_mail(visit: Visit, identifier: str) -> bool:
    """Whether this browser is told why a password is wrong: only one that the account knows is."""
    try:
        name = canonical_identifier(identifier)
    except Refused:
        return False
    known = KnownDevice(visit, name).known is not None
    return known and visit.doors.ways_back.quarantines.since(name) is not None


async def open_session(
    visit: Visit,
    account: Account,
    methods: tuple[Method, ...],
    *,
    proofs: tuple[Proof, ...] = (),
    ends_at: datetime | None = None,
    holder: str | None = None,
    opened: Callable[[Session], None] = lambda _: None,
) -> tuple[str, Session]:
    """A new session, recorded as a sign-in; the browser's earlier one ends.

    `proofs`: those of `methods`, where they are older than now; `ends_at`: when it ends at the latest;
    `holder`: the name of the person, where the proof tells it; `opened`: what must be done before anything is awaited.
    An account that sleeps wakes by the card or Pro Santé Connect alone: Refused(ACCOUNT_ASLEEP). A browser that the
    account does not know is told, and is known from then on. A strong proof ends the account's quarantine, or is
    Refused(ACCOUNT_QUARANTINED). LedgerError: the new session is ended again, no token leaves, and nothing is known.
    """
    name, method, woken = account.identifier, "+".join(methods), asleep(account, visit.at)
    if woken and not wakes(methods):
        raise Refused(Reason.ACCOUNT_ASLEEP)
    browser = KnownDevice(visit, name)
    proofs = proofs or tuple(Proof(one, visit.at) for one in methods)
    proved = visit.doors.ways_back.quarantines.ended_by(name, proofs)
    token, session = visit.doors.sessions.open(
        account, proofs, visit.at, visit.network, visit.device, browser.reference, ends_at, holder
    )
    opened(session)
    kinds = [EventKind.ACCOUNT_WOKEN] * woken + [EventKind.DEVICE_NEW] * (browser.known is None) + [EventKind.SIGN_IN]
    events = [happened(visit, kind, name, session=session, method=method) for kind in kinds]
    if proved is not None:
        events.append(happened(visit, EventKind.QUARANTINE_ENDED, name, session=session, method=proved))
    await record_opening(visit, session, *events)
    enter(visit, account, session, browser)
    if proved is not None and not session.ended:
        visit.doors.ways_back.quarantines.end(name)
    return token, session


def arrived(visit: Visit, session: Session, following: str, headers: tuple[tuple[bytes, bytes], ...]) -> Response:
    """The answer to a proof that was right: a redirect for people, a short report for programs."""
    headers += device_cookie(visit)
    if not visit.json:
        return redirect(following, headers)
    level = session.subject.assurance.level.name.lower()
    return as_json(visit, {"account": session.subject.account, "assurance": level, "next": following}, headers=headers)


async def show_sign_out(visit: Visit) -> Response:
    """A page with the button, or the page that says it is done. It changes nothing."""
    if visit.account is not None:
        return html(visit, "sign_out")
    return html(visit, "signed_out", provider=parting_address(visit, visit.query("waiting")))


async def sign_out(visit: Visit) -> Response:
    """End the session here, then tell the ledger, which cannot keep anybody signed in."""
    await read_form(visit)
    session, token = visit.session, None
    if session is not None and session.subject.account is not None:
        token = token_for_parting(visit, session)
        visit.doors.sessions.end(session, visit.at)
        with suppress(LedgerError):  # its failure is told wherever it stops something; it must not stop a sign-out
            await record(visit, happened(visit, EventKind.SIGN_OUT, session.subject.account, session=session))
    return left(visit, *await parting(visit, token))


def left(visit: Visit, waiting: str = "", more: Headers = ()) -> Response:
    """The answer to who is signed out: the session's cookie is taken back. `waiting`: the way out of the provider."""
    headers = (*ended_cookie(visit.doors), *_CLEAR, *more)
    following = f"/.herse/sign-out?waiting={waiting}" if waiting else "/.herse/sign-out"
    if visit.json:
        told = {"account": None, "assurance": "none", "next": following if waiting else "/.herse/sign-in"}
        return as_json(visit, told, headers=headers)
    return redirect(following, headers)
