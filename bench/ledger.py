# SPDX-License-Identifier: EUPL-1.2
"""`make ledger`: how long an event waits until it is durable, and what that costs, on SQLite and on PostgreSQL.

Events come at random moments of a fixed mean rate, whether or not the last ones are done (open loop); each is timed
from the moment it was due. `nothing` is a ledger that keeps events in memory: what is above it is the store's. Stores
take turns within a round, so that a drifting machine hits all alike; the median round is shown. `most`: 256 callers who
each wait for their last event. CPU is of this process, and of the database server's beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop

from bench.machine import cpu_seconds
from gateway.ledger.memory import MemoryLedger
from gateway.ledger.store import create_ledger, open_ledger_at, prepare_days
from gateway.model import Event, EventKind
from support.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.ledger.store import Ledger

RATES: Final = (500, 2_000, 5_000)
CALLERS: Final = 256
_ACCOUNTS: Final = 20_000
_PERSON: Final = "Camille Martin"


@dataclass(frozen=True)
class Store:
    """A ledger and, where it has one, the process of its server."""

    name: str
    ledger: Ledger
    server: int | None = None


@dataclass(frozen=True)
class Cell:
    """One store at one rate (0: as fast as it goes), over one round or as the median of several."""

    store: str
    rate: int
    durable: float
    p50: float
    p90: float
    p99: float
    cpu_us: float
    server_us: float


def made_event() -> Event:
    """A look-up as a pharmacy's is recorded."""
    return Event(
        EventKind.LOOKUP,
        f"75{random.randrange(_ACCOUNTS):07}",
        datetime.now(UTC),
        session="u2Jq0xNf",
        network="192.0.2.17",
        device="Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        teleservice="infopatient",
        request=secrets.token_bytes(16),
        pseudonym=secrets.token_bytes(16),
        status=200,
        categories=("identity", "rights"),
        holder=_PERSON,
        sealed=secrets.token_bytes(47),
    )


async def at_rate(ledger: Ledger, rate: int, seconds: float) -> list[float]:
    """Milliseconds from due to durable, of every event that was due."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    due, end = loop.time(), loop.time() + seconds
    waits: list[float] = []
    open_now = 0

    def send(moment: float) -> None:
        nonlocal open_now
        open_now += 1
        pending = ledger.append([made_event()])

        def done() -> None:
            nonlocal open_now
            pending.result()  # a failure is an end of the bench
            waits.append((loop.time() - moment) * 1000)
            open_now -= 1
            if open_now == 0 and due >= end:
                ended.set()

        pending.on_done(done)

    while due < end:
        if (rest := due - loop.time()) > 0:
            await asyncio.sleep(rest)
        while due <= loop.time() and due < end:
            moment, due = due, due + random.expovariate(rate)
            send(moment)
    if open_now:
        await ended.wait()
    return waits


async def at_most(ledger: Ledger, seconds: float) -> list[float]:
    """Milliseconds that each event of the callers waited."""
    end = time.perf_counter() + seconds
    waits: list[float] = []

    async def call() -> None:
        while (begun := time.perf_counter()) < end:
            await ledger.append([made_event()]).wait()
            waits.append((time.perf_counter() - begun) * 1000)

    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return waits


def measure(store: Store, rate: int, seconds: float) -> Cell:
    """One round of one store."""
    own, server, begun = time.process_time(), _server_seconds(store), time.perf_counter()
    asked = at_rate(store.ledger, rate, seconds) if rate else at_most(store.ledger, seconds)
    waits = sorted(uvloop.run(asked))
    took, count = time.perf_counter() - begun, len(waits)
    p50, p90, p99 = (waits[min(count - 1, count * part // 100)] for part in (50, 90, 99))
    cpu = (time.process_time() - own) / count * 1e6
    return Cell(store.name, rate, count / took, p50, p90, p99, cpu, (_server_seconds(store) - server) / count * 1e6)


def median(cells: Sequence[Cell]) -> Cell:
    """Figure by figure."""
    figures = ("durable", "p50", "p90", "p99", "cpu_us", "server_us")
    middle = {name: statistics.median(getattr(cell, name) for cell in cells) for name in figures}
    return Cell(cells[0].store, cells[0].rate, **middle)


def opened(stack: ExitStack, folder: Path) -> list[Store]:
    """All stores, new and empty."""
    path = folder / "ledger.db"
    create_ledger(path)
    server = stack.enter_context(PostgresServer())
    place = server.database()
    prepare_days(place, datetime.now(UTC))
    stores = [
        Store("nothing", MemoryLedger()),
        Store("SQLite", open_ledger_at(path)),
        Store("PostgreSQL", open_ledger_at(place), server.pid),
    ]
    for store in stores:
        stack.callback(store.ledger.close)
    return stores


def main(words: Sequence[str]) -> int:
    """Measure, and print a table or, with --json, every figure."""
    arguments = argparse.ArgumentParser(prog="make ledger", description="How long an event waits until it is durable.")
    arguments.add_argument("--seconds", type=float, default=5.0, help="of each round of a store at a rate")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--json", action="store_true")
    wanted = arguments.parse_args(words)
    found: list[Cell] = []
    with ExitStack() as stack:
        stores = opened(stack, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        for rate in (*RATES, 0):
            print(f"{rate or 'most'} a second: {wanted.rounds} rounds", file=sys.stderr, flush=True)
            rounds = [[measure(store, rate, wanted.seconds) for store in stores] for _ in range(wanted.rounds)]
            found += [median(cells) for cells in zip(*rounds, strict=True)]
    print(json.dumps([asdict(cell) for cell in found], indent=2) if wanted.json else table(found))
    return 0


def table(cells: Sequence[Cell]) -> str:
    """A line for each cell."""
    lines = ["store       rate    durable/s   p50 ms   p90 ms   p99 ms   CPU us/event   server us/event"]
    lines += [
        f"{cell.store:<10} {cell.rate or 'most':>5} {cell.durable:>12.0f} {cell.p50:>8.2f} {cell.p90:>8.2f} "
        f"{cell.p99:>8.2f} {cell.cpu_us:>14.0f} {cell.server_us:>17.0f}"
        for cell in cells
    ]
    return "\n".join(lines)


def _server_seconds(store: Store) -> float:
    return 0.0 if store.server is None else cpu_seconds(store.server)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
