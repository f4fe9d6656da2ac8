# SPDX-License-Identifier: EUPL-1.2
"""Both meters behind one door for tests, and look-ups to ask them with."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from gateway.metering import redis_room
from gateway.metering.look import Look, Outcome
from gateway.metering.memory import MemoryMeter
from gateway.metering.redis import RedisMeter
from gateway.metering.redis_address import read_address
from gateway.metering.redis_nodes import Nodes
from gateway.metering.redis_rebuild import rebuild
from gateway.metering.redis_wire import Patience
from gateway.model import Assurance, Budget, Effect, Meter, Method, PatientLocator, Place, Proof, Subject
from gateway.pending import Pending
from support.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
PERMIT, CHALLENGE, DENY = Effect.PERMIT, Effect.CHALLENGE, Effect.DENY
ACCOUNTS = (f"account-{number}" for number in count())
"""Nobody has been seen by any of them: each history gets one of its own."""


class Door:
    """A meter, asked without waiting in the test."""

    def __init__(self, meter: MemoryMeter | RedisMeter, loop: asyncio.AbstractEventLoop) -> None:
        self.meter, self.loop = meter, loop

    def hit(self, look: Look) -> Outcome:
        return self._value(self.meter.hit, look)

    def missed(self, look: Look) -> Outcome:
        return self._value(self.meter.missed, look)

    def settle(self, look: Look, outcome: Outcome, *, missed: bool) -> None:
        async def settled() -> None:
            self.meter.settle(look, outcome, missed=missed)

        self.loop.run_until_complete(settled())

    def room(self, look: Look, people: int) -> Outcome:
        return self._value(lambda one: self._rooms[0](one, people), look)

    def leave(self, room: Outcome, places: int | None) -> None:
        async def left() -> None:
            self._rooms[1](room, places)

        self.loop.run_until_complete(left())

    @property
    def _rooms(self) -> tuple[Callable[..., Outcome | Pending[Outcome]], Callable[[Outcome, int | None], None]]:
        """The gate before Redis puts them together (meter_gate)."""
        meter = self.meter
        if isinstance(meter, RedisMeter):
            return partial(redis_room.room, meter), partial(redis_room.leave, meter)
        return meter.room, meter.leave

    def all_at_once(self, looks: list[Look]) -> list[Outcome]:
        async def together() -> list[Outcome]:
            return await asyncio.gather(*(self._later(look) for look in looks))

        return self.loop.run_until_complete(together())

    async def _later(self, look: Look) -> Outcome:
        await asyncio.sleep(0)
        said = self.meter.hit(look)
        return await said.wait() if isinstance(said, Pending) else said

    def _value(self, ask: Callable[[Look], Outcome | Pending[Outcome]], look: Look) -> Outcome:
        async def asked() -> Outcome:
            said = ask(look)
            return await said.wait() if isinstance(said, Pending) else said

        return self.loop.run_until_complete(asked())


@contextmanager
def both_doors(folder: Path) -> Iterator[dict[str, Door]]:
    """A meter in the process and one on a Redis of its own, both empty."""
    loop = asyncio.new_event_loop()
    with RedisServer(folder) as server:
        nodes = Nodes(read_address(server.url), Patience(answer=10, connection=10))
        shared = RedisMeter(nodes)
        loop.run_until_complete(nodes.open())
        loop.run_until_complete(rebuild(nodes, list, NOON, {}))
        loop.run_until_complete(until_whole(nodes))
        yield {"memory": Door(MemoryMeter(), loop), "redis": Door(shared, loop)}
        loop.run_until_complete(nodes.close())
    loop.close()


async def until_whole(nodes: Nodes) -> None:
    async with asyncio.timeout(10):
        while not nodes.whole():  # noqa: ASYNC110  # by its own beat
            await asyncio.sleep(0.02)


def meter(*budgets: Budget, known_for: timedelta | None = None, moved_new: bool = False) -> Meter:
    return Meter(PatientLocator(Place.PATH, "nir"), budgets, known_for, moved_new)


def person(number: int) -> bytes:
    return number.to_bytes(16)


def proved(*proofs: tuple[Method, datetime]) -> Assurance:
    return Assurance(tuple(Proof(method, at) for method, at in proofs))


def look(account: str, of: Meter, who: int, at: datetime = NOON, **more: Any) -> Look:
    subject = Subject(account, holder=more.pop("holder", None), assurance=more.pop("assurance", Assurance()))
    teleservice, network = more.pop("teleservice", "infopatient"), more.pop("network", "192.0.2.0/24")
    return Look(subject, teleservice, of, person(who), at, network, **more)
