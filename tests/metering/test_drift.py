# SPDX-License-Identifier: EUPL-1.2
"""A day as usual speaks against a slow robot, a day with half as many people on top speaks for one; days add up."""

from __future__ import annotations

import pytest

from gateway.metering.drift import Trail, Yardstick, evidence, trail_of, yardstick_of
from gateway.metering.history import Day, history_of

TODAY = 20_056
LOCAL = {"13": 60, "84": 30}
USUAL = Day(30, 6, 1, 6, 1)
RESIDENT = Day(45, 21, 1, 21, 15)


def yardstick(day: Day = USUAL, places: dict[str, int] | None = None) -> Yardstick:
    made = yardstick_of(history_of(dict.fromkeys(range(TODAY - 50, TODAY), day), places or {}, TODAY))
    assert made is not None
    return made


def test_a_day_as_usual_and_one_with_somebody_added():
    by_both = yardstick(places=LOCAL)
    assert (by_both.usual, by_both.usual_far) == (0.2, pytest.approx(1 / 6))
    assert evidence(by_both, USUAL) < -2
    assert 6 < evidence(by_both, RESIDENT) <= 12
    assert evidence(by_both, Day()) == 0


def test_without_places_the_share_of_new_people_speaks_alone():
    by_new = yardstick()
    assert (by_new.far, by_new.usual_far) == (None, None)
    assert evidence(by_new, USUAL) < -1
    assert 2 < evidence(by_new, RESIDENT) < evidence(yardstick(places=LOCAL), RESIDENT)


def test_one_day_says_no_more_than_the_cap():
    assert evidence(yardstick(places=LOCAL), Day(500, 500, 0, 500, 500)) == 12
    assert evidence(yardstick(), Day(500, 500)) == 6


def test_an_epidemic_is_no_robot():
    assert evidence(yardstick(places=LOCAL), Day(65, 13, 2, 13, 2)) < 0


def test_where_everything_is_usual_a_list_may_be_from_here():
    everywhere = {f"{place:02}": 10 for place in range(1, 96)}
    assert evidence(yardstick(places=everywhere), RESIDENT) > 0


def test_nothing_is_measured_without_a_past():
    assert yardstick_of(history_of({}, {}, TODAY)) is None


def test_days_add_up_and_begin_anew_when_nothing_is_left():
    assert trail_of([]) == Trail(0.0, 0, Day())
    assert trail_of([(USUAL, -3.0), (RESIDENT, 5.0), (RESIDENT, 4.0)]) == Trail(9.0, 2, Day(90, 42, 2, 42, 30))
    assert trail_of([(RESIDENT, 5.0), (USUAL, -5.0)]) == Trail()
    assert trail_of([(RESIDENT, 5.0), (USUAL, -2.0), (RESIDENT, 5.0)]).evidence == 8.0
