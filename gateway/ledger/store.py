# SPDX-License-Identifier: EUPL-1.2
"""The door of the ledger: append, and an event is durable when its Receipt is there, and not before.

Here is what a ledger is to the rooms above, and which file makes or opens one. Never here: how anything is written
(`writer`, and below it `sqlite`, `shared`), reading (`read`), what a row is (`event`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.ledger.schema import create_database
from gateway.ledger.sqlite import CHECKPOINT_PAGES, SqliteLedger, open_sqlite_ledger
from gateway.ledger.writer import WAITING_AT_MOST, LedgerBusy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.model import Event, Receipt
    from gateway.pending import Pending

__all__ = [
    "CHECKPOINT_PAGES",
    "WAITING_AT_MOST",
    "Ledger",
    "LedgerBusy",
    "SqliteLedger",
    "create_ledger",
    "open_ledger",
]


class Ledger(Protocol):
    """The door of the ledger. `append` is called on the thread of the event loop; a Pending fails with LedgerError."""

    @property
    def failed(self) -> bool:
        """Whether a write has failed: then no append ever succeeds again."""
        ...

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """Make the events durable together; the Receipt is the last one's. At least one event (ValueError)."""
        ...

    def close(self) -> None:
        """Finish what waits, then take no more. May be called twice."""
        ...


def create_ledger(path: Path) -> None:
    """Make an empty ledger file; StartError if something is there already or the folder cannot be written."""
    create_database(path)


open_ledger = open_sqlite_ledger
