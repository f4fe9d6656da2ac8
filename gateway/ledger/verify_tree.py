# SPDX-License-Identifier: EUPL-1.2
"""The second reader's own tree: roots as leaves go by, and proofs by the recursion of RFC 9162, section 2.1. Pure.

It keeps one hash for each bit of the size, whatever the size. Written apart from tree and tree_proof, and otherwise:
what both say is likely so.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

HASH: Final = 32
TILE: Final = 256
NOTHING: Final = sha256(b"").digest()


def of_line(line: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + line).digest()


def above(left: bytes, right: bytes) -> bytes:
    """The hash over two."""
    return sha256(b"\x01" + left + right).digest()


class Climb:
    """Leaf hashes go in, one by one; roots come out."""

    __slots__ = ("_peaks", "count")

    def __init__(self) -> None:
        self.count = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> list[bytes]:
        """Add a leaf; the roots of 256, 65,536, … leaves that end with it, if any do."""
        ended, height, rest = [], 0, self.count
        while rest & 1:
            leaf = above(self._peaks.pop(), leaf)
            rest >>= 1
            height += 1
            if height % 8 == 0:
                ended.append(leaf)
        self._peaks.append(leaf)
        self.count += 1
        return ended

    def root(self) -> bytes:
        """The root of all so far."""
        return folded(self._peaks)


def folded(peaks: Sequence[bytes]) -> bytes:
    """The root over the perfect trees of a size, from left to right."""
    if not peaks:
        return NOTHING
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = above(peak, root)
    return root


def peaks_of(hashes: bytes) -> list[bytes]:
    """The perfect trees over hashes that stand one after the other, from left to right."""
    peaks: list[bytes] = []
    for place in range(len(hashes) // HASH):
        found, rest = hashes[place * HASH : (place + 1) * HASH], place
        while rest & 1:
            found = above(peaks.pop(), found)
            rest >>= 1
        peaks.append(found)
    return peaks


def included(number: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that a path claims for a leaf at its place in a tree of this size."""
    if not 0 <= number < size:
        raise Wrong(Finding.PROOF, f"the proof is of leaf {number}; expected 0 to {size - 1}")
    if size == 1:
        if path:
            raise Wrong(Finding.PROOF, f"the proof has {len(path)} hashes too many")
        return leaf
    if not path:
        raise Wrong(Finding.PROOF, "the proof has too few hashes")
    left = 1 << (size - 1).bit_length() - 1
    if number < left:
        return above(included(number, left, leaf, path[:-1]), path[-1])
    return above(path[-1], included(number - left, size - left, leaf, path[:-1]))


def consistent(old: int, size: int, old_root: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots, of `old` leaves and of `size`, that a path claims; the old root stands in where it leaves that out."""
    if not 0 < old <= size:
        raise Wrong(Finding.PROOF, f"the proof begins with {old} leaves; expected 1 to {size}")
    return _both(old, size, old_root, list(path))


def _both(old: int, size: int, known: bytes | None, path: list[bytes]) -> tuple[bytes, bytes]:
    """`known` is the old root while the old tree is this tree's whole left."""
    if old == size:
        if len(path) != (known is None):
            raise Wrong(Finding.PROOF, "the proof has too many hashes, or too few")
        end = path[0] if known is None else known
        return end, end
    if not path:
        raise Wrong(Finding.PROOF, "the proof has too few hashes")
    left, top = 1 << (size - 1).bit_length() - 1, path.pop()
    if old <= left:
        then, now = _both(old, left, known, path)
        return then, above(now, top)
    then, now = _both(old - left, size - left, None, path)
    return above(top, then), above(top, now)
