# SPDX-License-Identifier: EUPL-1.2
"""Somebody whom the provider has proved, and the account that he enters by it: the one that his identity is linked to.

A national id is no key here, other than for the card (faults P1): it can only take away. Whoever is linked but holds
the account no longer, or bears a number other than when he was linked, stays outside. Whoever is not linked is kept
waiting, in his browser, until he has proved that an account is his (`sso_link`); and whoever has several activities,
until he has said in which of them he works (`sso_activity`).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.sso_pending import browser_value
from gateway.model import EventKind, Method, Proof, Reason
from gateway.portal.acting import holder_name, is_another
from gateway.portal.answers import again, as_json, html, redirect
from gateway.portal.cookies import session_cookie
from gateway.portal.forms import read_form
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.returning import carry, destination
from gateway.portal.sign_in import arrived, open_session
from gateway.portal.sso_waiting import Errand, Proved, browser_of, desk_of, sso_cookie, start_values
from gateway.portal.step_up import strengthen

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.accounts import Account
    from gateway.identity.session import Session
    from gateway.identity.sso_identity import SsoIdentity
    from gateway.identity.sso_links import SsoLink
    from gateway.model import Activity, Event
    from gateway.portal.visit import Visit

log = logging.getLogger(__name__)

CHOOSE_PATH: Final = "/.herse/sso/choose"
LINK_PATH: Final = "/.herse/sso/link"
ACTIVITY_PATH: Final = "/.herse/sso/activity"


async def enter(visit: Visit, identity: SsoIdentity, errand: Errand) -> Response:
    """Strengthen the session that is there, open one, or keep the person waiting: to choose, or to link.

    Refused: the account that the identity is linked to is locked, or is no longer this person's.
    """
    identity = _of_now(visit, identity)
    linked, account = _entered_by(visit, identity), visit.account
    if linked and account is not None:
        return await step_up_by(visit, identity, errand)
    if linked:
        one, *others = linked
        return _keep(visit, identity, errand, CHOOSE_PATH) if others else await _open(visit, identity, one, errand)
    if account is not None and not holds(visit, account, identity):
        return await not_taken(visit, Reason.SSO_OF_ANOTHER, errand, identity.proof.method)
    if account is None and identity.national_id is not None and not _held(visit, identity):
        return await not_taken(visit, Reason.SSO_UNKNOWN, errand, identity.proof.method)
    return _keep(visit, identity, errand, LINK_PATH)


async def show_choices(visit: Visit) -> Response:
    """The accounts that the waiting identity opens."""
    reference, waiting = _waiting(visit, visit.query("waiting"))
    shown = [{"identifier": one.identifier, "title": one.title} for one in _entered_by(visit, waiting.identity)]
    if visit.json:
        return as_json(visit, {"accounts": shown, "waiting": reference, "next": CHOOSE_PATH})
    return html(visit, "sso_choose", accounts=shown, waiting=reference)


async def choose(visit: Visit) -> Response:
    """One of them."""
    fields = await read_form(visit)
    need_ledger(visit)
    reference, waiting = _waiting(visit, fields.get("waiting", ""))
    accounts = _entered_by(visit, waiting.identity)
    chosen = [one for one in accounts if one.identifier == fields.get("identifier")]
    if not chosen:
        raise Refused(Reason.SSO_OF_ANOTHER)
    desk_of(visit).waiting.proved.drop(reference)
    return await _open(visit, waiting.identity, chosen[0], waiting.errand)


async def enter_in(visit: Visit, waiting: Proved, activity: Activity) -> Response:
    """The account that was found for him, in the activity that he has chosen. Refused: he enters it no more."""
    accounts = [one for one in _entered_by(visit, waiting.identity) if one.identifier == waiting.account]
    if not accounts:
        raise Refused(Reason.SSO_OF_ANOTHER)
    if visit.account is not None:
        return await step_up_by(visit, waiting.identity, waiting.errand, activity)
    return await _open(visit, waiting.identity, accounts[0], waiting.errand, activity)


async def step_up_by(visit: Visit, identity: SsoIdentity, errand: Errand, chosen: Activity | None = None) -> Response:
    """The proof of a linked identity makes the session stronger, which ends with the provider's from now on.

    That of another holder than the one who is known to be signed in opens a session of his own. `chosen`: the activity;
    without it the session stays in its own, or the person is asked.
    """
    session = visit.signed_in()
    if errand.card and identity.proof.method is not Method.SSO_CARD:
        return await not_taken(visit, Reason.CARD_REQUIRED, errand, identity.proof.method)
    desk, account = desk_of(visit), visit.doors.accounts.find(session.subject.account or "")
    name = None if account is None else holder_name(account, identity)
    if account is not None and is_another(session.subject, name):
        return await _open(visit, identity, account, errand, chosen)
    known = chosen or (None if errand.anew else session.subject.activity)
    if identity.must_choose(known):
        return _keep(visit, identity, errand, ACTIVITY_PATH, session.subject.account or "")
    desk.links.note_use(session.subject.account or "", identity, visit.at)
    desk.sessions.note(session.reference, identity)
    token = await strengthen(visit, identity.proof, ends_at=identity.ends_at, holder=name)
    desk.sessions.works_in(session, identity.activity(known))
    headers = (*session_cookie(visit.doors, token), *sso_cookie(""))
    return arrived(visit, session, destination(visit, errand.to, session), headers)


async def not_taken(visit: Visit, reason: Reason, errand: Errand, method: Method = Method.SSO) -> Response:
    """Tell it, with the ways on, and record it where it is known whose account was meant."""
    if visit.account is not None:
        await record(visit, _failure(visit, EventKind.STEP_UP_FAILED, visit.account, method, reason))
    log.info("sso-not-taken", extra={"reason": str(reason)})
    return again(visit, "sso_start", Refused(reason), **start_values(visit, errand))


def holds(visit: Visit, account: str, identity: SsoIdentity) -> bool:
    """Whether this person may be linked to the account: where the provider tells a national id, a holder's alone."""
    return identity.national_id is None or account in {one.identifier for one in _held(visit, identity)}


