# SPDX-License-Identifier: EUPL-1.2
"""Counts that Redis may have lost, put together again from the ledger, by one worker under a lock.

First all workers hand in what they let out and have not settled; only then is the ledger read, so that everything
disclosed is in one of the two. What Redis still has is kept: the latest time of a person stands. Until the new epoch is
written nobody is let through.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from itertools import islice
from typing import TYPE_CHECKING, Final

from gateway.metering.redis_gather import gather
from gateway.metering.redis_node import BEAT_SECONDS, GATHERING, READY
from gateway.metering.redis_plan import keys_of, plan
from gateway.metering.redis_script import EPOCH
from gateway.metering.redis_wire import WireError
from gateway.model import Level

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from gateway.metering.redis_gather import Found
    from gateway.metering.redis_node import Node
    from gateway.metering.redis_nodes import Nodes
    from gateway.metering.redis_wire import Word
    from gateway.model import Meter, PastLook

_GRACE_SECONDS: Final = 2 * BEAT_SECONDS + 0.5
_LOCK_MILLISECONDS: Final = 30_000
_RENEW_SECONDS: Final = 5.0
_MEMBERS, _COMMANDS = 200, 64


async def rebuild(
    nodes: Nodes,
    read: Callable[[], Iterable[PastLook]],
    at: datetime,
    meters: Mapping[str, Meter],
    network_of: Callable[[str], str] = str,
) -> bool:
    """Make the counts whole. False if that is not to be done now: no connection, or another worker is at it.

    `read` gives the look-ups of the ledger, oldest first, as far back as the longest window and `known_for` together;
    it is called in a thread, once everybody has handed in. `meters`: by teleservice the budgets in force. `network_of`:
    the network of an address of the ledger. Also to be called when a new policy has a longer window than before.
    """
    try:
        return await _rebuild(
            nodes, read, lambda looks: gather(looks, at, meters, network_of, together=not nodes.several), meters
        )
    except WireError:
        return False


async def _rebuild(
    nodes: Nodes,
    read: Callable[[], Iterable[PastLook]],
    gathered: Callable[[Iterable[PastLook]], Found],
    meters: Mapping[str, Meter],
) -> bool:
    if not nodes.connected():
        return False
    first, token = nodes.all[0], secrets.token_hex(8).encode("ascii")
    if await first.wire.call(b"SET", first.lock_key, token, b"NX", b"PX", _LOCK_MILLISECONDS).wait() is None:
        return False
    identities = {node.epoch_key: node.identity for node in nodes.all}
    for key in _bucket_keys(nodes, meters):
        await _of(nodes, key).wire.call(b"DEL", key).wait()
    await _say(nodes, GATHERING, identities, token)
    await asyncio.sleep(_GRACE_SECONDS)
    counting = asyncio.create_task(asyncio.to_thread(lambda: gathered(read())))
    while not (await asyncio.wait((counting,), timeout=_RENEW_SECONDS))[0]:
        await _say(nodes, GATHERING, identities, token)
    await _write(nodes, counting.result(), lambda: _say(nodes, GATHERING, identities, token))
    await _say(nodes, READY, identities, token)
    for node in nodes.all:
        await node.look()
    await first.wire.call(b"DEL", first.lock_key).wait()
    return True


def _bucket_keys(nodes: Nodes, meters: Mapping[str, Meter]) -> list[bytes]:
    sites = (
        (site, teleservice)
        for teleservice, meter in meters.items()
        for part in plan(meter, teleservice, Level.NONE, together=not nodes.several).parts
        for site in part.sites
    )
    return [key for site, of in sites if site.bucketed for key in keys_of((site,), "", of, None, "")[:3]]


async def _say(nodes: Nodes, state: bytes, identities: Mapping[bytes, bytes], token: bytes) -> None:
    """The new epoch at every server, as long as the lock is ours and each is the server that it was."""
    for number, node in enumerate(nodes.all):
        if node.identity != identities.get(node.epoch_key) or node.wire.line is None:
            raise WireError("another server meanwhile")
        lock = node.lock_key if number == 0 else b""
        value = b"%b %b %b" % (state, node.identity, token)
        words = (lock, token, value, _LOCK_MILLISECONDS)
        if await node.wire.run(EPOCH, (node.epoch_key,), words).wait() != 1:
            raise WireError("another worker has the lock")


async def _write(nodes: Nodes, found: Found, renew: Callable[[], Awaitable[None]]) -> None:
    renewed, commands = time.monotonic(), _commands(found)
    while chunk := list(islice(commands, _COMMANDS)):
        for asked in [_of(nodes, key).wire.call(*words) for key, words in chunk]:
            await asked.wait()
        if time.monotonic() > renewed + _RENEW_SECONDS:
            await renew()
            renewed = time.monotonic()


def _commands(found: Found) -> Iterator[tuple[bytes, tuple[Word, ...]]]:
    for key, members in found.people.items():
        pairs = iter(members.items())
        while some := list(islice(pairs, _MEMBERS)):
            yield key, (b"ZADD", key, b"GT", *(word for who, moment in some for word in (moment, who)))
        yield key, (b"PEXPIRE", key, found.lasts[key])
    for key, buckets in found.buckets.items():
        told = (word for name, (of, total) in buckets.items() for word in (name, f"{of} {total}"))
        yield key, (b"HSET", key, *told)
        yield key, (b"PEXPIRE", key, found.lasts[key])


def _of(nodes: Nodes, key: bytes) -> Node:
    node = nodes.of(key)
    if node is None:
        raise WireError("the Cluster changed meanwhile")
    return node
