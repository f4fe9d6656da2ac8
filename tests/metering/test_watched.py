# SPDX-License-Identifier: EUPL-1.2
"""What is kept of an account, how long, and how much room it takes."""

from __future__ import annotations

import sys

import pytest

from gateway.metering.drift import Trail
from gateway.metering.history import Day
from gateway.metering.watched import (
    DAY,
    HOUR,
    MINUTE,
    RING,
    SECOND,
    Glance,
    Stretch,
    Watched,
    add_day,
    days_of,
    forget,
    in_order,
    note,
    note_answer,
    scene_of,
    turn,
)

TODAY = 20_056
NOON = TODAY * DAY + 12 * HOUR


def look(number: int, at: int = NOON, *, new: bool = False, missed: bool = False, where: str | None = "13") -> Glance:
    return Glance(at, new, missed, False, where, "s", number.to_bytes(8))


def used(days: int = 40, *, until: int = TODAY) -> Watched:
    watched = Watched()
    for day in range(until - days, until):
        add_day(watched, day, Day(20, 4, 1, 4, 1), (("13", 18), ("84", 2)))
    return watched


def test_a_look_up_counts_for_its_day_and_place():
    watched = used()
    for number, glance in enumerate((look(1, new=True), look(2), look(3, missed=True), look(4, new=True, where="59"))):
        assert note(watched, glance._replace(at=NOON + number * SECOND))
    assert note(watched, look(5, new=True, where=None))
    scene = scene_of(watched, NOON)
    assert scene.today == Day(4, 3, 1, 2, 1)
    assert watched.places == {"13": 722, "84": 80, "59": 1}
    assert [glance.far for glance in scene.ring] == [False, False, False, True, False]
    assert scene.stretch == Stretch(NOON, NOON + 3 * SECOND, 5)


def test_nobody_comes_from_far_while_no_place_is_usual():
    watched = used()
    watched.places.clear()
    turn(watched, TODAY)
    for number in range(50):
        note(watched, look(number, NOON + number, new=True))
    assert scene_of(watched, NOON).today == Day(50, 50, 0, 0, 0)
    note(watched, look(50, NOON + DAY, new=True, where="59"))
    assert scene_of(watched, NOON + DAY).today == Day(1, 1, 0, 1, 1)


def test_reading_somebody_again_is_no_look_up():
    watched = used()
    assert note(watched, look(1))
    assert not note(watched, look(1, NOON + 8 * HOUR - 1))
    assert note(watched, look(1, NOON + 8 * HOUR))
    nobody = look(0)._replace(person=b"")
    assert note(watched, nobody)
    assert note(watched, nobody)


def test_an_answer_with_many_people_is_one_look_up():
    watched = used()
    first = [look(number, new=number > 3, where="59") for number in range(1, 11)]
    assert note_answer(watched, first)
    assert note_answer(watched, [look(21), look(20, new=True), look(22, new=True, where="59"), look(23)])
    scene = scene_of(watched, NOON)
    assert [(glance.person[-1], glance.new, glance.far) for glance in scene.ring] == [
        (1, True, True),
        (20, False, False),
    ], "an answer goes by the first of its people in the order of pseudonyms"
    assert scene.today == Day(14, 9, 0, 9, 8)
    assert scene.stretch == Stretch(NOON, NOON, 2)
    again = [look(number, NOON + HOUR) for number in range(10, 0, -1)]
    assert not note_answer(watched, again), "the same page, read again"
    assert scene_of(watched, NOON).today == Day(14, 9, 0, 9, 8)
    assert note_answer(watched, [one._replace(at=NOON + 9 * HOUR) for one in again])
    nameless = [look(30)._replace(person=b"")]
    assert [note_answer(watched, nameless), note_answer(watched, nameless)] == [True, True]


def test_the_ring_holds_the_latest_of_one_day():
    watched = Watched()
    for number in range(RING + 6):
        note(watched, look(number, NOON + number * SECOND))
    assert [len(watched.ring), watched.ring[0].person[-1]] == [RING, 6]
    note(watched, look(100, NOON + DAY + 30 * SECOND))
    assert watched.ring[0].person[-1] == 31


