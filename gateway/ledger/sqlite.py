# SPDX-License-Identifier: EUPL-1.2
"""Append to a SQLite file that nobody else appends to: one multi-row statement a commit, numbers given here.

The writer folds the log back into the file itself, between commits: SQLite's own folding would keep a failed fsync to
itself. After a failure the connection is left alone, neither rolled back nor closed; the next start checks the file.
Never here: the thread and its groups (`writer`), the file's making (`schema`), several writers (`shared`).
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Final

from gateway.ledger.event import COLUMNS, Row
from gateway.ledger.schema import open_database
from gateway.ledger.writer import WAITING_AT_MOST, Batch, GroupWriter

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.ledger.fault import Fault

CHECKPOINT_PAGES: Final = 4_000
"""Pages (4 KiB) appended to the log, by estimate, before it is folded into the file."""
ROWS_AT_ONCE: Final = 64
"""Rows of one statement. At each statement the writer lets go of the interpreter's lock and has to get it back from the
loop's thread: row by row that costs more than the rows."""

# Connections of failed ledgers: kept from the collector, whose close would roll back and write to a disk that failed.
_abandoned: list[sqlite3.Connection] = []


@cache
def _inserting(rows: int) -> str:
    """The statement for so many rows (at most ROWS_AT_ONCE different ones, which the connection keeps prepared).

    Its values are the first row's number, from which the others follow, and the rows one after the other.
    """
    columns = ", ".join("?" * len(COLUMNS))
    numbered = ", ".join(f"(?1 + {place}, {columns})" for place in range(rows))
    return f"insert into event (sequence, {', '.join(COLUMNS)}) values {numbered}"  # noqa: S608  # our own names


def open_sqlite_ledger(
    path: Path,
    *,
    waiting_at_most: int = WAITING_AT_MOST,
    checkpoint_pages: int = CHECKPOINT_PAGES,
    synchronous: str = "FULL",
    fault: Fault | None = None,
) -> SqliteLedger:
    """Open an existing ledger for appending; StartError if it is missing, damaged, newer or cannot be written.

    `synchronous` is no setting: tests weaken it to see that they notice.
    """
    connection, last = open_database(path, synchronous)
    return SqliteLedger(str(path), connection, last, waiting_at_most, checkpoint_pages, fault)


class SqliteLedger(GroupWriter):
    """A ledger in one SQLite file. Made by `open_sqlite_ledger`."""

    remedy = "mend the disk"

    def __init__(  # noqa: PLR0917  # what its makers have, in one order
        self,
        name: str,
        connection: sqlite3.Connection,
        last: int,
        waiting_at_most: int,
        checkpoint_pages: int,
        fault: Fault | None = None,
    ) -> None:
        self._connection = connection
        self._next = last + 1
        self._checkpoint_pages = checkpoint_pages
        self._pages = 0
        super().__init__(name, waiting_at_most, fault)

    def _write(self, batch: Batch) -> None:
        connection = self._connection
        first = self._next
        # Explicit numbers: a second writer on the same file collides instead of mixing in.
        rows = batch.rows
        if len(rows) <= ROWS_AT_ONCE:
            self._insert(first, rows)  # one statement is a transaction of its own
        else:
            connection.execute("begin immediate")
            for start in range(0, len(rows), ROWS_AT_ONCE):
                self._insert(first + start, rows[start : start + ROWS_AT_ONCE])
            connection.execute("commit")
        batch.sequences = range(first, first + len(rows))
        self._next = first + len(rows)
        # About one page of the accounts' index each, three more for the growing ends.
        self._pages += 3 + len(rows)

    def grew(self, rows: int) -> None:
        """See GroupWriter: the log holds that too, and is folded after the next commit that finds it long."""
        self._pages += 3 * rows

    def _insert(self, first: int, rows: Sequence[Row]) -> None:
        # `executemany` of one: `execute` lets go of the interpreter's lock once more, to ask for the last number.
        self._connection.executemany(_inserting(len(rows)), ((first, *chain.from_iterable(rows)),))

    def _tidy(self) -> None:
        if self._pages >= self._checkpoint_pages:
            # PASSIVE waits for no reader; what a reader still needs stays in the log until the next time.
            self._connection.execute("pragma wal_checkpoint(passive)").fetchone()
            self._pages = 0

    def _abandon(self) -> None:
        _abandoned.append(self._connection)

    def _end(self) -> None:
        self._connection.close()
