# SPDX-License-Identifier: EUPL-1.2
"""The card on the public host: set out to the card host, wait, come back with a one-time ticket, be somebody.

A ticket counts only in the browser that set out: whoever is led here with another's ticket gets nothing. A card of
somebody who is no holder of the account that is signed in changes nothing. What was proved is recorded before any
session is opened or becomes stronger.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.cookie import read_cookie
from gateway.identity.tickets import WAITS, is_token, state_of
from gateway.model import EventKind, Method, Proof, Reason
from gateway.pages.render import alert
from gateway.portal.acting import Entry, delegate_entries, holder_entries, is_another, open_acting
from gateway.portal.answers import as_json, html, redirect, refuse
from gateway.portal.cookies import CARD_COOKIE, given, session_cookie, taken_back
from gateway.portal.forms import read_form
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.returning import carry, destination
from gateway.portal.sign_in import arrived, open_session
from gateway.portal.step_up import strengthen
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.card import CardHolder
    from gateway.identity.session import Session
    from gateway.model import Event
    from gateway.portal.answers import Headers
    from gateway.portal.doors import CardDesk
    from gateway.portal.visit import Visit

log = logging.getLogger(__name__)

CARD_PATH: Final = "/.herse/card"
BACK_PATH: Final = "/.herse/card/back"


async def show_card(visit: Visit) -> Response:
    """The button to set out; or, for a browser that has, the waiting page with the link to the card host."""
    desk, to = _desk(visit), visit.reference()
    secret = _secret(visit)
    waiting = desk.tickets.find(secret, visit.at)
    if secret is None or waiting is None or (to and to != waiting.to):
        return html(visit, "card_start", to=to)
    failed = desk.tickets.failed_since(visit.network, waiting.since)
    told = None if failed is None else alert(failed, visit.language)
    return html(visit, "card_wait", to=waiting.to, href=_address(desk, secret), alert=told)


async def start_card(visit: Visit) -> Response:
    """Set out: a secret for this browser, and a page with the link. A form's own redirect may not leave our origin."""
    desk = _desk(visit)
    fields = await read_form(visit)
    need_ledger(visit)
    desk.tickets.give_up(_secret(visit))
    secret = desk.tickets.begin(clean_reference(fields.get("to", "")), visit.network, visit.at)
    headers = given(CARD_COOKIE, secret, WAITS)
    if visit.json:
        return as_json(visit, {"next": _address(desk, secret)}, headers=headers)
    return redirect(CARD_PATH, headers)


async def card_back(visit: Visit) -> Response:
    """Back from the card host: use the ticket up, then enter. Without a ticket: the accounts to choose from."""
    desk, secret, ticket = _desk(visit), _secret(visit), visit.query("ticket")
    if not ticket:
        return _choices(visit, desk.tickets.choice(secret, visit.at).holder)
    need_ledger(visit)
    redeemed = desk.tickets.redeem(ticket, secret, visit.at)
    if isinstance(redeemed.outcome, Reason):
        return await _refused(visit, redeemed.outcome, redeemed.to)
    accounts = _accounts(visit, redeemed.outcome)
    if visit.account is None and len(accounts) > 1:
        desk.tickets.hold(secret or "", redeemed, visit.at)
        return redirect(BACK_PATH) if not visit.json else _choices(visit, redeemed.outcome)
    return await _enter(visit, accounts, redeemed.to)


async def choose_account(visit: Visit) -> Response:
    """One of several accounts of the card's holder."""
    desk, secret = _desk(visit), _secret(visit)
    fields = await read_form(visit)
    need_ledger(visit)
    choice = desk.tickets.choice(secret, visit.at)
    chosen = [one for one in _accounts(visit, choice.holder) if one.key == fields.get("identifier")]
    if not chosen:
        raise Refused(Reason.CARD_OF_ANOTHER)
    desk.tickets.chosen(secret, visit.at)
    return await _enter(visit, chosen, choice.to)


