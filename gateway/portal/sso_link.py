# SPDX-License-Identifier: EUPL-1.2
"""Linking an identity at the provider to an account, and taking it away: never without a fresh proof of the account.

Whichever proof comes first, both must be fresh, and the person must say so on our own page: a provider that knows him
already answers without asking, and on a shared computer it may know his colleague. Each change is an event first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.model import EventKind, Method, Reason
from gateway.pages import when
from gateway.portal.answers import again, as_json, html, redirect, refuse
from gateway.portal.forms import read_form
from gateway.portal.fresh_proof import FRESH, may_change_factors, prove_first
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.sso_entry import LINK_PATH, holds, not_taken, step_up_by
from gateway.portal.sso_waiting import browser_of, desk_of, start_values

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.sso_links import SsoLink
    from gateway.portal.sso_waiting import Proved
    from gateway.portal.visit import Visit

LINKS_PATH: Final = "/.herse/account/sso"


async def show_link(visit: Visit) -> Response:
    """Who was proved, and what is missing: a sign-in, a fresh proof of the account or of him, or only his word."""
    reference = visit.query("waiting")
    waiting = _find(visit, reference)
    missing = _missing(visit, waiting)
    if missing is Reason.SSO_OF_ANOTHER:
        return again(visit, "sso_start", Refused(missing), **start_values(visit, waiting.errand))
    name = _name(waiting)
    if visit.json:
        told = {"account": visit.account, "identity": name, "missing": missing, "waiting": reference}
        return as_json(visit, {**told, "next": LINK_PATH})
    values: dict[str, Any] = {
        "identity": name,
        "waiting": reference,
        "missing": missing,
        "others": _others(visit, waiting),
    }
    return html(visit, "sso_link", to=_back(visit, reference), errand=waiting.errand, **values)


async def link(visit: Visit) -> Response:
    """Link the waiting identity to the account that is signed in, and go on with both proofs."""
    fields = await read_form(visit)
    need_ledger(visit)
    reference = fields.get("waiting", "")
    waiting, session = _find(visit, reference), visit.signed_in()
    missing = _missing(visit, waiting)
    if missing is Reason.SSO_OF_ANOTHER:
        return await not_taken(visit, missing, waiting.errand, waiting.identity.proof.method)
    if missing is not None:
        return refuse(visit, Refused(missing)) if visit.json else redirect(f"{LINK_PATH}?waiting={reference}")
    desk, identity, account = desk_of(visit), waiting.identity, session.subject.account or ""
    desk.waiting.proved.drop(reference)
    told = happened(visit, EventKind.SSO_LINKED, account, session=session, method=identity.proof.method)
    await record(visit, told)
    visit.signed_in()
    desk.links.add(account, identity, visit.at)
    return await step_up_by(visit, identity, waiting.errand)


async def show_links(visit: Visit) -> Response:
    """The identities that open this account."""
    session, desk = visit.signed_in(), desk_of(visit)
    links, may_change = desk.links.of_account(session.subject.account or ""), may_change_factors(visit)
    if visit.json:
        return as_json(
            visit, {"account": visit.account, "links": [_plain(one) for one in links], "may_change": may_change}
        )
    to = visit.doors.returns.keep(LINKS_PATH, visit.at, signed_in=True)
    return html(visit, "sso_links", links=links, may_change=may_change, to=to)


async def unlink(visit: Visit) -> Response:
    """Take one of them away; other sessions that stand on it end. Without a fresh proof: prove first."""
    fields = await read_form(visit)
    session, desk = visit.signed_in(), desk_of(visit)
    need_ledger(visit)
    if not may_change_factors(visit):
        return prove_first(visit, LINKS_PATH)
    account = session.subject.account or ""
    found = [one for one in desk.links.of_account(account) if one.reference == fields.get("link")]
    removed = False
    for one in found:
        await record(visit, happened(visit, EventKind.SSO_UNLINKED, account, session=session, method=Method.SSO))
        visit.signed_in()
        removed = desk.links.remove(account, one.reference)
        standing = desk.sessions.of_identity(one.issuer, one.subject)
        for other in visit.doors.sessions.standing_on(account):
            if other is not session and other.reference in standing:
                visit.doors.sessions.end(other, visit.at)
    return as_json(visit, {"account": account, "removed": int(removed)}) if visit.json else redirect(LINKS_PATH)


def _find(visit: Visit, reference: str) -> Proved:
    return desk_of(visit).waiting.proved.find(reference, browser_of(visit), visit.at)


def _missing(visit: Visit, waiting: Proved) -> Reason | None:
    """What stands between this identity and the account: each proof must be fresh, and theirs."""
    if visit.account is None:
        return Reason.SIGN_IN_REQUIRED
    if not holds(visit, visit.account, waiting.identity):
        return Reason.SSO_OF_ANOTHER
    if not may_change_factors(visit):
        return Reason.PROOF_TOO_OLD
    return None if visit.at - waiting.identity.proof.at < FRESH else Reason.SSO_TOO_OLD


def _others(visit: Visit, waiting: Proved) -> list[str]:
    """Identities of the same person that this account knows already: he is told that this one is another."""
    if visit.account is None or waiting.identity.rpps is None:
        return []
    links = desk_of(visit).links.of_account(visit.account)
    return [one.name for one in links if one.rpps == waiting.identity.rpps]


def _back(visit: Visit, reference: str) -> str:
    """A return reference to this page, for the proof that is missing."""
    signed_in = visit.account is not None
    return visit.doors.returns.keep(f"{LINK_PATH}?waiting={reference}", visit.at, signed_in=signed_in)


def _name(waiting: Proved) -> str:
    identity = waiting.identity
    return f"{identity.given_name} {identity.family_name}".strip() or identity.subject


def _plain(one: SsoLink) -> dict[str, Any]:
    used = None if one.last_used_at is None else when.iso(one.last_used_at)
    return {"reference": one.reference, "name": one.name, "linked_at": when.iso(one.linked_at), "last_used_at": used}
