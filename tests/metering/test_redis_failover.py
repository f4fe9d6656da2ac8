# SPDX-License-Identifier: EUPL-1.2
"""J1, J4 with Sentinels and with a Cluster: a failover never lets anybody out beyond a budget."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StartError
from gateway.model import Budget, Effect, Meter, Past, PatientLocator, Place, Scope
from support.redis_server import Guarded, RedisServer, cluster
from support.redis_server_workers import HOUR, OF, Worker, disclosed, storm, workers
from support.servers import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def test_a_guarded_master_without_min_replicas_is_not_used(tmp_path: Path):
    guarded = Guarded(tmp_path)

    async def play() -> None:
        one = Worker(guarded.url, [])
        with pytest.raises(StartError, match="min-replicas-to-write"):
            await one.nodes.open(10)

    with guarded.running():
        guarded.master.ask("CONFIG", "SET", "min-replicas-to-write", "0")
        asyncio.run(play())


def test_J1_sentinels_fail_over_and_nobody_is_let_out_beyond_50(tmp_path: Path):
    guarded = Guarded(tmp_path)

    async def play() -> None:
        async with workers(guarded.url, 2) as found:
            effects = await storm(found, 0, 20)
            assert effects.count(Effect.PERMIT) == 20
            await asyncio.to_thread(guarded.master.kill)
            await found[0].until(lambda: not any(one.nodes.whole() for one in found))
            assert await found[0].refused()
            await asyncio.to_thread(wait_until, "a new master", lambda: guarded.replica.ask("ROLE")[0] == b"master")
            await found[0].until(found[0].nodes.connected)
            assert await found[0].refused(), "a master without a replica is not to write"
            await asyncio.to_thread(guarded.master.start)
            await asyncio.to_thread(guarded.master.ask, "REPLICAOF", "127.0.0.1", str(guarded.replica.port))
            await found[1].rebuilt()
            await found[0].until(found[0].nodes.whole)
            effects = await storm(found, 20, 140)
            assert effects.count(Effect.PERMIT) == 30
            assert disclosed(found[0]) == 50

    with guarded.running():
        asyncio.run(play())


def test_J1_a_cluster_counts_exactly_gives_back_and_fails_over(tmp_path: Path):
    budgets = (
        Budget(50, HOUR, Past.DENY),
        Budget(40, HOUR, Past.DENY, per=Scope.NETWORK),
        Budget(45, HOUR, Past.DENY, per=Scope.SERVICE),
    )
    of = Meter(PatientLocator(Place.PATH, "nir"), budgets)

    async def play(servers: list[RedisServer]) -> None:
        url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
        async with workers(url, 2) as found:
            effects = await storm(found, 0, 200)
            assert (effects.count(Effect.PERMIT), effects.count(Effect.DENY)) == (50, 150)
            looks = (found[who % 2].look(who, of=of, account=f"of-{who % 5}") for who in range(1000, 1200))
            effects = await asyncio.gather(*looks)
            assert effects.count(Effect.PERMIT) <= 40
            assert await found[0].look(5000, of=OF, account="of-0") is Effect.PERMIT, "refused elsewhere: given back"
            await asyncio.to_thread(servers[0].kill)
            await found[0].until(lambda: not any(one.nodes.whole() for one in found))
            await found[0].rebuilt({"t": of})
            await found[1].until(found[1].nodes.whole)
            assert await found[0].look(999) is Effect.DENY
            assert disclosed(found[0]) <= 50 + 40 + 1

    with cluster(tmp_path) as servers:
        asyncio.run(play(servers))
