# SPDX-License-Identifier: EUPL-1.2
"""From the ledger's rows to the lines of « Mes derniers événements ».

Look-ups of one teleservice by one person, in one session and one hour, become one line with the number of different
people. The durable attempt of a request is left out where what came of it is told. No line holds a pseudonym.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from gateway.ledger.event import Cursor, StoredEvent
    from gateway.model import Event

CHUNK: Final = 500
"""Rows asked for at once."""
MOST_ROWS: Final = 5_000
"""Rows that one page may read; a longer group goes on on the next page."""

_COUNTED: Final = frozenset({EventKind.LOOKUP, EventKind.LOOKUP_MISSED})


@dataclass(slots=True)
class Line:
    """One line: its newest event, the number of it in the ledger, and for look-ups the different people."""

    sequence: int
    event: Event
    seen: set[bytes] = field(default_factory=set, repr=False)

    @property
    def people(self) -> int | None:
        """How many different people; None where nobody was looked up."""
        return max(len(self.seen), 1) if self.event.kind in _COUNTED else None

    def takes(self, event: Event) -> bool:
        """Whether the next older event belongs to this line; it is then counted."""
        if event.kind not in _COUNTED or _group(event) != _group(self.event):
            return False
        self.count(event)
        return True

    def count(self, event: Event) -> None:
        """Note the person of an event, if it has one."""
        if event.pseudonym is not None:
            self.seen.add(event.pseudonym)


@dataclass(frozen=True, slots=True)
class Feed:
    """One page of lines, newest first; `following` is the cursor of the next page, None at the end."""

    lines: list[Line]
    following: Cursor | None


def _group(event: Event) -> tuple[EventKind, tuple[str | None, ...], datetime]:
    place = (event.teleservice, event.session, event.holder, event.delegate)
    return event.kind, place, event.at.replace(minute=0, second=0, microsecond=0)


def read_feed(fetch: Callable[[Cursor | None, int], list[StoredEvent]], before: Cursor | None, lines: int) -> Feed:
    """`lines` lines from `fetch(before, limit)`, which gives stored events newest first, older than `before`."""
    found: list[Line] = []
    told: set[bytes] = set()
    last = before
    for number, stored in enumerate(_rows(fetch, before)):
        if number == MOST_ROWS:
            return Feed(found, last)
        if not _absorbed(stored.event, found, told):
            if len(found) == lines:
                return Feed(found, last)
            line = Line(stored.sequence, stored.event)
            line.count(stored.event)
            found.append(line)
        last = stored.cursor
    return Feed(found, None)


def _absorbed(event: Event, found: list[Line], told: set[bytes]) -> bool:
    """Whether an event needs no line of its own: it belongs to the last line, or is the attempt of a told request."""
    if event.kind is EventKind.ATTEMPT:
        return event.request is not None and event.request in told
    if event.request is not None:
        told.add(event.request)
    return bool(found) and found[-1].takes(event)


def _rows(fetch: Callable[[Cursor | None, int], list[StoredEvent]], before: Cursor | None) -> Iterator[StoredEvent]:
    while True:
        chunk = fetch(before, CHUNK)
        yield from chunk
        if len(chunk) < CHUNK:
            return
        before = chunk[-1].cursor
