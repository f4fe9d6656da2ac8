# SPDX-License-Identifier: EUPL-1.2
"""What a metered look-up costs: CPU here and in Redis, round trips, and the memory of what is counted.

`python -m bench.meter` prints one line a figure, for the process and for a real Redis. Times are CPU, not waiting.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import uvloop

from gateway.metering.look import Look
from gateway.metering.memory import MemoryMeter
from gateway.metering.redis import RedisMeter
from gateway.metering.redis_address import read_address
from gateway.metering.redis_nodes import Nodes
from gateway.metering.redis_rebuild import rebuild
from gateway.metering.redis_wire import Patience
from gateway.model import Budget, Counts, Level, Meter, Past, PatientLocator, Place, Subject
from support.redis_server import RedisServer

if TYPE_CHECKING:
    from gateway.metering.look import Outcome
    from gateway.pending import Pending

NOON: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
IN_FLIGHT: Final = 32
ACCOUNTS: Final = 400_000
MONTH: Final = timedelta(days=30)


class Cost(NamedTuple):
    """CPU in microseconds per look-up, here and in Redis; round trips; look-ups a second."""

    here: float
    redis: float
    round_trips: float
    per_second: float


def budgets() -> Meter:
    """Six, as a policy of a real portal has them: a minute to a month, new people, misses."""
    minute, hour, day = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
    return Meter(
        PatientLocator(Place.PATH, "nir"),
        (
            Budget(10_000, minute, Past.DELAY, under=Level.CARD),
            Budget(10_000, hour, Past.CHALLENGE),
            Budget(20_000, day, Past.DENY),
            Budget(10_000, day, Past.CHALLENGE, Counts.NEW),
            Budget(30_000, 7 * day, Past.DENY, Counts.NEW),
            Budget(30, hour, Past.CHALLENGE, Counts.MISSED),
        ),
        known_for=MONTH,
    )


def look(of: Meter, number: int) -> Look:
    """A hundred accounts that see some three hundred people each."""
    at = NOON + timedelta(milliseconds=number)
    who = (number * 7919) % 30_000
    return Look(Subject(f"account-{who % 100}"), "infopatient", of, who.to_bytes(16), at, "192.0.2.0/24")


def in_process(looks: list[Look]) -> Cost:
    meter = MemoryMeter()
    for one in looks:
        meter.settle(one, meter.hit(one), missed=False)
    began = time.process_time()
    for one in looks:
        meter.settle(one, meter.hit(one), missed=False)
    spent = time.process_time() - began
    return Cost(1e6 * spent / len(looks), 0.0, 0.0, len(looks) / spent)


async def in_redis(looks: list[Look], server: RedisServer, in_flight: int) -> Cost:
    nodes = Nodes(read_address(server.url), Patience(answer=10, connection=10))
    meter = RedisMeter(nodes)
    await nodes.open()
    if not nodes.whole():
        await rebuild(nodes, list, NOON, {})
    asked, redis_cpu = _calls(server), _cpu(server)
    began, here = time.perf_counter(), time.process_time()
    for first in range(0, len(looks), in_flight):
        some = looks[first : first + in_flight]
        pending: list[Pending[Outcome]] = [meter.hit(one) for one in some]
        for one, outcome in zip(some, pending, strict=True):
            meter.settle(one, await outcome.wait(), missed=False)
    here, took = time.process_time() - here, time.perf_counter() - began
    cost = Cost(
        1e6 * here / len(looks),
        1e6 * (_cpu(server) - redis_cpu) / len(looks),
        (_calls(server) - asked) / len(looks),
        len(looks) / took,
    )
    await nodes.close()
    return cost


def memory(server: RedisServer, people: int) -> tuple[float, float]:
    """Bytes in Redis of one account that has seen so many, half of them new; and of each person."""
    before = _used(server)
    asyncio.run(_fill(server, people, accounts := 200))
    each = (_used(server) - before) / accounts
    return each, each / people


async def _fill(server: RedisServer, people: int, accounts: int) -> None:
    nodes, of = Nodes(read_address(server.url), Patience(answer=10, connection=10)), budgets()
    meter = RedisMeter(nodes)
    await nodes.open()
    if not nodes.whole():
        await rebuild(nodes, list, NOON, {})
    for number in range(accounts):
        subject = Subject(f"filled-{people}-{number}")
        made = [
            Look(subject, "infopatient", of, (1000 * number + who).to_bytes(16), NOON + who * timedelta(hours=1), "n")
            for who in range(people)
        ]
        for one in made:
            meter.settle(one, await meter.hit(one).wait(), missed=False)
    await nodes.close()


def _used(server: RedisServer) -> int:
    return int(server.ask("INFO", "memory")["used_memory_dataset"])


def _cpu(server: RedisServer) -> float:
    told = server.ask("INFO", "cpu")
    return float(told["used_cpu_user"]) + float(told["used_cpu_sys"])


def _calls(server: RedisServer) -> int:
    return int(server.ask("INFO", "commandstats").get("cmdstat_evalsha", {}).get("calls", 0))


def main() -> None:
    parser = argparse.ArgumentParser(description="The cost of a metered look-up.")
    parser.add_argument("--looks", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    of = budgets()
    looks = [look(of, number) for number in range(chosen.looks)]
    told: dict[str, object] = {"process": in_process(looks)._asdict()}
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        for in_flight in (1, IN_FLIGHT):
            told[f"redis, {in_flight} in flight"] = uvloop.run(in_redis(looks, server, in_flight))._asdict()
        for people in (30, 100, 300):
            account, person = memory(server, people)
            told[f"memory, {people} people"] = {
                "bytes_per_account": round(account),
                "bytes_per_person": round(person),
                f"gigabytes_for_{ACCOUNTS}_accounts": round(account * ACCOUNTS / 1e9, 1),
            }
    if chosen.json:
        print(json.dumps(told))
        return
    for name, figures in told.items():
        print(name, figures)


if __name__ == "__main__":
    main()
