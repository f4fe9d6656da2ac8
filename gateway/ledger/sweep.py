# SPDX-License-Identifier: EUPL-1.2
"""Which rows go next: those whose time is over, sealed, as they were signed, and held by no open incident.

    plan a batch -> append its events-deleted -> that is sealed -> delete the batch, in one transaction

Each class is gone through in the order of the leaves, from where its last deletion says that nothing is left below.
A batch that was told and not done, because something stopped in between, is planned once more: if it is the same to the
last hash it is done, else it stays as it is, told and not done. A row that is not what was signed stops all of it:
evidence is never deleted. Blocking: call it from a thread. Never here: appending, waiting for the seal (the caller's).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gateway.errors import HerseError
from gateway.ledger.deletion import WHOLE_DAY, Batch, Told, day_of, read_told
from gateway.ledger.event import COLUMNS, microseconds
from gateway.ledger.leaf import leaf_data
from gateway.ledger.retention import CLASS_OF, ORDER, Keep
from gateway.ledger.seal import HOUR
from gateway.ledger.sealed_rows import gone_leaf, leaf_number, sealed_rows
from gateway.ledger.sealer import LATE
from gateway.ledger.tree import HASH_BYTES, TILE_HASHES, leaf_hash
from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.ledger.event import Row
    from gateway.ledger.retention import Rules
    from gateway.ledger.tree_store import Head, Tile, TreeStore

BATCH_ROWS: Final = 1_024
"""Rows of one transaction: appends wait for it."""
QUIET_ROWS: Final = 2_048
"""So many rows on end that are far from over, and no older one follows."""
STAYING_AT_MOST: Final = 1_000
"""A day that keeps more rows than this is not dropped; its rows go one by one."""
LATEST_TOLD: Final = 256
"""Deletion events that are looked through for one not done: many more than are ever told at once."""

_AT, _KIND, _ACCOUNT = COLUMNS.index("at"), COLUMNS.index("kind"), COLUMNS.index("account")
_REASON, _DETAILS = COLUMNS.index("reason"), COLUMNS.index("details")
_LATE: Final = int(LATE.total_seconds()) * 1_000_000
_KEY_NEAR: Final = 2 * int(HOUR.total_seconds()) * 1_000_000


class NotAsSigned(HerseError):
    """A row that was to go is not what was signed. The message names it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A batch, what its event will say, and for a whole day the day and which numbers stay."""

    told: Told
    batch: Batch
    day: tuple[int, int] | None = None
    staying: tuple[int, ...] = ()

    def carry_out(self, store: TreeStore, by: int) -> None:
        """Delete it, as the event with the number `by` says. NotDeleted, LedgerBusy: nothing is changed."""
        if self.day is None:
            store.delete(by, self.batch)
        else:
            store.drop(by, self.batch, self.day, self.staying)


class Sweep:
    """One look at what is sealed under a head, by the rules of one moment."""

    def __init__(
        self,
        store: TreeStore,
        head: Head,
        rules: Rules,
        batch_rows: int = BATCH_ROWS,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """`stopped`: whether to plan no further."""
        self._store = store
        self._stopped = stopped
        self._head = head
        self._size = head.size
        self._rules = rules
        self._batch_rows = batch_rows
        self._tile: tuple[int, Tile | None] = (-1, None)

    def batches(self, keep: Keep, first: int = 0) -> Iterator[Planned]:
        """What of a class goes, in the order of leaves from `first` on; planned as asked for."""
        before = self._rules.before[keep]
        batch, left, quiet = Batch(), None, 0
        for number, _, row in sealed_rows(self._store, self._size, first):
            if number is None or row is None:
                continue
            at = int(row[_AT] or 0)
            quiet = quiet + 1 if at >= before + _LATE else 0
            if quiet > QUIET_ROWS:
                break
            if self._stopped():
                return
            if CLASS_OF.get(str(row[_KIND])) is not keep:
                continue
            if not self._over(row):
                left = number if left is None else left
                continue
            self._add(batch, number, _, row)
            if batch.count == self._batch_rows:
                yield Planned(batch.told(keep, before, number + 1 if left is None else left), batch)
                batch = Batch()
        if batch.count:
            yield Planned(batch.told(keep, before, batch.last + 1 if left is None else left), batch)

    def days(self) -> Iterator[Planned]:
        """Whole days of which nothing, or next to nothing, is to stay."""
        for begin, end, first, last in self._days():
            found = self._day((begin, end), first, last)
            if found is not None:
                yield found

    def _days(self) -> list[tuple[int, int, int, int]]:
        until = min(self._rules.before[keep] for keep in ORDER)
        return [one for one in self._store.whole_days(until) if one[3]]

    def _day(self, day: tuple[int, int], first: int, last: int) -> Planned | None:
        """One of them; None if it is not to be dropped."""
        number = leaf_number(self._store, self._size, first)
        if number is None or leaf_number(self._store, self._size, last) is None:
            return None
        batch, staying = Batch(), list[int]()
        for place, sequence, row in sealed_rows(self._store, self._size, number):
            if sequence > last:
                break
            if self._stopped():
                return None
            if row is None or not day[0] <= int(row[_AT] or 0) < day[1]:
                continue
            if place is None:  # no leaf holds it: nothing that may be dropped
                return None
            if self._over(row, day):
                self._add(batch, place, sequence, row)
            else:
                staying.append(sequence)
            if len(staying) > STAYING_AT_MOST:
                return None
        if not batch.count:
            return None
        return Planned(batch.told(WHOLE_DAY, day[1], 0), batch, day, tuple(staying))

    def told_before(self) -> tuple[list[tuple[int, Told]], dict[str, int]]:
        """Deletions told and not done, oldest first; and where the next sweep of each class begins."""
        undone, begin = list[tuple[int, Told]](), dict[str, int]()
        for by, row in sorted(self._store.deletions(LATEST_TOLD), reverse=True):
            told = read_told(str(row[_REASON]), str(row[_DETAILS]))
            if told is None or by > self._head.last_sequence:
                continue
            gone = gone_leaf(self._store, told.first)
            if gone is None:
                undone.append((by, told))
            elif gone[1] == by:
                begin.setdefault(told.keep, told.next)
        for _, told in undone:  # what was not done is still there, below where later ones went on
            begin[told.keep] = min(told.first, begin.get(told.keep, 0))
        return undone[::-1], begin

    def again(self, told: Told) -> Planned | None:
        """The batch that was told, if it is the same once more; None: it may not be done any more."""
        if told.keep == WHOLE_DAY:
            begin = microseconds(day_of(told)[0])
            days = (self._day(day[:2], *day[2:]) for day in self._days() if day[0] == begin)
            one = next(days, None)
        else:
            one = self._same_class(told)
        same = one is not None and (one.told.count, one.told.digest) == (told.count, told.digest)
        return one if same else None

    def _same_class(self, told: Told) -> Planned | None:
        """The first batch of so many rows of a class from the first leaf on, as on the day when it was told."""
        keep, before = Keep(told.keep), microseconds(told.before)
        if before > self._rules.before.get(keep, 0):  # meanwhile they are to be kept for longer
            return None
        then = replace(self._rules, before={**self._rules.before, keep: before})
        head = replace(self._head, size=told.last + 1)
        return next(Sweep(self._store, head, then, told.count).batches(keep, told.first), None)

    def _over(self, row: Row, day: tuple[int, int] | None = None) -> bool:
        """Whether a row may go; `day`: with all numbers of that day."""
        kind, at = str(row[_KIND]), int(row[_AT] or 0)
        if not self._rules.over(kind, str(row[_ACCOUNT]), at):
            return False
        return kind != EventKind.DATA_KEY or not self._needed(at, day)

    def _needed(self, at: int, day: tuple[int, int] | None) -> bool:
        """Whether a number is still there that may be sealed with the data key of this time."""
        since, until = at - _KEY_NEAR, at + _KEY_NEAR + 1
        if day is None or any(held_until > day[0] and since < day[1] for _, since, held_until in self._rules.holds):
            return self._store.has_numbers(since, until)
        return self._store.has_numbers(since, min(day[0], until)) or self._store.has_numbers(max(day[1], since), until)

    def _add(self, batch: Batch, number: int, sequence: int, row: Row) -> None:
        place, offset = divmod(number, TILE_HASHES)
        if self._tile[0] != place:
            self._tile = place, self._store.tile(0, place)
        tile = self._tile[1]
        due = b"" if tile is None else tile.hashes[offset * HASH_BYTES : (offset + 1) * HASH_BYTES]
        leaf = leaf_hash(leaf_data(sequence, row))
        if leaf != due:
            raise NotAsSigned(
                f"event {sequence}, leaf {number}, is not what was signed, and is not deleted; nothing more is until "
                "it is found out why: verify the ledger, and keep this copy"
            )
        batch.add(number, leaf, int(row[_AT] or 0))
