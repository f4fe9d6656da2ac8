# SPDX-License-Identifier: EUPL-1.2
"""verify_cause: each way a row can be out of place has its own name, its own sentence and its place."""

from __future__ import annotations

import re

import pytest

from gateway.ledger.tree import Frontier, grown, leaf_hash
from gateway.ledger.verify_cause import AROUND, Row, cause, cut, misplaced, out_of_order, unheld
from gateway.ledger.verify_tiles import Tiles
from gateway.ledger.wrong import Finding

SIZE = 1_000
LEAVES = [leaf_hash(str(number).encode()) for number in range(SIZE)]
FRONTIER, MADE = grown(Frontier(), LEAVES)
KEPT = {(tile.level, tile.place): tile.hashes for tile in MADE}
TILES = Tiles(lambda level, place: KEPT.get((level, place)), SIZE, FRONTIER.root())
STRANGE = leaf_hash(b"strange")


def row(number, leaf=None):
    return Row(number, number + 1, LEAVES[number] if leaf is None else leaf)


def rows(first, count=AROUND):
    return [row(number) for number in range(first, min(first + count, SIZE))]


@pytest.mark.parametrize(
    ("found", "number", "coming", "finding", "sentence"),
    [
        (row(500, STRANGE), 500, rows(501), Finding.CHANGED, r"leaf 500 \(sequence 501\): the row was changed"),
        (row(999, STRANGE), 999, [], Finding.CHANGED, "leaf 999"),
        (row(0, STRANGE), 0, rows(1), Finding.CHANGED, "leaf 0"),
        (row(499), 500, rows(500), Finding.DOUBLED, r"leaf 500 \(sequence 500\): the row of leaf 499 comes again"),
        (row(300), 500, rows(501), Finding.DOUBLED, "the row of leaf 300 comes again"),
        (
            row(501),
            500,
            rows(502),
            Finding.MISSING,
            "leaf 500: its row is missing; what is there next has sequence 502",
        ),
        (row(503), 500, rows(504), Finding.MISSING, "leaf 500: the rows from here to leaf 502 are missing"),
        (row(501), 500, [row(500), *rows(502)], Finding.REORDERED, "the row of leaf 501 stands here"),
        (row(700), 500, [*rows(501, 199), row(500)], Finding.REORDERED, "the row of leaf 700 stands here"),
        (row(500, STRANGE), 500, rows(500), Finding.INSERTED, "a row that was never sealed stands before"),
    ],
)
def test_a_row_that_is_not_the_signed_one(found, number, coming, finding, sentence):
    wrong = cause(found, number, TILES, coming)
    assert wrong.finding is finding
    assert wrong.number == number
    assert re.search(sentence, str(wrong))


@pytest.mark.parametrize(
    ("found", "coming", "finding", "sentence"),
    [
        (3, [], Finding.DOUBLED, "the row of leaf 3 comes again"),
        (6, [7, 8], Finding.MISSING, "leaf 5: its row is missing"),
        (9, [10, 11], Finding.MISSING, "leaf 5: the rows from here to leaf 8 are missing"),
        (6, [None, 5, 7], Finding.REORDERED, "leaf 6 stands here, and this one further on"),
    ],
)
def test_a_row_that_says_to_be_another_leaf(found, coming, finding, sentence):
    wrong = misplaced(found, 5, 6, coming)
    assert wrong.finding is finding
    assert wrong.number == 5
    assert sentence in str(wrong)


def test_a_missing_row_with_nothing_known_after_it():
    assert str(misplaced(6, 5, None, [])).startswith("leaf 5: its row is missing. Keep this copy")


def test_sequences_that_do_not_rise():
    assert out_of_order(Row(5, 9, STRANGE), 5, 9, None).finding is Finding.DOUBLED
    assert out_of_order(Row(5, 8, STRANGE), 5, 9, None).finding is Finding.REORDERED
    assert out_of_order(Row(5, 8, STRANGE), 5, 9, TILES).finding is Finding.REORDERED
    again = out_of_order(Row(5, 3, LEAVES[2]), 5, 9, TILES)
    assert again.finding is Finding.DOUBLED
    assert str(again) == "leaf 5 (sequence 3): the row of leaf 2 comes again; expected each once"


def test_a_row_that_no_leaf_holds():
    assert unheld(9, 9).finding is Finding.DOUBLED
    assert unheld(8, 9).finding is Finding.INSERTED
    assert unheld(8, None).finding is Finding.INSERTED
    assert str(unheld(8, 9)).startswith("sequence 8: no leaf holds this row")


def test_a_cut_tail_counts_what_is_missing():
    assert str(cut(990, SIZE, sure=True)).startswith(
        "leaf 990: the tail is cut: 990 leaves are there; expected 1000, as were signed. 10 are missing at the end."
    )
    assert "which only tiles can tell" in str(cut(990, SIZE, sure=False))
    assert cut(990, SIZE, sure=True).finding is Finding.TAIL_CUT
