# SPDX-License-Identifier: EUPL-1.2
"""What a start finds of the tree: whether the newest events are as they were signed, and a sentence of it for the log.

What a crash loses, it loses from the end: so the last tile of leaves is held against its events before anything is
signed on top of it. The whole ledger is the business of `herse ledger verify`. Never here: growing, signing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.ledger.deletion import marks_of, offsets
from gateway.ledger.leaf import leaf_data
from gateway.ledger.tree import HASH_BYTES, TILE_HASHES, leaf_hash
from gateway.ledger.tree_store import SEQUENCE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.ledger.tree_store import Head, Tile, TreeStore

_EVER: Final = 0


@dataclass(frozen=True, slots=True)
class TakenUp:
    """A tree as it was found: its leaves, when it was signed (None: there was none), and how many of its last leaves
    were held against their events.
    """

    size: int = 0
    at: datetime | None = None
    checked: int = 0

    def told(self, now: Head) -> str:
        """One sentence; `now` is the first head that was signed on top of it."""
        more = now.size - self.size
        if self.at is None:
            return f"no tree was there: it begins with the {more} events that were"
        return (
            f"the tree of {self.size} events, signed at {self.at:%Y-%m-%d %H:%M:%S} UTC, is as it was signed, and so "
            f"are the last {self.checked} of them: nothing that was signed is lost; {more} more were durable and not "
            "signed, and are now"
        )


def last_leaves(store: TreeStore, head: Head) -> int | None:
    """How many of the newest events are there as they were signed: all of the last tile but those deleted as was told;
    None: others are.
    """
    if head.size == 0:
        return 0
    tile = store.tile(0, (head.size - 1) // TILE_HASHES)
    if tile is None:
        return None
    signed = dict(list(_of(tile))[: (head.size - 1) % TILE_HASHES + 1])
    numbers = list(signed)
    for gone in marks_of(tile.gone).values():
        for place in offsets(gone):
            signed.pop(numbers[place], None)
    rows = dict(store.rows(min(numbers) - 1, head.last_sequence, TILE_HASHES + 1, _EVER))
    if rows.keys() != signed.keys():
        return None
    sound = all(signed[number] == leaf_hash(leaf_data(number, row)) for number, row in rows.items())
    return len(rows) if sound else None


def _of(tile: Tile) -> Iterator[tuple[int, bytes]]:
    """The number of each event of a tile of leaves, and its hash."""
    for place in range(len(tile.sequences) // SEQUENCE_BYTES):
        number = tile.sequences[place * SEQUENCE_BYTES :][:SEQUENCE_BYTES]
        yield int.from_bytes(number, "big"), tile.hashes[place * HASH_BYTES :][:HASH_BYTES]
