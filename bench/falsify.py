# SPDX-License-Identifier: EUPL-1.2
"""The ways to falsify a ledger, each as a check that must fail: bytes changed, events moved, histories forged.

A falsification is made when it is checked, not before: most are skipped when only a sample is wanted. Never here: the
counting and the command (tamper).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from gateway.ledger.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from gateway.ledger.note import SigningKey
from gateway.ledger.verify_line import from_export, from_rows
from gateway.ledger.wrong import Finding
from support.small_ledger import BEGUN, FOREIGN, KEY, SmallLedger, audited, sealed_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.ledger.leaf import Value
    from gateway.ledger.verify import Verified
    from gateway.ledger.verify_line import Entry

_WHOLE_BYTES: Final = 8

Rows: TypeAlias = "list[tuple[int | None, int, tuple[Value, ...] | None]]"


class Attempt(NamedTuple):
    """A check of a falsified copy; the leaf that must be named, if one can be; what it may be called, if told."""

    check: Callable[[], Verified]
    named: int | None = None
    due: frozenset[Finding] = frozenset()


@dataclass(frozen=True)
class Honest:
    """The ledger before anything was done to it, and its parts as the falsifications need them."""

    ledger: SmallLedger
    lines: list[bytes]
    rows: Rows
    entries: tuple[Entry, ...]
    """What the second reader makes of each line and row by itself; so only falsified ones are read anew."""

    def export(
        self, place: int, tail: Sequence[bytes], named: int | None = None, *due: Finding, **told: Any
    ) -> Attempt:
        """The export with other lines from a place on; with the tiles unless told otherwise."""
        return Attempt(partial(self._export, place, tail, **told), named, frozenset(due))

    def table(self, place: int, tail: Rows, named: int | None = None, *due: Finding) -> Attempt:
        """The database with other rows from a place on."""
        return Attempt(partial(self._table, place, tail), named, frozenset(due))

    def line(self, place: int, line: bytes) -> Attempt:
        """The export with one line changed: that leaf is due."""
        return Attempt(partial(self._line, place, line), place)

    def row(self, row: tuple[int | None, int, tuple[Value, ...] | None], named: int | None, *due: Finding) -> Attempt:
        """The database with one row changed."""
        return Attempt(partial(self._row, row), named, frozenset(due))

    def whole(self, named: int | None = None, *due: Finding, **told: Any) -> Attempt:
        """All entries as they are, beside something else that is not: tiles, checkpoints, keys."""
        return Attempt(partial(self._whole, **told), named, frozenset(due))

    def _export(self, place: int, tail: Sequence[bytes], **told: Any) -> Verified:
        file = BytesIO(b"".join(line + b"\n" for line in tail))
        told.setdefault("tiles", self.ledger.read)
        return audited(chain(self.entries[:place], from_export(file, place)), stored=self.ledger.note, **told)

    def _table(self, place: int, tail: Rows) -> Verified:
        entries = chain(self.entries[:place], from_rows(tail))
        return audited(entries, stored=self.ledger.note, tiles=self.ledger.read)

    def _line(self, place: int, line: bytes) -> Verified:
        read = from_export(BytesIO(line + b"\n"), place)
        return self._whole(entries=chain(self.entries[:place], read, self.entries[place + 1 :]))

    def _row(self, row: tuple[int | None, int, tuple[Value, ...] | None]) -> Verified:
        place = row[0] or 0
        return self._whole(entries=chain(self.entries[:place], from_rows([row]), self.entries[place + 1 :]))

    def _whole(self, **told: Any) -> Verified:
        told.setdefault("tiles", self.ledger.read)
        told.setdefault("stored", self.ledger.note)
        return audited(told.pop("entries", self.entries), **told)


@cache
def honest_of(events: int) -> Honest:
    """The honest ledger, once in each process."""
    ledger = sealed_ledger(events)
    rows = list(ledger.entries())
    return Honest(ledger, ledger.lines(), rows, tuple(from_rows(rows)))


def flips(content: bytes) -> Iterator[bytes]:
    """The content with one bit of one byte changed, for each byte; the bit goes round."""
    for place, byte in enumerate(content):
        yield content[:place] + bytes([byte ^ (1 << place % 8)]) + content[place + 1 :]


def values_instead(value: Value) -> Iterator[Value]:
    """Each byte of a stored value changed; something for nothing and nothing for something."""
    if value is None:
        yield from ("", b"", 0)
        return
    yield None
    if isinstance(value, int):
        yield from (int.from_bytes(one, "big", signed=True) for one in flips(value.to_bytes(_WHOLE_BYTES, "big")))
    elif isinstance(value, bytes):
        yield from flips(value)
    else:
        # What is no text any more is what a database would hand out, or fail on.
        yield from (one.decode(errors="surrogateescape") for one in flips(value.encode()))


def lines_changed(honest: Honest, number: int) -> Iterator[Attempt]:
    """An export with one line changed."""
    line = honest.lines[number]
    for wrong in (*flips(line), line + b" ", line[:-1]):
        yield honest.line(number, wrong)


def columns_changed(honest: Honest, number: int) -> Iterator[Attempt]:
    """A database with one stored value changed: any column's, or the sequence."""
    place, sequence, row = honest.rows[number]
    for column, value in enumerate(row or ()):
        for wrong in values_instead(value):
            falsified = (*(row or ())[:column], wrong, *(row or ())[column + 1 :])
            yield honest.row((place, sequence, falsified), number, Finding.CHANGED)
    for changed in values_instead(sequence):
        if isinstance(changed, int):
            yield honest.row((place, changed, row), None)


