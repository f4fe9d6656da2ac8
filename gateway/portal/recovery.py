# SPDX-License-Identifier: EUPL-1.2
"""The pages of recovery codes: make a set, after a fresh proof, shown once; and use one where the phone is lost.

In quarantine no code is even looked at: it lies in a drawer, and would prove no holder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.model import EventKind, Method, Reason
from gateway.portal.answers import again, as_json, html, redirect
from gateway.portal.cookies import session_cookie
from gateway.portal.forms import read_form
from gateway.portal.fresh_proof import may_change_factors, prove_first
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.returning import destination
from gateway.portal.step_up import asked_for, strengthen
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.portal.visit import Visit

RECOVERY_PATH: Final = "/.herse/account/recovery"


async def show_recovery(visit: Visit) -> Response:
    """How many codes are left, and the button for a new set."""
    account = visit.signed_in().subject.account or ""
    left, may_make = visit.doors.ways_back.recovery.left(account), may_change_factors(visit)
    if visit.json:
        return as_json(visit, {"account": account, "left": left, "may_make": may_make})
    return html(visit, "recovery", left=left, may_make=may_make)


async def make_codes(visit: Visit) -> Response:
    """A new set, shown in this one answer; the codes before it are dead."""
    await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    account = session.subject.account or ""
    if not may_change_factors(visit):
        return _prove_first(visit, account)
    await record(visit, happened(visit, EventKind.RECOVERY_CODES_MADE, account, session=session))
    visit.signed_in()
    codes = visit.doors.ways_back.recovery.make(account)
    if visit.json:
        return as_json(visit, {"account": account, "codes": codes})
    return html(visit, "recovery_codes", codes=codes, title=session.subject.title or account)


async def show_use(visit: Visit) -> Response:
    """The form for a code."""
    to = visit.reference()
    if visit.account is None and not visit.json:
        return redirect(f"/.herse/sign-in?to={to}" if to else "/.herse/sign-in")
    _not_in_quarantine(visit, visit.signed_in().subject.account or "")
    return html(visit, "recovery_step_up", to=to, alert=None, asked=asked_for(visit) if to else None)


async def use_code(visit: Visit) -> Response:
    """A code in, a stronger session out, and how many codes are left."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    account, to = session.subject.account or "", clean_reference(fields.get("to", ""))
    _not_in_quarantine(visit, account)
    recovery = visit.doors.ways_back.recovery
    try:
        proof = recovery.use(account, fields.get("code", ""), visit.network, visit.at)
    except Refused as refused:
        return await _failed(visit, refused, account, to)
    used = happened(visit, EventKind.RECOVERY_CODE_USED, account, session=session, method=Method.RECOVERY)
    token = await strengthen(visit, proof, used)
    following, left, headers = (
        destination(visit, to, session),
        recovery.left(account),
        session_cookie(visit.doors, token),
    )
    if visit.json:
        level = session.subject.assurance.level.name.lower()
        values = {"account": account, "assurance": level, "next": following, "left": left}
        return as_json(visit, values, headers=headers)
    return html(visit, "recovery_used", headers=headers, left=left, following=following)


async def _failed(visit: Visit, refused: Refused, account: str, to: str) -> Response:
    if refused.reason is not Reason.THROTTLED:
        kind, method, reason = EventKind.STEP_UP_FAILED, Method.RECOVERY, refused.reason
        await record(visit, happened(visit, kind, account, session=visit.session, method=method, reason=reason))
    return again(visit, "recovery_step_up", refused, to=to, asked=None)


def _not_in_quarantine(visit: Visit, account: str) -> None:
    if visit.doors.ways_back.quarantines.since(account) is not None:
        raise Refused(Reason.ACCOUNT_QUARANTINED)


def _prove_first(visit: Visit, account: str) -> Response:
    _not_in_quarantine(visit, account)
    return prove_first(visit, RECOVERY_PATH)
