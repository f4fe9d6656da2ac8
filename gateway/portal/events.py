# SPDX-License-Identifier: EUPL-1.2
"""« Mes derniers événements »: what happened on the signed-in account, and on no other, as a page or as JSON.

The account is that of the session; no parameter names one. Filters: a group of kinds, first and last day (in Paris).
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from gateway.errors import Refused
from gateway.ledger.event import read_cursor
from gateway.model import AlertReason, Reason
from gateway.pages import when
from gateway.pages.event_words import GROUP_NAMES, GROUPS, by_whom, is_alarming, method_name, reason_sentence, sentence
from gateway.pages.render import alert
from gateway.portal.answers import as_json, html, provider, refuse
from gateway.portal.feed import Line, read_feed

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.ledger.event import Cursor, StoredEvent
    from gateway.portal.visit import Visit

PATH: Final = "/.herse/account/events"
LINES: Final = 50
"""Lines of one page."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEARS: Final = range(2000, 2200)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the reader asked for; `before` is the cursor."""

    group: str = ""
    first: date | None = None
    last: date | None = None
    before: Cursor | None = None

    def address(self, before: Cursor | None) -> str:
        """The page with the same choice, from another cursor on."""
        given = {
            "group": self.group,
            "from": "" if self.first is None else self.first.isoformat(),
            "to": "" if self.last is None else self.last.isoformat(),
            "before": "" if before is None else str(before),
        }
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{PATH}?{query}" if query else PATH


async def show_events(visit: Visit) -> Response:
    """One page of events."""
    session = visit.signed_in()
    account = session.subject.account or ""
    try:
        asked = read_filter(visit)
    except Refused as refused:
        return refuse(visit, refused) if visit.json else _page(visit, Filter(), [], None, refused)
    kinds = GROUPS[asked.group] if asked.group else None
    since = None if asked.first is None else when.start_of_day(asked.first)
    until = None if asked.last is None else when.end_of_day(asked.last)

    def fetch(before: Cursor | None, limit: int) -> list[StoredEvent]:
        return visit.doors.reader.events(account, kinds, since, until, before, limit)

    feed = await asyncio.to_thread(read_feed, fetch, asked.before, LINES)
    if visit.json:
        told = [_plain(line) for line in feed.lines]
        return as_json(
            visit, {"account": account, "events": told, "next": None if feed.following is None else str(feed.following)}
        )
    return _page(visit, asked, feed.lines, feed.following, None)


def read_filter(visit: Visit) -> Filter:
    """The filter of the query. Refused(MALFORMED_REQUEST) for what is no group, no day or no cursor."""
    group, before = visit.query("group"), visit.query("before")
    try:
        cursor = read_cursor(before) if before else None
    except ValueError:
        raise Refused(Reason.MALFORMED_REQUEST) from None
    if group and group not in GROUPS:
        raise Refused(Reason.MALFORMED_REQUEST)
    return Filter(group, _date(visit.query("from")), _date(visit.query("to")), cursor)


def _date(text: str) -> date | None:
    if not text:
        return None
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise Refused(Reason.MALFORMED_REQUEST)
    return found


def _plain(line: Line) -> dict[str, Any]:
    event = line.event
    return {
        "sequence": line.sequence,
        "at": when.iso(event.at),
        "kind": str(event.kind),
        "teleservice": event.teleservice,
        "people": line.people,
        "reason": _told(event.reason),
        "network": event.network,
        "device": event.device,
        "method": event.method,
        "session": event.session,
        "holder": event.holder,
        "delegate": event.delegate,
    }


def _told(reason: str | None) -> str | None:
    """The reason as programs read it: that a number was a decoy is for the support to know."""
    return Reason.SEARCH_REFUSED if reason == AlertReason.DECOY else reason


def _words(visit: Visit, line: Line) -> dict[str, Any]:
    event = line.event
    title = None if event.teleservice is None else visit.doors.titles(event.teleservice)
    return {
        "at": event.at,
        "sentence": sentence(event.kind, visit.language, title, line.people),
        "reason": reason_sentence(event.reason, visit.language, provider(visit)),
        "by": by_whom(event.holder, visit.language, delegate=event.delegate is not None),
        "method": method_name(event.method, visit.language, provider(visit)),
        "network": event.network,
        "device": event.device,
        "alarming": is_alarming(event.kind),
    }


def _page(
    visit: Visit, asked: Filter, lines: list[Line], following: Cursor | None, refused: Refused | None
) -> Response:
    return html(
        visit,
        "events",
        200 if refused is None else 400,
        alert=None if refused is None else alert(refused.reason, visit.language),
        lines=[_words(visit, line) for line in lines],
        groups=[(name, names[visit.language == "en"]) for name, names in GROUP_NAMES.items()],
        group=asked.group,
        first="" if asked.first is None else asked.first.isoformat(),
        last="" if asked.last is None else asked.last.isoformat(),
        older="" if following is None else asked.address(following),
        newest="" if asked.before is None else asked.address(None),
    )
