# SPDX-License-Identifier: EUPL-1.2
"""Step-up: a signed-in person proves more, gets a new session id, and goes on to what he was doing.

The proof is recorded before the session is strengthened: no session is ever stronger than the ledger tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.model import EventKind, Method, Reason
from gateway.pages.render import alert
from gateway.portal.answers import again, html, redirect, refuse, session_cookie
from gateway.portal.forms import read_form
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.returning import destination
from gateway.portal.sign_in import arrived
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.model import Proof
    from gateway.portal.visit import Visit

# What the hallway may give as `reason` in the address: it is shown above the form, from our own sentences.
ASKED_FOR: Final = frozenset(
    {
        Reason.SECOND_FACTOR_REQUIRED,
        Reason.SECOND_FACTOR_STALE,
        Reason.BUDGET_PROOF_REQUIRED,
        Reason.PROOF_TOO_OLD,
        Reason.SESSION_MOVED,
    }
)


async def show_step_up(visit: Visit) -> Response:
    """The form for a code; or what is missing: a session, a card, a code application."""
    to = visit.reference()
    reason = visit.query("reason")
    if visit.account is None:
        if visit.json:
            raise Refused(Reason.SIGN_IN_REQUIRED)
        return redirect(f"/.herse/sign-in?to={to}" if to else "/.herse/sign-in")
    if visit.query("card") or reason == Reason.CARD_REQUIRED:
        if visit.doors.card is None or visit.json:
            return refuse(visit, Refused(Reason.CARD_REQUIRED))
        return redirect(f"/.herse/card?to={to}" if to else "/.herse/card")
    account = visit.doors.accounts.find(visit.account)
    has_passkey = bool(visit.doors.passkeys.table.of_account(visit.account))
    if has_passkey and account is not None and not account.has_totp:
        return redirect(f"/.herse/step-up/passkey?to={to}&reason={reason if reason in ASKED_FOR else ''}")
    if account is None or not account.has_totp:
        return refuse(visit, Refused(Reason.SECOND_FACTOR_MISSING), to=to)
    return html(visit, "step_up", to=to, alert=None, asked=asked_for(visit) if to else None, has_passkey=has_passkey)


def asked_for(visit: Visit) -> dict[str, str]:
    """Why a proof is asked for, in words, as the address says."""
    reason = visit.query("reason")
    return alert(Reason(reason) if reason in ASKED_FOR else Reason.SECOND_FACTOR_REQUIRED, visit.language)


async def step_up(visit: Visit) -> Response:
    """A code in, a stronger session out."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    account = session.subject.account or ""
    to = clean_reference(fields.get("to", ""))
    try:
        proof = visit.doors.sign_in.by_totp(account, fields.get("code", ""), visit.network, visit.at)
    except Refused as refused:
        return await _failed(visit, refused, account, to)
    token = await strengthen(visit, proof)
    return arrived(visit, session, destination(visit, to, session), session_cookie(visit.doors, token))


async def strengthen(visit: Visit, proof: Proof) -> str:
    """Record the proof, then renew the session; returns the new token. Refused if the session ended meanwhile."""
    session = visit.signed_in()
    account = session.subject.account or ""
    await record(visit, happened(visit, EventKind.STEP_UP, account, session=session, method=proof.method))
    token, _ = visit.doors.sessions.strengthen(visit.signed_in(), proof, visit.at, visit.network, visit.device)
    return token


async def _failed(visit: Visit, refused: Refused, account: str, to: str) -> Response:
    if refused.reason is not Reason.THROTTLED:
        failure = happened(
            visit,
            EventKind.STEP_UP_FAILED,
            account,
            session=visit.session,
            method=Method.TOTP,
            reason=refused.reason,
        )
        await record(visit, failure)
    if refused.reason is Reason.SECOND_FACTOR_MISSING:
        return refuse(visit, refused, to=to)
    has_passkey = bool(visit.doors.passkeys.table.of_account(account))
    return again(visit, "step_up", refused, to=to, asked=None, has_passkey=has_passkey)