def test_days_turn_and_come_round_after_eight_weeks():
    watched = used(60)
    assert len(days_of(watched)) == 56
    note(watched, look(1))
    assert sorted(days_of(watched))[::55] == [TODAY - 55, TODAY]
    late = turn(watched, TODAY - 1)
    assert late is watched.usual, "a day never comes back"
    note(watched, look(2, NOON - DAY))
    assert days_of(watched)[TODAY].people == 2
    turn(watched, TODAY + 200)
    assert days_of(watched) == {}


def test_a_day_from_the_ledger_counts_unless_it_is_too_old():
    watched = used()
    add_day(watched, TODAY - 40, Day(5))
    assert days_of(watched)[TODAY - 40].people == 25
    add_day(watched, TODAY - 57, Day(5))
    assert TODAY - 57 not in days_of(watched)
    assert days_of(watched)[TODAY - 1].people == 20
    add_day(watched, TODAY, Day(1 << 20, missed=1))
    assert days_of(watched)[TODAY].people == (1 << 16) - 1


def test_places_are_halved_before_they_grow_without_end():
    watched = used()
    watched.places = {"13": 4096, "84": 1}
    turn(watched, TODAY)
    assert watched.places == {"13": 2048}


def test_what_days_say_of_drift_adds_up():
    watched = used(56, until=TODAY - 2)
    for day in (TODAY - 2, TODAY - 1):
        add_day(watched, day, Day(60, 45, 1, 45, 40))
    trail = turn(watched, TODAY).trail
    assert (trail.days, trail.evidence) == (2, pytest.approx(24))
    for number in range(4):
        note(watched, look(number, NOON + number))
    assert scene_of(watched, NOON).evidence < 0
    after = turn(watched, TODAY + 1).trail
    assert (after.days, after.so_far.people) == (3, 124)
    assert after.evidence < trail.evidence


def test_a_day_that_is_over_is_asked_once_more_to_its_last_person():
    watched = used()
    for number in range(4):
        note(watched, look(number))
    for number in range(4, 7):
        note(watched, look(number, new=True, where="59"))
    early = scene_of(watched, NOON).evidence
    turn(watched, TODAY + 1)
    add_day(watched, TODAY + 1, Day(1))
    assert turn(watched, TODAY + 1).trail.evidence > max(early, 0) + 1


def test_an_account_without_a_past_says_nothing():
    watched = Watched()
    add_day(watched, TODAY - 1, Day(60, 60))
    for number in range(4):
        note(watched, look(number, new=True))
    scene = scene_of(watched, NOON)
    assert (scene.usual.trail, scene.evidence) == (Trail(), 0)


def test_a_stretch_ends_with_a_pause_and_belongs_to_one_session():
    watched = Watched()
    for number, minutes in enumerate((0, 10, 9, 20, 31)):
        note(watched, look(number, NOON + minutes * MINUTE))
    assert watched.stretches == {"s": Stretch(NOON + 31 * MINUTE, NOON + 31 * MINUTE, 1)}
    for number in range(40):
        note(watched, look(100 + number, NOON + number * SECOND)._replace(session=str(number)))
    assert len(watched.stretches) == 16
    assert "0" not in watched.stretches


def test_nothing_was_seen_of_who_never_looked():
    assert scene_of(Watched(), NOON)[:4] == ([], Day(), 0.0, None)


def test_what_no_signal_asks_about_is_let_go():
    watched = used()
    note(watched, look(1))
    assert not forget(watched, NOON + HOUR)
    assert [len(watched.ring), watched.stretches, watched.usual is None] == [1, {}, False]
    assert not forget(watched, NOON + DAY)
    assert [len(watched.ring), watched.usual] == [0, None]
    assert not forget(watched, NOON + 55 * DAY)
    assert forget(watched, NOON + 56 * DAY)


def test_a_neighbour_among_the_latest():
    ring = [look(1), look(7)]
    assert in_order(ring, [b"", (7).to_bytes(8) + b"rest"])
    assert not in_order(ring, [(8).to_bytes(8), (6).to_bytes(8)])
    assert not in_order([], [])


def test_an_account_takes_a_few_kilobytes():
    watched = used(56)
    for number in range(12):
        note(watched, look(number, NOON + number * MINUTE))
    kept = [watched, watched.ring, watched.counts, watched.places, watched.stretches]
    parts = [part for glance in watched.ring for part in (glance, glance.at, glance.person)]
    assert sum(map(sys.getsizeof, kept + parts)) < 6_000
