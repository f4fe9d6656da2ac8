# SPDX-License-Identifier: EUPL-1.2
"""The second reader: whether a ledger is what was signed, or the first thing that is wrong with it. Pure.

It needs no key of the gateway and none of its code: rows of a database, of a copy or of an export, the stored tiles if
there are any, the newest checkpoint, those that the auditor kept outside, and public keys. Each row is hashed once, in
order; memory does not grow with the ledger. Where tiles lead to the signed root they tell the very row; without them a
fault is told between two checkpoints. Rows after the last sealed leaf are no fault. Never here: files, databases, keys
that sign, and anything of leaf, tree, note or checkpoint, so that a fault of theirs cannot hide itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from gateway.ledger.verify_cause import AROUND, Row, cause, cut, misplaced, out_of_order, unheld
from gateway.ledger.verify_deletion import Deletions
from gateway.ledger.verify_note import read_checkpoint, read_key
from gateway.ledger.verify_tiles import Tiles
from gateway.ledger.verify_tree import NOTHING, Climb, of_line
from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from gateway.ledger.verify_deletion import GoneReader
    from gateway.ledger.verify_line import Entry
    from gateway.ledger.verify_note import Fits, Seen
    from gateway.ledger.verify_tiles import TileReader

TOLD_EVERY: Final = 4_096
"""Leaves between two words of progress."""


@dataclass(frozen=True, slots=True)
class Verified:
    """The first `size` leaves are those under `root`, which the newest checkpoint and all kept ones agree with."""

    size: int
    root: bytes
    deleted: int
    """Leaves whose rows are gone, each as a sealed event told."""
    unsealed: int
    """Rows after the last sealed leaf."""
    newest: Seen | None
    """None: nothing was sealed yet."""
    kept: int
    """Checkpoints kept outside that were held against it."""
    deletions: int
    """Events that told of deletions which were carried out."""
    waiting: int
    """And those of which no row is gone (yet)."""


def verify(
    entries: Iterable[Entry],
    stored: str | None,
    keys: Sequence[str],
    fits: Fits,
    *,
    origin: str,
    kept: Sequence[str] = (),
    tiles: TileReader | None = None,
    gone: GoneReader | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verified:
    """Read the whole ledger; Wrong for the first thing that is not as it was signed.

    `entries`: see verify_line; all leaves in order, then what is not sealed yet; a row no leaf holds has no number.
    `stored`: the newest checkpoint of the ledger. `keys`: public keys, any of which may have signed. `gone`: by which
    event rows went, as the tiles say (see verify_deletion); an export says so itself. The hashes of such leaves come
    from the tiles or the export, and have to lead to the root as all others. `progress` hears leaves done, and in all.
    """
    known = [read_key(key) for key in keys]
    newest = None if stored is None else read_checkpoint(stored, "the newest checkpoint", known, fits, origin)
    outside = [
        read_checkpoint(note, f"the checkpoint kept outside ({place} of {len(kept)})", known, fits, origin)
        for place, note in enumerate(kept, 1)
    ]
    outside.sort(key=lambda seen: seen.size)
    _demand_grown(newest, outside)
    return _Walk(entries, newest=newest, outside=outside, tiles=tiles, gone=gone, progress=progress).run()


def _demand_grown(newest: Seen | None, outside: Sequence[Seen]) -> None:
    """Wrong if the ledger has fewer leaves than it had."""
    size = 0 if newest is None else newest.size
    if outside and outside[-1].size > size:
        last = outside[-1]
        told = "none is stored" if newest is None else f"the newest one stored, of {newest.at}, has {size}"
        raise Wrong(
            Finding.OLDER_COPY,
            f"a checkpoint kept outside, of {last.at}, has {last.size} leaves; {told}: an older copy was put back, or "
            "the tail was cut",
        )


class _Walk:
    """One reading of one ledger."""

    def __init__(
        self,
        entries: Iterable[Entry],
        *,
        newest: Seen | None,
        outside: Sequence[Seen],
        tiles: TileReader | None,
        gone: GoneReader | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._entries = iter(entries)
        self._newest = newest
        self._size, self._root = (0, NOTHING) if newest is None else (newest.size, newest.root)
        self._outside = deque(outside)
        self._kept = 0
        self._agreed = 0
        self._tiles = None if tiles is None else Tiles(tiles, self._size, self._root)
        self._deletions = Deletions(gone)
        self._progress = progress
        self._climb = Climb()
        self._last: int | None = None
        self._unsealed = 0

    def run(self) -> Verified:
        """Read to the end."""
        self._meet()
        for entry in self._entries:
            if self._climb.count < self._size and entry.number is not None:
                self._leaf(entry, entry.number)
            else:
                self._beyond(entry)
        self._end()
        went = self._deletions
        read = (self._size, self._root, went.deleted, self._unsealed)
        return Verified(*read, self._newest, self._kept, went.done, went.waiting)

    def _leaf(self, entry: Entry, told: int) -> None:
        number = self._climb.count
        if told != number:
            raise misplaced(told, number, entry.sequence, [one.number for one in self._coming()])
        leaf = self._hash(entry)
        self._demand_order(entry, leaf)
        if self._tiles is not None and not self._tiles.demand_leaf(number, entry.sequence, leaf):
            coming = [Row(one.number, one.sequence, of_line(one.line)) for one in self._coming() if one.line]
            raise cause(Row(number, entry.sequence, leaf), number, self._tiles, coming)
        for level, root in enumerate(self._climb.add(leaf), 1):
            if self._tiles is not None:
                self._tiles.demand_root(level, self._climb.count, root)
        if entry.line is not None:
            self._deletions.passed(number, entry.sequence, entry.line)
        self._meet()
        if self._progress is not None and self._climb.count % TOLD_EVERY == 0:
            self._progress(self._climb.count, self._size)

    def _hash(self, entry: Entry) -> bytes:
        if entry.line is not None:
            return of_line(entry.line)
        number = self._climb.count
        by = entry.by or self._deletions.event_of(number)
        if by is None:
            raise self._untold(entry)
        leaf = entry.gone or (None if self._tiles is None else self._tiles.at(0, number))
        if leaf is None:
            raise Wrong(
                Finding.MISSING,
                "its row is gone, and its hash is nowhere to be found; expected it in the tiles",
                number=number,
                sequence=entry.sequence,
            )
        self._deletions.gone(number, entry.sequence, leaf, by)
        return leaf

    def _untold(self, entry: Entry) -> Wrong:
        """A row is gone and nothing says that it was deleted: the tail if all after it are gone too."""
        number = self._climb.count
        rest = (one for one in self._entries if one.number is not None and one.number < self._size)
        if all(one.line is None for one in rest):
            return cut(number, self._size, sure=True)
        message = (
            "its row is missing, and no deletion of it was told; expected it. Keep this copy, and restore a backup"
        )
        return Wrong(Finding.MISSING, message, number=number, sequence=entry.sequence)

    def _demand_order(self, entry: Entry, leaf: bytes) -> None:
        """Sequences rise with leaf numbers, though they may skip."""
        if entry.sequence is None:
            return
        number, last = self._climb.count, self._last
        self._last = entry.sequence
        if last is None or entry.sequence > last:
            return
        raise out_of_order(Row(number, entry.sequence, leaf), number, last, self._tiles)

    def _meet(self) -> None:
        """Hold the root so far against what was kept of this size."""
        while self._outside and self._outside[0].size == self._climb.count:
            kept = self._outside.popleft()
            root = self._climb.root()
            if kept.root != root:
                raise self._other_root(kept, root, "a checkpoint kept outside", regrown=self._signed_otherwise())
            self._agreed = kept.size
            self._kept += 1

    def _signed_otherwise(self) -> bool:
        """Whether what is there is what the newest checkpoint says: then another history was signed."""
        if self._tiles is not None:
            return self._tiles.whole()
        for entry in self._entries:
            if self._climb.count < self._size:
                self._climb.add(self._hash(entry))
        return self._climb.root() == self._root

    def _other_root(self, seen: Seen, root: bytes, what: str, *, regrown: bool) -> Wrong:
        agreed = f"The first {self._agreed} are as they were kept; what" if self._agreed else "What"
        together = "rows and tiles together" if self._tiles is not None else "give the tiles to learn which row"
        told = "and signed anew" if regrown else together
        return Wrong(
            Finding.REGROWN if regrown else Finding.CHECKPOINT,
            f"the first {seen.size} leaves give the root {root.hex()}; expected {seen.root.hex()}, as {what} of "
            f"{seen.at} has. {agreed} came after was changed, or cut and grown again, {told}",
        )

    def _beyond(self, entry: Entry) -> None:
        """A row that no signed leaf holds: fine at the end, and nowhere else."""
        if entry.line is None or entry.sequence is None:
            raise Wrong(
                Finding.DELETION,
                f"a row that is gone is told beyond the {self._size} leaves that were signed; expected none",
                number=entry.number,
                sequence=entry.sequence,
            )
        last, self._last = self._last, entry.sequence
        if self._climb.count < self._size or (last is not None and entry.sequence <= last):
            raise unheld(entry.sequence, last)
        self._unsealed += 1

    def _end(self) -> None:
        if self._climb.count < self._size:
            raise cut(self._climb.count, self._size, sure=self._tiles is not None)
        root = self._climb.root()
        if root != self._root and self._newest is not None:
            raise self._other_root(self._newest, root, "the newest checkpoint", regrown=False)
        if self._tiles is not None:
            self._tiles.demand_end()
        self._deletions.end()
        if self._progress is not None:
            self._progress(self._size, self._size)

    def _coming(self) -> Iterator[Entry]:
        """What comes next, as far as it can be read: only asked for when something is wrong already."""
        try:
            yield from islice(self._entries, AROUND)
        except Wrong:
            return
