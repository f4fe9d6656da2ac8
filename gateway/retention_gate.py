# SPDX-License-Identifier: EUPL-1.2
"""Deletes what is kept no longer, once a day, in the process that seals: each batch is told by an event, that event is
sealed, and then the rows go.

    told and not done yet -> whole days (PostgreSQL) -> security -> disclosures -> proof

Part of the builder, beside `ledger_gate`. A round that cannot go on ends, says so in the log, and the next one takes up
where it stopped: nothing is in a state of its own, all is told by the ledger. Which rows go stands in `ledger.sweep`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

from gateway.errors import HerseError, LedgerError
from gateway.ledger.deletion import NotDeleted, told_text
from gateway.ledger.retention import ORDER, Keep, of_one_day, rules_at
from gateway.ledger.sweep import Planned, Sweep
from gateway.ledger.writer import LedgerBusy
from gateway.model import Event, EventKind
from gateway.policy_in_force import longest_window
from gateway.rounds import repeat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from datetime import datetime

    from gateway.incident.kept import Incidents
    from gateway.ledger.retention import Periods, Rules
    from gateway.ledger.tree_store import Head, TreeStore
    from gateway.ledger.writer import GroupWriter
    from gateway.policy.rules import Policy

log = logging.getLogger(__name__)

ROUND_SECONDS: Final = 86_400.0
TOLD_AT_ONCE: Final = 32
"""Batches that are told together, so that they wait for one signature."""
_BEHIND: Final = (
    "more events are over than those of a month; of each class a month's worth goes today, and so on each day: if the "
    "clock is right, herse ledger retention --now deletes all of them at once, else set it right"
)
_BREATH_SECONDS: Final = 0.005
"""Between two batches: what waits to be appended goes first."""
_BUSY_TRIES: Final = 5


class Retention:
    """The deleter of one ledger. One round at a time; those who ask meanwhile wait for their own."""

    def __init__(
        self,
        store: TreeStore,
        ledger: GroupWriter,
        rules: Callable[[datetime], Rules],
        sealed: Callable[[int], Awaitable[Head | None]],
        clock: Callable[[], datetime],
    ) -> None:
        """`rules` for a moment, HerseError if they cannot be known. `sealed` waits until the event of that number is
        sealed and gives the head; None: another process seals this ledger.
        """
        self._store = store
        self._ledger = ledger
        self._rules = rules
        self._sealed = sealed
        self._clock = clock
        self._one = asyncio.Lock()
        self._stop = asyncio.Event()

    async def serve(self, stop: asyncio.Event) -> None:
        """A round at once and then each day, until `stop`, which also ends a round between two batches."""
        self._stop = stop
        await repeat(ROUND_SECONDS, self.daily, stop)

    async def daily(self) -> None:
        """One round by itself; what keeps it from its work is told in the log."""
        try:
            gone = await self.round(daily=True)
        except HerseError as error:
            log.error("retention-stopped", extra={"error": str(error)})  # noqa: TRY400
        else:
            if gone:
                log.info("events-deleted", extra={"events": sum(gone.values())})

    async def round(self, note: str | None = None, *, daily: bool = False) -> Counter[str]:
        """Delete all that is due: how many rows of each class went. `note`: who asked for it, and why. `daily`: no more
        than goes in a day by itself.

        NotAsSigned: a row is not what was signed. LedgerBusy: others were writing all the time.
        """
        async with self._one:
            gone: Counter[str] = Counter()
            head = await self._sealed(0)
            if head is None:
                if note is not None:
                    raise LedgerError("another process seals this ledger, and deletes in it: ask there")
                return gone
            rules = await asyncio.to_thread(self._rules, self._clock())
            sweep = Sweep(self._store, head, rules, stopped=self._stop.is_set)
            undone, begin = await asyncio.to_thread(sweep.told_before)
            for by, told in undone:
                planned = await asyncio.to_thread(sweep.again, told)
                if planned is not None and not self._stop.is_set():
                    await self._carry_out(planned, by, gone)
            if daily:
                rules = await asyncio.to_thread(_of_one_day, sweep, rules, begin)
                sweep = Sweep(self._store, head, rules, stopped=self._stop.is_set)
            await self._all(sweep.days(), 1, note, gone)
            for keep in ORDER:
                await self._all(sweep.batches(keep, begin.get(keep, 0)), TOLD_AT_ONCE, note, gone)
            return gone

    async def _all(self, planned: Iterator[Planned], at_once: int, note: str | None, gone: Counter[str]) -> None:
        while some := await asyncio.to_thread(lambda: list(islice(planned, at_once))):
            at = self._clock()
            events = [_event(one, at, note) for one in some]
            receipts = await asyncio.gather(*(self._ledger.append([event]).wait() for event in events))
            if await self._sealed(max(one.sequence for one in receipts)) is None:
                raise LedgerError("another process seals the ledger now: it will carry out what was told")
            for one, receipt in zip(some, receipts, strict=True):
                if self._stop.is_set():  # what was told and not done is taken up by the next round
                    return
                await self._carry_out(one, receipt.sequence, gone)

    async def _carry_out(self, planned: Planned, by: int, gone: Counter[str]) -> None:
        for tried in range(1, _BUSY_TRIES + 1):
            try:
                await asyncio.to_thread(planned.carry_out, self._store, by)
            except LedgerBusy:
                if tried == _BUSY_TRIES:
                    raise
                await asyncio.sleep(1)
            except NotDeleted as error:
                raise LedgerError(f"event {by} tells of a deletion that is not carried out: {error}") from error
            else:
                break
        gone[planned.told.keep] += planned.told.count
        self._ledger.grew(planned.told.count)
        await asyncio.sleep(_BREATH_SECONDS)


def rules_of(periods: Periods, incidents: Incidents, policy: Callable[[], Policy]) -> Callable[[datetime], Rules]:
    """The rules of a moment: periods, open incidents, and how far back the policy then in force counts."""
    return lambda at: rules_at(at, periods, incidents.open_spans(), longest_window(policy()))


def _of_one_day(sweep: Sweep, rules: Rules, begin: dict[str, int]) -> Rules:
    """The rules by which a month's worth of each class goes at most. Blocking."""
    eased = rules
    for keep in ORDER:
        first = next(sweep.batches(keep, begin.get(keep, 0)), None)
        if first is not None:
            eased = of_one_day(eased, keep, first.batch.since)
    if eased != rules:
        log.warning("retention-behind", extra={"error": _BEHIND})
    return eased


def _event(planned: Planned, at: datetime, note: str | None) -> Event:
    text = told_text(planned.told)
    details = text if note is None else f"{text}; {note}"
    return Event(EventKind.EVENTS_DELETED, "", at, reason=planned.told.keep, details=details)


def due(store: TreeStore, head: Head, rules: Rules) -> dict[Keep, int]:
    """How many rows of each class would go now. Blocking."""
    sweep = Sweep(store, head, rules)
    _, begin = sweep.told_before()
    return {keep: sum(one.told.count for one in sweep.batches(keep, begin.get(keep, 0))) for keep in ORDER}
