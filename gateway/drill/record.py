# SPDX-License-Identifier: EUPL-1.2
"""The ledger's doors of a drill: one that only counts, and one that also writes a real ledger for `--keep`.

All figures about alerts, challenges and refusals come from here: from events, as an operator would see them. The kept
one commits in batches, so that a drill of millions of look-ups ends: what it holds is durable when the drill is over.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from gateway.model import EventKind, Receipt
from gateway.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.ledger.seal import Seals
    from gateway.ledger.store import SqliteLedger
    from gateway.model import Event

_BATCH: Final = 2_000
_DONE: Final[Pending[Receipt]] = Pending()
_DONE.resolve(Receipt(0))


class CountingLedger:
    """Counts events by kind, and keeps the time of each account's alerts. Nothing is written."""

    failed = False

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.looked: Counter[str] = Counter()
        """By account, the disclosures recorded."""
        self.alerts: dict[str, list[Event]] = {}
        self.stopped: Counter[tuple[str, str]] = Counter()
        """By account and reason, challenges and refusals."""

    def seal(self, number: str, request: bytes, pseudonym: bytes, at: datetime) -> bytes:  # noqa: ARG002  # the door's
        """See LedgerDoor: nothing is kept, so nothing is sealed."""
        return b""

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """See LedgerDoor: at once."""
        for event in events:
            kind = event.kind
            self.kinds[kind] += 1
            if kind is EventKind.LOOKUP:
                self.looked[event.account] += 1
            elif kind is EventKind.ALERTED:
                self.alerts.setdefault(event.account, []).append(event)
            elif event.reason is not None:
                self.stopped[event.account, event.reason] += 1
        return _DONE


class KeptLedger(CountingLedger):
    """Counts, and writes what it counts to a real ledger, a batch at a time. `finish` writes the last of them."""

    def __init__(self, ledger: SqliteLedger, seals: Seals) -> None:
        super().__init__()
        self._ledger = ledger
        self._seals = seals
        self._waiting: list[Event] = []

    def seal(self, number: str, request: bytes, pseudonym: bytes, at: datetime) -> bytes:
        """See LedgerDoor."""
        return self._seals.seal(number, request, pseudonym, at)

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """See LedgerDoor."""
        keys = self._seals.untold
        if keys:
            self._waiting += keys
            self._seals.told(keys)
        self._waiting += events
        if len(self._waiting) >= _BATCH:
            self.finish()
        return super().append(events)

    def finish(self) -> None:
        """Write what waits; LedgerError if the disk does not take it."""
        if self._waiting:
            self._ledger.append_now(self._waiting)
            self._waiting = []
