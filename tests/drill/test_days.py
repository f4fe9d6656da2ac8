# SPDX-License-Identifier: EUPL-1.2
"""A day of an account: its hours, its pace, its repeats and mistakes, and the same again under the same seed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from random import Random

import pytest

from gateway.demo.number import canonical
from gateway.drill.accounts import draw_account
from gateway.drill.days import Look, Practice, by_hand, mistyped
from gateway.drill.hallway import pseudonymizer
from gateway.drill.simulation import DAY, START


@pytest.fixture
def practice(world, residents) -> Practice:
    return Practice(world, residents, "infopatient", epidemic_from=14)


def walked(practice, kind, days, seed=4):
    world, residents = practice.world, practice.residents
    account = draw_account(world, seed, 1, residents, None, kind)
    history = list(practice.history([account], pseudonymizer()))
    return account, history, [practice.looks(account, day) for day in range(days)]


def test_the_same_seed_gives_the_same_days_and_another_one_others(practice, world, residents):
    first, again, other = (walked(practice, "pharmacy", 5, seed)[1:] for seed in (4, 4, 5))
    assert first == again
    assert first != other


def test_a_day_stays_in_the_accounts_hours_and_in_order(practice, world, residents):
    account, _, days = walked(practice, "gp", 20)
    for day, looks in enumerate(days):
        times = [look.when for look in looks]
        begins = day * DAY + account.kind.begins - account.offset
        assert times == sorted(times)
        # The last burst of a day may run over, as a consultation does.
        assert all(begins <= when < begins + account.kind.lasts + 7_200 for when in times)


def test_a_night_on_duty_runs_into_the_morning(practice, world, residents):
    account, _, days = walked(practice, "duty-pharmacy-night", 7)
    hours = {int((look.when + account.offset) / 3600) % 24 for looks in days for look in looks}
    assert 2 in hours
    assert not hours & {12, 13, 14, 15, 16}


def test_whom_the_world_calls_known_was_looked_up_in_the_eight_weeks_before(practice, world, residents):
    _, history, days = walked(practice, "pharmacy", 12)
    number, pseudonym = practice.number, pseudonymizer()
    seen = {look.pseudonym for look in history}
    known = fresh = 0
    for looks in days[:6]:
        people = {look.person for look in looks if look.right}
        hidden = {pseudonym(number(person)) for person in people}
        known += len(hidden & seen)
        fresh += len(hidden - seen)
        seen |= hidden
    assert 0.08 < fresh / (known + fresh) < 0.45  # 0.2 at the median


def test_the_history_is_in_the_order_of_time_and_before_the_drill(practice, world, residents):
    kinds = ("gp", "nurse", "duty-pharmacy-night", "pharmacy")
    accounts = [draw_account(world, 4, number, residents, None, kind) for number, kind in enumerate(kinds)]
    accounts[0].offset, accounts[1].offset = 12 * 3600, -10 * 3600
    history = list(practice.history(accounts, pseudonymizer()))
    times = [look.at for look in history]
    assert times == sorted(times)
    assert times[-1] < START + timedelta(days=1)
    weeks = Counter((START - look.at).days // 7 for look in history)
    assert all(weeks[week] for week in range(8))


def test_repeats_mistakes_and_renewals_come_as_often_as_told(practice, world, residents):
    account = draw_account(world, 9, 1, residents, None, "health-centre")
    practice.begin(account)
    looks = [look for day in range(80) for look in practice.looks(account, day)]
    wrong = [look for look in looks if look.holder >= 0 and not look.right]
    first = len({(int(look.when / DAY), look.person) for look in looks if look.right})
    latest: dict[int, float] = {}
    repeats = 0
    for look in looks:
        repeats += look.right and 60 <= look.when - latest.get(look.person, 0.0) <= 601
        latest[look.person] = look.when
    assert repeats / first == pytest.approx(0.25, abs=0.03)
    assert 0.005 < len(wrong) / first < 0.15
    twenty = Counter(round(b.when - a.when, 3) for a, b in pairwise(looks))
    assert twenty[20.0] >= 39


def test_an_epidemic_and_a_monday_make_days_fuller(practice):
    assert practice.factor(0) == 1.2
    assert practice.factor(14) == pytest.approx(1.2 * 1.8)
    assert practice.factor(34) == pytest.approx(0.05 * 1.8)
    assert practice.factor(35) == 1.2


def test_nobody_looks_twice_within_four_seconds():
    looks = [Look(10.0, 0, "a", True, 1), Look(9.0, 0, "b", True, 2), Look(10.5, 1, "c", True, 3)]
    assert [(look.when, look.holder, look.text) for look in by_hand(looks)] == [
        (9.0, 0, "b"),
        (10.5, 1, "c"),
        (13.0, 0, "a"),
    ]


def test_a_mistyped_number_is_another_one_and_mostly_shows_it():
    rng, number = Random(3), "2890675123456"
    wrong = [mistyped(number, rng) for _ in range(400)]
    assert all(text[:13] != number and len(text) in {13, 15} for text in wrong)
    with_key = [text for text in wrong if len(text) == 15]
    assert 0.6 < len(with_key) / len(wrong) < 0.8
    assert all(canonical(text) is None for text in with_key)
