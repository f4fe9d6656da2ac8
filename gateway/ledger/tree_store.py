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
from gateway.ledger.deletion import NotDeleted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.ledger.deletion import Batch
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

    Of level 0, the leaves, `sequences` names the event of each in 8 big-endian bytes. `gone` tells which of their rows
    were deleted, and by which event (`deletion.marked`); None while all are there; growing never changes it.
    """

    level: int
    place: int
    hashes: bytes
    sequences: bytes = b""
    gone: bytes | None = None

    def sequence(self, offset: int) -> int:
        """The number of the event of a leaf."""
        return int.from_bytes(self.sequences[offset * SEQUENCE_BYTES : (offset + 1) * SEQUENCE_BYTES], "big")


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

    def delete(self, by: int, batch: Batch) -> None:
        """Delete the rows of a batch and mark its leaves gone by the event `by`, together, durable on return.

        NotDeleted, and nothing is changed, unless all of them are there. LedgerBusy as in `grow`.
        """
        ...

    def whole_days(self, until: int) -> list[tuple[int, int, int, int]]:
        """Where a ledger lies in days: those that ended by then, oldest first; else none.

        (beginning, end, first and last number in it); times in microseconds. A day without events has numbers 0.
        """
        ...

    def drop(self, by: int, batch: Batch, day: tuple[int, int], staying: Sequence[int]) -> None:
        """As `delete`, for all events of a day but those with the numbers `staying`, at once."""
        ...

    def deletions(self, limit: int) -> list[tuple[int, Row]]:
        """The newest deletion events, by their time, at most so many."""
        ...

    def has_numbers(self, since: int, until: int) -> bool:
        """Whether any sealed patient number of these times (microseconds, `until` exclusive) is there."""
        ...

    def close(self) -> None:
        """Give back what is open, and the election with it. May be called twice."""
        ...


def demand_leaves(tile: Tile | None, place: int, bits: int) -> Tile:
    """The tile, if it has all these leaves; NotDeleted if not."""
    if tile is None or bits.bit_length() > len(tile.hashes) // HASH_BYTES:
        raise NotDeleted(f"tile {place} of the leaves has not all those that were to be deleted: verify the ledger")
    return tile


def demand_growth(before: Head | None, tiles: Sequence[Tile], head: Head) -> None:
    """ValueError for what no tree does: shrink, or hold tiles of another shape."""
    if before is not None and (head.size < before.size or head.last_sequence < before.last_sequence):
        raise ValueError(f"a tree of {before.size} leaves does not become one of {head.size}")
    for tile in tiles:
        hashes, rest = divmod(len(tile.hashes), HASH_BYTES)
        leaves = hashes if tile.level == 0 else 0
        if rest or not hashes or len(tile.sequences) != leaves * SEQUENCE_BYTES:
            raise ValueError(f"tile {tile.level}/{tile.place} holds {len(tile.hashes)} and {len(tile.sequences)} bytes")
