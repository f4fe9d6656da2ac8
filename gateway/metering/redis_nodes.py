# SPDX-License-Identifier: EUPL-1.2
"""Which Redis server keeps which key: one (also behind Sentinels), or the masters of a Cluster as they change.

A change of slots is a change of who knows what, so that it is answered like a failover: with a new epoch.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Final

from gateway.errors import HerseError
from gateway.metering.redis_address import SLOTS, find_master, find_slots, slot_of
from gateway.metering.redis_node import BEAT_SECONDS, Node
from gateway.metering.redis_script import SCRIPTS
from gateway.metering.redis_wire import Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.metering.redis_address import Address, Slots
    from gateway.metering.redis_wire import Line, Server

log = logging.getLogger("gateway.metering.redis")

_LOOK_SECONDS: Final = 0.02


class Nodes:
    """All servers that count. `several`: keys of two hash tags may be on two of them."""

    def __init__(self, address: Address, patience: Patience = Patience()) -> None:  # noqa: B008  # frozen
        self._address, self._patience = address, patience
        self.several = address.kind == "redis+cluster"
        self.meet: Callable[[Node, Line, bytes], Awaitable[None]] = _nobody
        self._slots: Slots = {}
        self._of_slot: list[Node] = []
        self._following: asyncio.Task[None] | None = None
        self.all: list[Node] = []
        self.trouble: Exception | None = None
        """Why the masters of a Cluster are not known, for a person."""
        if not self.several:
            sentinels = address.kind == "redis+sentinel"
            self.all = [self._node(lambda: find_master(address), replicated=sentinels)]

    async def open(self, seconds: float = 2.0) -> None:
        """Start to connect; StartError if a server is found that is not fit. One that is down is waited for later."""
        if self.several:
            self._following = asyncio.create_task(self._follow(), name="herse-redis-cluster")
        for node in self.all:
            node.start()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.connected():
                    for node in self.all:
                        if node.unfit is not None:
                            await self.close()
                            raise node.unfit
                    await asyncio.sleep(_LOOK_SECONDS)

    async def close(self) -> None:
        """Give all connections up."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        for node in self.all:
            await node.close()

    def connected(self) -> bool:
        """Whether every server can be talked to; whether it may be asked is told by `whole`."""
        return bool(self.all) and all(node.wire.line is not None for node in self.all)

    def whole(self) -> bool:
        """Whether every server has all counts. If they are connected but not whole, they wait to be rebuilt."""
        return bool(self.all) and all(node.epoch is not None for node in self.all)

    def of(self, key: bytes) -> Node | None:
        """The server that keeps this key, which begins with its hash tag."""
        if not self.several:
            return self.all[0]
        return self._of_slot[slot_of(key[3 : key.index(b"}")])] if self._of_slot else None

    def _node(
        self,
        locate: Callable[[], Awaitable[Server]],
        *,
        tag: bytes = b"epoch",
        mark: str = "",
        replicated: bool = False,
    ) -> Node:
        async def meet(node: Node, line: Line, epoch: bytes) -> None:
            await self.meet(node, line, epoch)

        return Node(locate, SCRIPTS, meet, patience=self._patience, tag=tag, mark=mark, replicated=replicated)

    async def _follow(self) -> None:
        while True:
            try:
                found = await find_slots(self._address)
                self.trouble = None
                if found != self._slots:
                    await self._replace(found)
            except (OSError, TimeoutError, HerseError) as error:
                if self.trouble is None:
                    log.warning("redis-unavailable", extra={"error": type(error).__name__})
                self.trouble = error
            await asyncio.sleep(BEAT_SECONDS)

    async def _replace(self, found: Slots) -> None:
        """Other masters, or other slots: begin anew with each of them."""
        before, self.all, self._of_slot = self.all, [], []
        for node in before:
            await node.close()
        by_slot: dict[int, Node] = {}
        nodes = []
        for (host, port), ranges in sorted(found.items()):
            node = self._node(self._always(host, port), tag=_tag(ranges), mark=_mark(ranges))
            nodes.append(node)
            by_slot.update((slot, node) for first, last in ranges for slot in range(first, last + 1))
        self._slots, self.all = found, nodes
        self._of_slot = [by_slot[slot] for slot in range(SLOTS)]
        for node in nodes:
            node.start()

    def _always(self, host: str, port: int) -> Callable[[], Awaitable[Server]]:
        async def here() -> Server:
            return self._address.server(host, port)

        return here


def _tag(ranges: tuple[tuple[int, int], ...]) -> bytes:
    """A hash tag whose slot is in the first of these ranges."""
    first, last = ranges[0]
    tags = (str(number).encode("ascii") for number in count())
    return next(tag for tag in tags if first <= slot_of(tag) <= last)


def _mark(ranges: tuple[tuple[int, int], ...]) -> str:
    return hashlib.blake2b(repr(ranges).encode("ascii"), digest_size=9).hexdigest()


async def _nobody(node: Node, line: Line, epoch: bytes) -> None:
    """Nothing was let out by anybody yet."""
