# SPDX-License-Identifier: EUPL-1.2
"""What is usual for an account: from its own days, never from the latest week, and nothing while little is known."""

from __future__ import annotations

import math

import pytest

from gateway.metering.history import DAYS_KEPT, Day, Share, history_of, share_of, usual_places

TODAY = 20_056
LOCAL = {"13": 60, "84": 30, "30": 10}


def days(count: int, *, until: int = TODAY, day: Day | None = None) -> dict[int, Day]:
    return dict.fromkeys(range(until - count, until), day or Day(20, 4, 1, 4, 1))


def test_an_account_with_a_past():
    history = history_of(days(40), LOCAL, TODAY)
    assert history.new is not None
    assert history.far is not None
    assert (history.day, history.new.mean, history.far.mean, history.level) == (TODAY, 0.2, 0.25, 20)
    assert history.misses.mean == pytest.approx(1 / 21)
    assert history.swing == 0.5
    assert 30 < history.new.high_percent < 50


def test_nobody_is_measured_against_a_past_he_does_not_have():
    empty = history_of({}, {}, TODAY)
    assert (empty.new, empty.far, empty.level, empty.usual) == (None, None, 0, frozenset())
    assert empty.misses == Share(0.03, pytest.approx(math.sqrt(math.log(1.3))), 10)
    assert history_of(days(14), LOCAL, TODAY).new is None, "of two weeks one is judged, and seven days are too few"
    assert history_of(days(40, day=Day(1, 1)), LOCAL, TODAY).new is None, "too few people"


def test_places_only_where_they_are_known():
    assert history_of(days(40), {"13": 5}, TODAY).far is None
    assert history_of(days(40, day=Day(20, 4)), LOCAL, TODAY).far is None


def test_the_latest_week_is_judged_and_not_usual():
    attacked = days(49, until=TODAY - 7) | days(7, day=Day(60, 50))
    history = history_of(attacked, LOCAL, TODAY)
    assert history.new is not None
    assert history.new.mean == 0.2


def test_days_that_are_too_old_or_to_come_are_left_out():
    old = days(30, until=TODAY - DAYS_KEPT, day=Day(100, 100))
    later = days(30, until=TODAY + 30, day=Day(100, 100))
    assert history_of(old | days(40) | later, LOCAL, TODAY) == history_of(days(40), LOCAL, TODAY)


def test_the_level_is_that_of_the_weekday_where_it_is_higher():
    mondays = {day: Day(40 if day % 7 == TODAY % 7 else 20, 4) for day in range(TODAY - 56, TODAY)}
    assert history_of(mondays, {}, TODAY).level == 40
    assert history_of(mondays, {}, TODAY + 1).level == 20
    never_then = {day: count for day, count in mondays.items() if day % 7 != TODAY % 7}
    assert history_of(never_then, {}, TODAY).level == 20


def test_a_swing_of_its_own():
    wild = {day: Day(10 if day % 2 else 100, 2) for day in range(TODAY - 56, TODAY)}
    assert history_of(wild, {}, TODAY).swing == pytest.approx(1.4826 * math.log(10) / 2)


def test_chance_alone_makes_no_spread():
    even = share_of([(2, 10)] * 40, 0.02, 0.25)
    assert even.mean == 0.2
    assert even.spread == pytest.approx(math.sqrt(math.log1p(0.25 * 4 / 44)))
    uneven = share_of([(0, 10), (8, 10)] * 20, 0.02, 0.25)
    assert uneven.spread > 2 * even.spread


def test_shares_at_their_ends():
    assert share_of([], 0.02, 0.25).mean == 0.02
    assert share_of([(0, 0), (0, 5)], 0.02, 0.25).mean == 0.02
    assert share_of([(5, 5)] * 9, 0.02, 0.25)[::2] == (0.98, 100)


def test_the_fewest_places_that_cover_four_in_five():
    assert usual_places(LOCAL) == {"13", "84"}
    assert usual_places({"13": 39}) == frozenset()
    assert usual_places({"13": 40}) == {"13"}
