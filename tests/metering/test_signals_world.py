# SPDX-License-Identifier: EUPL-1.2
"""Honest professionals and robots of the drills' world: who is taken for a robot, and how soon a robot is seen.

Small enough for every run; the figures of larger ones stand beside each test. Where patients come from is a deduction.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from gateway.metering.signals import findings
from gateway.metering.watched import DAY, HOUR, note, scene_of
from gateway.model import Risk, Signal, risk_of
from support.signal_world import EPIDEMIC, FIRST_DAY, KINDS, SECOND, honest_day, new_account, resident_day, robot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.metering.watched import Glance, Watched

WEDNESDAY = FIRST_DAY + 5
GP, PHARMACY, LARGE = KINDS[0], KINDS[3], KINDS[4]


def highest(watched: Watched, glances: Iterable[Glance]) -> Risk:
    return max((asked(watched, glance) for glance in glances), default=Risk.CALM)


def asked(watched: Watched, glance: Glance) -> Risk:
    note(watched, glance)
    return risk_of(findings(scene_of(watched, glance.at), glance.at))


@pytest.mark.parametrize("factor", [1.0, EPIDEMIC])
def test_honest_professionals_are_left_alone(factor):
    """Larger: 1,000 accounts over a month: ELEVATED on 2 days in all, HIGH never; 210 months of epidemic: 2 days."""
    random = Random(7)
    days = []
    for number in range(24):
        account = new_account(random, number, KINDS[number % len(KINDS)])
        days += [highest(account.watched, honest_day(random, account, FIRST_DAY + day, factor)) for day in range(12)]
    assert Risk.HIGH not in days
    assert days.count(Risk.ELEVATED) <= 1


def test_a_very_large_pharmacy_on_the_monday_of_an_epidemic():
    random = Random(8)
    account = new_account(random, 1, LARGE)
    glances = honest_day(random, account, FIRST_DAY + 3, 4.0)
    assert len(glances) > 500
    assert highest(account.watched, glances) is Risk.CALM


@pytest.mark.parametrize(
    ("habits", "risk", "people", "within"),
    [
        ((0.2, 0, 0.1), Risk.HIGH, 4, 1),
        ((5, 0, 0.05), Risk.HIGH, 6, 26),
        ((60, 0, 0.02), Risk.ELEVATED, 24, 24 * 60),
        ((0, 0.2, 0.02), Risk.ELEVATED, 60, 3 * 3600),
    ],
    ids=["fast", "paced", "slowest", "mimic"],
)
def test_robots_are_seen(habits, risk, people, within):
    """Larger: 80 pharmacies, median and 95 %: fast 4 new people, paced 6, slowest 10 and 17, mimic 12 and 25."""
    random = Random(9)
    for number, kind in enumerate((GP, PHARMACY, PHARMACY, PHARMACY)):
        account = new_account(random, number, kind)
        began = WEDNESDAY * DAY + 10 * HOUR
        shown = 0
        for glance in robot(random, began, *habits):
            shown += not glance.missed
            if asked(account.watched, glance) >= risk:
                break
            assert glance.at < began + 4 * HOUR
        assert shown <= people
        assert glance.at - began <= within * SECOND


def test_malware_in_the_holder_s_own_sessions_is_seen_within_three_days():
    """Larger: 300 accounts, HIGH within 3 days: pharmacies 100 %, GPs 92 %, nurses 57 %, specialists 23 %."""
    random = Random(10)
    high = 0
    for number in range(12):
        account = new_account(random, number, PHARMACY)
        days = [resident_day(random, account, WEDNESDAY - 1 + day) for day in range(3)]
        high += max(highest(account.watched, day) for day in days) is Risk.HIGH
    assert high >= 11


def test_it_is_drift_that_sees_them():
    random = Random(11)
    account = new_account(random, 1, PHARMACY)
    told = set()
    for day in range(3):
        for glance in resident_day(random, account, WEDNESDAY - 1 + day):
            note(account.watched, glance)
            told |= {one.signal for one in findings(scene_of(account.watched, glance.at), glance.at)}
    assert Signal.DRIFT in told
    assert Signal.PACE not in told
