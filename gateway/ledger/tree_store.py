# SPDX-License-Identifier: EUPL-1.2
"""The door of the tree over the events: what is stored of it, how it grows, and which events may enter it.

It grows by compare-and-swap on the head, so that two sealers of one ledger can never fork it: the second is told. What
a tile held stays; a tile at the right edge only gets longer. Blocking: call it from a thread. `tree_rows` is the door
on both databases, `memory_tree` without one. Never here: hashing, signing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.errors import HerseError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.ledger.event import Row

SEQUENCE_BYTES = 8
HASH_BYTES = 32


class Forked(HerseError):
    """The tree is not what it was grown from: another sealer was here, or what is stored was changed."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest signed checkpoint: `size` leaves, the last of them the event `last_sequence`; `note` is its text."""

    size: int
    last_sequence: int
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Tile:
    """256 hashes of 32 bytes or, at the right edge, fewer. `place` counts the tiles of a level from 0.

    Of level 0, the leaves, `sequences` names the event of each in 8 big-endian bytes. `gone` is a bitmap of the leaves
    whose events retention deleted, None while all are there; growing never changes it.
    """

    level: int
    place: int
    hashes: bytes
    sequences: bytes = b""
    gone: bytes | None = None


class TreeStore(Protocol):
    """The stored tree of one ledger. LedgerUnreadable: a question failed. LedgerError: growing did, or another write of
    the ledger (`fault`), and so from then on does everything, until the store is opened anew.
    """

    def elected(self) -> bool:
        """Whether this store's process is the one that seals; asked before each growing, and taken where it is free."""
        ...

    def settled(self) -> int:
        """A number up to which all events there will ever be are there to be read; 0 at first."""
        ...

    def rows(self, after: int, until: int, limit: int, not_before: int) -> list[tuple[int, Row]]:
        """The events with numbers above `after` up to `until`, rising, at most `limit`.

        `not_before`: a time (microseconds) that all of them have reached. What is older may be left out: be generous.
        """
        ...

    def head(self) -> Head | None:
        """The newest head; None before the first."""
        ...

    def tile(self, level: int, place: int) -> Tile | None:
        """One tile, if it is there."""
        ...

    def grow(self, before: Head | None, tiles: Sequence[Tile], head: Head) -> None:
        """Store tiles and head together, durable on return. Forked, and nothing is stored, unless `before` is the head
        there is and each tile goes on from what is stored of it. LedgerBusy: nothing was stored, and a later try may
        be luckier. ValueError for what is no growth.
        """
        ...

    def close(self) -> None:
        """Give back what is open, and the election with it. May be called twice."""
        ...


def demand_growth(before: Head | None, tiles: Sequence[Tile], head: Head) -> None:
    """ValueError for what no tree does: shrink, or hold tiles of another shape."""
    if before is not None and (head.size < before.size or head.last_sequence < before.last_sequence):
        raise ValueError(f"a tree of {before.size} leaves does not become one of {head.size}")
    for tile in tiles:
        hashes, rest = divmod(len(tile.hashes), HASH_BYTES)
        leaves = hashes if tile.level == 0 else 0
        if rest or not hashes or len(tile.sequences) != leaves * SEQUENCE_BYTES:
            raise ValueError(f"tile {tile.level}/{tile.place} holds {len(tile.hashes)} and {len(tile.sequences)} bytes")
