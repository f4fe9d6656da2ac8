# SPDX-License-Identifier: EUPL-1.2
"""Each signal on its own: what raises it, how far, with which figures, and what just does not."""

from __future__ import annotations

from itertools import accumulate

import pytest

from gateway.metering.drift import Trail
from gateway.metering.history import Day
from gateway.metering.signals import findings
from gateway.metering.watched import DAY, HOUR, SECOND, Glance, Scene, Stretch, Watched, add_day, turn
from gateway.model import Finding, Risk, Signal

TODAY = 20_056
NOON = TODAY * DAY + 12 * HOUR
UNEVEN = (7, 130, 40, 300, 75, 20, 90)


DAY_OF_USE = Day(20, 4, 1, 4, 1)


def usual(day: Day = DAY_OF_USE, places: tuple[tuple[str, int], ...] = (("13", 18), ("84", 2))):
    watched = Watched()
    for number in range(TODAY - 40, TODAY):
        add_day(watched, number, day, places)
    return turn(watched, TODAY)


USUAL = usual()
NOBODY = turn(Watched(), TODAY)


def looks(marks: str, gaps=UNEVEN, session: str = "s") -> list[Glance]:
    """One look-up for each letter, the last one at NOON: k(nown), n(ew), f(ar and new), m(issed), o (in order)."""
    waits = [gaps[number % len(gaps)] for number in range(len(marks))]
    times = [NOON - int(sum(waits[1:]) * SECOND) + int(gone * SECOND) for gone in accumulate([0, *waits[1:]])]
    return [
        Glance(at, mark in "nf", mark == "m", mark == "o", None if mark == "m" else "13", session, far=mark == "f")
        for at, mark in zip(times, marks, strict=False)
    ]


def seen(ring, *, today: Day | None = None, stretch: Stretch | None = None, evidence: float = 0.0, of=USUAL, at=NOON):
    return findings(Scene(ring, today or Day(), evidence, stretch, of), at)


def only(found: tuple[Finding, ...]) -> tuple[Signal, Risk] | None:
    assert len(found) <= 1
    return (found[0].signal, found[0].risk) if found else None


def test_an_honest_hour_shows_nothing():
    assert seen(looks("kknkmknkkkfkkkknkkkk")) == ()


def test_nobody_was_looked_up_for_an_hour():
    fast = looks("nnnn", [0.2])
    assert seen([]) == ()
    assert seen(fast, at=NOON + HOUR - 1) != ()
    assert seen(fast, at=NOON + HOUR) == ()


@pytest.mark.parametrize(
    ("marks", "gap", "people"),
    [
        ("nnnn", 3, 4),
        ("nnnn", 3.1, None),
        ("nnmn", 3, 4),
        ("nnnm", 3, 4),
        ("nknn", 3, None),
        ("nnnnnn", 7, 6),
        ("nnnnnn", 7.1, None),
        ("k" * 13, 8, 13),
        ("k" * 13, 8.1, None),
        ("k" * 12, 0.1, None),
    ],
)
def test_faster_than_hands(marks, gap, people):
    found = [one for one in seen(looks(marks, [gap]), of=NOBODY) if one.signal is Signal.PACE]
    assert [one.risk for one in found] == ([Risk.HIGH] if people else [])
    if people:
        assert found[0].figures == (("people", people), ("seconds", round((people - 1) * gap, 1)))


def test_faster_than_all_counters_of_a_pharmacy_together():
    ring = [one._replace(session=str(number)) for number, one in enumerate(looks("k" * 21, [4]))]
    assert only(seen(ring)) == (Signal.PACE, Risk.HIGH)
    assert seen(ring[1:]) == ()


def test_steadier_than_hands():
    even = looks("k" * 5 + "n" * 16, [60, 61, 59])
    found = seen(even, of=NOBODY)
    figures = (("people", 21), ("every_seconds", 60.0), ("varies_percent", 1))
    assert found == (Finding(Signal.PACE, Risk.CALM, figures),)
    assert seen(looks("k" * 6 + "n" * 15, [60]), of=NOBODY) == (), "a list of people known by heart"
    assert seen(looks("n" * 20, [60]), of=NOBODY) == ()
    assert seen(looks("n" * 16 + "k" * 8, [60]), of=NOBODY) == ()
    assert seen(looks("n" * 21), of=NOBODY) == ()


def test_far_more_new_people_than_the_account_ever_sees():
    assert USUAL.history.new is not None
    percent = USUAL.history.new.high_percent
    assert seen(looks("n" * 24)) == (
        Finding(Signal.NEW_PEOPLE, Risk.ELEVATED, (("count", 12), ("of", 12), ("usual_percent", percent))),
    )
    assert only(seen(looks("k" * 20 + "n" * 8))) == (Signal.NEW_PEOPLE, Risk.CALM)
    assert seen(looks("k" * 20 + "n" * 5)) == ()
    assert seen(looks("n" * 24), of=NOBODY) == (), "who has no past yet is not measured against it"
    assert seen(looks("n" * 64), of=usual(Day(20, 17, 1, 17, 1))) == (), "nor who sees new people all day"


