# SPDX-License-Identifier: EUPL-1.2
"""verify_tiles: tiles are believed as far as they lead to the signed root, and no byte further."""

from __future__ import annotations

import pytest

from gateway.ledger.tree import Frontier, grown, leaf_hash
from gateway.ledger.verify_tiles import Tiles
from gateway.ledger.verify_tree import Climb
from gateway.ledger.wrong import Finding, Wrong

LEAVES = [leaf_hash(str(number).encode()) for number in range(66_000)]
SIZES = (1, 2, 255, 256, 257, 511, 512, 600)


def tree(size):
    frontier, tiles = grown(Frontier(), LEAVES[:size])
    return frontier.root(), {(tile.level, tile.place): tile.hashes for tile in tiles}


def tiles(size, kept, root):
    return Tiles(lambda level, place: kept.get((level, place)), size, root)


def flipped(hashes, place):
    return hashes[:place] + bytes([hashes[place] ^ 1]) + hashes[place + 1 :]


@pytest.mark.parametrize("size", SIZES)
def test_whole_tiles_lead_up_from_every_leaf(size):
    root, kept = tree(size)
    read = tiles(size, kept, root)
    assert read.whole()
    assert all(read.leads_up(0, number) and read.at(0, number) == LEAVES[number] for number in range(size))
    assert read.leaves(-5, size + 5) == LEAVES[:size]
    read.demand_end()


@pytest.mark.parametrize("size", SIZES)
def test_from_a_changed_tile_no_leaf_of_it_leads_up(size):
    root, kept = tree(size)
    for (level, place), hashes in kept.items():
        if len(hashes) % 8192 == 0 and level:
            continue  # of these sizes no upper tile is full
        wrong = tiles(size, kept | {(level, place): flipped(hashes, 7)}, root)
        assert not wrong.leads_up(level, place * 256)


def test_a_leaf_of_another_full_tile_still_leads_up():
    root, kept = tree(600)
    wrong = tiles(600, kept | {(0, 0): flipped(kept[0, 0], 7)}, root)
    assert wrong.whole()
    assert wrong.leads_up(0, 300)
    assert not wrong.leads_up(0, 255)


def test_tiles_of_three_levels_lead_up():
    root, kept = tree(66_000)
    read = tiles(66_000, kept, root)
    assert read.leads_up(0, 0)
    assert read.leads_up(0, 65_999)
    assert read.leads_up(1, 255)
    read.demand_end()
    for place in ((1, 0), (2, 0), (1, 1), (0, 257)):
        wrong = tiles(66_000, kept | {place: flipped(kept[place], 0)}, root)
        assert not wrong.leads_up(place[0], place[1] * 256)
    climb = Climb()
    for count, leaf in enumerate(LEAVES, 1):
        for level, ended in enumerate(climb.add(leaf), 1):
            read.demand_root(level, count, ended)


def test_a_leaf_that_is_stored_is_right_or_the_row_is_at_fault():
    root, kept = tree(600)
    read = tiles(600, kept, root)
    assert read.demand_leaf(3, 4, LEAVES[3])
    assert not read.demand_leaf(3, 4, LEAVES[4])


@pytest.mark.parametrize(("size", "number"), [(600, 3), (600, 599), (1, 0)])
def test_a_changed_tile_is_the_finding(size, number):
    root, kept = tree(size)
    place = number // 256
    read = tiles(size, kept | {(0, place): flipped(kept[0, place], number % 256 * 32)}, root)
    with pytest.raises(Wrong, match=rf"leaf {number} \(sequence 4\).*does not lead to the signed root") as found:
        read.demand_leaf(number, 4, LEAVES[number])
    assert found.value.finding is Finding.TILE


def test_a_tile_that_ends_too_soon_is_the_finding():
    root, kept = tree(600)
    read = tiles(600, kept | {(0, 2): kept[0, 2][:-32]}, root)
    with pytest.raises(Wrong, match="the stored tile ends before this leaf"):
        read.demand_leaf(599, 4, LEAVES[599])
    assert not read.whole()
    short = tiles(600, kept | {(0, 0): kept[0, 0][:-32]}, root)
    assert not short.leads_up(0, 3)
    missing = tiles(600, {place: hashes for place, hashes in kept.items() if place[0] == 0}, root)
    assert not missing.leads_up(0, 3)


def test_rows_changed_with_their_tile_are_told_by_the_tile_above():
    root, kept = tree(600)
    with pytest.raises(Wrong, match="leaf 256: a row from here to leaf 511 was changed, and its tile with it") as found:
        tiles(600, kept, root).demand_root(1, 512, bytes(32))
    assert found.value.finding is Finding.CHANGED
    above = tiles(600, kept | {(1, 0): flipped(kept[1, 0], 40)}, root)
    with pytest.raises(Wrong, match="the stored hash 1 of level 1 is not that of leaves 256 to 511") as found:
        above.demand_root(1, 512, kept[1, 0][32:64])
    assert found.value.finding is Finding.TILE


@pytest.mark.parametrize("place", [(0, 2), (0, 0), (1, 0)])
def test_bytes_after_the_end_of_a_tile_are_told(place):
    root, kept = tree(600)
    for more in (b"x", bytes(32)):
        wrong = tiles(600, kept | {place: kept[place] + more}, root)
        with pytest.raises(Wrong, match=f"tile {place[1]} of level {place[0]} has") as found:
            wrong.at(place[0], place[1] * 256)
        assert found.value.finding is Finding.TRAILING_BYTES


def test_a_tile_is_a_row_of_whole_hashes():
    root, kept = tree(600)
    with pytest.raises(Wrong, match="expected a multiple of 32") as found:
        tiles(600, kept | {(0, 2): kept[0, 2][:-1]}, root).at(0, 512)
    assert found.value.finding is Finding.TILE


@pytest.mark.parametrize(("size", "place"), [(0, (0, 0)), (256, (0, 1)), (600, (0, 3)), (600, (1, 1)), (600, (2, 0))])
def test_no_tile_follows_the_last(size, place):
    root, kept = tree(size)
    tiles(size, kept, root).demand_end()
    with pytest.raises(Wrong, match="expected 0, as the checkpoint has") as found:
        tiles(size, kept | {place: bytes(32)}, root).demand_end()
    assert found.value.finding is Finding.TRAILING_BYTES
