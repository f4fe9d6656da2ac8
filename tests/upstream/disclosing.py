# SPDX-License-Identifier: EUPL-1.2
"""A visit with an answer that shows many, walked from the room to the relay, between doors that a test moves."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from upstream.scanning import LINES, PAGE, Source, Taker

from gateway.disclosing import disclosed, make_room
from gateway.identity.session import Session
from gateway.metering.decoys import Decoys
from gateway.metering.memory import MemoryMeter
from gateway.metering.pseudonym import Pseudonymizer
from gateway.metering.watching import Watching
from gateway.model import (
    ANONYMOUS,
    Budget,
    Decision,
    Effect,
    EventKind,
    Meter,
    Past,
    Reason,
    Record,
)
from gateway.model.answers import Answers, TextAnswers
from gateway.pending import Pending, start
from gateway.upstream.answer import Answer, WholeAnswer
from gateway.upstream.exchange import Fields, Request
from gateway.visit import Visit
from support.readable_ledger import ReadableLedger

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DENY = Budget(100, DAY, Past.DENY)
PERSON = Pseudonymizer(bytes(32))


class Later:
    """A meter that is asked over a wire: each answer comes when it is told to."""

    def __init__(self) -> None:
        self.meter = MemoryMeter()
        self.waiting: deque[tuple[Pending[Any], Any]] = deque()

    def hit(self, look):
        return self._later(self.meter.hit(look))

    def room(self, look, people):
        return self._later(self.meter.room(look, people))

    def leave(self, room, places):
        self.meter.leave(room, places)

    def settle(self, look, outcome, *, missed):
        self.meter.settle(look, outcome, missed=missed)

    def go(self, times: int = 1) -> None:
        for _ in range(times):
            pending, value = self.waiting.popleft()
            pending.resolve(value)

    def _later(self, value):
        pending: Pending[Any] = Pending()
        self.waiting.append((pending, value))
        return pending


class Watch:
    """Sessions that can be ended."""

    def __init__(self) -> None:
        self.watched: list[Any] = []

    def watch(self, _session, callback):
        self.watched.append(callback)

    def unwatch(self, _session, callback):
        self.watched = [one for one in self.watched if one is not callback]


@dataclass
class Doors:
    meter: Any = field(default_factory=MemoryMeter)
    watching: Any = field(default_factory=Watching)
    decoys: Any = field(default_factory=lambda: Decoys(frozenset(), PERSON))
    ledger: Any = field(default_factory=ReadableLedger)
    sessions: Any = field(default_factory=Watch)
    pseudonym: Any = PERSON
    waits: list[tuple[float, Pending[None]]] = field(default_factory=list)

    def clock(self) -> datetime:
        return NOON

    def wait(self, seconds: float) -> Pending[None]:
        self.waits.append((seconds, Pending()))
        return self.waits[-1][1]


class Walk:
    """One visit with an answer in pieces, from the room to the relay."""

    def __init__(self, doors: Doors, *budgets: Budget, pieces: bool = False, **declared: Any) -> None:
        self.doors, self.taker, self.source = doors, Taker(), Source()
        request = Request("GET", b"/x", "/x", b"", Fields([]), "h", "192.0.2.1", secure=True)
        self.visit = visit = Visit(request, self.taker, NOON)
        visit.subject = replace(ANONYMOUS, account="a")
        visit.session = Session(b"", visit.subject, NOON, NOON, NOON + DAY, None, None)
        observed = declared.pop("observed", ())
        answers = Answers(text=TextAnswers(b"</tr>"), **declared)
        meter = Meter(None, budgets or (DENY,), DAY)
        visit.decision = Decision(
            Effect.PERMIT, "t", (Reason.PERMITTED,), meter, Record(("identity",)), answers, observed=observed
        )
        self.answer = Answer(200, LINES, None, self.source, []) if pieces else WholeAnswer(200, LINES, PAGE)
        self.error: BaseException | None = None
        self.ended = False
        start(self._walk(), self._end)

    async def _walk(self) -> None:
        visit, doors = self.visit, self.doors
        await make_room(visit, doors)
        if visit.decision.effect is Effect.PERMIT:
            scanned = await disclosed(visit, doors, self.answer)
            if visit.decision.effect is Effect.PERMIT:
                scanned.relay(self.taker, LINES)

    def _end(self, error: BaseException | None) -> None:
        self.error, self.ended = error, True

    @property
    def seen(self) -> int:
        return self.taker.body.count(b"</tr>")


def kinds(doors: Doors) -> list[EventKind]:
    return [one.event.kind for one in doors.ledger.stored]


def looked_up(doors: Doors) -> list[bytes | None]:
    return [one.event.pseudonym for one in doors.ledger.stored if one.event.kind is EventKind.LOOKUP]
