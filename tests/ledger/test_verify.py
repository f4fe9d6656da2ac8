# SPDX-License-Identifier: EUPL-1.2
"""verify: each way to falsify a ledger is found and named, with what the auditor kept outside; an honest one passes.

Exports and changed tiles are in test_verify_sources, deletions in test_verify_deletion, a sample of `make tamper` in
test_tamper.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.note import good_signature
from gateway.ledger.tree import leaf_hash
from gateway.ledger.verify import TOLD_EVERY, verify
from gateway.ledger.verify_line import from_rows
from gateway.ledger.wrong import Finding
from support.judged_ledger import LEDGER, LINES, ROWS, changed, finding, with_row, wrong_of
from support.slow_tree import slow_leaf, slow_root
from support.small_ledger import BEGUN, FOREIGN, KEY, ORIGIN, SmallLedger, sealed_ledger

NOTHING = hashlib.sha256(b"").digest()
EDGES = sorted({0, 1, 2, 3, *(2**power + off for power in range(2, 12) for off in (-1, 0, 1)), 2_500})


# ---- what is right


@pytest.mark.parametrize("size", EDGES)
def test_an_honest_ledger_of_any_size_passes(size):
    ledger = sealed_ledger(size)
    root = slow_root([slow_leaf(line) for line in ledger.lines()])
    for verified in (
        ledger.checked(),
        ledger.checked(tiles=None),
        ledger.checked_lines(ledger.lines()),
        ledger.checked_lines(ledger.lines(), tiles=ledger.read, kept=[ledger.note]),
    ):
        assert (verified.size, verified.root, verified.deleted, verified.unsealed) == (size, root, 0, 0)
        assert verified.newest.size == size


@settings(max_examples=30)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=5), st.integers(0, 40))
def test_every_checkpoint_ever_kept_agrees(steps, unsealed):
    ledger, kept = SmallLedger(), []
    for place, step in enumerate(steps):
        ledger.append(step)
        kept.append(ledger.seal(BEGUN + timedelta(seconds=place)))
    ledger.append(unsealed)
    for tiles in (ledger.read, None):
        verified = ledger.checked(kept=kept[::-1], tiles=tiles)
        assert (verified.size, verified.kept, verified.unsealed) == (sum(steps), len(steps), unsealed)


def test_nothing_was_sealed_yet():
    ledger = SmallLedger()
    assert ledger.checked().root == NOTHING
    ledger.append(5)
    verified = ledger.checked()
    assert (verified.size, verified.root, verified.unsealed, verified.newest) == (0, NOTHING, 5, None)


def test_progress_is_told():
    ledger, told = sealed_ledger(TOLD_EVERY + 10), []
    ledger.checked(progress=lambda done, of: told.append((done, of)))
    assert told == [(TOLD_EVERY, TOLD_EVERY + 10), (TOLD_EVERY + 10, TOLD_EVERY + 10)]


# ---- rows of a database


@pytest.mark.parametrize("number", [0, 1, 255, 256, 511, 512, 599])
def test_a_changed_row_is_named(number):
    wrong = wrong_of(LEDGER.checked, rows=with_row(number, changed(number)))
    assert (wrong.finding, wrong.number, wrong.sequence) == (Finding.CHANGED, number, ROWS[number][1])
    assert "the row was changed" in str(wrong)
    assert leaf_hash(LINES[number]).hex() in str(wrong)


def test_without_tiles_a_changed_row_is_told_between_two_checkpoints():
    ledger = SmallLedger()
    ledger.append(300)
    kept = [ledger.seal()]
    ledger.append(300)
    kept.append(ledger.seal())
    before, after = with_row(3, changed(3)), with_row(400, changed(400))
    wrong = wrong_of(ledger.checked, rows=before, kept=kept, tiles=None)
    assert wrong.finding is Finding.CHECKPOINT
    assert "the first 300 leaves give the root" in str(wrong)
    wrong = wrong_of(ledger.checked, rows=after, kept=kept, tiles=None)
    assert wrong.finding is Finding.CHECKPOINT
    assert "the first 600 leaves give the root" in str(wrong)
    assert "The first 300 are as they were kept" in str(wrong)
    assert "give the tiles to learn which row" in str(wrong)
    assert finding(ledger.checked, rows=after, tiles=None) is Finding.CHECKPOINT


@pytest.mark.parametrize("number", [0, 300, 598])
def test_a_missing_row_is_named(number):
    for told in ({}, {"tiles": None}):
        wrong = wrong_of(LEDGER.checked, rows=with_row(number, None), **told)
        assert (wrong.finding, wrong.number, wrong.sequence) == (Finding.MISSING, number, ROWS[number][1])
    left_out = [*ROWS[:number], *ROWS[number + 1 :]]
    for told in ({}, {"tiles": None}):
        wrong = wrong_of(LEDGER.checked, rows=left_out, **told)
        assert (wrong.finding, wrong.number) == (Finding.MISSING, number)


def test_a_cut_tail_is_named():
    for rows in (ROWS[:590], [*ROWS[:590], *((n, s, None) for n, s, _ in ROWS[590:])]):
        for told in ({}, {"tiles": None}):
            wrong = wrong_of(LEDGER.checked, rows=rows, **told)
            assert (wrong.finding, wrong.number) == (Finding.TAIL_CUT, 590)
    wrong = wrong_of(LEDGER.checked, rows=[*ROWS[:590], *((n, s, None) for n, s, _ in ROWS[590:599]), ROWS[599]])
    assert (wrong.finding, wrong.number) == (Finding.MISSING, 590)


def test_rows_in_another_order_are_named():
    swapped = [*ROWS[:300], ROWS[301], ROWS[300], *ROWS[302:]]
    assert finding(LEDGER.checked, rows=swapped) is Finding.REORDERED
    contents = [*ROWS[:300], (300, *ROWS[301][1:]), (301, *ROWS[300][1:]), *ROWS[302:]]
    for told in ({}, {"tiles": None}):
        assert finding(LEDGER.checked, rows=contents, **told) is Finding.REORDERED


def test_a_row_that_comes_twice_is_named():
    again = [*ROWS[:300], (300, *ROWS[299][1:]), *((n + 1, s, row) for n, s, row in ROWS[300:])]
    for told in ({}, {"tiles": None}):
        assert finding(LEDGER.checked, rows=[*ROWS[:300], ROWS[299], *ROWS[300:]], **told) is Finding.DOUBLED
        assert finding(LEDGER.checked, rows=again, **told) is Finding.DOUBLED
    assert finding(LEDGER.checked, rows=[*ROWS, (None, *ROWS[599][1:])]) is Finding.DOUBLED


def test_a_row_that_no_leaf_holds_is_fine_at_the_end_alone():
    new = (None, ROWS[-1][1] + 1, ROWS[-1][2])
    assert LEDGER.checked(rows=[*ROWS, new]).unsealed == 1
    between = (None, 10, ROWS[3][2])
    assert 10 not in {row[1] for row in ROWS}
    for rows in ([*ROWS[:9], between, *ROWS[9:]], [*ROWS, between]):
        wrong = wrong_of(LEDGER.checked, rows=rows)
        assert (wrong.finding, wrong.sequence) == (Finding.INSERTED, 10)
    assert finding(LEDGER.checked, rows=[*ROWS, new, new]) is Finding.DOUBLED
    assert finding(LEDGER.checked, rows=[*ROWS, (600, ROWS[-1][1] + 1, None)]) is Finding.DELETION


def test_a_row_that_went_as_was_told_needs_its_hash():
    ledger = sealed_ledger(300)
    by = ledger.tell([3])
    ledger.delete([3], by)
    ledger.seal()
    assert ledger.checked().deleted == 1
    assert ledger.checked_lines(ledger.exported()).deleted == 1
    assert finding(ledger.checked, tiles=None) is Finding.MISSING


def test_a_line_spoiled_after_the_first_fault_does_not_hide_it():
    lines = [*LINES[:300], LINES[301], b"spoiled", *LINES[303:]]
    assert wrong_of(LEDGER.checked_lines, lines, tiles=LEDGER.read).number == 300


# ---- what was kept outside


def histories():
    """An honest history with what an auditor kept of it, and one cut at 400 and grown again under the same key."""
    honest, again = SmallLedger(), SmallLedger()
    honest.append(400)
    kept = [honest.seal()]
    honest.append(100)
    kept.append(honest.seal(BEGUN + timedelta(minutes=1)))
    again.append(400)
    again.append(200, salt=7)
    again.seal(BEGUN + timedelta(minutes=2))
    return honest, again, kept


def test_a_tail_cut_and_grown_again_is_found_though_signed_with_the_right_key():
    honest, again, kept = histories()
    assert again.checked().size == 600
    for told in ({}, {"tiles": None}):
        wrong = wrong_of(again.checked, kept=kept, **told)
        assert wrong.finding is Finding.REGROWN
        assert "the first 500 leaves give the root" in str(wrong)
        assert "The first 400 are as they were kept" in str(wrong)
        assert str(wrong_of(again.checked, kept=kept[::-1], **told)) == str(wrong)
    again.append(3)  # not sealed yet: no part of what was signed
    assert finding(again.checked, kept=kept, tiles=None) is Finding.REGROWN
    assert "What came after was changed" in str(wrong_of(again.checked, kept=kept[1:]))
    assert honest.checked(kept=kept).kept == 2


def test_an_older_copy_put_back_is_found_though_each_byte_of_it_is_right():
    older, _, kept = histories()
    older = SmallLedger()
    older.append(400)
    older.seal()
    assert older.checked(kept=kept[:1]).size == 400
    wrong = wrong_of(older.checked, kept=kept)
    assert wrong.finding is Finding.OLDER_COPY
    assert "has 500 leaves; the newest one stored" in str(wrong)
    assert "none is stored" in str(wrong_of(SmallLedger().checked, kept=kept))


def test_two_checkpoints_of_one_size_that_differ_are_found():
    other = SmallLedger()
    other.append(600, salt=3)
    assert finding(LEDGER.checked, kept=[LEDGER.note, other.seal()]) is Finding.REGROWN
    empty = SmallLedger().seal()
    assert LEDGER.checked(kept=[empty]).kept == 1


def test_a_checkpoint_of_another_key_or_origin_is_found_wherever_it_stands():
    forged = SmallLedger(key=FOREIGN)
    forged.append(600)
    for stored, kept in ((forged.seal(), []), (LEDGER.note, [LEDGER.note, forged.note])):
        assert finding(LEDGER.checked, stored=stored, kept=kept) is Finding.FOREIGN_KEY
    assert "kept outside (2 of 2)" in str(wrong_of(LEDGER.checked, kept=[LEDGER.note, forged.note]))
    assert finding(LEDGER.checked, origin="other.example/ledger") is Finding.OTHER_ORIGIN
    assert finding(LEDGER.checked, stored=LEDGER.note.replace("600", "599")) is Finding.BAD_SIGNATURE
    assert finding(LEDGER.checked, stored=LEDGER.note + "x") is Finding.TRAILING_BYTES
    assert finding(LEDGER.checked, kept=["no checkpoint"]) is Finding.MALFORMED
    assert finding(LEDGER.checked, keys=["no key"]) is Finding.MALFORMED


def test_a_key_that_was_changed_for_a_new_one_is_no_fault_if_both_are_given():
    ledger = SmallLedger()
    ledger.append(10)
    old = ledger.seal()
    ledger.append(10)
    ledger.key = FOREIGN
    keys = [FOREIGN.verifier().text(), KEY.verifier().text()]
    assert ledger.checked(stored=ledger.seal(), kept=[old], keys=keys).size == 20
    assert finding(ledger.checked, kept=[old]) is Finding.FOREIGN_KEY


def test_memory_does_not_grow_with_the_ledger():
    """Entries are asked for one at a time, and not kept."""
    asked = []

    def entries():
        for entry in from_rows(LEDGER.entries()):
            asked.append(entry.number)
            yield entry

    def progress(*_):
        assert len(asked) == LEDGER.frontier.size

    verify(entries(), LEDGER.note, [KEY.verifier().text()], good_signature, origin=ORIGIN, progress=progress)
    assert asked == list(range(600))
