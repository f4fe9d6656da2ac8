# SPDX-License-Identifier: EUPL-1.2
"""tree: against the slow reading of the RFC at every edge size, however the leaves came; tiles as C2SP has them."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    Tile,
    TreeError,
    grown,
    leaf_hash,
    node_hash,
    range_root,
    restored,
    split,
)
from support.slow_tree import CT_LEAVES, CT_ROOTS, slow_leaf, slow_root

LEAVES = [leaf_hash(str(number).encode()) for number in range(4_200)]
EDGES = sorted(
    {0, 1, 2, 3, *(2**power + off for power in range(2, 13) for off in (-1, 0, 1)), 511, 513, 767, 768, 4_200}
)


def stored(tiles):
    """What a store makes of tiles: the longer one takes the place."""
    kept: dict[tuple[int, int], bytes] = {}
    for level, place, hashes in tiles:
        assert hashes.startswith(kept.get((level, place), b""))
        kept[level, place] = hashes
    return kept


def reader(kept):
    return lambda level, place: kept.get((level, place))


def test_hashes_are_those_of_the_rfc():
    assert leaf_hash(b"a") == hashlib.sha256(b"\x00a").digest() == slow_leaf(b"a")
    assert node_hash(b"l" * 32, b"r" * 32) == hashlib.sha256(b"\x01" + b"l" * 32 + b"r" * 32).digest()
    assert Frontier().root() == EMPTY_ROOT == bytes.fromhex(CT_ROOTS[0])


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_certificate_transparency(size):
    after, _ = grown(Frontier(), [leaf_hash(data) for data in CT_LEAVES[:size]])
    assert after.root().hex() == CT_ROOTS[size]


@pytest.mark.parametrize("size", EDGES)
def test_at_every_edge_the_root_is_the_slow_one(size):
    after, tiles = grown(Frontier(), LEAVES[:size])
    root = slow_root(LEAVES[:size])
    read = reader(stored(tiles))
    assert after.root() == root
    assert restored(size, read) == after
    assert range_root(0, size, read) == root


def test_however_the_leaves_come_the_tiles_are_the_same():
    whole, tiles = grown(Frontier(), LEAVES)
    frontier, seen, place = Frontier(), [], 0
    for step in (0, 1, 1, 254, 1, 255, 256, 257, 512, 1000, 1663):
        frontier, more = grown(frontier, LEAVES[place : place + step])
        seen += more
        place += step
        assert frontier.root() == slow_root(LEAVES[:place])
        assert restored(place, reader(stored(seen))) == frontier
    assert frontier == whole
    assert stored(seen) == stored(tiles)


@given(st.lists(st.integers(0, 700), max_size=6), st.integers(0, 4_200))
def test_tiles_of_a_larger_tree_serve_a_smaller_one(steps, smaller):
    frontier, tiles, place = Frontier(), [], 0
    for step in steps:
        frontier, more = grown(frontier, LEAVES[place : place + step])
        tiles += more
        place += step
    smaller = min(smaller, place)
    assert restored(smaller, reader(stored(tiles))).root() == grown(Frontier(), LEAVES[:smaller])[0].root()


def test_tiles_are_those_of_c2sp():
    """256 leaves: a full tile and a short one above; one more: only level 0 gets another."""
    first, tiles = grown(Frontier(), LEAVES[:256])
    full = b"".join(LEAVES[:256])
    assert tiles == [Tile(0, 0, full), Tile(1, 0, slow_root(LEAVES[:256]))]
    assert first.edge == (b"", slow_root(LEAVES[:256]))
    _, tiles = grown(first, LEAVES[256:257])
    assert tiles == [Tile(0, 1, LEAVES[256])]


def test_a_third_level_begins_at_65536_leaves():
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(65_537)]
    before, tiles = grown(Frontier(), leaves[:65_535])
    assert {tile.level for tile in tiles} == {0, 1}
    after, tiles = grown(before, leaves[65_535:])
    assert [(tile.level, tile.place, len(tile.hashes) // 32) for tile in tiles] == [
        (0, 255, 256),
        (0, 256, 1),
        (1, 0, 256),
        (2, 0, 1),
    ]
    assert after.root() == slow_root(leaves)


def test_what_is_no_hash_does_not_enter():
    with pytest.raises(TreeError, match="not 32 bytes"):
        grown(Frontier(), [LEAVES[0], b"short"])


def test_tiles_that_fall_short_are_named():
    _, tiles = grown(Frontier(), LEAVES[:300])
    kept = stored(tiles)
    kept[0, 1] = kept[0, 1][:-32]
    with pytest.raises(TreeError, match="tile 1 of level 0 has 43 hashes; expected at least 44"):
        restored(300, reader(kept))
    del kept[1, 0]
    with pytest.raises(TreeError, match="tile 0 of level 1 has 0 hashes; expected at least 1"):
        range_root(0, 256, reader(kept))


@pytest.mark.parametrize(("width", "left"), [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8), (256, 128), (257, 256)])
def test_the_left_of_a_tree_is_the_largest_power_of_two_below(width, left):
    assert split(width) == left
