# SPDX-License-Identifier: EUPL-1.2
"""The second reader's view of what retention deleted: each leaf without a row must be told by a sealed event. Pure.

Such an `events-deleted` says how many leaves went, the first and the last, and SHA-256 over number and hash of each.
Which event a leaf went by is told by the tile, or by the line of an export. That is a hint and not believed: whatever
it says, the leaves that went by an event must be as many as that says, with the same digest. An event of which no leaf
went at all was told and not carried out, which is no fault. One sum is kept for each deletion that was begun and whose
event is still to come. It imports nothing of the code that deletes.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gateway.ledger.verify_tree import TILE
from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable

GoneReader: TypeAlias = "Callable[[int], bytes | None]"
"""place -> what that tile of leaves says of those whose rows are gone: number of the event (8 bytes) and bitmap (32),
one after the other; None or nothing if all are there."""

_KIND: Final = "events-deleted"
_KIND_AT: Final = 4
_DETAILS_AT: Final = 17
_RECORD: Final = 40
_NUMBER: Final = 8
_TOLD: Final = re.compile(
    r"before \d{4}-\d{2}-\d{2}; leaves (\d{1,19}) to (\d{1,19}); count (\d{1,19}); digest ([0-9a-f]{64}); next \d{1,19}"
    r"(?:; .*)?",
    re.ASCII,
)


class _Told(NamedTuple):
    first: int
    last: int
    leaves: int
    digest: bytes


class _Sum:
    """The leaves that went by one event, so far."""

    def __init__(self, first: int) -> None:
        self.first = self.last = first
        self.count = 0
        self.hashes = sha256()

    def add(self, number: int, leaf: bytes) -> None:
        self.last = number
        self.count += 1
        self.hashes.update(number.to_bytes(_NUMBER, "big") + leaf)


class Deletions:
    """What went, and what was told of it, in one reading of a ledger."""

    def __init__(self, read: GoneReader | None) -> None:
        self._read = read
        self._held: tuple[int, list[tuple[int, int]]] = (-1, [])
        self._sums: dict[int, _Sum] = {}
        self.deleted = 0
        """Leaves without their rows."""
        self.done = 0
        """Deletions that were told, sealed and carried out."""
        self.waiting = 0
        """Those that were told and not carried out (yet)."""

    def event_of(self, number: int) -> int | None:
        """By which event the row of a leaf is said to have gone; Wrong if by two, or if the tile says nothing that can
        be read.
        """
        if self._read is None:
            return None
        place, offset = divmod(number, TILE)
        if self._held[0] != place:
            self._held = place, _marks(self._read(place) or b"", number)
        by = [event for event, bits in self._held[1] if bits >> offset & 1]
        if len(by) > 1:
            raise Wrong(
                Finding.DELETION,
                f"its row is gone by event {by[0]} and by event {by[1]}; expected one: the tile was changed",
                number=number,
            )
        return by[0] if by else None

    def gone(self, number: int, sequence: int | None, leaf: bytes, by: int) -> None:
        """A leaf whose row went by an event that is to come."""
        if sequence is not None and by <= sequence:
            raise Wrong(
                Finding.DELETION,
                f"its row is gone by event {by}, which came before; expected a deletion that was told later",
                number=number,
                sequence=sequence,
            )
        self.deleted += 1
        self._sums.setdefault(by, _Sum(number)).add(number, leaf)

    def passed(self, number: int, sequence: int | None, line: bytes) -> None:
        """A leaf with its row: where that tells a deletion, it is held against what went by it."""
        if sequence is None or b'"events-deleted"' not in line:
            return
        fields = json.loads(line)
        if fields[_KIND_AT] != _KIND:
            return
        told, went = _read(fields[_DETAILS_AT]), self._sums.pop(sequence, None)
        if told is None:
            raise Wrong(
                Finding.DELETION,
                f"it tells of a deletion what cannot be read ({fields[_DETAILS_AT]!a}); expected count and digest",
                number=number,
                sequence=sequence,
            )
        if went is None:
            self.waiting += 1
            return
        found = _Told(went.first, went.last, went.count, went.hashes.digest())
        if found != told:
            raise Wrong(
                Finding.DELETION,
                f"it tells that of leaves {told.first} to {told.last} {told.leaves} went (digest {told.digest.hex()}); "
                f"gone by it are {found.leaves} of {found.first} to {found.last} (digest {found.digest.hex()}): others "
                "were deleted than was told. Keep this copy, and compare these leaves with a backup",
                number=number,
                sequence=sequence,
            )
        self.done += 1

    def end(self) -> None:
        """Wrong if leaves went by events that no sealed leaf holds."""
        for by, went in self._sums.items():
            raise Wrong(
                Finding.DELETION,
                f"the rows of {went.count} leaves, from here to leaf {went.last}, are gone by event {by}, which is no "
                "sealed deletion event; expected one that tells of them. Keep this copy, and restore a backup",
                number=went.first,
            )


def _marks(gone: bytes, number: int) -> list[tuple[int, int]]:
    if len(gone) % _RECORD:
        raise Wrong(
            Finding.TILE,
            f"what its tile says of rows that are gone has {len(gone)} bytes; expected a multiple of {_RECORD}",
            number=number,
        )
    return [
        (
            int.from_bytes(gone[start : start + _NUMBER], "big"),
            int.from_bytes(gone[start + _NUMBER : start + _RECORD], "little"),
        )
        for start in range(0, len(gone), _RECORD)
    ]


def _read(details: object) -> _Told | None:
    found = _TOLD.fullmatch(details) if isinstance(details, str) else None
    if found is None:
        return None
    return _Told(int(found[1]), int(found[2]), int(found[3]), bytes.fromhex(found[4]))
