# SPDX-License-Identifier: EUPL-1.2
"""The holder's own wish for another password: the old one proved again, and a fresh proof of whatever is stronger.

The change is on record before it is made. It ends every other session of the account; this one goes on under a new
token, so that whoever copied the old one is out too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.identity.password import TooWeak
from gateway.model import EventKind, Level, Method, Proof, Reason
from gateway.pages.password_words import advice
from gateway.portal.answers import again, as_json, html, redirect
from gateway.portal.cookies import session_cookie
from gateway.portal.forms import read_form
from gateway.portal.fresh_proof import may_change_factors, prove_first
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.sign_in import arrived

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.accounts import Account
    from gateway.portal.visit import Visit

PASSWORD_PATH: Final = "/.herse/account/password"  # noqa: S105  # a path
DONE_PATH: Final = "/.herse/account/events?group=security"
"""Where the change stands on record, as its holder sees it."""


async def show_own_password(visit: Visit) -> Response:
    """The form, or what is to be proved first."""
    account = _account(visit)
    may_change = _may_change(visit, account)
    if visit.json:
        return as_json(visit, {"account": account.identifier, "may_change": may_change})
    values = _values(account, may_change=may_change)
    return html(visit, "own_password", alert=None, advice=[], old_wrong=False, **values)


async def change_own_password(visit: Visit) -> Response:
    """The old password and a new one in; every other session out. Without them: prove first, or see the page."""
    fields = await read_form(visit)
    account = _account(visit)
    need_ledger(visit)
    if not _may_change(visit, account):
        return prove_first(visit, PASSWORD_PATH)
    if "old" not in fields and not visit.json:
        return redirect(PASSWORD_PATH)
    name, old, new = account.identifier, fields.get("old", ""), fields.get("password", "")
    try:
        proved, encoded = await visit.doors.sign_in.own_change(name, old, new, visit.network, visit.at)
    except Refused as refused:
        return await _failed(visit, refused, account)
    session = visit.signed_in()
    others = [one for one in visit.doors.sessions.standing_on(name) if one is not session]
    await record(
        visit,
        *(happened(visit, EventKind.SIGN_OUT, one.subject.account or "", session=one) for one in others),
        happened(visit, EventKind.PASSWORD_SET, name, session=session, method=Method.PASSWORD),
    )
    visit.signed_in()
    for one in visit.doors.sessions.standing_on(name):  # asked again: some may have been opened meanwhile
        if one is not session:
            visit.doors.sessions.end(one, visit.at)
    visit.doors.accounts.replace_password(name, proved, encoded, visit.at)
    proof = Proof(Method.PASSWORD, visit.at)
    token, _ = visit.doors.sessions.strengthen(session, proof, visit.at, visit.network, visit.device)
    return arrived(visit, session, DONE_PATH, session_cookie(visit.doors, token))


async def _failed(visit: Visit, refused: Refused, account: Account) -> Response:
    session = visit.signed_in()
    wrong = refused.reason is Reason.CREDENTIALS_WRONG
    if wrong:
        kind, method = EventKind.STEP_UP_FAILED, Method.PASSWORD
        name = account.identifier
        await record(visit, happened(visit, kind, name, session=session, method=method, reason=refused.reason))
        visit.signed_in()
    told = advice(refused.weaknesses, visit.language) if isinstance(refused, TooWeak) else []
    return again(visit, "own_password", refused, advice=told, old_wrong=wrong, **_values(account, may_change=True))


def _account(visit: Visit) -> Account:
    account = visit.doors.accounts.find(visit.signed_in().subject.account or "")
    if account is None:
        raise Refused(Reason.SIGN_IN_REQUIRED)
    return account


def _may_change(visit: Visit, account: Account) -> bool:
    """Whether the old password is all that is missing: where there is a stronger proof, it is to be given first."""
    doors, name = visit.doors, account.identifier
    has_more = (
        account.has_totp
        or account.quarantined_at is not None
        or visit.signed_in().subject.assurance.level > Level.PASSWORD
        or bool(doors.passkeys.table.of_account(name))
        or (doors.sso is not None and bool(doors.sso.links.of_account(name)))
    )
    return not has_more or may_change_factors(visit)


def _values(account: Account, *, may_change: bool) -> dict[str, Any]:
    return {"identifier": account.identifier, "has_password": account.has_password, "may_change": may_change}
