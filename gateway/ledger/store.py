# SPDX-License-Identifier: EUPL-1.2
"""Append: an event is durable when its Receipt is there, and not before.

One writer thread commits in groups: events that come while a commit runs form the next one, so the cost of an fsync is
shared by all who wait. The first write or commit that fails ends the ledger for good: that group, all who wait and all
later appends fail. Nothing is tried again, since after a failed fsync the kernel may call lost pages clean (Rebello and
others, ATC 2020). The connection is then left alone, neither rolled back nor closed; the next start checks the file.

Never here: reading (read), what a row is (event), the file's making (schema).
"""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from itertools import chain
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol

from gateway.errors import LedgerError
from gateway.ledger.event import COLUMNS, Row, row
from gateway.ledger.schema import create_database, open_database
from gateway.model import Receipt
from gateway.pending import Pending

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.model import Event

WAITING_AT_MOST: Final = 20_000
"""Events that may wait for a commit; at the measured speed about a second of work."""
CHECKPOINT_PAGES: Final = 4_000
"""Pages (4 KiB) appended to the log, by estimate, before it is folded into the file."""

GATHERING_TURNS: Final = 2
"""Turns of the loop in which a commit gathers its events. An idle loop turns in microseconds; under load each turn
brings more answers, and a commit costs about the same for six events as for twelve."""
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


class LedgerBusy(LedgerError):
    """Too many events wait for the disk: this append was not taken, a later one may be."""


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


def open_ledger(
    path: Path,
    *,
    waiting_at_most: int = WAITING_AT_MOST,
    checkpoint_pages: int = CHECKPOINT_PAGES,
    synchronous: str = "FULL",
) -> SqliteLedger:
    """Open an existing ledger for appending; StartError if it is missing, damaged, newer or cannot be written.

    `synchronous` is no setting: tests weaken it to see that they notice.
    """
    connection, last = open_database(path, synchronous)
    return SqliteLedger(str(path), connection, last, waiting_at_most, checkpoint_pages)


class Batch:
    """The rows of one commit and who waits for them.

    `deliver` is told of the batch once it is over; then `error` is there, and if that is None, `first`.
    """

    __slots__ = ("deliver", "error", "first", "refusal", "rows", "waiting")

    deliver: Callable[[Batch], object]
    first: int

    def __init__(self) -> None:
        self.error: str | None = None
        self.refusal = LedgerError
        self.rows: list[Row] = []
        self.waiting: list[tuple[int, Pending[Receipt]]] = []


