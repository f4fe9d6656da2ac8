# SPDX-License-Identifier: EUPL-1.2
"""The ledger's twin without a disk, for tests of the rooms above: same door, same refusals, nothing durable.

It can be told to be slow (`hold`, `release`) or to break (`fail`), as a disk would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import LedgerError
from gateway.ledger.event import Row, StoredEvent, event_from_row, row
from gateway.ledger.writer import WAITING_AT_MOST, LedgerBusy
from gateway.model import Receipt
from gateway.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Event


class MemoryLedger:
    """Durable at once, or on `release` after `hold`."""

    def __init__(self, *, waiting_at_most: int = WAITING_AT_MOST) -> None:
        self._rows: list[Row] = []
        self._waiting: list[tuple[list[Row], Pending[Receipt]]] = []
        self._waiting_at_most = waiting_at_most
        self._failed = False
        self._closed = False
        self._held = False
        self.forgotten: set[int] = set()
        """Numbers of events that were deleted."""

    @property
    def failed(self) -> bool:
        """Whether it was told to fail."""
        return self._failed

    @property
    def rows(self) -> list[Row]:
        """What is durable, as it is stored; the first row is number 1."""
        return self._rows

    @property
    def stored(self) -> list[StoredEvent]:
        """What is durable, oldest first, as a reader would find it."""
        there = (one for one in enumerate(self._rows, 1) if one[0] not in self.forgotten)
        return [StoredEvent(place, event_from_row(found)) for place, found in there]

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """See store.Ledger."""
        if not events:
            raise ValueError("nothing to append: expected at least one event")
        added = [row(event) for event in events]
        pending: Pending[Receipt] = Pending()
        if self._failed or self._closed:
            pending.fail(
                LedgerError("this ledger failed or was closed; nothing can be recorded, nothing may be disclosed")
            )
        elif sum(len(rows) for rows, _ in self._waiting) + len(added) > self._waiting_at_most:
            pending.fail(LedgerBusy(f"expected at most {self._waiting_at_most} events to wait: try again"))
        else:
            self._waiting.append((added, pending))
            if not self._held:
                self.release()
        return pending

    def grew(self, rows: int) -> None:
        """See GroupWriter."""

    def hold(self) -> None:
        """Let appends wait from now on, as for a slow disk."""
        self._held = True

    def release(self) -> None:
        """Make durable what waits, and hold no more."""
        self._held = False
        waiting, self._waiting = self._waiting, []
        for rows, pending in waiting:
            self._rows += rows
            pending.resolve(Receipt(len(self._rows)))

    def fail(self) -> None:
        """The disk breaks: all who wait fail, and all who come."""
        self._failed = True
        waiting, self._waiting = self._waiting, []
        for _, pending in waiting:
            pending.fail(LedgerError("the disk of this ledger failed"))

    def close(self) -> None:
        """Finish what waits, then take no more."""
        self.release()
        self._closed = True
