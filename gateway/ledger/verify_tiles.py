# SPDX-License-Identifier: EUPL-1.2
"""The second reader's view of stored tiles: what they hold, and whether that leads to the root that was signed. Pure.

Tiles are not believed. They tell which of a million rows was changed, once their own hashes lead to the signed root;
what does not lead there is itself the finding. One tile a level is kept in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from gateway.ledger.verify_tree import HASH, TILE, folded, peaks_of
from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable

TileReader: TypeAlias = "Callable[[int, int], bytes | None]"
"""(level, place) -> the hashes of that tile one after the other; None or nothing if there is none."""


class Tiles:
    """The tiles of a tree of `size` leaves that was signed with this root; asked for more or less in order."""

    def __init__(self, read: TileReader, size: int, signed: bytes) -> None:
        self._read = read
        self._size = size
        self._signed = signed
        self._held: dict[int, tuple[int, bytes]] = {}

    def at(self, level: int, index: int) -> bytes | None:
        """A hash of a level; None if the tile ends before it. Wrong if the tile is longer than the tree."""
        place, offset = divmod(index, TILE)
        hashes = self._tile(level, place)
        return hashes[offset * HASH : (offset + 1) * HASH] or None

    def leaves(self, first: int, end: int) -> list[bytes]:
        """The leaf hashes from `first` up to, not with, `end`, as far as there are."""
        found = (self.at(0, number) for number in range(max(first, 0), min(end, self._size)))
        return [one for one in found if one is not None]

    def leads_up(self, level: int, index: int) -> bool:
        """Whether the hash there is under the signed root by the tiles alone: then it is what was signed."""
        while (index // TILE + 1) * TILE <= self._size >> (8 * level):
            place = index // TILE
            hashes = self._tile(level, place)
            if len(hashes) != TILE * HASH or folded(peaks_of(hashes)) != self.at(level + 1, place):
                return False
            level, index = level + 1, place
        return self.whole()

    def whole(self) -> bool:
        """Whether the tiles at the tree's right edge, and what they stand on, give the signed root."""
        peaks, level = list[bytes](), 0
        while whole := self._size >> (8 * level):
            if whole % TILE:
                peaks = peaks_of(self._tile(level, whole // TILE)) + peaks
            level += 1
        return folded(peaks) == self._signed

    def demand_leaf(self, number: int, sequence: int | None, leaf: bytes) -> bool:
        """Whether a leaf hash is the stored one; Wrong if it is not, and the tile is at fault (the row may be too)."""
        due = self.at(0, number)
        if due == leaf:
            return True
        if due is not None and self.leads_up(0, number):
            return False
        told = "ends before this leaf" if due is None else f"has {due.hex()}, which does not lead to the signed root"
        raise Wrong(
            Finding.TILE,
            f"the row gives the hash {leaf.hex()}; the stored tile {told}: the tile was changed (the row maybe too)",
            number=number,
            sequence=sequence,
        )

    def demand_root(self, level: int, count: int, root: bytes) -> None:
        """Wrong if the root of the last full tile of a level, once `count` leaves are read, is not the stored one."""
        index = (count >> (8 * level)) - 1
        if self.at(level, index) == root:
            return
        first = index << (8 * level)
        if self.leads_up(level, index):
            raise Wrong(
                Finding.CHANGED,
                f"a row from here to leaf {count - 1} was changed, and its tile with it; the tile above, which leads "
                "to the signed root, was not. Keep this copy, and compare the rows with a backup",
                number=first,
            )
        raise Wrong(
            Finding.TILE,
            f"the stored hash {index} of level {level} is not that of leaves {first} to {count - 1}, and does not lead "
            "to the signed root: the tile was changed, or those rows with their tiles",
        )

    def demand_end(self) -> None:
        """Wrong if any level has a tile after its last."""
        level, whole = 0, self._size
        while True:
            for place in (whole // TILE, whole // TILE + 1):
                self._tile(level, place)
            if not whole:
                return
            level, whole = level + 1, whole // TILE

    def _tile(self, level: int, place: int) -> bytes:
        held = self._held.get(level)
        if held is not None and held[0] == place:
            return held[1]
        hashes = self._read(level, place) or b""
        due = min(max((self._size >> (8 * level)) - place * TILE, 0), TILE) * HASH
        if len(hashes) > due:
            raise Wrong(
                Finding.TRAILING_BYTES,
                f"tile {place} of level {level} has {len(hashes)} bytes; expected {due}, as the checkpoint has "
                f"{self._size} leaves",
            )
        if len(hashes) % HASH:
            raise Wrong(
                Finding.TILE, f"tile {place} of level {level} has {len(hashes)} bytes; expected a multiple of {HASH}"
            )
        self._held[level] = place, hashes
        return hashes
