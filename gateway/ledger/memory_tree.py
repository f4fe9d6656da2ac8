# SPDX-License-Identifier: EUPL-1.2
"""The twin of the tree's door over a MemoryLedger, for tests: same door, same refusals, nothing durable."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.errors import LedgerError
from gateway.ledger.tree_store import Forked, Head, Tile, demand_growth

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        return list(enumerate(self._ledger.rows, 1))[after:until][:limit]

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

    def close(self) -> None:
        """See TreeStore."""

    def _goes_on(self, one: Tile) -> bool:
        old = self._tiles.get((one.level, one.place))
        return old is None or (one.hashes.startswith(old.hashes) and one.sequences.startswith(old.sequences))

    def _demand_whole(self) -> None:
        if self._failed:
            raise LedgerError("the disk of this tree failed")
