# SPDX-License-Identifier: EUPL-1.2
"""Builds the door to what is counted from the settings: in the process, or in Redis if they have a section `[redis]`.

Part of the builder (`app`), in a file of its own. Before a look-up is counted under a policy, those of the ledger are,
as far back as its budgets look. In Redis one worker does that for all, and says for which budgets (`BUILT_KEY`); who
does not find his there, or counts that are not whole, lets nobody through until it is done.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.network import network_prefix
from gateway.metering.memory import MemoryMeter
from gateway.metering.redis import RedisMeter
from gateway.metering.redis_node import READY
from gateway.metering.redis_nodes import Nodes
from gateway.metering.redis_rebuild import rebuild
from gateway.metering.redis_room import leave, room
from gateway.metering.redis_wire import Patience, WireError
from gateway.model import Reason
from gateway.policy_in_force import longest_window, meters_of
from gateway.settings_mail import read_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from gateway.ledger.read import LedgerReader
    from gateway.metering.door import MeterDoor
    from gateway.metering.look import Look, Outcome
    from gateway.metering.redis_node import Node
    from gateway.model import PastLook
    from gateway.pending import Pending
    from gateway.policy.rules import Policy
    from gateway.settings import Settings
    from gateway.settings_redis import Redis

log = logging.getLogger(__name__)

BUILT_KEY: Final = b"h:{epoch}built"
_LOOK_SECONDS: Final = 0.25
_OPEN_SECONDS: Final = 2.0
_LOOKS_BEFORE_ANEW: Final = 3
"""Who made the counts whole says a moment later for which budgets."""


class MemoryGate:
    """Counted in this process."""

    def __init__(self, reader: LedgerReader, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._clock = clock
        self._meter = MemoryMeter(network_prefix)
        self.meter: MeterDoor = self._meter

    def begin(self, policy: Policy) -> None:
        """Count what the ledger has, before anybody is served."""
        now = self._clock()
        self._meter.rebuild(self._reader.lookups_since(now - longest_window(policy)), now, meters_of(policy))

    async def start(self) -> None:
        """Nobody is asked."""

    async def serve(self, stop: asyncio.Event) -> None:
        """Nothing is to be done meanwhile."""

    async def know(self, policy: Policy) -> None:
        """A longer window than before must know whom it would have counted, or the swap would open a new stretch."""
        now = self._clock()
        rows = await asyncio.to_thread(lambda: list(self._reader.lookups_since(now - longest_window(policy))))
        self._meter.rebuild(rows, now, meters_of(policy))

    def sweep(self, at: datetime) -> None:
        """Forget whom no window holds any more."""
        self._meter.sweep(at)


class RedisGate:
    """Counted in Redis. It is itself the door: it lets nobody through while counts may be missing."""

    def __init__(self, settings: Redis, reader: LedgerReader, clock: Callable[[], datetime]) -> None:
        """StartError if the password file or the authority cannot be used."""
        file = settings.password_file
        password = None if file is None else read_password(file, "redis.password_file")
        self._nodes = Nodes(settings.address(password), Patience(answer=settings.deadline_ms / 1000))
        self._reader = reader
        self._clock = clock
        self._meter = RedisMeter(self._nodes)
        self._known = False  # all is counted, for the policy in force
        self._epochs: tuple[bytes | None, ...] = ()
        self._missing = 0
        self._changed = False
        self._policy: Policy
        self.meter: MeterDoor = self

    def hit(self, look: Look) -> Pending[Outcome]:
        """See MeterDoor."""
        if not self._known:
            raise Refused(Reason.METER_UNAVAILABLE)
        return self._meter.hit(look)

    def missed(self, look: Look) -> Pending[Outcome]:
        """See MeterDoor."""
        if not self._known:
            raise Refused(Reason.METER_UNAVAILABLE)
        return self._meter.missed(look)

    def room(self, look: Look, people: int) -> Pending[Outcome]:
        """See MeterDoor."""
        if not self._known:
            raise Refused(Reason.METER_UNAVAILABLE)
        return room(self._meter, look, people)

    def leave(self, room: Outcome, places: int | None) -> None:
        """See MeterDoor."""
        leave(self._meter, room, places)

    def settle(self, look: Look, outcome: Outcome, *, missed: bool) -> None:
        """See MeterDoor."""
        self._meter.settle(look, outcome, missed=missed)

    def begin(self, policy: Policy) -> None:
        """Its budgets are the ones to be counted."""
        self._policy = policy

    async def start(self) -> None:
        """Connect, and count anew where counts are missing. StartError if what is found there is no fit Redis."""
        await self._nodes.open(_OPEN_SECONDS)
        await self._look()
        if not self._known:
            log.warning("budgets-not-ready", extra={"connected": str(self._nodes.connected()).lower()})

    async def serve(self, stop: asyncio.Event) -> None:
        """Watch whether the counts are whole, and make them so, until `stop`."""
        try:
            while not stop.is_set():
                try:
                    await self._look()
                except Exception as error:  # noqa: BLE001  # told, and tried again: nobody is let through meanwhile
                    log.error("round-failed", extra={"error": type(error).__name__})  # noqa: TRY400
                try:
                    await asyncio.wait_for(stop.wait(), _LOOK_SECONDS)
                except TimeoutError:
                    continue
        finally:
            await self._nodes.close()

    async def know(self, policy: Policy) -> None:
        """From now on this policy's look-ups are asked; nobody is let through until Redis has counted as it does.

        Whoever waits for Redis must not keep a policy from being in force: it may close what must be closed.
        """
        if _mark(policy) != _mark(self._policy):
            self._known, self._changed, self._missing = False, True, 0
        self._policy = policy

    def sweep(self, at: datetime) -> None:
        """Redis forgets by itself."""

    async def _look(self) -> None:
        """Whether all is counted for the policy; counts anew if not, unless another worker is at it."""
        policy, nodes = self._policy, self._nodes
        epochs = tuple(node.epoch for node in nodes.all)
        whole = nodes.whole()
        if self._known and whole and epochs == self._epochs:
            return
        self._known = False
        if not nodes.connected():
            return
        mark = _mark(policy)
        try:
            if whole and mark in await self._built():
                self._epochs, self._missing, self._changed = epochs, 0, False
                self._known = policy is self._policy
                log.info("budgets-ready", extra={"digest": policy.digest})
                return
            self._missing = self._missing + 1 if whole else 0
            anew = self._missing >= _LOOKS_BEFORE_ANEW if whole else not await self._whole_there()
            if anew:
                await self._rebuild(policy, mark)
        except WireError as error:
            log.warning("budgets-not-ready", extra={"error": type(error).__name__})

    async def _rebuild(self, policy: Policy, mark: bytes) -> None:
        now, since = self._clock(), longest_window(policy)

        def read() -> Iterable[PastLook]:
            return list(self._reader.lookups_since(now - since))

        if await rebuild(self._nodes, read, now, meters_of(policy), network_prefix):
            self._missing = 0
            wire = self._holder().wire
            if self._changed:  # under the policy before, hits may have forgotten what others still need
                await wire.call(b"DEL", BUILT_KEY).wait()
            await wire.call(b"SADD", BUILT_KEY, mark).wait()

    async def _whole_there(self) -> bool:
        """Whether another worker has just made the counts whole: what we know of it is half a second old."""
        for node in self._nodes.all:
            kept = await node.wire.call(b"GET", node.epoch_key).wait()
            if not isinstance(kept, bytes) or not kept.startswith(b"%b %b" % (READY, node.identity)):
                return False
        return True

    async def _built(self) -> list[object]:
        found = await self._holder().wire.call(b"SMEMBERS", BUILT_KEY).wait()
        return found if isinstance(found, list) else []

    def _holder(self) -> Node:
        node = self._nodes.of(BUILT_KEY)
        if node is None:
            raise WireError("the Cluster changes")
        return node


def meter_gate(settings: Settings, reader: LedgerReader, clock: Callable[[], datetime]) -> MemoryGate | RedisGate:
    """The one that the settings ask for."""
    return MemoryGate(reader, clock) if settings.redis is None else RedisGate(settings.redis, reader, clock)


def _mark(policy: Policy) -> bytes:
    """What is counted for these budgets, and how far back: equal for policies that differ in nothing of that."""
    meters = sorted((name, meter.budgets, meter.known_for) for name, meter in meters_of(policy).items())
    told = repr((longest_window(policy), meters))
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest().encode("ascii")