async def _enter(visit: Visit, accounts: list[Entry], to: str) -> Response:
    """Strengthen the session that is there, or open one: of another holder too. `accounts`: all the card may enter."""
    earlier = visit.session
    if visit.account is not None and earlier is not None:
        accounts = [one for one in accounts if one.continues(earlier.subject)]
        if not accounts:
            return await _refused(visit, Reason.CARD_OF_ANOTHER, to)
        name = accounts[0].name
        if not is_another(earlier.subject, name):
            token = await strengthen(visit, Proof(Method.SMART_CARD, visit.at), holder=name)
            return arrived(visit, earlier, destination(visit, to, earlier), _arrival(visit, token))
    if not accounts:
        return await _refused(visit, Reason.CARD_UNKNOWN, to)
    token, session = await _open(visit, accounts[0])
    following = destination(visit, carry(visit, to, earlier, session), session)
    return arrived(visit, session, following, _arrival(visit, token))


async def _open(visit: Visit, entry: Entry) -> tuple[str, Session]:
    """A session of the holder, or of the delegate."""
    if entry.given is not None:
        return await open_acting(visit, entry.account, entry.given, (Proof(Method.SMART_CARD, visit.at),))
    return await open_session(visit, entry.account, (Method.SMART_CARD,), holder=entry.name)


def _accounts(visit: Visit, holder: CardHolder) -> list[Entry]:
    """The accounts that this person holds, and those on which he is a delegate.

    Refused(ACCOUNT_LOCKED) if there are some that he holds, and all are locked.
    """
    given = visit.doors.delegates.of_card(holder.national_id, holder.card_number, visit.at)
    acting = delegate_entries(visit, given)
    found = [] if holder.rpps is None else visit.doors.accounts.of_person(holder.rpps)
    living = [one for one in found if not one.locked]
    if found and not living and not acting:
        failed = EventKind.SIGN_IN_FAILED
        events = [_failure(visit, failed, one.identifier, Reason.ACCOUNT_LOCKED) for one in found]
        visit.doors.ledger.append(events)
        raise Refused(Reason.ACCOUNT_LOCKED)
    return [*holder_entries(living, holder), *acting]


def _choices(visit: Visit, holder: CardHolder) -> Response:
    found = _accounts(visit, holder)
    shown = [{"identifier": it.key, "title": it.account.title, "delegate": it.given is not None} for it in found]
    if visit.json:
        return as_json(visit, {"accounts": shown, "next": BACK_PATH})
    return html(visit, "card_choose", accounts=shown)


async def _refused(visit: Visit, reason: Reason, to: str) -> Response:
    """Tell it, and record it where it is known whose account was meant."""
    if visit.account is not None:
        await record(visit, _failure(visit, EventKind.STEP_UP_FAILED, visit.account, reason))
    log.info("card-not-taken", extra={"reason": reason})
    return refuse(visit, Refused(reason), to=to, headers=taken_back(CARD_COOKIE))


def _failure(visit: Visit, kind: EventKind, account: str, reason: Reason) -> Event:
    return happened(visit, kind, account, session=visit.session, method=Method.SMART_CARD, reason=reason)


def _desk(visit: Visit) -> CardDesk:
    if visit.doors.card is None:
        raise Refused(Reason.CARD_NOT_SET_UP)
    return visit.doors.card


def _secret(visit: Visit) -> str | None:
    """The secret of a browser that waits. Refused(COOKIE_AMBIGUOUS) if there are two."""
    value = read_cookie(visit.headers(b"cookie"), CARD_COOKIE)
    text = "" if value is None else value.decode("latin-1")
    return text if is_token(text) else None


def _address(desk: CardDesk, secret: str) -> str:
    return f"{desk.origin}/card?state={state_of(secret)}"


def _arrival(visit: Visit, token: str) -> Headers:
    return (*session_cookie(visit.doors, token), *taken_back(CARD_COOKIE))
