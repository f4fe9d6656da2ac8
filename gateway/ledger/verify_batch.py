# SPDX-License-Identifier: EUPL-1.2
"""The second reader's check of many leaves at once (the form is told in batch_proof). Pure.

Read as streams: memory does not grow with the leaves. Who has the gateway's public key needs nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from gateway.ledger.verify_line import LINE_BYTES_AT_MOST, read_line
from gateway.ledger.verify_note import read_checkpoint, read_key
from gateway.ledger.verify_tree import above, of_line
from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.ledger.verify_note import Fits, Seen

_NUMBER: Final = re.compile(rb"(0|[1-9][0-9]{0,18}) ")
_HASH: Final = re.compile(rb"[0-9a-f]{64}\n")
_HASH_LINE: Final = 65
_TOLD_EVERY: Final = 4_096


@dataclass(frozen=True, slots=True)
class Batch:
    """So many events, from the number `first` to `last`, are leaves of the ledger as it was signed."""

    events: int
    first: int
    last: int
    checkpoint: Seen


def check_batch(
    leaves: BinaryIO,
    hashes: BinaryIO,
    note: str,
    keys: Sequence[str],
    fits: Fits,
    *,
    origin: str,
    told: Callable[[int], None] | None = None,
) -> Batch:
    """What leaves and hashes prove under a checkpoint; Wrong if they do not. `told` hears how many leaves were read."""
    checkpoint = read_checkpoint(note, "the checkpoint", [read_key(key) for key in keys], fits, origin)
    walk = _Walk(leaves, hashes, told)
    if walk.number is None:
        raise Wrong(Finding.PROOF, "there is no leaf; expected one at least")
    root = walk.root(0, checkpoint.size)
    walk.demand_end(checkpoint.size)
    if root != checkpoint.root:
        raise Wrong(
            Finding.PROOF,
            f"leaves and hashes lead to {root.hex()}; expected {checkpoint.root.hex()}, which was signed: a line, its "
            "number or a hash was changed",
        )
    return Batch(walk.events, walk.first, walk.last, checkpoint)


class _Walk:
    """Down the tree, left before right; `number` is the leaf that comes next, None after the last."""

    def __init__(self, leaves: BinaryIO, hashes: BinaryIO, told: Callable[[int], None] | None) -> None:
        self._leaves = leaves
        self._hashes = hashes
        self._told = told
        self._line = b""
        self.number: int | None = None
        self.events = self.first = self.last = 0
        self._next()

    def root(self, begin: int, end: int) -> bytes:
        """The root of the leaves from `begin` up to, not with, `end`: as deep as the tree is high, 63 at most."""
        if self.number is None or self.number >= end:
            return self._hash()
        if end - begin == 1:
            return self._leaf()
        middle = begin + (1 << (end - begin - 1).bit_length() - 1)
        left = self.root(begin, middle)
        return above(left, self.root(middle, end))

    def demand_end(self, size: int) -> None:
        """Nothing may be left over."""
        if self.number is not None:
            raise Wrong(Finding.PROOF, f"a leaf {self.number} comes; expected at most {size - 1}", number=self.number)
        if self._hashes.read(1):
            raise Wrong(Finding.TRAILING_BYTES, "more hashes than the way down the tree has; expected none after it")

    def _leaf(self) -> bytes:
        entry = read_line(self._line, self.number)
        if entry.line is None or entry.sequence is None:
            raise Wrong(Finding.PROOF, "a deleted row; expected the line of an event", number=self.number)
        if not self.events:
            self.first = entry.sequence
        self.last = entry.sequence
        self.events += 1
        if self._told is not None and self.events % _TOLD_EVERY == 0:
            self._told(self.events)
        self._next()
        return of_line(entry.line)

    def _next(self) -> None:
        before = self.number
        line = self._leaves.readline(LINE_BYTES_AT_MOST + 32)
        if not line:
            self.number = None
            return
        found = _NUMBER.match(line)
        if found is None or not line.endswith(b"\n"):
            raise Wrong(
                Finding.MALFORMED,
                f"{line[:60]!r} is no leaf; expected its number, a blank, its line and a line feed",
                number=before,
            )
        self.number, self._line = int(found[1]), line[found.end() : -1]
        if before is not None and self.number <= before:
            raise Wrong(Finding.REORDERED, f"leaf {self.number} after leaf {before}; expected numbers that rise")

    def _hash(self) -> bytes:
        line = self._hashes.read(_HASH_LINE)
        if not _HASH.fullmatch(line):
            raise Wrong(
                Finding.MALFORMED if line else Finding.PROOF,
                f"{line[:_HASH_LINE]!r} in place of a hash; expected 64 hexadecimal digits and a line feed, as often "
                "as the way down the tree has branches without a leaf",
            )
        return bytes.fromhex(line.decode("ascii"))
