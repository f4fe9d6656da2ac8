# SPDX-License-Identifier: EUPL-1.2
"""All rows of a ledger in the order of the tree, each beside its leaf: for the second reader, and for an export.

Rows and tiles are read in stretches, so memory does not grow with the ledger. Nothing is judged here: a leaf without
its row, and a row without a leaf, are handed on as such.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from gateway.ledger.deletion import marks_of
from gateway.ledger.event import COLUMNS
from gateway.ledger.sealer import LATE
from gateway.ledger.tree import HASH_BYTES, TILE_HASHES
from gateway.ledger.tree_store import SEQUENCE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.ledger.event import Row
    from gateway.ledger.tree import Reader
    from gateway.ledger.tree_store import TreeStore

STRETCH: Final = 4_096
_HEIGHT: Final = 8
_AT: Final = COLUMNS.index("at")
_LATE: Final = int(LATE.total_seconds()) * 1_000_000


def sealed_tiles(store: TreeStore, size: int) -> Reader:
    """The tiles of the first `size` leaves; those stored go further while it is written to, or after a cut sealing."""

    def read(level: int, place: int) -> bytes | None:
        tile, there = store.tile(level, place), (size >> (_HEIGHT * level)) - place * TILE_HASHES
        return None if tile is None else tile.hashes[: max(there, 0) * HASH_BYTES]

    return read


def gone_marks(store: TreeStore) -> Callable[[int], bytes | None]:
    """What each tile of leaves says of rows that are gone, for the second reader."""

    def read(place: int) -> bytes | None:
        tile = store.tile(0, place)
        return None if tile is None else tile.gone

    return read


def gone_leaf(store: TreeStore, number: int) -> tuple[bytes, int] | None:
    """The hash of a leaf whose row is gone, and the event by which it went; None if nothing tells that it went."""
    place, offset = divmod(number, TILE_HASHES)
    tile = store.tile(0, place)
    marks = {} if tile is None else marks_of(tile.gone)
    by = next((event for event, bits in marks.items() if bits >> offset & 1), None)
    if tile is None or by is None:
        return None
    return tile.hashes[offset * HASH_BYTES : (offset + 1) * HASH_BYTES], by


def sealed_rows(store: TreeStore, size: int, first: int = 0) -> Iterator[tuple[int | None, int, Row | None]]:
    """(leaf number, sequence, row), leaves first: without its row one whose row is gone, without a number a row that
    no leaf holds. `size`: how many leaves; what comes in while this is read is left out. `first`: the leaf to begin at.
    """
    until = store.settled()
    leaves = _leaves(store, size, first)
    leaf = next(leaves, None)
    if leaf is None and first:
        return
    rows = _rows(store, until, 0 if leaf is None or not first else leaf[1] - 1)
    coming = next(rows, None)
    for number, sequence in [] if leaf is None else chain([leaf], leaves):
        while coming is not None and coming[0] < sequence:
            yield None, *coming
            coming = next(rows, None)
        if coming is not None and coming[0] == sequence:
            yield number, *coming
            coming = next(rows, None)
        else:
            yield number, sequence, None
    while coming is not None:
        yield None, *coming
        coming = next(rows, None)


def _leaves(store: TreeStore, size: int, first: int) -> Iterator[tuple[int, int]]:
    """(leaf number, sequence) from leaf `first` to the last of `size`."""
    for begin in range(first - first % TILE_HASHES, size, TILE_HASHES):
        tile = store.tile(0, begin // TILE_HASHES)
        numbers = [] if tile is None else _numbers(tile.sequences)
        for number, sequence in zip(range(begin, size), numbers, strict=False):
            if number >= first:
                yield number, sequence


def _rows(store: TreeStore, until: int, after: int) -> Iterator[tuple[int, Row]]:
    not_before = 0
    while rows := store.rows(after, until, STRETCH, not_before):
        yield from rows
        after = rows[-1][0]
        # By the earliest of them: one may be of a clock that went wrong.
        not_before = min(cast("int", row[_AT]) for _, row in rows) - _LATE


def leaf_number(store: TreeStore, size: int, sequence: int) -> int | None:
    """Which of the first `size` leaves is the event of this number; None if none is. Sequences rise with leaves."""
    low, high = 0, (size - 1) // TILE_HASHES
    while low <= high:
        place = (low + high) // 2
        tile = store.tile(0, place)
        numbers = [] if tile is None else _numbers(tile.sequences)
        if not numbers or sequence < numbers[0]:
            high = place - 1
        elif sequence > numbers[-1]:
            low = place + 1
        else:
            number = place * TILE_HASHES + bisect_left(numbers, sequence)
            return number if sequence in numbers and number < size else None
    return None


def leaf_numbers(store: TreeStore, size: int, sequences: Iterable[int]) -> Iterator[int | None]:
    """Which of the first `size` leaves each event of these rising numbers is; None for one that none is."""
    tiles = -(-size // TILE_HASHES)

    @lru_cache(maxsize=64)
    def numbers(place: int) -> list[int]:
        tile = store.tile(0, place)
        return [] if tile is None else _numbers(tile.sequences)[: size - place * TILE_HASHES]

    def last(place: int) -> int:
        return (numbers(place) or [0])[-1]

    place = 0
    for sequence in sequences:
        if place < tiles and last(place) < sequence:  # most often it is in the next tile, else look for it
            place += 1
            if place < tiles and last(place) < sequence:
                place = bisect_left(range(tiles), sequence, lo=place, key=last)
        found = numbers(place) if place < tiles else []
        there = bisect_left(found, sequence)
        yield place * TILE_HASHES + there if found[there : there + 1] == [sequence] else None


def _numbers(sequences: bytes) -> list[int]:
    starts = range(0, len(sequences), SEQUENCE_BYTES)
    return [int.from_bytes(sequences[start : start + SEQUENCE_BYTES], "big") for start in starts]
