# SPDX-License-Identifier: EUPL-1.2
"""« Sessions et appareils »: where an account is open, and which browsers it knows; its owner ends and forgets them.

Everything shown or ended here belongs to the signed-in account; a reference of anybody else's finds nothing. What its
owner does elsewhere, as a delegate, ends with all others, and with a device: nobody knows on which one it is. What ends
has ended before the ledger is told: a ledger that fails keeps nobody signed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.errors import LedgerError
from gateway.model import EventKind
from gateway.pages import when
from gateway.pages.activity_words import activity_words
from gateway.portal.answers import as_json, html, redirect
from gateway.portal.forms import read_form
from gateway.portal.record import happened, record
from gateway.portal.sign_in import left

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.devices import Device
    from gateway.identity.session import Session
    from gateway.model import Event
    from gateway.portal.visit import Visit

SESSIONS_PATH: Final = "/.herse/account/sessions"
_TIMES: Final = frozenset({"opened_at", "seen_at", "first_seen_at", "last_seen_at"})


async def show_sessions(visit: Visit) -> Response:
    """The open sessions, newest first, and the known devices, latest seen first."""
    session = visit.signed_in()
    account = session.subject.account or ""
    own = visit.doors.sessions.of_account(account)
    sessions = [_session(visit, one, session) for one in sorted(own, key=lambda one: one.opened_at, reverse=True)]
    devices = [_device(one, session, own) for one in visit.doors.devices.of_account(account, visit.at)]
    if visit.json:
        return as_json(visit, {"account": account, "sessions": _plain(sessions), "devices": _plain(devices)})
    return html(visit, "sessions", sessions=sessions, devices=devices)


async def end_sessions(visit: Visit) -> Response:
    """End one other session of the account by its reference, all others, or all, this one too."""
    fields = await read_form(visit)
    current = visit.signed_in()
    ended = visit.doors.sessions.standing_on(current.subject.account or "")
    if fields.get("all") != "1":
        ended = [one for one in ended if one is not current]
        if fields.get("others") != "1":
            ended = [one for one in ended if one.reference == fields.get("session")]
    return await _end(visit, current, ended)


async def forget_device(visit: Visit) -> Response:
    """A device is known no more; the sessions that were opened on it end, even this one."""
    fields = await read_form(visit)
    current = visit.signed_in()
    account, devices = current.subject.account or "", visit.doors.devices
    reference = fields.get("device", "")
    if not any(one.reference == reference for one in devices.of_account(account, visit.at)):
        return await _end(visit, current, [])
    own = visit.doors.sessions.standing_on(account)
    ended = [one for one in own if one.browser == reference or one.subject.account != account]
    forgotten = happened(visit, EventKind.DEVICE_FORGOTTEN, account, session=current)
    answer = await _end(visit, current, ended, forgotten)
    devices.forget(account, reference)
    return answer


async def _end(visit: Visit, current: Session, ended: list[Session], *more: Event) -> Response:
    """End these, tell the ledger, and answer: with the sessions that are left, or as a sign-out if this one is not."""
    account = current.subject.account or ""
    for one in ended:
        visit.doors.sessions.end(one, visit.at)
    signed_out = (happened(visit, EventKind.SIGN_OUT, one.subject.account or "", session=one) for one in ended)
    events = (*signed_out, *more)
    try:
        if events:
            await record(visit, *events)
    except LedgerError:
        if more or current not in ended:  # a sign-out alone is not stopped by it
            raise
    if current in ended:
        return left(visit)
    return as_json(visit, {"account": account, "ended": len(ended)}) if visit.json else redirect(SESSIONS_PATH)


def _session(visit: Visit, one: Session, current: Session) -> dict[str, Any]:
    activity = one.subject.activity
    return {
        "reference": one.reference,
        "current": one is current,
        "opened_at": one.opened_at,
        "seen_at": one.seen_at,
        "network": one.network or "",
        "device": one.device or "",
        "activity": "" if activity is None else activity_words(activity, visit.language).line,
    }


def _device(one: Device, current: Session, own: list[Session]) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "current": one.reference == current.browser,
        "name": one.name,
        "first_seen_at": one.first_seen_at,
        "last_seen_at": one.last_seen_at,
        "sessions": sum(session.browser == one.reference for session in own),
    }


def _plain(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: when.iso(value) if key in _TIMES else value for key, value in one.items()} for one in shown]
