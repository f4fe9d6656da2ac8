# SPDX-License-Identifier: EUPL-1.2
"""J1, J4: whatever happens to Redis, metered look-ups are refused, and nobody is ever let out beyond a budget."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StartError
from gateway.metering.redis_rebuild import rebuild
from gateway.metering.redis_wire import Patience
from gateway.model import Budget, Effect, Meter, Past, PatientLocator, Place, Scope
from support.redis_server import RedisServer
from support.redis_server_workers import HOUR, METERS, NOON, OF, Worker, disclosed, storm, workers

if TYPE_CHECKING:
    from pathlib import Path


def test_J1_200_parallel_look_ups_over_four_workers_let_exactly_50_out(tmp_path: Path):
    async def play() -> None:
        async with workers(server.url, 4) as found:
            effects = await storm(found, 0, 200)
            assert (effects.count(Effect.PERMIT), effects.count(Effect.DENY)) == (50, 150)

    with RedisServer(tmp_path) as server:
        asyncio.run(play())


def test_J1_kill_9_of_redis_loses_nobody_not_even_who_is_on_his_way(tmp_path: Path):
    async def play() -> None:
        async with workers(server.url, 2) as found:
            await storm(found, 0, 20)
            held = asyncio.Event()
            on_their_way = [asyncio.create_task(found[who % 2].look(who, held=held)) for who in range(20, 30)]
            await found[0].until(lambda: sum(len(one.meter._unsettled) for one in found) == 10)
            await asyncio.to_thread(server.restart)
            await found[0].until(lambda: not found[0].nodes.whole() and not found[1].nodes.whole())
            assert await found[0].refused()
            assert await found[1].refused()
            await found[1].rebuilt()
            await found[0].until(found[0].nodes.whole)
            effects = await storm(found, 30, 130)
            assert effects.count(Effect.PERMIT) == 20
            held.set()
            assert await asyncio.gather(*on_their_way) == [Effect.PERMIT] * 10
            assert disclosed(found[0]) == 50

    with RedisServer(tmp_path) as server:
        asyncio.run(play())


def test_J1_a_storm_through_a_restart_never_lets_more_than_50_out(tmp_path: Path):
    async def play() -> None:
        async with workers(server.url, 3) as found:
            storming = asyncio.create_task(storm(found, 0, 30))
            await asyncio.to_thread(server.restart)
            await storming
            await found[2].rebuilt()
            for number, one in enumerate(found):
                await one.until(one.nodes.whole)
                await storm(found, 100 * (number + 1), 100 * (number + 1) + 60)
            assert disclosed(found[0]) <= 50
            assert not await found[0].refused(100)

    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "everysec") as server:
        asyncio.run(play())


def test_J1_a_reload_in_place_goes_on_counting_and_an_emptied_redis_counts_nothing(tmp_path: Path):
    async def play() -> None:
        async with workers(server.url) as (one,):
            await storm([one], 0, 50)
            await asyncio.to_thread(server.ask, "DEBUG", "RELOAD")
            assert await one.look(99) is Effect.DENY
            await asyncio.to_thread(server.ask, "FLUSHALL")
            assert await one.refused()
            await one.until(lambda: not one.nodes.whole())
            await one.rebuilt()
            assert await one.look(99) is Effect.DENY
            assert await one.look(1) is Effect.PERMIT

    with RedisServer(tmp_path, "--enable-debug-command", "local") as server:
        asyncio.run(play())


def test_J4_a_worker_that_was_killed_leaves_its_places_taken(tmp_path: Path):
    async def play() -> None:
        async with workers(server.url, 2) as found:
            held = asyncio.Event()
            going = [asyncio.create_task(found[0].look(who, held=held)) for who in range(50)]
            await found[0].until(lambda: len(found[0].meter._unsettled) == 50)
            for task in going:
                task.cancel()
            assert await found[1].look(99) is Effect.DENY

    with RedisServer(tmp_path) as server:
        asyncio.run(play())


def test_J4_slow_is_down_and_what_came_too_late_stays_counted(tmp_path: Path):
    async def play() -> None:
        async with workers(server.url, patience=Patience(answer=1, connection=2)) as (one,):
            assert await one.look(0) is Effect.PERMIT
            with server.paused():
                began = asyncio.get_running_loop().time()
                assert await one.refused(1)
                assert asyncio.get_running_loop().time() - began < 2
                assert await one.refused(2)
            await one.until(one.nodes.whole)
            effects = await storm([one], 10, 90)
            assert effects.count(Effect.PERMIT) in {48, 49}, "the late one is counted, if Redis still did it"

    with RedisServer(tmp_path) as server:
        asyncio.run(play())


def test_J4_full_refuses_and_counts_in_all_sites_or_in_none(tmp_path: Path):
    of = Meter(PatientLocator(Place.PATH, "nir"), (*OF.budgets, Budget(50, HOUR, Past.DENY, per=Scope.NETWORK)))

    async def play() -> None:
        async with workers(server.url) as (one,):
            assert await one.look(0, of=of) is Effect.PERMIT
            before = await asyncio.to_thread(server.ask, "DBSIZE")
            await asyncio.to_thread(server.ask, "CONFIG", "SET", "maxmemory", "1")
            assert await one.refused(1, of=of)
            assert await one.refused(0, of=of), "nor is anybody known let in: his time could not be moved"
            await asyncio.to_thread(server.ask, "CONFIG", "SET", "maxmemory", "0")
            await one.until(one.nodes.whole)
            assert await asyncio.to_thread(server.ask, "DBSIZE") == before
            keys = await asyncio.to_thread(server.ask, "KEYS", "*:p")
            assert [await asyncio.to_thread(server.ask, "ZCARD", key) for key in keys] == [1, 1]

    with RedisServer(tmp_path) as server:
        asyncio.run(play())


def test_J4_down_at_the_start_refuses_and_serves_once_it_is_up(tmp_path: Path):
    async def play() -> None:
        one = Worker(server.url, [])
        await one.nodes.open(0.3)
        assert await one.refused()
        await asyncio.to_thread(server.start)
        await one.rebuilt()
        assert await one.look(0) is Effect.PERMIT
        await asyncio.to_thread(server.kill)
        await one.until(lambda: not one.nodes.connected())
        assert await one.refused()
        await one.nodes.close()

    server = RedisServer(tmp_path)
    asyncio.run(play())


def test_J4_a_master_that_becomes_a_replica_is_asked_no_more(tmp_path: Path):
    async def play() -> None:
        async with workers(server.url) as (one,):
            assert await one.look(0) is Effect.PERMIT
            await asyncio.to_thread(server.ask, "REPLICAOF", "127.0.0.1", str(other.port))
            assert await one.refused(1)
            await one.until(lambda: not one.nodes.whole())
            await asyncio.to_thread(server.ask, "REPLICAOF", "NO", "ONE")
            await one.until(one.nodes.connected)
            await asyncio.sleep(0.2)
            assert not one.nodes.whole(), "it may have thrown away what it had"
            await one.rebuilt()
            assert await one.look(1) is Effect.PERMIT

    with RedisServer(tmp_path / "a") as server, RedisServer(tmp_path / "b") as other:
        asyncio.run(play())


def test_only_one_worker_rebuilds_at_a_time(tmp_path: Path):
    async def play() -> None:
        found = [Worker(server.url, []) for _ in range(3)]
        for one in found:
            await one.nodes.open()
        done = await asyncio.gather(*(rebuild(one.nodes, list, NOON, METERS) for one in found))
        assert sorted(done) == [False, False, True]
        for one in found:
            await one.until(one.nodes.whole)
            await one.nodes.close()

    with RedisServer(tmp_path) as server:
        asyncio.run(play())


def test_a_redis_that_throws_counts_away_is_not_used(tmp_path: Path):
    async def play() -> None:
        one = Worker(server.url, [])
        with pytest.raises(StartError, match="maxmemory-policy allkeys-lru; expected noeviction"):
            await one.nodes.open(10)
        assert await one.refused()

    with RedisServer(tmp_path, "--maxmemory-policy", "allkeys-lru") as server:
        asyncio.run(play())
