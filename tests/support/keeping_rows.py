# SPDX-License-Identifier: EUPL-1.2
"""A ledger of some years behind one of its doors, sealed as it grew, and its deleter with a clock that stands still.

No assertions here.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.ledger.retention import Periods, rules_at
from gateway.ledger.sealer import Sealer
from gateway.model import Event, EventKind
from gateway.retention_gate import Retention
from support.sealing import SECOND
from support.small_ledger import KEY

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from gateway.ledger.span import Span
    from gateway.ledger.tree_store import Head
    from support.ledger_doors import Door

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def an_event(kind: EventKind, at: datetime, account: str = "a", **values: Any) -> Event:
    """A look-up with its number, or whatever else."""
    if kind is EventKind.LOOKUP:
        values = {"teleservice": "t", "request": b"r" * 16, "pseudonym": b"p" * 16, "sealed": b"s" * 40} | values
    return Event(kind, account, at, **values)


def years(begin: datetime, days: int, step: timedelta = timedelta(hours=4)) -> list[Event]:
    """A sign-in, two look-ups of two accounts and a data key, again and again."""
    found = []
    at = begin
    while at < begin + days * DAY:
        found += [
            an_event(EventKind.DATA_KEY, at, "", sealed=b"k" * 60),
            an_event(EventKind.SIGN_IN, at),
            an_event(EventKind.LOOKUP, at),
            an_event(EventKind.LOOKUP, at, "b"),
        ]
        at += step
    return found


class Years:
    """`between` is called with the name of each act of the deleter, before it is done: to stop there."""

    def __init__(self, door: Door, store: Any = None) -> None:
        self.door = door
        self.store = door.tree() if store is None else store
        self.sealer = Sealer(self.store, KEY)
        self.now = NOW
        self.periods = Periods()
        self.holds: Sequence[Span] = ()
        self.between: Callable[[str], object] = lambda _act: None

    def append(self, events: Sequence[Event]) -> None:
        """Durable, and sealed by the clock of their time."""

        async def appended() -> None:
            await self.door.ledger.append(events).wait()

        self.sealer.seal(events[0].at, SECOND)
        asyncio.run(appended())
        self.sealer.seal(events[-1].at, SECOND)

    def delete(self, note: str | None = None, *, daily: bool = False) -> Counter[str]:
        """One round."""

        async def sealed(sequence: int) -> Head | None:
            self.between("sealed" if sequence else "begin")
            return await asyncio.to_thread(self.sealer.seal, self.now, SECOND)

        async def one() -> Counter[str]:
            rules = lambda at: rules_at(at, self.periods, self.holds)  # noqa: E731  # as the builder makes them
            deleter: Any = self.door.ledger
            return await Retention(self.store, deleter, rules, sealed, lambda: self.now).round(note, daily=daily)

        return asyncio.run(one())

    def rows(self) -> list[tuple[int, str, str, datetime]]:
        """What is there: number, kind, account, time."""
        found = self.store.rows(0, self.store.settled(), 1_000_000, 0)
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return [(number, row[2], row[3], epoch + timedelta(microseconds=row[1])) for number, row in found]

    def kinds(self) -> dict[str, int]:
        """How many of each kind are there."""
        told: dict[str, int] = {}
        for _, kind, _, _ in self.rows():
            told[kind] = told.get(kind, 0) + 1
        return told
