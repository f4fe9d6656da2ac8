# SPDX-License-Identifier: EUPL-1.2
"""The Merkle tree over the leaves of the ledger, as in RFC 9162 (and RFC 6962), stored in tiles of 256 hashes. Pure.

A tile of level 0 holds leaf hashes; one of level 1 the roots of full tiles of level 0, and so on; the last of a level
may be short (C2SP tlog-tiles). Tiles only ever grow at their end, so those of a larger tree serve for a smaller one;
and a leaf whose row was deleted keeps its hash. Proofs are in tree_proof. Never here: what a leaf is (leaf), where the
tiles lie, or what the second reader uses (verify_tree has code of its own).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gateway.errors import HerseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HASH_BYTES: Final = 32
TILE_HASHES: Final = 256
TILE_BYTES: Final = TILE_HASHES * HASH_BYTES
EMPTY_ROOT: Final = sha256(b"").digest()
_HEIGHT: Final = 8  # of the subtree over a full tile

Reader: TypeAlias = "Callable[[int, int], bytes | None]"
"""(level, place) -> the hashes of that tile one after the other; None or nothing if there is none."""


class TreeError(HerseError):
    """Stored hashes are missing, or what was asked for is not in the tree. The message says which, and what is due."""


class Tile(NamedTuple):
    """A tile to be stored: it takes the place of the shorter one that may be there."""

    level: int
    place: int
    hashes: bytes


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf from its data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node from its children's."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed of a tree to let it grow: its size, and per level the hashes of the tile that is not full."""

    size: int = 0
    edge: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """The root of the whole tree; at most 255 hashings a level."""
        peaks: list[bytes] = []
        for hashes in reversed(self.edge):
            start = 0
            for bit in reversed(range(_HEIGHT)):
                width = HASH_BYTES << bit
                if len(hashes) & width:
                    peaks.append(_perfect(hashes[start : start + width]))
                    start += width
        if not peaks:
            return EMPTY_ROOT
        root = peaks.pop()
        while peaks:
            root = node_hash(peaks.pop(), root)
        return root


def grown(before: Frontier, leaves: Sequence[bytes]) -> tuple[Frontier, list[Tile]]:
    """The tree with more leaf hashes, and every tile that is new or longer, lower levels first."""
    if any(len(leaf) != HASH_BYTES for leaf in leaves):
        raise TreeError(f"a leaf hash has not {HASH_BYTES} bytes; expected SHA-256: hash each leaf with leaf_hash")
    edge, tiles = list(before.edge), list[Tile]()
    level, new = 0, b"".join(leaves)
    while new:
        if level == len(edge):
            edge.append(b"")
        hashes, first = edge[level] + new, before.size >> (_HEIGHT * (level + 1))
        made = [
            Tile(level, first + number, hashes[start : start + TILE_BYTES])
            for number, start in enumerate(range(0, len(hashes), TILE_BYTES))
        ]
        tiles += made
        edge[level] = hashes[len(hashes) - len(hashes) % TILE_BYTES :]
        new = b"".join(_perfect(tile.hashes) for tile in made if len(tile.hashes) == TILE_BYTES)
        level += 1
    return Frontier(before.size + len(leaves), tuple(edge)), tiles


def restored(size: int, read: Reader) -> Frontier:
    """The frontier of a tree of this size from its tiles, or from those of a larger one. TreeError if they fall short.

    Its root is that of the last leaves and of the full tiles' roots above: a fault deeper inside shows elsewhere.
    """
    edge, level = [], 0
    while whole := size >> (_HEIGHT * level):
        width = whole % TILE_HASHES
        edge.append(_hashes(read, level, whole - width, width) if width else b"")
        level += 1
    return Frontier(size, tuple(edge))


def range_root(begin: int, end: int, read: Reader) -> bytes:
    """The root of the leaves from `begin` up to, not with, `end`, from tiles; `begin` as a tree splits (RFC 9162)."""
    width = end - begin
    if width == 0:
        return EMPTY_ROOT
    if width & (width - 1):
        middle = begin + split(width)
        return node_hash(range_root(begin, middle, read), range_root(middle, end, read))
    level, rest = divmod(width.bit_length() - 1, _HEIGHT)
    return _perfect(_hashes(read, level, begin >> (_HEIGHT * level), 1 << rest))


def split(width: int) -> int:
    """How many leaves a tree of so many (two at least) has on its left: the largest power of two below."""
    return 1 << ((width - 1).bit_length() - 1)


def _hashes(read: Reader, level: int, first: int, count: int) -> bytes:
    """Hashes of a level that lie in one tile."""
    place, offset = divmod(first, TILE_HASHES)
    tile = read(level, place) or b""
    if len(tile) < (offset + count) * HASH_BYTES:
        raise TreeError(
            f"tile {place} of level {level} has {len(tile) // HASH_BYTES} hashes; expected at least {offset + count}: "
            "verify the ledger, and restore a copy"
        )
    return tile[offset * HASH_BYTES : (offset + count) * HASH_BYTES]


def _perfect(hashes: bytes) -> bytes:
    """The root over 1, 2, 4, … 256 hashes."""
    level = [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
    while len(level) > 1:
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]
