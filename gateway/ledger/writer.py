# SPDX-License-Identifier: EUPL-1.2
"""The writer of a ledger: one thread that commits in groups, whatever the database behind it.

Events that come while a commit runs form the next one, so the cost of an fsync is shared by all who wait. The first
write or commit that fails ends the ledger for good (`fault`): that group, all who wait and all later appends fail, in
every process that shares the fault. Nothing is tried again, since after a failed fsync the kernel may call lost pages
clean (Rebello and others, ATC 2020), and what was in doubt is not acknowledged. A commit that neither ends nor fails is
waited for, but not by those who asked: they are refused, and so is whoever comes, until it has ended.

Never here: how a group is written (`sqlite`, `shared`, `postgres`), reading (`read`), what a row is (`event`).
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from queue import SimpleQueue
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from gateway.errors import LedgerError
from gateway.ledger.event import Row, row
from gateway.ledger.fault import Fault
from gateway.model import Receipt
from gateway.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.model import Event

T = TypeVar("T")

WAITING_AT_MOST: Final = 20_000
"""Events that may wait for a commit; at the measured speed about a second of work."""

GATHERING_TURNS: Final = 2
"""Turns of the loop in which a commit gathers its events. An idle loop turns in microseconds; under load each turn
brings more answers, and a commit costs about the same for six events as for twelve."""

ANSWER_SECONDS: Final = 10.0
"""So long may a commit take until who waits is refused. A disk or server that hangs tells nobody that it does."""


class LedgerBusy(LedgerError):
    """Too many events wait for the disk, or it has not answered for too long: a later append may be taken."""


class Batch:
    """The rows of one commit and who waits for them.

    `deliver` is told of the batch once it is over; then `error` is there, and if that is None, `sequences`: the number
    of each row, rising.
    """

    __slots__ = ("deliver", "error", "refusal", "rows", "sequences", "waiting")

    deliver: Callable[[Batch], object]
    sequences: Sequence[int]

    def __init__(self) -> None:
        self.error: str | None = None
        self.refusal = LedgerError
        self.rows: list[Row] = []
        self.waiting: list[tuple[int, Pending[Receipt]]] = []


class GroupWriter(ABC):
    """A ledger that appends. Called from one event loop, or by commands; what a database does is its subclass's."""

    remedy: ClassVar[str]
    """What a person does after a failure."""
    answer_seconds = ANSWER_SECONDS

    def __init__(self, name: str, waiting_at_most: int, fault: Fault | None = None) -> None:
        """`fault`: shared with whoever else writes to this ledger."""
        self._name = name
        self._fault = fault or Fault()
        self._waiting_at_most = waiting_at_most
        self._forming = Batch()
        self._writing = False
        self._turns = 0
        self._late = False
        self._patience: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop
        self._closed = False
        self._batches: SimpleQueue[Batch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @abstractmethod
    def _write(self, batch: Batch) -> None:
        """On the writer's thread: make the rows durable together, then give `sequences`. Any exception is final.

        `error` and `refusal` instead, without one: nothing was written, and a later append may succeed.
        """

    @abstractmethod
    def _abandon(self) -> None:
        """After a failure, on the writer's thread or once it has ended: leave the connection as it must be left."""

    @abstractmethod
    def _end(self) -> None:
        """Close the connection of a ledger that has not failed; the thread has ended."""

    def _tidy(self) -> None:  # noqa: B027  # not every database has anything to be tidied
        """On the writer's thread, after each group: what is due now and then. Any exception is final."""

    @property
    def failed(self) -> bool:
        """Whether a write has failed, here or where the fault is shared: then no append ever succeeds again."""
        return self._fault.why is not None

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """See Ledger. On the thread of the running loop; the Pending is resolved there."""
        added = _rows(events)
        pending: Pending[Receipt] = Pending()
        batch = self._forming
        last = len(batch.rows) + len(added) - 1
        if last >= self._waiting_at_most or self._closed or self._late or self._fault.why is not None:
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
        if waiting > self._waiting_at_most or self._closed or self._fault.why is not None:
            raise self._refusal()
        written = threading.Event()
        batch.deliver = lambda _: written.set()
        self._batches.put(batch)
        written.wait()
        if batch.error is not None:
            raise batch.refusal(batch.error)
        return Receipt(batch.sequences[-1])

    def grew(self, rows: int) -> None:  # noqa: B027  # not every database has anything to be tidied
        """Somebody else has written so many rows beside it: told by who deletes, from any thread."""

    def close(self) -> None:
        """Write what waits, stop the writer, close the file (not after a failure). Never during an `append_now`."""
        if self._closed:
            return
        self._closed = True
        if self._forming.rows:
            self._hand_over()
        self._batches.put(None)
        self._thread.join()
        if self._fault.why is None:
            self._end()
        else:
            self._abandon()

    def _refusal(self) -> LedgerError:
        """Why an append was not taken."""
        if self._fault.why is not None:
            return LedgerError(self._fault.why)
        if self._closed:
            return LedgerError(f"the ledger {self._name} is closed; nothing can be recorded, nothing may be disclosed")
        if self._late:
            return LedgerBusy(
                f"the ledger {self._name} has not answered for {self.answer_seconds:g} s; nothing is disclosed until "
                f"it does: {self.remedy}"
            )
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
            self._patience = self._loop.call_later(self.answer_seconds, self._give_up, self._hand_over())

    def _hand_over(self) -> Batch:
        """Give what has formed to the writer; the loop is told once per batch."""
        batch = self._forming
        self._forming = Batch()
        batch.deliver = self._tell_loop
        self._batches.put(batch)
        return batch

    def _give_up(self, batch: Batch) -> None:
        """On the loop: refuse who waits for a batch, and for what has formed behind it. All of it may yet be durable:
        then it is on record, and nobody was shown anything.
        """
        self._late = True
        for _, pending in [*batch.waiting, *self._forming.waiting]:
            self._answer(pending.fail, self._refusal())

    def _delivered(self, batch: Batch) -> None:
        """On the loop: answer all of a batch, then hand over what formed meanwhile (also what the answers brought)."""
        self._late = False
        if self._patience is not None:
            self._patience.cancel()
        for place, pending in batch.waiting:
            if batch.error is None:
                self._answer(pending.resolve, Receipt(batch.sequences[place]))
            else:
                self._answer(pending.fail, batch.refusal(batch.error))
        if self._forming.rows and not self._closed:
            self._gather()
        else:
            self._writing = False

    def _answer(self, answer: Callable[[T], None], told: T) -> None:
        try:
            answer(told)
        except Exception as error:  # noqa: BLE001  # one waiter's own fault must not keep the others waiting
            self._loop.call_exception_handler({"message": "a waiter for the ledger failed", "exception": error})

    # ---- the writer thread

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            if self._fault.why is None:
                self._attempt(self._write, batch)
            if self._fault.why is not None:  # here or, meanwhile, elsewhere: on record at the most, never acknowledged
                batch.error, batch.refusal = self._fault.why, LedgerError
            try:
                batch.deliver(batch)
            except RuntimeError:  # the loop has ended: the rows are durable, nobody is left to be told
                self._writing = False
            if self._fault.why is None:
                self._attempt(self._tidy)

    def _tell_loop(self, batch: Batch) -> None:
        self._loop.call_soon_threadsafe(self._delivered, batch)

    def _attempt(self, act: Callable[..., None], *told: Batch) -> None:
        """Write, or tidy; whatever goes wrong is final."""
        try:
            act(*told)
        except BaseException as error:  # noqa: BLE001  # no way out of a half-done write may look like success
            self._fault.tell(
                f"the ledger {self._name} could not be written ({error}); nothing is recorded or disclosed any more: "
                f"{self.remedy}, then start Herse again"
            )
            self._abandon()


def _rows(events: Sequence[Event]) -> list[Row]:
    if not events:
        raise ValueError("nothing to append: expected at least one event")
    return list(map(row, events))
