# SPDX-License-Identifier: EUPL-1.2
"""Sign-in and step-up by passkey: a page that asks the browser for one, and what comes of the answer.

A sign-in is bound to the browser by its form cookie, a step-up to its session. A passkey that verified its user is two
factors in one act: the session it opens is as strong as password and code together.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.errors import Refused
from gateway.identity.dormancy import asleep
from gateway.model import EventKind, Method, Reason
from gateway.portal.answers import again, as_json, html, redirect, refuse
from gateway.portal.cookies import session_cookie
from gateway.portal.forms import read_form
from gateway.portal.passkeys import script_guards
from gateway.portal.record import happened, need_ledger, note_failure, record
from gateway.portal.returning import carry, destination
from gateway.portal.sign_in import arrived, open_session
from gateway.portal.step_up import asked_for, other_ways, strengthen
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.accounts import Account
    from gateway.portal.visit import Visit

_NOT_TOLD = frozenset({Reason.THROTTLED, Reason.BUSY})


async def show_sign_in(visit: Visit) -> Response:
    """The page that asks for any passkey of this site."""
    if visit.json:
        return as_json(visit, {"options": visit.doors.passkeys.signing_in(_browser(visit), visit.at)})
    return html(visit, "passkey", alert=None, **_signing_in(visit, visit.reference()))


async def sign_in(visit: Visit) -> Response:
    """A passkey in, a session out: no identifier, no password."""
    fields = await read_form(visit)
    need_ledger(visit)
    credential, to, keys = fields.get("credential", ""), clean_reference(fields.get("to", "")), visit.doors.passkeys
    try:
        account = await _account_of(visit, credential)
    except Refused as refused:
        if refused.reason not in _NOT_TOLD:
            owner = keys.owner(credential) or ""
            note_failure(visit, EventKind.SIGN_IN_FAILED, owner, Method.PASSKEY, refused.reason)
        if refused.reason is Reason.ACCOUNT_ASLEEP:
            return refuse(visit, refused, to=to)
        return again(visit, "passkey", refused, **_signing_in(visit, to))
    earlier = visit.session
    token, session = await open_session(visit, account, (Method.PASSKEY,))
    following = destination(visit, carry(visit, to, earlier, session), session)
    return arrived(visit, session, following, session_cookie(visit.doors, token))


async def _account_of(visit: Visit, credential: str) -> Account:
    identifier, _ = await visit.doors.passkeys.sign_in(credential, _browser(visit), visit.network, visit.at)
    account = visit.doors.accounts.find(identifier)
    if account is None:  # gone since its key was read
        raise Refused(Reason.PASSKEY_WRONG)
    if asleep(account, visit.at):
        raise Refused(Reason.ACCOUNT_ASLEEP)
    return account


async def show_step_up(visit: Visit) -> Response:
    """The page that asks for a passkey of the account."""
    to = visit.reference()
    if visit.account is None and not visit.json:
        return redirect(f"/.herse/sign-in?to={to}" if to else "/.herse/sign-in")
    session = visit.signed_in()
    account, keys = session.subject.account or "", visit.doors.passkeys
    if not keys.table.of_account(account):
        return refuse(visit, Refused(Reason.SECOND_FACTOR_MISSING), to=to)
    if visit.json:
        return as_json(visit, {"options": keys.stepping_up(account, session.reference, visit.at)})
    return html(visit, "passkey", alert=None, **_stepping_up(visit, to, asked_for(visit) if to else None))


async def step_up(visit: Visit) -> Response:
    """A passkey in, a stronger session out."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    account, to = session.subject.account or "", clean_reference(fields.get("to", ""))
    credential = fields.get("credential", "")
    try:
        proof = await visit.doors.passkeys.step_up(account, credential, session.reference, visit.network, visit.at)
    except Refused as refused:
        return await _failed(visit, refused, account, to)
    token = await strengthen(visit, proof)
    return arrived(visit, session, destination(visit, to, session), session_cookie(visit.doors, token))


async def _failed(visit: Visit, refused: Refused, account: str, to: str) -> Response:
    session = visit.signed_in()
    if refused.reason not in _NOT_TOLD:
        kind, method = EventKind.STEP_UP_FAILED, Method.PASSKEY
        await record(visit, happened(visit, kind, account, session=session, method=method, reason=refused.reason))
        visit.signed_in()
    return again(visit, "passkey", refused, **_stepping_up(visit, to, None))


def _browser(visit: Visit) -> str:
    """What a sign-in is bound to. Refused(FORM_FORGED) without the cookie that our pages plant."""
    if visit.form_cookie is None:
        raise Refused(Reason.FORM_FORGED)
    return visit.form_cookie


def _signing_in(visit: Visit, to: str) -> dict[str, Any]:
    options = visit.doors.passkeys.signing_in(visit.form_token, visit.at)
    return {**_page(visit, options, "sign-in", to), "asked": None, "quarantined": False, "has_codes": False}


def _stepping_up(visit: Visit, to: str, asked: dict[str, str] | None) -> dict[str, Any]:
    session = visit.signed_in()
    account = session.subject.account or ""
    options = visit.doors.passkeys.stepping_up(account, session.reference, visit.at)
    return {**_page(visit, options, "step-up", to), "asked": asked, **other_ways(visit, account)}


def _page(visit: Visit, options: dict[str, Any], act: str, to: str) -> dict[str, Any]:
    return {"options": json.dumps(options), "act": act, "to": to, "guards": script_guards(visit)}
