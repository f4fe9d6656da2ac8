# SPDX-License-Identifier: EUPL-1.2
"""verify: what it is given to read from, an export without the database, and tiles that are themselves falsified."""

from __future__ import annotations

import pytest

from gateway.ledger.leaf import leaf_data
from gateway.ledger.tree import leaf_hash
from gateway.ledger.wrong import Finding
from support.judged_ledger import LEDGER, LINES, ROWS, changed, finding, with_row, wrong_of
from support.small_ledger import SmallLedger, sealed_ledger

# ---- lines of an export


def test_lines_of_an_export_are_named_by_the_tiles():
    tiles = LEDGER.read
    for lines, due, number in (
        ([*LINES[:300], LINES[300].replace(b"pharmacie", b"pharmacia"), *LINES[301:]], Finding.CHANGED, 300),
        ([*LINES[:300], *LINES[301:]], Finding.MISSING, 300),
        ([*LINES[:300], *LINES[305:]], Finding.MISSING, 300),
        ([*LINES[:300], LINES[299], *LINES[300:]], Finding.DOUBLED, 300),
        ([*LINES[:300], LINES[250], *LINES[300:]], Finding.DOUBLED, 300),
        ([*LINES[:300], LINES[301], LINES[300], *LINES[302:]], Finding.REORDERED, 300),
        ([*LINES[:300], LINES[450], *LINES[301:450], LINES[300], *LINES[451:]], Finding.REORDERED, 300),
        ([*LINES[:19], leaf_data(21, ROWS[3][2]), *LINES[19:]], Finding.INSERTED, 19),
        (LINES[:590], Finding.TAIL_CUT, 590),
        ([*LINES[:300], LINES[300] + b" ", *LINES[301:]], Finding.TRAILING_BYTES, 300),
        ([*LINES[:300], LINES[300].replace(b"event/1", b"event/2"), *LINES[301:]], Finding.UNKNOWN_VERSION, 300),
        ([*LINES[:300], b'["herse-gone/1",3,"' + b"ab" * 32 + b'",700]', *LINES[301:]], Finding.DOUBLED, 300),
    ):
        wrong = wrong_of(LEDGER.checked_lines, lines, tiles=tiles)
        assert (wrong.finding, wrong.number) == (due, number)


def test_lines_of_an_export_without_tiles():
    for lines, due in (
        ([*LINES[:300], *LINES[301:]], Finding.TAIL_CUT),
        ([*LINES[:300], LINES[299], *LINES[300:]], Finding.DOUBLED),
        ([*LINES[:300], LINES[250], *LINES[300:]], Finding.REORDERED),
        ([*LINES[:300], LINES[301], LINES[300], *LINES[302:]], Finding.REORDERED),
        ([*LINES[:300], LINES[450], *LINES[301:450], LINES[300], *LINES[451:]], Finding.REORDERED),
        ([*LINES[:19], leaf_data(21, ROWS[3][2]), *LINES[19:]], Finding.CHECKPOINT),
        (LINES[:590], Finding.TAIL_CUT),
    ):
        assert finding(LEDGER.checked_lines, lines) is due
    assert "which only tiles can tell" in str(wrong_of(LEDGER.checked_lines, LINES[1:]))


def test_a_deleted_row_has_the_hash_it_had():
    for by, tiles, due in (
        (0, None, Finding.MISSING),
        (700, None, Finding.CHECKPOINT),
        (700, LEDGER.read, Finding.CHANGED),
    ):
        gone = b'["herse-gone/1",300,"' + b"ab" * 32 + b'",%d]' % by
        assert finding(LEDGER.checked_lines, [*LINES[:300], gone, *LINES[301:]], tiles=tiles) is due


# ---- tiles


def flipped(hashes, place):
    return hashes[:place] + bytes([hashes[place] ^ 1]) + hashes[place + 1 :]


@pytest.mark.parametrize("place", LEDGER.tiles)
def test_a_changed_tile_is_told_from_a_changed_row(place):
    for byte in (0, len(LEDGER.tiles[place]) - 1):
        tiles = LEDGER.tiles | {place: flipped(LEDGER.tiles[place], byte)}
        wrong = wrong_of(LEDGER.checked, tiles=lambda *at, tiles=tiles: tiles.get(at))
        assert wrong.finding is Finding.TILE


def test_a_row_changed_with_its_tile_is_found_by_the_tile_above():
    row = changed(300)
    offset = (300 - 256) * 32
    hashes = LEDGER.tiles[0, 1]
    hashes = hashes[:offset] + leaf_hash(leaf_data(ROWS[300][1], row)) + hashes[offset + 32 :]
    tiles = LEDGER.tiles | {(0, 1): hashes}
    wrong = wrong_of(LEDGER.checked, rows=with_row(300, row), tiles=lambda *at: tiles.get(at))
    assert (wrong.finding, wrong.number) == (Finding.CHANGED, 256)
    assert "a row from here to leaf 511 was changed, and its tile with it" in str(wrong)


def test_rows_and_all_tiles_changed_do_not_give_the_signed_root():
    other = SmallLedger()
    other.append(300)
    other.append(300, salt=1)
    other.seal()
    wrong = wrong_of(other.checked, stored=LEDGER.note)
    assert wrong.finding is Finding.CHECKPOINT
    assert "rows and tiles together" in str(wrong)


def test_tiles_after_the_last_are_no_tiles_of_this_ledger():
    longer = sealed_ledger(601)
    wrong = wrong_of(longer.checked, rows=ROWS, stored=LEDGER.note)
    assert wrong.finding is Finding.TRAILING_BYTES
    assert finding(SmallLedger(rows=LEDGER.rows, tiles=LEDGER.tiles).checked) is Finding.TRAILING_BYTES