def test_new_people_in_all_sessions_together():
    others = [one._replace(session=str(number % 4)) for number, one in enumerate(looks("n" * 24))]
    assert only(seen(others)) == (Signal.NEW_PEOPLE, Risk.ELEVATED)
    mine = looks("n" * 8)
    assert only(seen([*looks("k" * 20, session="other"), *mine])) == (Signal.NEW_PEOPLE, Risk.CALM)
    assert only(seen([*looks("k" * 20, session="other"), *looks("n" * 24)])) == (Signal.NEW_PEOPLE, Risk.ELEVATED)


def test_misses_like_somebody_who_guesses():
    assert only(seen(looks("k" * 10 + "m" * 6))) == (Signal.MISSES, Risk.ELEVATED)
    assert only(seen(looks("kmkkmkmkkmkmmkkm"))) == (Signal.MISSES, Risk.CALM)
    assert seen(looks("k" * 10 + "m" * 5)) == ()


def test_people_from_elsewhere_are_only_ever_weak():
    from_elsewhere = usual(Day(20, 16, 1, 16, 1))
    assert only(seen(looks("f" * 40), of=from_elsewhere)) == (Signal.FAR_AWAY, Risk.CALM)
    assert seen(looks("n" * 40 + "fff"), of=from_elsewhere) == ()
    assert seen(looks("n" * 40 + "ffff"), of=from_elsewhere) == ()
    assert seen(looks("f" * 40), of=usual(Day(20, 16, 1))) == ()


@pytest.mark.parametrize(("count", "risk"), [(2, None), (3, Risk.ELEVATED), (4, Risk.ELEVATED), (5, Risk.HIGH)])
def test_numbers_in_order(count, risk):
    found = seen(looks("o" * 9 + "k" * (16 - count) + "o" * count))
    assert only(found) == (None if risk is None else (Signal.IN_ORDER, risk))
    if found:
        assert found[0].figures == (("count", count), ("of", 16))


@pytest.mark.parametrize(
    ("hours", "people", "risk"),
    [(1.9, 500, None), (2, 89, None), (2, 90, Risk.CALM), (4, 179, Risk.CALM), (4, 180, Risk.ELEVATED)],
)
def test_work_without_a_pause(hours, people, risk):
    found = seen(looks("k"), stretch=Stretch(NOON - int(hours * HOUR), NOON, people))
    assert only(found) == (None if risk is None else (Signal.NO_PAUSES, risk))
    if found:
        assert found[0].figures == (("people", people), ("hours", hours))


@pytest.mark.parametrize(
    ("people", "risk"), [(44, None), (187, None), (188, Risk.CALM), (341, Risk.CALM), (342, Risk.ELEVATED)]
)
def test_volume_against_the_account_s_own_weeks(people, risk):
    found = seen(looks("k"), today=Day(people))
    assert only(found) == (None if risk is None else (Signal.VOLUME, risk))
    if found:
        assert found[0].figures == (("people", people), ("usual", 20))


def test_volume_needs_a_past_and_a_number_worth_a_word():
    assert seen(looks("k"), today=Day(5000), of=NOBODY) == ()
    small = usual(Day(2), ())
    assert seen(looks("k"), today=Day(39), of=small) == ()
    assert only(seen(looks("k"), today=Day(40), of=small)) == (Signal.VOLUME, Risk.ELEVATED)


@pytest.mark.parametrize(
    ("evidence", "risk"), [(2.9, None), (3, Risk.CALM), (7, Risk.ELEVATED), (10.9, Risk.ELEVATED), (11, Risk.HIGH)]
)
def test_drift_adds_today_to_the_days_before(evidence, risk):
    drifting = USUAL._replace(trail=Trail(4.0, 2, Day(60, 30, 2, 30, 20)))
    found = seen(looks("k"), today=Day(10, 5, 0, 5, 5), evidence=evidence, of=drifting)
    assert only(found) == (None if risk is None else (Signal.DRIFT, risk))
    if found:
        figures = dict(found[0].figures)
        assert figures["evidence"] == 4 + evidence
        assert (figures["days"], figures["new"], figures["people"], figures["far"]) == (3, 35, 70, 25)
        assert (figures["usual_percent"], figures["usual_far_percent"]) == (20, 25)


def test_drift_where_places_are_not_known():
    without = usual(Day(20, 4), ())
    found = seen(looks("k"), evidence=12.0, of=without)
    assert only(found) == (Signal.DRIFT, Risk.ELEVATED)
    assert [name for name, _ in found[0].figures] == ["days", "new", "people", "usual_percent", "evidence"]
    assert seen(looks("k"), evidence=12.0, of=NOBODY) == ()
