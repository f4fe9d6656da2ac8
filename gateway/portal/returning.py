# SPDX-License-Identifier: EUPL-1.2
"""Where a person goes after a proof: to the page he asked for, to what he had sent and now waits, or to the home page.

What was kept is never sent by itself: the person sees what it is, and sends it or gives it up by a button. It goes
once; whatever is known of it afterwards is told on the same page, which never offers to send it again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from gateway.errors import Refused
from gateway.identity.kept_work import Owner, State, is_work
from gateway.model import Reason
from gateway.pages import when
from gateway.portal.answers import as_json, html, redirect
from gateway.portal.forms import read_form
from gateway.portal.visit import clean_reference

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.identity.kept_work import Kept
    from gateway.identity.session import Session
    from gateway.model import Subject
    from gateway.portal.visit import Visit

_PAGE = "/.herse/continue"
_CONFLICT = 409


def destination(visit: Visit, to: str, session: Session) -> str:
    """The path to go on to: `/` if nothing was kept, the page of what waits or was lost, or the path itself."""
    if is_work(to):
        return "/" if visit.doors.kept.find(to, _owner(session), visit.at) is None else f"{_PAGE}?to={to}"
    kept = visit.doors.returns.find(to, visit.at) if to else None
    if kept is None:
        return "/"
    return f"{_PAGE}?to={to}" if kept.lost else kept.path


def carry(visit: Visit, to: str, earlier: Session | None, session: Session) -> str:
    """The reference for a new session: what waits in the session that the same person had before goes along."""
    if is_work(to) and earlier is not None and _same_person(earlier.subject, session.subject):
        visit.doors.kept.carry(to, _owner(earlier), _owner(session))
    return to


async def show_continue(visit: Visit) -> Response:
    """What waits, or what became of it, for its own session; that something was lost; else the portal's home."""
    session, to = visit.signed_in(), visit.reference()
    if is_work(to):
        kept = visit.doors.kept.find(to, _owner(session), visit.at)
        return redirect("/") if kept is None else _shown(visit, kept)
    lost = visit.doors.returns.find(to, visit.at) if to else None
    if lost is None or not lost.lost:
        return redirect("/")
    return html(visit, "continue_lost", path=lost.path)


async def confirm(visit: Visit) -> Response:
    """Send what waits, once, or give it up."""
    fields = await read_form(visit)
    owner, to = _owner(visit.signed_in()), clean_reference(fields.get("to", ""))
    kept = visit.doors.kept.find(to, owner, visit.at) if is_work(to) else None
    if kept is None:
        return redirect("/")
    if fields.get("work") == "give-up":
        visit.doors.kept.give_up(to, owner, visit.at)
        return redirect(f"{_PAGE}?to={to}")
    if fields.get("work") != "send":
        raise Refused(Reason.MALFORMED_REQUEST)
    sender = visit.doors.work.sender(kept, owner, shows=kept.pieces > 0 or visit.json)
    if sender is not None:
        return _Walked(sender)
    on_its_way = kept.state is State.WAITING  # by another confirmation, of this very moment
    return _shown(visit, replace(kept, state=State.SENDING) if on_its_way else kept, _CONFLICT)


class _Walked(Response):
    """The answer that the hallway gives to the work."""

    def __init__(self, sender: Callable[[Any, Any, Any], Awaitable[None]]) -> None:
        super().__init__()
        self._sender = sender

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._sender(scope, receive, send)


def _shown(visit: Visit, kept: Kept, status: int = 200) -> Response:
    teleservice = visit.doors.titles(kept.teleservice)
    if visit.json:
        told = {
            "state": kept.state,
            "teleservice": kept.teleservice,
            "kept_at": when.iso(kept.kept_at),
            "until": when.iso(kept.until),
            "status": kept.status,
        }
        return as_json(visit, told, status)
    return html(visit, "continue", status, work=kept, teleservice=teleservice, back=kept.back or "/")


def _same_person(earlier: Subject, later: Subject) -> bool:
    """Not a delegate and his holder; nor two holders of one account, where both are known."""
    if (earlier.delegation and earlier.delegation.reference) != (later.delegation and later.delegation.reference):
        return False
    return None in {earlier.holder, later.holder} or earlier.holder == later.holder


def _owner(session: Session) -> Owner:
    return Owner(session.subject.account or "", session.reference)
