# SPDX-License-Identifier: EUPL-1.2
"""The sealer: gives durable events their leaf numbers, lets the tree grow over them, and signs it.

    settled -> rows -> hash -> store tiles -> read back rows and tiles -> sign -> store the head

Leaf numbers follow the numbers of the rows, once no lower one can appear any more. Nothing is signed that was not read
back from where it is stored: a flipped bit under a signature would make the ledger unusable for good (CT log Yeti,
2022). A stop in between leaves tiles that go further than the signed head; the next sealing writes the very same ones.
Whatever is not as it was left is final: this sealer never signs again, and disclosure stops with the age of its last
signature. Blocking: one thread. Never here: where a checkpoint is sent, a clock.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.errors import HerseError
from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from gateway.ledger.event import microseconds
from gateway.ledger.leaf import LeafError, leaf_data
from gateway.ledger.note import NoteError
from gateway.ledger.taken_up import TakenUp, last_leaves
from gateway.ledger.tree import TILE_HASHES, Frontier, TreeError, grown, leaf_hash, restored
from gateway.ledger.tree_store import SEQUENCE_BYTES, Forked, Head, Tile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.ledger.event import Row
    from gateway.ledger.note import SigningKey
    from gateway.ledger.tree_store import TreeStore

ROWS_AT_ONCE: Final = 2_048
"""Rows under one signature at most: some 50 ms of work."""
LATE: Final = timedelta(days=2)
"""How much older than the last signature an event may be that comes now: where a ledger lies in days, older ones are
not looked through."""


class SealError(HerseError):
    """What is stored is not what was sealed, or sent to be. The message says where, and what to do."""


class Sealer:
    """Seals one ledger under one key; the key's name is the ledger's origin."""

    def __init__(self, store: TreeStore, key: SigningKey) -> None:
        self._store = store
        self._key = key
        self._head: Head | None = None
        self._frontier = Frontier()
        self._edge = b""  # the sequences of the tile of leaves that is not full
        self._error: str | None = None
        self.taken_up: TakenUp | None = None
        """What was found when the tree was taken up last."""

    def seal(self, at: datetime, heartbeat: timedelta) -> Head | None:
        """Seal what is durable, and sign anew what was signed a heartbeat ago; the newest head.

        None: another process seals this ledger. SealError, LedgerError or LedgerUnreadable: it is not sealed; the
        first two for good.
        """
        if self._error is not None:
            raise SealError(self._error)
        try:
            return self._seal(at, heartbeat)
        except (SealError, TreeError, Forked, NoteError, LeafError) as error:
            self._error = str(error)
            raise SealError(self._error) from error

    def _seal(self, at: datetime, heartbeat: timedelta) -> Head | None:
        if not self._store.elected():
            self._head = None
            return None
        head = self._head or self._resumed(at)
        until = self._store.settled()
        while head.last_sequence < until and (rows := self._rows(head, until, at)):
            head = self._grown(head, until, rows, at)
        if abs(at - head.at) >= heartbeat:  # a clock may be set back, too
            head = self._signed(head, head.last_sequence, at)
        return head

    def _resumed(self, at: datetime) -> Head:
        """Take up the tree where it was left; it must be the one that was signed."""
        head = self._store.head()
        if head is None:
            self._frontier, self._edge, self.taken_up = Frontier(), b"", TakenUp()
            return self._signed(None, 0, at)
        signed = verify_checkpoint(head.note, [self._key.verifier()], self._key.name)
        frontier = restored(head.size, self._hashes)
        if (signed.size, signed.root) != (head.size, frontier.root()):
            raise SealError(
                f"the tree of {head.size} leaves has the root {frontier.root().hex()}; the checkpoint stored with it "
                f"was signed for {signed.size} and {signed.root.hex()}: verify the ledger, and restore a copy"
            )
        self._edge = self._edge_of(head)
        checked = last_leaves(self._store, head)
        if checked is None:
            raise SealError(
                f"the last events that were signed, at {head.at:%Y-%m-%d %H:%M:%S} UTC, are not there as they were: "
                "verify the ledger, and restore a copy"
            )
        self._frontier, self._head, self.taken_up = frontier, head, TakenUp(head.size, head.at, checked)
        return head

    def _edge_of(self, head: Head) -> bytes:
        """The sequences of the last tile of leaves, if it is not full; its last one must be the head's."""
        if head.size == head.last_sequence == 0:
            return b""
        place, rest = divmod(head.size - 1, TILE_HASHES)
        tile = self._store.tile(0, place)
        sequences = b"" if tile is None else tile.sequences[: (rest + 1) * SEQUENCE_BYTES]
        if int.from_bytes(sequences[-SEQUENCE_BYTES:], "big") != head.last_sequence:
            raise SealError(
                f"the last leaf is not event {head.last_sequence}, as the head says; expected tiles and head of one "
                "sealing: verify the ledger, and restore a copy"
            )
        return sequences if rest + 1 < TILE_HASHES else b""

    def _grown(self, head: Head, until: int, rows: list[tuple[int, Row]], at: datetime) -> Head:
        """Seal the next rows."""
        leaves = _leaves(rows)
        frontier, tiles = grown(self._frontier, leaves)
        numbers = self._edge + b"".join(sequence.to_bytes(SEQUENCE_BYTES, "big") for sequence, _ in rows)
        first = self._frontier.size // TILE_HASHES
        width = TILE_HASHES * SEQUENCE_BYTES
        stored = []
        for tile in tiles:
            start = (tile.place - first) * width
            told = numbers[start : start + width] if tile.level == 0 else b""
            stored.append(Tile(tile.level, tile.place, tile.hashes, told))
        self._store.grow(head, stored, head)
        self._demand_stored(self._rows(head, until, at), leaves, stored)
        self._frontier = frontier
        self._edge = numbers[len(numbers) - len(numbers) % width :]
        return self._signed(head, rows[-1][0], at)

    def _rows(self, head: Head, until: int, at: datetime) -> list[tuple[int, Row]]:
        """The next rows: fewer than numbers were given, where a server forgot some of these in a crash.

        Looked for from the earlier of the last signature and now: one of them may be of a clock that went wrong.
        """
        not_before = microseconds(min(head.at, at) - LATE)
        return self._store.rows(head.last_sequence, until, ROWS_AT_ONCE, not_before)

    def _demand_stored(self, rows: Sequence[tuple[int, Row]], leaves: Sequence[bytes], tiles: Sequence[Tile]) -> None:
        """What is to be signed is what is stored: the rows as they are read once more, and the tiles."""
        if _leaves(rows) != leaves:
            raise SealError(
                "the rows that were to be sealed are read back otherwise than a moment ago: the memory or the disk of "
                "this machine is at fault. Nothing of them was signed"
            )
        for tile in tiles:
            found = self._store.tile(tile.level, tile.place)
            if found is None or (found.hashes, found.sequences) != (tile.hashes, tile.sequences):
                raise SealError(
                    f"tile {tile.level}/{tile.place} is read back otherwise than it was written: the memory or the "
                    "disk of this machine is at fault, or somebody else writes there. Nothing of it was signed"
                )

    def _signed(self, head: Head | None, last_sequence: int, at: datetime) -> Head:
        checkpoint = Checkpoint(self._key.name, self._frontier.size, self._frontier.root(), at)
        new = Head(checkpoint.size, last_sequence, at, sign_checkpoint(checkpoint, self._key))
        self._store.grow(head, (), new)
        self._head = new
        return new

    def _hashes(self, level: int, place: int) -> bytes | None:
        tile = self._store.tile(level, place)
        return None if tile is None else tile.hashes


def _leaves(rows: Sequence[tuple[int, Row]]) -> list[bytes]:
    return [leaf_hash(leaf_data(sequence, row)) for sequence, row in rows]
