# SPDX-License-Identifier: EUPL-1.2
"""One Redis server that counts: is it fit, and does it still have every hit it was ever told? If in doubt, it does not.

A server that restarts, or one that was a replica until now, may have lost the latest hits. So an epoch is kept in it
that names the process and the replication history it was written in. It counts only while that is what it still is;
else nothing is looked up until the counts are rebuilt from the ledger and a new epoch is written. Asked twice a second,
and at each connection; the scripts compare the epoch again with every hit, which tells a dataset that was emptied.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.errors import HerseError, StartError
from gateway.metering.redis_wire import Patience, RedisWire, WireError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.metering.redis_wire import Line, Script, Server

log = logging.getLogger("gateway.metering.redis")

BEAT_SECONDS: Final = 0.5
_VERSION: Final = 7
READY, GATHERING = b"ready", b"gathering"


class Node:
    """One server, its connection, and the epoch under which it counts (None: it must not be asked)."""

    def __init__(
        self,
        locate: Callable[[], Awaitable[Server]],
        scripts: Sequence[Script],
        meet: Callable[[Node, Line, bytes], Awaitable[None]],
        *,
        patience: Patience,
        tag: bytes = b"epoch",
        mark: str = "",
        replicated: bool = False,
    ) -> None:
        """`meet` hands in, before an epoch is obeyed on a connection, what this worker let out under another one.

        `tag` is one that this server keeps; `mark` names the slots it has; `replicated`: it is to have replicas.
        """
        self._locate, self._meet, self._mark, self._replicated = locate, meet, mark, replicated
        self.epoch_key = b"h:{%b}epoch" % tag
        self.lock_key = b"h:{%b}lock" % tag
        self.epoch: bytes | None = None
        self.identity = b""
        """The process, its replication history and its slots."""
        self.unfit: StartError | None = None
        self._met = b""
        self._where: Server | None = None
        self._beating: asyncio.Task[None] | None = None
        self.wire = RedisWire(self._find, self._judge, scripts, patience)

    def start(self) -> None:
        """Connect and keep watching."""
        self.wire.start()
        self._beating = asyncio.create_task(self._beat(), name="herse-redis-beat")

    async def close(self) -> None:
        """Give it up."""
        self.epoch = None
        if self._beating is not None:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
        await self.wire.close()

    async def look(self) -> None:
        """Look at its epoch now, instead of at the next beat. WireError if it cannot be asked."""
        line = self.wire.line
        if line is None:
            raise WireError("no connection to Redis")
        await self._judge(line)

    async def _find(self) -> Server:
        self.epoch, self._met = None, b""
        self._where = await self._locate()
        return self._where

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            line = self.wire.line
            if line is None:
                continue
            try:
                if self._replicated and await self._locate() != self._where:
                    raise WireError("another server is master now")  # one way to give up
                await self._judge(line)
            except (OSError, TimeoutError, HerseError) as error:
                self.epoch = None
                log.warning("redis-unavailable", extra={"error": type(error).__name__})
                line.lose("not the server to ask any more")

    async def _judge(self, line: Line) -> None:
        """Whether it is fit, and whole."""
        info = await line.call(b"INFO").wait()
        told = dict(one.split(":", 1) for one in _text(info).splitlines() if ":" in one)
        self._check(told)
        identity = f"{told['run_id']}:{told['master_replid']}:{self._mark}".encode("ascii")
        if identity != self.identity:
            self.epoch, self.identity = None, identity
        kept = await line.call(b"GET", self.epoch_key).wait()
        state, _, of = (kept if isinstance(kept, bytes) else b"").partition(b" ")
        whole = state in {READY, GATHERING} and of.partition(b" ")[0] == identity
        if not whole:
            self.epoch = None
            return
        if of != self._met:
            self.epoch = None
            await self._meet(self, line, of)
            self._met = of
        self.epoch = READY + b" " + of if state == READY else None

    def _check(self, told: dict[str, str]) -> None:
        version, policy = told.get("redis_version", "0"), told.get("maxmemory_policy", "?")
        if int(version.partition(".")[0]) < _VERSION:
            raise self._no(f"Redis {version} was found; expected {_VERSION} or newer: install one")
        if policy != "noeviction":
            raise self._no(
                f"Redis has maxmemory-policy {policy}; expected noeviction, or counts are thrown away when it is full: "
                "set `maxmemory-policy noeviction` in redis.conf"
            )
        if self._replicated and "min_slaves_good_slaves" not in told:
            raise self._no(
                "Redis under Sentinel has min-replicas-to-write 0; expected 1 or more, or a master that was cut off "
                "goes on counting alone: set `min-replicas-to-write 1` and `min-replicas-max-lag` below the Sentinels' "
                "down-after-milliseconds"
            )
        self.unfit = None
        if told.get("role") != "master":
            raise WireError("this Redis is a replica")

    def _no(self, why: str) -> StartError:
        self.unfit = StartError(why)
        return self.unfit


def _text(info: object) -> str:
    return info.decode("utf-8", "replace") if isinstance(info, bytes) else ""
