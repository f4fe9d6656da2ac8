# SPDX-License-Identifier: EUPL-1.2
"""What a metered look-up costs: CPU here and in Redis, round trips, and the memory of what is counted. Part of
`make bench`. Times are CPU, not waiting; a PING through the same connection, in the same run, is what they are told by.
"""

from __future__ import annotations

import asyncio
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
    from collections.abc import Awaitable, Callable

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
    """Look-ups of people who have been seen before, as most are."""
    meter = MemoryMeter()
    for one in looks:
        meter.settle(one, meter.hit(one), missed=False)
    began = time.process_time()
    for one in looks:
        meter.settle(one, meter.hit(one), missed=False)
    spent = time.process_time() - began
    return Cost(1e6 * spent / len(looks), 0.0, 0.0, len(looks) / spent)


async def in_redis(looks: list[Look], server: RedisServer, in_flight: int) -> tuple[Cost, Cost]:
    """The cost of look-ups, and of as many PINGs."""
    nodes = Nodes(read_address(server.url), Patience(answer=10, connection=10))
    meter = RedisMeter(nodes)
    await nodes.open()
    if not nodes.whole():
        await rebuild(nodes, list, NOON, {})
    node = nodes.of(b"reference")
    if node is None:
        raise RuntimeError("Redis is not there")

    async def look_up(some: list[Look]) -> None:
        pending: list[Pending[Outcome]] = [meter.hit(one) for one in some]
        for one, outcome in zip(some, pending, strict=True):
            meter.settle(one, await outcome.wait(), missed=False)

    async def ping(some: list[Look]) -> None:
        for pending in [node.wire.call(b"PING") for _ in some]:
            await pending.wait()

    told = [await _measured(act, looks, server, in_flight) for act in (look_up, ping)]
    await nodes.close()
    return told[0], told[1]


async def _measured(
    act: Callable[[list[Look]], Awaitable[None]], looks: list[Look], server: RedisServer, in_flight: int
) -> Cost:
    asked, redis_cpu = _calls(server), _cpu(server)
    began, here = time.perf_counter(), time.process_time()
    for first in range(0, len(looks), in_flight):
        await act(looks[first : first + in_flight])
    here, took = time.process_time() - here, time.perf_counter() - began
    return Cost(
        1e6 * here / len(looks),
        1e6 * (_cpu(server) - redis_cpu) / len(looks),
        (_calls(server) - asked) / len(looks),
        len(looks) / took,
    )


def memory(server: RedisServer, people: int, accounts: int) -> tuple[float, float]:
    """Bytes in Redis of one of these accounts that have seen so many people each; and of each person."""
    before = _used(server)
    asyncio.run(_fill(server, people, accounts))
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
    """Scripts and PINGs so far."""
    told = server.ask("INFO", "commandstats")
    return sum(int(told.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("evalsha", "ping"))


def rows(count: int, accounts: int = 200) -> list[dict[str, str | float | None]]:
    """So many look-ups in the process and in Redis, and the memory of so many accounts."""
    of = budgets()
    looks = [look(of, number) for number in range(count)]
    told = [_row("look-up in the process", in_process(looks))]
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        for in_flight in (1, IN_FLIGHT):
            cost, ping = uvloop.run(in_redis(looks, server, in_flight))
            told.append(_row(f"look-up in Redis, {in_flight} at once", cost, ping))
            told.append(_row(f"PING, {in_flight} at once", ping, ping))
        for people in (30, 100, 300):
            account, person = memory(server, people, accounts)
            whole = account * ACCOUNTS / 1e9
            told.append(
                {
                    "what": f"memory, {people} people each",
                    "bytes_account": account,
                    "bytes_person": person,
                    "gb_400k": whole,
                }
            )
    return told


def _row(what: str, cost: Cost, ping: Cost | None = None) -> dict[str, str | float | None]:
    spent = cost.here + cost.redis
    ratio = None if ping is None else spent / (ping.here + ping.redis)
    return {
        "what": what,
        "cpu_here_us": cost.here,
        "cpu_redis_us": cost.redis,
        "round_trips": cost.round_trips,
        "per_s": cost.per_second,
        "ratio_ping": ratio,
    }