async def _open(
    visit: Visit, identity: SsoIdentity, account: Account, errand: Errand, chosen: Activity | None = None
) -> Response:
    desk, earlier, proof = desk_of(visit), visit.session, identity.proof
    if errand.card and proof.method is not Method.SSO_CARD:
        return await not_taken(visit, Reason.CARD_REQUIRED, errand, proof.method)
    if identity.must_choose(chosen):
        return _keep(visit, identity, errand, ACTIVITY_PATH, account.identifier)

    def opened(session: Session) -> None:
        desk.sessions.note(session.reference, identity)
        desk.sessions.works_in(session, identity.activity(chosen))

    desk.links.note_use(account.identifier, identity, visit.at)
    token, session = await open_session(
        visit,
        account,
        (proof.method,),
        proofs=(proof,),
        ends_at=identity.ends_at,
        holder=holder_name(account, identity),
        opened=opened,
    )
    following = destination(visit, carry(visit, errand.to, earlier, session), session)
    return arrived(visit, session, following, (*session_cookie(visit.doors, token), *sso_cookie("")))


def _of_now(visit: Visit, identity: SsoIdentity) -> SsoIdentity:
    """A provider whose clock runs ahead proves nothing in the future, and its session lasts no longer for it."""
    ends_at = min(identity.ends_at, visit.at + desk_of(visit).sso.settings.session_lifetime)
    return replace(identity, proof=Proof(identity.proof.method, min(identity.proof.at, visit.at)), ends_at=ends_at)


def _keep(visit: Visit, identity: SsoIdentity, errand: Errand, path: str, account: str = "") -> Response:
    """The identity waits in this browser; the answer leads to the page that asks for what is missing."""
    value, waiting = browser_value(browser_of(visit)), desk_of(visit).waiting
    pending = waiting.choosing if account else waiting.proved
    reference = pending.keep(Proved(identity, errand, account), value, visit.at)
    following = f"{path}?waiting={reference}"
    if visit.json:
        level = "none" if visit.account is None else visit.signed_in().subject.assurance.level.name.lower()
        told = {"account": visit.account, "assurance": level, "next": following}
        return as_json(visit, told, headers=sso_cookie(value))
    return redirect(following, sso_cookie(value))


def _waiting(visit: Visit, reference: str) -> tuple[str, Proved]:
    return reference, desk_of(visit).waiting.proved.find(reference, browser_of(visit), visit.at)


def _held(visit: Visit, identity: SsoIdentity) -> list[Account]:
    return [] if identity.rpps is None else visit.doors.accounts.of_person(identity.rpps)


def _entered_by(visit: Visit, identity: SsoIdentity) -> list[Account]:
    """The accounts that this identity opens: of a session's account alone, where there is one.

    Refused if it is linked and none can be entered; told to each account, unless a step-up tells it.
    """
    links = desk_of(visit).links.of_identity(identity.issuer, identity.subject)
    judged = [(one.account, _judge(visit, identity, one)) for one in links if visit.account in {None, one.account}]
    opened = [found for _, found in judged if not isinstance(found, Reason)]
    refusals = [(account, found) for account, found in judged if isinstance(found, Reason)]
    if refusals and not opened:
        if visit.account is None:
            kind, method = EventKind.SIGN_IN_FAILED, identity.proof.method
            visit.doors.ledger.append([_failure(visit, kind, account, method, why) for account, why in refusals])
        raise Refused(refusals[0][1])
    return opened


def _judge(visit: Visit, identity: SsoIdentity, link: SsoLink) -> Account | Reason:
    account = visit.doors.accounts.find(link.account)
    if account is None or link.rpps != identity.rpps or not holds(visit, link.account, identity):
        return Reason.SSO_OF_ANOTHER
    return Reason.ACCOUNT_LOCKED if account.locked else account


def _failure(visit: Visit, kind: EventKind, account: str, method: Method, reason: Reason) -> Event:
    return happened(visit, kind, account, session=visit.session, method=method, reason=reason)
