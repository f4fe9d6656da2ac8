# SPDX-License-Identifier: EUPL-1.2
"""The twin of the tree's door over a MemoryLedger, for tests: same door, same refusals, nothing durable."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from gateway.errors import LedgerError
from gateway.ledger.deletion import NotDeleted, marked, offsets
from gateway.ledger.event import COLUMNS
from gateway.ledger.tree_store import Forked, Head, Tile, demand_growth, demand_leaves
from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.ledger.deletion import Batch
    from gateway.ledger.event import Row
    from gateway.ledger.memory import MemoryLedger


class MemoryTree:
    """See TreeStore. `failing`: the next growing fails, and so does everything after it."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self._head: Head | None = None
        self._tiles: dict[tuple[int, int], Tile] = {}
        self._failed = False
        self.failing = False

    def elected(self) -> bool:
        """See TreeStore."""
        self._demand_whole()
        return True

    def settled(self) -> int:
        """See TreeStore."""
        self._demand_whole()
        return len(self._ledger.rows)

    def rows(self, after: int, until: int, limit: int, not_before: int) -> list[tuple[int, Row]]:
        """See TreeStore; what was before is not left out."""
        del not_before
        self._demand_whole()
        return [one for one in self._there() if after < one[0] <= until][:limit]

    def head(self) -> Head | None:
        """See TreeStore."""
        self._demand_whole()
        return self._head

    def tile(self, level: int, place: int) -> Tile | None:
        """See TreeStore."""
        self._demand_whole()
        return self._tiles.get((level, place))

    def grow(self, before: Head | None, tiles: Sequence[Tile], head: Head) -> None:
        """See TreeStore."""
        self._demand_whole()
        demand_growth(before, tiles, head)
        if self.failing:
            self._failed = True
            self._demand_whole()
        if before != self._head or not all(map(self._goes_on, tiles)):
            raise Forked("the tree is not the one that was to grow")
        self._head = head
        for one in tiles:
            old = self._tiles.get((one.level, one.place))
            self._tiles[one.level, one.place] = one if old is None else replace(one, gone=old.gone)

    def delete(self, by: int, batch: Batch) -> None:
        """See TreeStore."""
        self._demand_whole()
        if self.failing:
            self._failed = True
            self._demand_whole()
        changed, gone = dict(self._tiles), set[int]()
        for place, bits in batch.marks.items():
            tile = demand_leaves(self._tiles.get((0, place)), place, bits)
            changed[0, place] = replace(tile, gone=marked(tile.gone, by, bits))
            gone.update(tile.sequence(offset) for offset in offsets(bits))
        if gone & self._ledger.forgotten or len(gone) != batch.count:
            raise NotDeleted("rows that were to be deleted are not there")
        self._ledger.forgotten |= gone
        self._tiles = changed

    def whole_days(self, until: int) -> list[tuple[int, int, int, int]]:
        """See TreeStore."""
        del until
        return []

    def drop(self, by: int, batch: Batch, day: tuple[int, int], staying: Sequence[int]) -> None:
        """See TreeStore."""
        raise NotImplementedError

    def deletions(self, limit: int) -> list[tuple[int, Row]]:
        """See TreeStore."""
        self._demand_whole()
        kind = COLUMNS.index("kind")
        return [one for one in reversed(self._there()) if one[1][kind] == EventKind.EVENTS_DELETED.value][:limit]

    def has_numbers(self, since: int, until: int) -> bool:
        """See TreeStore."""
        at, pseudonym, sealed = (COLUMNS.index(name) for name in ("at", "pseudonym", "sealed"))
        return any(
            since <= cast("int", row[at]) < until and row[pseudonym] is not None and row[sealed] is not None
            for _, row in self._there()
        )

    def close(self) -> None:
        """See TreeStore."""

    def _there(self) -> list[tuple[int, Row]]:
        return [one for one in enumerate(self._ledger.rows, 1) if one[0] not in self._ledger.forgotten]

    def _goes_on(self, one: Tile) -> bool:
        old = self._tiles.get((one.level, one.place))
        return old is None or (one.hashes.startswith(old.hashes) and one.sequences.startswith(old.sequences))

    def _demand_whole(self) -> None:
        if self._failed:
            raise LedgerError("the disk of this tree failed")
