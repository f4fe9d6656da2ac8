# SPDX-License-Identifier: EUPL-1.2
"""The page on which a professional sees the mail address of his account and changes it.

Asking needs a fresh strong proof, and is told to the old address at once; the new one counts only once its letter was
read by somebody signed in to the same account. Without a letter that is kept, nothing changes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.identity.identifiers import AccountError
from gateway.identity.mail_address import parse_mail_address
from gateway.mail.letter import Letter
from gateway.mail.outbox import OutboxError
from gateway.model import EventKind, Reason
from gateway.pages import when
from gateway.pages.letters import confirmation, masked
from gateway.portal.answers import again, as_json, html, redirect
from gateway.portal.forms import read_form
from gateway.portal.fresh_proof import may_change_factors, prove_first
from gateway.portal.record import happened, need_ledger, record

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.session import Session
    from gateway.portal.visit import Visit

MAIL_PATH: Final = "/.herse/account/mail"


async def show_mail(visit: Visit) -> Response:
    """The address, partly masked, and the change that waits, if one does."""
    values = _values(visit)
    if visit.json:
        return _json(visit, values)
    return html(visit, "mail", alert=None, typed="", **values)


async def ask_change(visit: Visit) -> Response:
    """Another address in; a letter to it, and one to the old address. Without one: prove first, or see the page."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    if not may_change_factors(visit):
        return prove_first(visit, MAIL_PATH)
    if "mail" not in fields:
        return await show_mail(visit) if visit.json else redirect(MAIL_PATH)
    try:
        await _ask(visit, session, _new_address(visit, fields["mail"]))
    except Refused as refused:
        if refused.reason in {Reason.SIGN_IN_REQUIRED, Reason.LEDGER_UNAVAILABLE}:
            raise
        return again(visit, "mail", refused, typed=fields["mail"][:100], **_values(visit))
    return _json(visit, _values(visit)) if visit.json else redirect(MAIL_PATH)


async def drop_change(visit: Visit) -> Response:
    """Let the change that waits be forgotten; anybody who is signed in may keep the old address."""
    await read_form(visit)
    dropped = visit.doors.mail_addresses.drop(visit.signed_in().subject.account or "", visit.at)
    return as_json(visit, {"account": visit.account, "dropped": int(dropped)}) if visit.json else redirect(MAIL_PATH)


async def show_confirm(visit: Visit) -> Response:
    """A button: opening a link changes nothing, since mail programs open links by themselves."""
    account = visit.signed_in().subject.account or ""
    ticket = visit.query("ticket")
    change = visit.doors.mail_addresses.asked(account, ticket, visit.at)
    return html(visit, "mail_confirm", mail=change.address, ticket=ticket)


async def confirm(visit: Visit) -> Response:
    """The address is changed, once the old one is told."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    account, ticket = session.subject.account or "", fields.get("ticket", "")
    visit.doors.mail_addresses.asked(account, ticket, visit.at)
    told = await record(visit, happened(visit, EventKind.MAIL_CHANGED, account, session=session))
    visit.signed_in()
    if not told:
        raise Refused(Reason.MAIL_UNAVAILABLE)
    visit.doors.mail_addresses.confirm(account, ticket, visit.at)
    return _json(visit, _values(visit)) if visit.json else redirect(MAIL_PATH)


def _new_address(visit: Visit, typed: str) -> str:
    try:
        address = parse_mail_address(typed)
    except AccountError:
        raise Refused(Reason.MAIL_ADDRESS_WRONG) from None
    if address == _current(visit):
        raise Refused(Reason.MAIL_ADDRESS_WRONG)
    return address


async def _ask(visit: Visit, session: Session, address: str) -> None:
    account, addresses = session.subject.account or "", visit.doors.mail_addresses
    addresses.may_ask(account, visit.at)
    told = await record(visit, happened(visit, EventKind.MAIL_CHANGE_ASKED, account, session=session))
    visit.signed_in()
    if not told:
        raise Refused(Reason.MAIL_UNAVAILABLE)
    ticket, change = addresses.ask(account, address, visit.at)
    words = confirmation(session.subject.title or account, visit.doors.origin, ticket, change.expires_at)
    try:
        visit.doors.outbox.put(Letter(address, *words), visit.at)
    except OutboxError:
        addresses.drop(account, visit.at)
        raise Refused(Reason.MAIL_UNAVAILABLE) from None


def _current(visit: Visit) -> str | None:
    account = visit.doors.accounts.find(visit.signed_in().subject.account or "")
    return None if account is None else account.mail


def _values(visit: Visit) -> dict[str, Any]:
    """What the page shows: addresses in full only where they were just typed, by who has just proved himself."""
    current = _current(visit)
    waiting = visit.doors.mail_addresses.waiting(visit.signed_in().subject.account or "", visit.at)
    may_change = may_change_factors(visit)
    return {
        "current": None if current is None else masked(current),
        "waiting": None if waiting is None else waiting.address if may_change else masked(waiting.address),
        "until": None if waiting is None else waiting.expires_at,
        "may_change": may_change,
    }


def _json(visit: Visit, values: dict[str, Any]) -> Response:
    until = None if values["until"] is None else when.iso(values["until"])
    return as_json(visit, {"account": visit.account, **values, "until": until})