def events_moved(honest: Honest, number: int) -> Iterator[Attempt]:
    """Dropped, doubled, swapped with the next, the tail cut here: from an export and from a database."""
    line, after = honest.lines[number], honest.lines[number + 1 :]
    dropped = Finding.MISSING if after else Finding.TAIL_CUT
    for tail, named, due in (
        (after, number, dropped),
        ([line, line, *after], None, Finding.DOUBLED),
        ([*after[:1], line, *after[1:]], number, Finding.REORDERED),
        ([], number, Finding.TAIL_CUT),
    ):
        if tail != [line, *after]:  # the last one has no next to be swapped with
            yield honest.export(number, tail, named, due)
            yield honest.export(number, tail, tiles=None)
    row, later = honest.rows[number], honest.rows[number + 1 :]
    yield honest.table(number, [(row[0], row[1], None), *later], number, dropped)
    yield honest.table(number, [row, row, *later], None, Finding.DOUBLED)
    yield honest.table(number, later, number, dropped)
    yield honest.table(number, [], number, Finding.TAIL_CUT)


def histories_forged(honest: Honest, number: int) -> Iterator[Attempt]:
    """Cut after this many events and grown again, or put back as it was then: signed with the gateway's own key."""
    regrown = frozenset({Finding.REGROWN})
    yield Attempt(partial(_grown_again, honest.ledger, number), None, regrown)
    yield Attempt(partial(_grown_again, honest.ledger, number, tiles=None), None, regrown)
    yield Attempt(partial(_put_back, honest.ledger, number), None, frozenset({Finding.OLDER_COPY}))


def _grown_again(ledger: SmallLedger, number: int, **told: Any) -> Verified:
    again = SmallLedger(rows=ledger.rows[:number])
    again.append(len(ledger.rows) - number + 1, salt=len(ledger.rows))
    again.seal(BEGUN)
    return again.checked(kept=[ledger.note or ""], **told)


def _put_back(ledger: SmallLedger, number: int) -> Verified:
    older = SmallLedger(rows=ledger.rows[:number])
    older.seal(BEGUN)
    return older.checked(kept=[ledger.note or ""])


def tiles_changed(honest: Honest, number: int) -> Iterator[Attempt]:
    """A tile with one byte changed, or of another length; only as many tiles as there are."""
    for place, hashes in list(honest.ledger.tiles.items())[number : number + 1]:
        for wrong in (*flips(hashes), hashes[:-1], hashes[:-32], hashes + bytes(32)):
            yield honest.whole(tiles=partial(_tile, honest.ledger.tiles | {place: wrong}))


def _tile(tiles: dict[tuple[int, int], bytes], level: int, place: int) -> bytes | None:
    return tiles.get((level, place))


def checkpoints_changed(honest: Honest, number: int) -> Iterator[Attempt]:
    """The checkpoint with a byte changed, by another key, of another origin; once."""
    if number:
        return
    note = honest.ledger.note or ""
    for one in flips(note.encode()):
        wrong = one.decode(errors="surrogateescape")
        yield honest.whole(stored=wrong)
        yield honest.whole(kept=[wrong])
    told = parse_checkpoint(note)
    elsewhere = SigningKey("other.example/ledger", KEY.secret)
    other = sign_checkpoint(Checkpoint(elsewhere.name, told.size, told.root, told.at), elsewhere)
    keys = [KEY.verifier().text(), elsewhere.verifier().text()]
    for wrong, due in (
        (sign_checkpoint(told, FOREIGN), Finding.FOREIGN_KEY),
        (other, Finding.OTHER_ORIGIN),
        (note + "x", Finding.TRAILING_BYTES),
    ):
        yield honest.whole(None, due, stored=wrong, keys=keys)
        yield honest.whole(None, due, kept=[wrong], keys=keys)


KINDS: Final = (
    lines_changed,
    columns_changed,
    events_moved,
    histories_forged,
    tiles_changed,
    checkpoints_changed,
)
