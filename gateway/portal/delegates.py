# SPDX-License-Identifier: EUPL-1.2
"""« Délégations »: whom the holder lets act on his account, with proofs of their own, where, and until which day.

Only a holder with a fresh proof gives or ends one (a delegate's session never gets here, see acting). Both are recorded
before they are in force; ending one ends the delegate's sessions at once.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.errors import Refused
from gateway.identity.delegates import LONGEST, DelegateError
from gateway.model import EventKind, Reason
from gateway.pages import when
from gateway.portal.answers import as_json, html, redirect, refuse
from gateway.portal.forms import GIVE, read_form
from gateway.portal.fresh_proof import may_change_factors, prove_first
from gateway.portal.record import happened, need_ledger, record

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.delegates import Given
    from gateway.identity.session import Session
    from gateway.portal.visit import Visit

DELEGATES_PATH: Final = "/.herse/account/delegates"
_TYPED: Final = ("name", "card", "identifier", "until")
_LONGEST_SHOWN: Final = 120
_BAD_REQUEST: Final = 400


async def show_delegates(visit: Visit) -> Response:
    """The living delegations, and the form for another one."""
    return _page(visit, {}, None)


async def give(visit: Visit) -> Response:
    """A delegation in force, or the form again with what is wrong. Without a fresh proof: prove first."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    if not may_change_factors(visit):
        return prove_first(visit, DELEGATES_PATH)
    if "name" not in fields:
        return redirect(DELEGATES_PATH)
    try:
        given = _draft(visit, session, fields)
    except DelegateError as error:
        if visit.json:
            return refuse(visit, Refused(Reason.MALFORMED_REQUEST))
        return _page(visit, fields, error.field)
    event = happened(visit, EventKind.DELEGATION_GIVEN, given.account, session=session)
    await record(visit, event._replace(delegate=given.reference))
    visit.signed_in()
    visit.doors.delegates.give(given)
    return _page(visit, {}, None) if visit.json else redirect(DELEGATES_PATH)


async def end(visit: Visit) -> Response:
    """Take one back: it is over at once, and so are the sessions that stand on it."""
    fields = await read_form(visit)
    session = visit.signed_in()
    need_ledger(visit)
    if not may_change_factors(visit):
        return prove_first(visit, DELEGATES_PATH)
    account = session.subject.account or ""
    for given in visit.doors.delegates.of_account(account, visit.at):
        if given.reference == fields.get("delegation"):
            event = happened(visit, EventKind.DELEGATION_ENDED, account, session=session)
            await record(visit, event._replace(delegate=given.reference))
            visit.signed_in()
            visit.doors.delegates.end(account, given.reference, visit.at)
            for one in visit.doors.sessions.of_account(account):
                if one.subject.delegation is not None and one.subject.delegation.reference == given.reference:
                    visit.doors.sessions.end(one, visit.at)
    return _page(visit, {}, None) if visit.json else redirect(DELEGATES_PATH)


def _draft(visit: Visit, session: Session, fields: dict[str, str]) -> Given:
    subject = session.subject
    ticked = [name for name in visit.doors.teleservices(subject) if fields.get(GIVE + name) == "1"]
    return visit.doors.delegates.draft(
        subject.account or "",
        fields["name"],
        fields.get("card", ""),
        fields.get("identifier", ""),
        ticked,
        _end_of(fields.get("until", "")),
        subject.holder,
        visit.at,
    )


def _end_of(text: str) -> datetime:
    """The end of the last day, in Paris."""
    try:
        return when.end_of_day(date.fromisoformat(text))
    except (ValueError, OverflowError):
        raise DelegateError("until") from None


def _page(visit: Visit, fields: dict[str, str], wrong: str | None) -> Response:
    session = visit.signed_in()
    account, doors = session.subject.account or "", visit.doors
    living = doors.delegates.of_account(account, visit.at)
    if visit.json:
        return as_json(visit, {"account": account, "delegates": [_plain(one) for one in living]})
    shown = [(one, [doors.titles(name) for name in one.teleservices]) for one in living]
    offered = [(name, doors.titles(name), GIVE + name in fields) for name in doors.teleservices(session.subject)]
    return html(
        visit,
        "delegates",
        200 if wrong is None else _BAD_REQUEST,
        delegates=shown,
        offered=offered,
        wrong=wrong,
        may_change=may_change_factors(visit),
        typed={name: fields.get(name, "")[:_LONGEST_SHOWN] for name in _TYPED},
        first=visit.at.astimezone(when.PARIS).date().isoformat(),
        last=(visit.at + LONGEST - timedelta(days=1)).astimezone(when.PARIS).date().isoformat(),
        give=GIVE,
    )


def _plain(one: Given) -> dict[str, Any]:
    return {
        "delegation": one.reference,
        "name": one.name,
        "card": one.card,
        "identifier": one.own,
        "teleservices": list(one.teleservices),
        "until": when.iso(one.until),
        "given_by": one.given_by,
    }
