# SPDX-License-Identifier: EUPL-1.2
"""What is told of a deletion before it is done, and how the tiles remember it. Pure.

A batch of rows goes in one transaction. Before that its `events-deleted` says, in `reason` the class, in `details`:

    before 2025-11-23; leaves 12 to 3456; count 800; digest 64 hex digits; next 17

`count` leaves from the first to the last went; the digest is SHA-256 over number (8 bytes) and leaf hash of each, in
order. Of the class nothing was left below leaf `next`: there the next sweep begins. The tile of a leaf remembers by
which event it went: for each such event its number (8 bytes) and a bitmap (32 bytes, lowest bit first). The second
reader has its own view of both (`verify_deletion`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.errors import HerseError
from gateway.ledger.event import EPOCH, MICROSECOND
from gateway.ledger.retention import ORDER
from gateway.ledger.tree import TILE_HASHES

if TYPE_CHECKING:
    from hashlib import _Hash

WHOLE_DAY: Final = "day"
"""The class of a deletion of a whole day, whatever is in it."""
MARK_BYTES: Final = 40
_NUMBER_BYTES: Final = 8
_KEEPS: Final = frozenset({WHOLE_DAY, *ORDER})
_TOLD: Final = re.compile(
    r"before (\d{4}-\d{2}-\d{2}); leaves (\d+) to (\d+); count (\d+); digest ([0-9a-f]{64}); next (\d+)(?:; .*)?",
    re.ASCII,
)


class NotDeleted(HerseError):
    """Nothing was deleted: what is stored is not what was told. The message says where."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a deletion event says. `keep` is a class, or WHOLE_DAY; then `before` is the end of that day."""

    keep: str
    before: datetime
    first: int
    last: int
    count: int
    digest: bytes
    next: int


@dataclass(slots=True)
class Batch:
    """Leaves that go together: by the place of their tile, a bit for each. Times in microseconds, both included."""

    marks: dict[int, int] = field(default_factory=dict)
    count: int = 0
    first: int = -1
    last: int = -1
    since: int = 0
    until: int = 0
    _digest: _Hash = field(default_factory=sha256)

    def add(self, number: int, leaf: bytes, at: int) -> None:
        """One more, above those that are in it."""
        place, offset = divmod(number, TILE_HASHES)
        self.marks[place] = self.marks.get(place, 0) | 1 << offset
        self.since, self.until = (min(self.since, at), max(self.until, at)) if self.count else (at, at)
        self.first = self.first if self.count else number
        self.last = number
        self.count += 1
        self._digest.update(number.to_bytes(_NUMBER_BYTES, "big") + leaf)

    def told(self, keep: str, before: int, following: int) -> Told:
        """What its event says."""
        over = EPOCH + before * MICROSECOND
        return Told(keep, over, self.first, self.last, self.count, self._digest.digest(), following)


def told_text(told: Told) -> str:
    """The `details` of the event."""
    return (
        f"before {told.before:%Y-%m-%d}; leaves {told.first} to {told.last}; count {told.count}; "
        f"digest {told.digest.hex()}; next {told.next}"
    )


def read_told(keep: str, details: str) -> Told | None:
    """What an event of this class and these details says; None if it is none of ours."""
    found = _TOLD.fullmatch(details)
    if found is None or keep not in _KEEPS:
        return None
    try:
        before = datetime.strptime(found[1], "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Told(keep, before, int(found[2]), int(found[3]), int(found[4]), bytes.fromhex(found[5]), int(found[6]))


def day_of(told: Told) -> tuple[datetime, datetime]:
    """Beginning and end of the day that a deletion of a whole day is of."""
    return told.before - timedelta(days=1), told.before


def marked(gone: bytes | None, by: int, bits: int) -> bytes:
    """What a tile remembers, and these leaves by this event; NotDeleted if one of them is gone already."""
    if any(old & bits for old in marks_of(gone).values()):
        raise NotDeleted(f"leaves that event {by} tells to delete are gone already; expected their rows")
    return (gone or b"") + by.to_bytes(_NUMBER_BYTES, "big") + bits.to_bytes(MARK_BYTES - _NUMBER_BYTES, "little")


def marks_of(gone: bytes | None) -> dict[int, int]:
    """By the number of each deletion event the leaves of the tile that went by it, a bit each."""
    found: dict[int, int] = {}
    for start in range(0, len(gone or b""), MARK_BYTES):
        one = (gone or b"")[start : start + MARK_BYTES]
        found[int.from_bytes(one[:_NUMBER_BYTES], "big")] = int.from_bytes(one[_NUMBER_BYTES:], "little")
    return found


def offsets(bits: int) -> list[int]:
    """Which leaves of a tile."""
    return [offset for offset in range(TILE_HASHES) if bits >> offset & 1]
