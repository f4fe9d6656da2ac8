# SPDX-License-Identifier: EUPL-1.2
"""tally: who is inside each window, who leaves next, and what counting costs in correctness: nothing."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.metering.tally import NEVER, Tally, Window, count_inside, microseconds, seconds_until_left, span

SECOND = 1_000_000
SHORT, LONG = timedelta(seconds=10), timedelta(seconds=60)


def person(number: int) -> bytes:
    return number.to_bytes(16)


def put(tally: Tally, number: int, at: int) -> list[Window]:
    into: list[Window] = []
    tally.put(person(number), at * SECOND, into)
    return into


def inside(tally: Tally) -> dict[int, list[int]]:
    return {length.seconds: [int.from_bytes(one) for one in window] for length, window in tally.windows.items()}


def test_windows_drop_from_the_front_and_tell_until_when_nobody_leaves():
    tally = Tally()
    tally.have([SHORT, LONG, SHORT])
    assert tally.drop(0, 0) == 10 * SECOND, "whoever comes now"
    for number, at in ((0, 0), (1, 5), (0, 7)):
        put(tally, number, at)
    assert inside(tally) == {10: [1, 0], 60: [1, 0]}
    assert tally.drop(8 * SECOND, 8 * SECOND) == 15 * SECOND
    assert tally.drop(15 * SECOND - 1, 15 * SECOND - 1) == 15 * SECOND
    assert tally.drop(15 * SECOND, 15 * SECOND) == 17 * SECOND
    assert inside(tally) == {10: [0], 60: [1, 0]}
    assert tally.drop(64 * SECOND, 64 * SECOND) == 65 * SECOND
    assert inside(tally) == {10: [], 60: [1, 0]}
    assert not tally.empty()
    tally.drop(67 * SECOND, 67 * SECOND)
    assert tally.empty()


def test_without_a_window_nobody_ever_leaves():
    assert Tally().drop(5, 5) == NEVER


def test_put_tells_the_windows_in_which_a_place_was_taken():
    tally = Tally()
    tally.have([SHORT, LONG])
    short, long = tally.windows.values()
    assert put(tally, 1, 0) == [short, long]
    tally.drop(12 * SECOND, 12 * SECOND)
    assert [one is short for one in put(tally, 1, 12)] == [True]
    assert put(tally, 1, 13) == []


def test_a_longer_window_that_comes_later_knows_what_the_others_know():
    tally = Tally()
    tally.have([SHORT])
    put(tally, 1, 3)
    put(tally, 2, 4)
    before = tally.windows[SHORT]
    tally.have([SHORT])
    assert tally.windows[SHORT] is before
    tally.have([LONG])
    assert inside(tally) == {10: [1, 2], 60: [1, 2]}
    tally.drop(20 * SECOND, 20 * SECOND)
    assert inside(tally) == {10: [], 60: [1, 2]}, "and none is given up for another"


def test_who_is_remembered_is_sorted_in_by_the_latest_moment():
    tally = Tally()
    tally.have([LONG])
    put(tally, 1, 30)
    put(tally, 2, 31)
    for number, at in ((3, 35), (3, 25), (1, 10), (2, 33)):
        tally.remember(person(number), at * SECOND)
    assert not Tally().earlier
    assert not tally.empty()
    tally.have([])
    assert list(tally.windows[LONG].items()) == [
        (person(1), 30 * SECOND),
        (person(2), 33 * SECOND),
        (person(3), 35 * SECOND),
    ]
    assert not tally.earlier


def test_who_waits_to_be_sorted_in_is_somebody():
    tally = Tally()
    tally.remember(person(1), 0)
    assert not tally.empty()


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(1, 6), st.none() | st.integers(-5, 35))
def test_count_inside_counts_as_one_would_by_hand(moments: list[int], people: int, since: int | None):
    window = OrderedDict((person(number), at) for number, at in enumerate(sorted(moments)))
    counting = [at for at in sorted(moments) if since is None or at >= since]
    count, oldest = count_inside(window, people, since)
    assert count == min(len(counting), people)
    assert oldest == (counting[-people:][0] if counting else None)


@pytest.mark.parametrize(
    ("people", "since", "found"),
    [(2, 3, (2, 4)), (3, 3, (3, 3)), (9, 3, (3, 3)), (9, 6, (0, None)), (9, 1, (5, 1)), (2, None, (2, 4))],
)
def test_those_before_a_proof_do_not_count(people: int, since: int | None, found: tuple[int, int | None]):
    assert count_inside(OrderedDict((person(at), at) for at in range(1, 6)), people, since) == found


@pytest.mark.parametrize(
    ("moment", "now", "seconds"),
    [(None, 5, 10), (0, 0, 10), (0, 1, 10), (0, SECOND, 9), (0, 10 * SECOND - 1, 1), (0, 10 * SECOND, 0)],
)
def test_the_wait_is_in_whole_seconds_never_too_short(moment: int | None, now: int, seconds: int):
    assert seconds_until_left(moment, 10 * SECOND, now) == seconds


def test_times_are_exact_and_aware():
    noon = datetime(2026, 11, 22, 12, 0, 0, 1, tzinfo=UTC)
    assert microseconds(noon) == microseconds(noon.astimezone(timezone(timedelta(hours=1)))) == 1_795_348_800_000_001
    assert span(timedelta(days=30, microseconds=1)) == 2_592_000_000_001
    with pytest.raises(TypeError):
        microseconds(noon.replace(tzinfo=None))