class SqliteLedger:
    """A ledger in one SQLite file. Made by `open_ledger`, appended to from one event loop or by commands."""

    def __init__(
        self, name: str, connection: sqlite3.Connection, last: int, waiting_at_most: int, checkpoint_pages: int
    ) -> None:
        self._name = name
        self._connection = connection
        self._next = last + 1
        self._waiting_at_most = waiting_at_most
        self._checkpoint_pages = checkpoint_pages
        self._pages = 0
        self._forming = Batch()
        self._writing = False
        self._turns = 0
        self._loop: asyncio.AbstractEventLoop
        self._error: str | None = None
        self._closed = False
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @property
    def failed(self) -> bool:
        """Whether a write has failed: then no append ever succeeds again."""
        return self._error is not None

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """See Ledger. On the thread of the running loop; the Pending is resolved there."""
        added = _rows(events)
        pending: Pending[Receipt] = Pending()
        batch = self._forming
        last = len(batch.rows) + len(added) - 1
        if last >= self._waiting_at_most or self._closed or self._error is not None:
            pending.fail(self._refusal())
            return pending
        batch.rows += added
        batch.waiting.append((last, pending))
        if not self._writing:
            self._writing = True
            self._loop = asyncio.get_running_loop()
            self._gather()
        return pending

    def append_now(self, events: Sequence[Event]) -> Receipt:
        """Append and wait, for commands without an event loop (a running one would stand still)."""
        batch = Batch()
        batch.rows = _rows(events)
        waiting = len(self._forming.rows) + len(batch.rows)
        if waiting > self._waiting_at_most or self._closed or self._error is not None:
            raise self._refusal()
        written = threading.Event()
        batch.deliver = lambda _: written.set()
        self._batches.put(batch)
        written.wait()
        if batch.error is not None:
            raise batch.refusal(batch.error)
        return Receipt(batch.first + len(batch.rows) - 1)

    def close(self) -> None:
        """Write what waits, stop the writer, close the file (not after a failure). Never during an `append_now`."""
        if self._closed:
            return
        self._closed = True
        if self._forming.rows:
            self._hand_over()
        self._batches.put(None)
        self._thread.join()
        if self._error is None:
            self._connection.close()

    def _refusal(self) -> LedgerError:
        """Why an append was not taken."""
        if self._error is not None:
            return LedgerError(self._error)
        if self._closed:
            return LedgerError(f"the ledger {self._name} is closed; nothing can be recorded, nothing may be disclosed")
        return LedgerBusy(
            f"{len(self._forming.rows)} events wait for the disk under {self._name}; expected at most "
            f"{self._waiting_at_most}: try again, and look at the disk if it lasts"
        )

    def _gather(self) -> None:
        """Hand over, but not at once: what the next turns of the loop append belongs to the same commit."""
        self._turns = GATHERING_TURNS
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Count a turn of the loop. Nothing is left to be handed over if `close` came first."""
        self._turns -= 1
        if self._turns:
            self._loop.call_soon(self._turn)
        elif self._forming.rows:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give what has formed to the writer; the loop is told once per batch."""
        batch = self._forming
        self._forming = Batch()
        batch.deliver = self._tell_loop
        self._batches.put(batch)

    def _delivered(self, batch: Batch) -> None:
        """On the loop: answer all of a batch, then hand over what formed meanwhile (also what the answers brought)."""
        for place, pending in batch.waiting:
            try:
                if batch.error is None:
                    pending.resolve(Receipt(batch.first + place))
                else:
                    pending.fail(batch.refusal(batch.error))
            except Exception as error:  # noqa: BLE001  # one waiter's own fault must not keep the others waiting
                self._loop.call_exception_handler({"message": "a waiter for the ledger failed", "exception": error})
        if self._forming.rows and not self._closed:
            self._gather()
        else:
            self._writing = False

    # ---- the writer thread

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            if self._error is None:
                self._attempt(batch)
            if self._error is not None:
                batch.error = self._error
            try:
                batch.deliver(batch)
            except RuntimeError:  # the loop has ended: the rows are durable, nobody is left to be told
                self._writing = False
            if self._pages >= self._checkpoint_pages and self._error is None:
                self._attempt(None)

    def _tell_loop(self, batch: Batch) -> None:
        self._loop.call_soon_threadsafe(self._delivered, batch)

    def _attempt(self, batch: Batch | None) -> None:
        """Write a batch, or fold the log; whatever goes wrong is final."""
        try:
            if batch is None:
                self._fold()
            else:
                self._write(batch)
        except BaseException as error:  # noqa: BLE001  # no way out of a half-done write may look like success
            _abandoned.append(self._connection)
            self._error = (
                f"the ledger {self._name} could not be written ({error}); nothing is recorded or disclosed any more: "
                "mend the disk, then start Herse again"
            )

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
        batch.first = first
        self._next = first + len(rows)
        # About one page of the accounts' index each, three more for the growing ends.
        self._pages += 3 + len(rows)

    def _insert(self, first: int, rows: Sequence[Row]) -> None:
        # `executemany` of one: `execute` lets go of the interpreter's lock once more, to ask for the last number.
        self._connection.executemany(_inserting(len(rows)), ((first, *chain.from_iterable(rows)),))

    def _fold(self) -> None:
        # PASSIVE waits for no reader; what a reader still needs stays in the log until the next time.
        self._connection.execute("pragma wal_checkpoint(passive)").fetchone()
        self._pages = 0


def _rows(events: Sequence[Event]) -> list[Row]:
    if not events:
        raise ValueError("nothing to append: expected at least one event")
    return list(map(row, events))
