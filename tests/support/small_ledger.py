# SPDX-License-Identifier: EUPL-1.2
"""A ledger in memory, sealed as the gateway seals: rows, tiles, checkpoints, and how an auditor reads them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint
from gateway.ledger.event import row
from gateway.ledger.leaf import Value, leaf_data
from gateway.ledger.note import SigningKey, good_signature
from gateway.ledger.tree import Frontier, grown, leaf_hash
from gateway.ledger.verify import Verified, verify
from gateway.ledger.verify_line import from_export, from_rows
from gateway.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ORIGIN = "portail.example/ledger"
KEY = SigningKey(ORIGIN, bytes(range(32)))
FOREIGN = SigningKey(ORIGIN, bytes(range(1, 33)))
BEGUN = datetime(2026, 11, 23, 14, tzinfo=UTC)
KINDS = (EventKind.SIGN_IN, EventKind.LOOKUP, EventKind.LOOKUP, EventKind.REFUSED)


def an_event(number: int) -> Event:
    """One of many, none like the other; some with every column filled, some with few."""
    kind = KINDS[number % len(KINDS)]
    looked = kind is EventKind.LOOKUP
    noise = hashlib.sha256(f"event {number}".encode()).digest()
    return Event(
        kind=kind,
        account=f"pharmacie-{number % 7}",
        at=BEGUN + timedelta(milliseconds=250 * number),
        session=f"s{number % 11}",
        network="2001:db8::1",
        device="Firefox (X11) « é »" if number % 3 else None,
        method="otp" if number % 5 else None,
        teleservice="infopatient" if looked else None,
        request=noise[:16] if looked else None,
        reason="permitted" if looked else None,
        pseudonym=noise[16:] if looked else None,
        status=200 if looked else None,
        categories=("identity", "rights") if looked else (),
        holder="Lou Martin" if number % 2 else None,
        delegate=None if number % 6 else "d-1",
        details=None if number % 4 else 'a "detail"\\',
        sealed=noise + noise[:15] if looked else None,
    )


def told_event(details: str) -> Event:
    """What tells of a deletion."""
    return Event(EventKind.EVENTS_DELETED, "", BEGUN, reason="security", details=details)


@dataclass
class SmallLedger:
    """Rows by sequence, tiles, and the newest checkpoint. `seal` seals what was appended since."""

    rows: list[tuple[int, tuple[Value, ...]]] = field(default_factory=list)
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    frontier: Frontier = field(default_factory=Frontier)
    note: str | None = None
    key: SigningKey = KEY
    deleted: set[int] = field(default_factory=set)
    marks: dict[int, bytes] = field(default_factory=dict)

    def append(self, count: int, *, salt: int = 0) -> None:
        """More events; after every tenth the sequence skips one, as PostgreSQL's may."""
        for _ in range(count):
            last = self.rows[-1][0] if self.rows else 0
            sequence = last + (2 if len(self.rows) % 10 == 9 else 1)
            self.rows.append((sequence, row(an_event(len(self.rows) + salt))))

    def seal(self, at: datetime = BEGUN) -> str:
        """Sign all there is; the checkpoint, as an auditor would keep it."""
        new = [leaf_hash(leaf_data(*one)) for one in self.rows[self.frontier.size :]]
        self.frontier, tiles = grown(self.frontier, new)
        self.tiles |= {(tile.level, tile.place): tile.hashes for tile in tiles}
        root = self.frontier.root()
        self.note = sign_checkpoint(Checkpoint(self.key.name, self.frontier.size, root, at), self.key)
        return self.note

    def tell(self, numbers: Sequence[int], *, details: str | None = None) -> int:
        """Append what tells that these leaves go; the number of that event."""
        told = b"".join(number.to_bytes(8, "big") + leaf_hash(leaf_data(*self.rows[number])) for number in numbers)
        text = (
            f"before 2026-11-23; leaves {numbers[0]} to {numbers[-1]}; count {len(numbers)}; "
            f"digest {hashlib.sha256(told).hexdigest()}; next {numbers[-1] + 1}"
        )
        self.rows.append((self.rows[-1][0] + 1, row(told_event(text if details is None else details))))
        return self.rows[-1][0]

    def delete(self, numbers: Sequence[int], by: int) -> None:
        """Take the rows of these leaves away, and mark them gone by this event."""
        self.deleted.update(numbers)
        for place in {number // 256 for number in numbers}:
            bits = sum(1 << number % 256 for number in numbers if number // 256 == place)
            old = self.marks.get(place, b"")
            self.marks[place] = old + by.to_bytes(8, "big") + bits.to_bytes(32, "little")

    def exported(self) -> list[bytes]:
        """What an export has of it."""
        events = {number: by for number in self.deleted for by in self.by(number)}
        return [
            f'["herse-gone/1",{number},"{leaf_hash(line).hex()}",{events[number]}]'.encode()
            if number in events
            else line
            for number, line in enumerate(self.lines())
        ]

    def by(self, number: int) -> list[int]:
        """By which events a leaf went."""
        marks = self.marks.get(number // 256, b"")
        found = [marks[start : start + 40] for start in range(0, len(marks), 40)]
        return [int.from_bytes(one[:8], "big") for one in found if one[8 + number % 256 // 8] >> number % 8 & 1]

    def read(self, level: int, place: int) -> bytes | None:
        """The tiles, as a reader."""
        return self.tiles.get((level, place))

    def lines(self) -> list[bytes]:
        """What is sealed, as an export has it."""
        return [leaf_data(*one) for one in self.rows[: self.frontier.size]]

    def entries(self) -> Iterator[tuple[int | None, int, tuple[Value, ...] | None]]:
        """As a caller reads a database: by leaf number, then what is not sealed."""
        for number, (sequence, values) in enumerate(self.rows):
            there = None if number in self.deleted else values
            yield (number if number < self.frontier.size else None), sequence, there

    def checked(self, **told: Any) -> Verified:
        """The second reader over rows and tiles; `rows` and `tiles` may be given otherwise."""
        rows = told.pop("rows", None)
        told.setdefault("tiles", self.read)
        told.setdefault("gone", self.marks.get)
        told.setdefault("stored", self.note)
        return audited(from_rows(self.entries() if rows is None else rows), **told)

    def checked_lines(self, lines: Sequence[bytes], **told: Any) -> Verified:
        """The second reader over an export; without tiles if none are given."""
        told.setdefault("stored", self.note)
        return audited(from_export(BytesIO(b"".join(line + b"\n" for line in lines))), **told)


def audited(entries: Any, *, stored: str | None, **told: Any) -> Verified:
    """The second reader with the public key of this ledger."""
    keys = told.pop("keys", [KEY.verifier().text()])
    return verify(entries, stored, keys, told.pop("fits", good_signature), origin=told.pop("origin", ORIGIN), **told)


def sealed_ledger(count: int) -> SmallLedger:
    """A ledger of so many events, all sealed."""
    made = SmallLedger()
    made.append(count)
    made.seal()
    return made
