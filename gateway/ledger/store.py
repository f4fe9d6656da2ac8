# SPDX-License-Identifier: EUPL-1.2
"""The door of the ledger: append, and an event is durable when its Receipt is there, and not before.

Here is what a ledger is to the rooms above, and which file makes or opens one. Never here: how anything is written
(`writer`, and below it `sqlite`, `shared`, `postgres`), reading (`read`), what a row is (`event`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gateway.ledger.schema import create_database
from gateway.ledger.shared import open_shared_ledger
from gateway.ledger.sqlite import SqliteLedger, open_sqlite_ledger
from gateway.ledger.writer import WAITING_AT_MOST, LedgerBusy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.ledger.fault import Fault
    from gateway.ledger.place import Place
    from gateway.ledger.writer import GroupWriter
    from gateway.model import Event, Receipt
    from gateway.pending import Pending

__all__ = [
    "WAITING_AT_MOST",
    "Ledger",
    "LedgerBusy",
    "SqliteLedger",
    "create_ledger",
    "open_ledger",
    "open_ledger_at",
    "prepare_days",
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


def create_ledger(place: Place) -> None:
    """Make an empty ledger; StartError if something is there already or nothing can be made there."""
    if isinstance(place, Path):
        create_database(place)
        return
    from gateway.ledger.postgres_schema import create_postgres  # noqa: PLC0415  # its driver, where it is asked for

    create_postgres(place)


open_ledger = open_sqlite_ledger
"""The ledger in a file, by its path."""


def open_ledger_at(
    place: Place, *, beside: bool = False, synchronous: str = "FULL", fault: Fault | None = None
) -> GroupWriter:
    """Open an existing ledger for appending; StartError if it is missing, damaged, newer or cannot be written.

    `beside`: other processes append already, and the first of them has opened it without this. `synchronous` is no
    setting: tests weaken a file to see that they notice. `fault`: shared with whoever else writes to this ledger.
    """
    if isinstance(place, Path):
        opens = open_shared_ledger if beside else open_sqlite_ledger
        return opens(place, synchronous=synchronous, fault=fault)
    from gateway.ledger.postgres import open_postgres_ledger  # noqa: PLC0415  # its driver, where it is asked for

    return open_postgres_ledger(place, beside=beside, fault=fault)


def prepare_days(place: Place, now: datetime) -> None:
    """Make room for the events of the days to come, where a ledger is cut into days. To be called several times a day.

    LedgerError: it could not be made; events are kept all the same.
    """
    if not isinstance(place, Path):
        from gateway.ledger.postgres_days import prepare_postgres_days  # noqa: PLC0415  # as above

        prepare_postgres_days(place, now)
