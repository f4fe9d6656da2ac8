# SPDX-License-Identifier: EUPL-1.2
"""What tests of the sealer share: events appended to a door, a store with a hand in it, and the second reader."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.ledger.note import good_signature
from gateway.ledger.sealed_rows import gone_marks, sealed_rows, sealed_tiles
from gateway.ledger.verify import verify
from gateway.ledger.verify_line import from_rows
from support.small_ledger import KEY, ORIGIN, an_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.ledger.tree_store import TreeStore
    from gateway.ledger.verify import Verified
    from support.ledger_doors import Door

HEARTBEAT = timedelta(seconds=15)
SECOND = timedelta(seconds=1)


class Counting:
    """How many events were appended so far, so that none is like the other."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.count = 0

    def append(self, number: int) -> None:
        events = [an_event(self.count + one) for one in range(number)]
        self.count += number

        async def appended() -> None:
            await self.door.ledger.append(events).wait()

        asyncio.run(appended())


def checked(store: TreeStore, *kept: str) -> Verified:
    """What the second reader says of all that is stored."""
    head = store.head()
    size = 0 if head is None else head.size
    return verify(
        from_rows(sealed_rows(store, size)),
        None if head is None else head.note,
        [KEY.verifier().text()],
        good_signature,
        origin=ORIGIN,
        kept=kept,
        tiles=sealed_tiles(store, size),
        gone=gone_marks(store),
    )


class Between:
    """A store with a hand in it: something happens before or instead of one of its acts."""

    def __init__(self, store: TreeStore, **hands: Callable[..., object]) -> None:
        self.store = store
        self.hands = hands

    def __getattr__(self, name: str) -> Any:
        act = getattr(self.store, name)
        return self.hands[name](act) if name in self.hands else act
