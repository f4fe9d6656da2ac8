# SPDX-License-Identifier: EUPL-1.2
"""Workers of a gateway that count in one Redis and write one ledger, for tests."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.metering.look import Look
from gateway.metering.redis import RedisMeter
from gateway.metering.redis_address import read_address
from gateway.metering.redis_nodes import Nodes
from gateway.metering.redis_rebuild import rebuild
from gateway.metering.redis_wire import Patience
from gateway.model import Budget, Effect, Meter, Past, PastLook, PatientLocator, Place, Reason, Subject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OF = Meter(PatientLocator(Place.PATH, "nir"), (Budget(50, HOUR, Past.DENY),))
METERS = {"t": OF}
EASY = Patience(answer=5, connection=5)
"""For machines that are busy: what is slow is told by tests that pause Redis for longer."""


class Worker:
    """A worker of the gateway: its meter, and the ledger that all workers write."""

    def __init__(self, url: str, ledger: list[PastLook], patience: Patience = EASY) -> None:
        self.nodes = Nodes(read_address(url), patience)
        self.meter = RedisMeter(self.nodes)
        self.ledger = ledger

    async def look(self, who: int, *, of: Meter = OF, account: str = "a", held: asyncio.Event | None = None) -> Effect:
        """One look-up from the door to the ledger; None of it is on record if it was refused."""
        one = Look(Subject(account), "t", of, who.to_bytes(16), NOON, "192.0.2.0/24")
        outcome = await self.meter.hit(one).wait()
        if outcome.effect is Effect.PERMIT:
            if held is not None:
                await held.wait()
            self.ledger.append(PastLook(account, "t", None, "192.0.2.1", one.pseudonym, NOON, missed=False))
            self.meter.settle(one, outcome, missed=False)
        return outcome.effect

    async def refused(self, who: int = 999, *, of: Meter = OF) -> bool:
        """Whether a look-up is refused for want of a count."""
        [said] = await asyncio.gather(self.look(who, of=of), return_exceptions=True)
        return isinstance(said, Refused) and said.reason is Reason.METER_UNAVAILABLE

    async def rebuilt(self, meters: dict[str, Meter] = METERS) -> None:
        """As `serve` does it: rebuild as long as the counts are not whole."""
        async with asyncio.timeout(30):
            while not self.nodes.whole():
                if self.nodes.connected():
                    await rebuild(self.nodes, lambda: list(self.ledger), NOON, meters)
                await asyncio.sleep(0.05)

    async def until(self, told: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not told():  # noqa: ASYNC110  # what is asked is Redis's and the system's doing
                await asyncio.sleep(0.02)


@asynccontextmanager
async def workers(url: str, number: int = 1, **more: Patience) -> AsyncIterator[list[Worker]]:
    """Workers over one ledger; the first one has rebuilt the counts."""
    ledger: list[PastLook] = []
    found = [Worker(url, ledger, **more) for _ in range(number)]
    try:
        for one in found:
            await one.nodes.open(10)
        await found[0].rebuilt()
        for one in found:
            await one.until(one.nodes.whole)
        yield found
    finally:
        for one in found:
            await one.nodes.close()


def disclosed(worker: Worker) -> int:
    return len({one.pseudonym for one in worker.ledger})


async def storm(found: list[Worker], first: int, last: int) -> list[Effect | BaseException]:
    """New people, all at once, over all workers in turn."""
    looks = (found[who % len(found)].look(who) for who in range(first, last))
    return await asyncio.gather(*looks, return_exceptions=True)
