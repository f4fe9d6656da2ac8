# SPDX-License-Identifier: EUPL-1.2
"""verify_deletion: rows that are gone are accounted for by sealed events, each to the last hash; others are named."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.verify_deletion import Deletions
from gateway.ledger.wrong import Finding, Wrong
from support.judged_ledger import finding, wrong_of
from support.small_ledger import SmallLedger, sealed_ledger

FIRST, SECOND = [0, 1, 17, 255, 256, 300], [2, 3, 16, 299, 301]


def shortened(*, seal: bool = True) -> tuple[SmallLedger, list[int]]:
    """310 events; two deletions over the same leaves, both carried out, and one that was only told."""
    ledger = sealed_ledger(310)
    events = [ledger.tell(numbers) for numbers in (FIRST, SECOND, [40, 41])]
    ledger.append(5)
    if seal:
        ledger.seal()
    ledger.delete(FIRST, events[0])
    ledger.delete(SECOND, events[1])
    return ledger, events


def everywhere(ledger: SmallLedger) -> list[Wrong]:
    """What is said of the database, and of the export with and without tiles."""
    return [
        wrong_of(ledger.checked),
        wrong_of(ledger.checked_lines, ledger.exported()),
        wrong_of(ledger.checked_lines, ledger.exported(), tiles=ledger.read),
    ]


def test_rows_that_went_as_was_told_leave_the_ledger_whole():
    ledger, _ = shortened()
    for verified in (
        ledger.checked(),
        ledger.checked_lines(ledger.exported()),
        ledger.checked_lines(ledger.exported(), tiles=ledger.read),
    ):
        assert (verified.deleted, verified.deletions, verified.waiting) == (11, 2, 1)


def test_checkpoints_kept_from_before_agree_still():
    ledger = sealed_ledger(310)
    kept = [ledger.note]
    by = ledger.tell(FIRST)
    kept.append(ledger.seal())
    ledger.delete(FIRST, by)
    assert ledger.checked(kept=kept).kept == 2
    assert ledger.checked_lines(ledger.exported(), kept=kept).kept == 2


@pytest.mark.parametrize("number", [4, 298])
def test_a_row_that_went_without_an_event_is_named(number):
    ledger, _ = shortened()
    ledger.deleted.add(number)
    wrong = wrong_of(ledger.checked)
    assert (wrong.finding, wrong.number) == (Finding.MISSING, number)
    assert "no deletion of it was told" in str(wrong)


@pytest.mark.parametrize("number", [4, 298])
def test_one_more_than_was_told_is_found_though_marked(number):
    ledger, events = shortened()
    ledger.delete([number], events[0])
    for wrong in everywhere(ledger):
        assert (wrong.finding, wrong.sequence) == (Finding.DELETION, events[0])
        assert "of leaves 0 to 300 6 went" in str(wrong)
        assert "gone by it are 7 of" in str(wrong)


def test_one_less_than_was_told_is_found():
    ledger, events = shortened()
    ledger.deleted.discard(17)
    wrong = wrong_of(ledger.checked)
    assert (wrong.finding, wrong.sequence) == (Finding.DELETION, events[0])
    assert "gone by it are 5 of 0 to 300" in str(wrong)


def test_as_many_but_others_are_found():
    ledger, events = shortened()
    ledger.marks.clear()
    ledger.delete([0, 1, 18, 255, 256, 300], events[0])
    ledger.delete([2, 3, 16, 299, 301], events[1])
    ledger.deleted.discard(17)
    for wrong in everywhere(ledger):
        assert (wrong.finding, wrong.sequence) == (Finding.DELETION, events[0])
        assert "gone by it are 6 of 0 to 300" in str(wrong)


def test_a_row_deleted_by_an_event_that_is_none_is_named():
    for by in (600, 20):  # past the end; an event of another kind, which came later
        ledger, _ = shortened()
        ledger.delete([4], by)
        for wrong in everywhere(ledger):
            assert (wrong.finding, wrong.number) == (Finding.DELETION, 4)
            assert f"gone by event {by}, which is no sealed deletion event" in str(wrong)


def test_a_deletion_told_before_its_row_came_is_none():
    ledger, events = shortened()
    ledger.delete([314], events[2])
    wrong = wrong_of(ledger.checked)
    assert (wrong.finding, wrong.number) == (Finding.DELETION, 314)
    assert "which came before" in str(wrong)
    # An export has no sequence of a row that is gone: nothing told later claims it.
    assert wrong_of(ledger.checked_lines, ledger.exported()).number == 314


def test_a_deletion_that_is_not_sealed_is_none():
    ledger, events = shortened(seal=False)
    wrong = wrong_of(ledger.checked)
    assert (wrong.finding, wrong.number) == (Finding.DELETION, 0)
    assert f"by event {events[0]}, which is no sealed deletion event" in str(wrong)


def test_an_event_that_went_itself_accounts_for_nothing():
    ledger, events = shortened()
    again = ledger.tell([310])
    ledger.seal()
    ledger.delete([310], again)
    for wrong in everywhere(ledger):
        assert (wrong.finding, wrong.number) == (Finding.DELETION, 0)
        assert f"by event {events[0]}," in str(wrong)


def test_a_leaf_that_went_twice_is_named():
    ledger, events = shortened()
    ledger.delete([17], events[1])
    wrong = wrong_of(ledger.checked)
    assert (wrong.finding, wrong.number) == (Finding.DELETION, 17)


@pytest.mark.parametrize("details", ["", "before 2026-11-23; leaves 0 to 1", "gone"])
def test_an_event_that_tells_nothing_that_can_be_read_is_named(details):
    ledger = sealed_ledger(10)
    by = ledger.tell([1], details=details)
    ledger.seal()
    wrong = wrong_of(ledger.checked)
    assert (wrong.finding, wrong.sequence) == (Finding.DELETION, by)


def test_who_asked_may_stand_at_its_end():
    ledger = sealed_ledger(10)
    ledger.tell([1])
    text = str(ledger.rows[-1][1][15])
    ledger.rows[-1] = ledger.rows[-1][0], (*ledger.rows[-1][1][:15], f"{text}; asked by root: room", None)
    ledger.seal()
    ledger.delete([1], ledger.rows[-1][0])
    assert ledger.checked().deletions == 1


def test_an_event_of_no_details_at_all_is_named():
    ledger = sealed_ledger(10)
    ledger.tell([1])
    ledger.rows[-1] = ledger.rows[-1][0], (*ledger.rows[-1][1][:15], None, None)
    ledger.seal()
    assert finding(ledger.checked) is Finding.DELETION


def test_words_of_others_are_no_deletion():
    ledger = sealed_ledger(10)
    sequence, values = ledger.rows[-1]
    ledger.rows.append((sequence + 1, (*values[:8], "events-deleted", *values[9:])))
    ledger.seal()
    assert ledger.checked().waiting == 0


def test_marks_that_cannot_be_read_are_named():
    ledger, _ = shortened()
    ledger.marks[1] += b"\0"
    wrong = wrong_of(ledger.checked)
    assert (wrong.finding, wrong.number) == (Finding.TILE, 256)


def test_without_marks_nothing_is_told():
    assert Deletions(None).event_of(3) is None
    Deletions(None).passed(3, None, b"")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_whatever_went_is_right_exactly_if_it_went_as_was_told(data):
    """Any number of deletions over any leaves: all is well; with any one leaf more, less, or swapped it is not."""
    ledger = sealed_ledger(520)
    left, told = set(range(520)), []
    for _ in range(data.draw(st.integers(1, 4))):
        numbers = sorted(data.draw(st.sets(st.sampled_from(sorted(left)), min_size=1, max_size=40)))
        left -= set(numbers)
        told.append((ledger.tell(numbers), numbers, data.draw(st.booleans())))
    ledger.seal()
    for by, numbers, done in told:
        if done:
            ledger.delete(numbers, by)
    found = ledger.checked()
    done = [numbers for _, numbers, done in told if done]
    assert (found.deleted, found.deletions) == (sum(map(len, done)), len(done))
    assert ledger.checked_lines(ledger.exported()).deletions == len(done)
    by, numbers, was_done = data.draw(st.sampled_from(told))
    more = data.draw(st.sampled_from(sorted(left)))
    if was_done and data.draw(st.booleans()):
        ledger.deleted.discard(data.draw(st.sampled_from(numbers)))
        if ledger.deleted.isdisjoint(numbers):  # as if it were not carried out, and its marks are a hint alone
            assert ledger.checked().waiting == found.waiting + 1
            return
    else:
        ledger.delete([more], by)
    for checked in (ledger.checked, lambda: ledger.checked_lines(ledger.exported())):
        assert finding(checked) is Finding.DELETION
