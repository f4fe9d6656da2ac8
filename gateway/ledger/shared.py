# SPDX-License-Identifier: EUPL-1.2
"""Append where several processes append to one ledger: the numbers are taken inside the transaction that uses them.

Each process commits in groups as alone (`writer`). Who waits for another's commit asks again within a millisecond: the
pauses of SQLite's own waiting grow to a hundred. What waited for too long was not written, and fails as LedgerBusy; the
ledger goes on, for nothing was half done.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from typing import TYPE_CHECKING, Final

from gateway.ledger.schema import open_database
from gateway.ledger.sqlite import CHECKPOINT_PAGES, ROWS_AT_ONCE, SqliteLedger
from gateway.ledger.writer import WAITING_AT_MOST, LedgerBusy

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.ledger.fault import Fault
    from gateway.ledger.writer import Batch

WRITER_SECONDS: Final = 5.0
"""How long one commit waits for those of other processes."""
_BUSY: Final = 5  # SQLITE_BUSY, below whatever it is refined by
_CODE: Final = 0xFF


def open_shared_ledger(
    path: Path, *, synchronous: str = "FULL", writer_seconds: float = WRITER_SECONDS, fault: Fault | None = None
) -> SharedLedger:
    """Open a ledger that others may have open; the first of them has opened and closed it by `open_ledger` before."""
    connection, last = open_database(path, synchronous, beside=True)
    connection.execute("pragma busy_timeout=0")
    return SharedLedger(str(path), connection, last, writer_seconds, fault)


class SharedLedger(SqliteLedger):
    """As SqliteLedger, beside others."""

    def __init__(
        self, name: str, connection: sqlite3.Connection, last: int, writer_seconds: float, fault: Fault | None = None
    ) -> None:
        self._writer_seconds = writer_seconds
        super().__init__(name, connection, last, WAITING_AT_MOST, CHECKPOINT_PAGES, fault)

    def _write(self, batch: Batch) -> None:
        connection, rows = self._connection, batch.rows
        if not self._begin():
            batch.refusal = LedgerBusy
            batch.error = (
                f"other processes have been writing to {self._name} for {self._writer_seconds:g} s; expected a few "
                "milliseconds: look whether one of them stands still, and at the disk"
            )
            return
        (last,) = connection.execute("select coalesce(max(sequence), 0) from event").fetchone()
        for start in range(0, len(rows), ROWS_AT_ONCE):
            self._insert(last + 1 + start, rows[start : start + ROWS_AT_ONCE])
        connection.execute("commit")
        batch.sequences = range(last + 1, last + 1 + len(rows))
        self._pages += 3 + len(rows)

    def _begin(self) -> bool:
        """Take the write lock; False if others keep it for too long."""
        until = time.monotonic() + self._writer_seconds
        while True:
            try:
                self._connection.execute("begin immediate")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _CODE != _BUSY:
                    raise
            else:
                return True
            if time.monotonic() > until:
                return False
            time.sleep((1 + secrets.randbelow(9)) / 10_000)
