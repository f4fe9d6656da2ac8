# SPDX-License-Identifier: EUPL-1.2
"""What honest people feel is what the hallway tells them: challenges counted, sign-ins not, dead ends as denials."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from gateway.drill.accounts import draw_account
from gateway.drill.days import Look, Practice
from gateway.drill.hallway import build_hallway
from gateway.drill.honest import epidemic_from, far_count, walk_honest
from gateway.drill.professionals import Professionals
from gateway.drill.record import CountingLedger
from gateway.drill.simulation import BEFORE, DAY
from gateway.model import Level
from gateway.policy.load import load_policy

POLICY = """
version: 1
portal: small
title: "Small"
teleservices:
  infopatient:
    title: "Infopatient"
    routes:
      - {{route: "GET /api/infopatient/{{nir}}", patient: {{path: nir}}}}
    assurance: {level}
    fresh_for: {fresh}
    budgets:
      - {{people: {people}, window: 24h, past: {past}}}
    discloses: [identity]
    {attestation}
"""


def small(people=5, past="challenge", level="mfa", fresh="4h"):
    attestation = 'attestation: {reference: "TEST", until: 2099-12-31}' if level == "mfa" else ""
    return load_policy(
        POLICY.format(people=people, past=past, level=level, fresh=fresh, attestation=attestation), "small.yaml"
    )


class OneDay(Practice):
    """One account's day as the test writes it."""

    looks_of_the_day: tuple[Look, ...] = ()

    def looks(self, account, day):
        return list(self.looks_of_the_day) if day == 0 else []


@pytest.fixture
def house(world, residents):
    def build(policy, looks, means="password+otp"):
        practice, ledger = OneDay(world, residents, "infopatient", 14), CountingLedger()
        practice.looks_of_the_day = looks
        hallway = build_hallway(policy, residents.people, ledger, [])
        account = draw_account(world, 1, 1, residents, None, "gp")
        account.holders[0].means = means
        professionals = Professionals(hallway.simulation, hallway.sessions, practice)
        return SimpleNamespace(
            hallway=hallway, ledger=ledger, account=account, professionals=professionals, felt=professionals.felt
        )

    return build


def walk(house, rider=None):
    simulation = house.hallway.simulation
    simulation.send_in(house.professionals.work(house.account, range(1), rider), BEFORE)
    simulation.run(2 * DAY)
    return house.felt


def looks(residents, *times, right=True, text=None):
    numbers = [residents.people.number(place) for place in range(len(times))]
    return [
        Look(float(when), 0, text or number, right, place)
        for place, (when, number) in enumerate(zip(times, numbers, strict=True))
    ]


def test_the_end_of_a_session_and_of_its_freshness_is_no_challenge(house, residents):
    """One look every 25 minutes for nine hours: the session ends by its four hours, twice."""
    felt = walk(house(small(people=100), looks(residents, *range(32_400, 64_800, 1_500))))
    assert (felt.looks, felt.denied, felt.challenges.total()) == (22, 0, 0)
    stale = house(small(people=100, fresh="1h"), looks(residents, *range(32_400, 43_200, 1_500)))
    felt = walk(stale)
    assert stale.ledger.stopped["DRILL-000001", "second-factor-stale"] == 2
    assert (felt.denied, felt.challenges.total()) == (0, 0)


def test_a_budget_that_asks_for_proof_is_one_challenge_and_the_work_goes_on(house, residents):
    one = house(small(people=5), looks(residents, *range(32_400, 32_400 + 8 * 60, 60)))
    felt = walk(one)
    assert felt.denied == 0
    assert felt.challenges == {(1, 0, 0): 1}
    assert felt.reasons == {"budget-proof-required (people, account, 5 in 24.0 h)": 1}
    assert one.ledger.looked == {"DRILL-000001": 8}


def test_a_budget_that_denies_is_denied_for_each_person(house, residents):
    felt = walk(house(small(people=5, past="deny"), looks(residents, *range(32_400, 32_400 + 8 * 60, 60))))
    assert (felt.denied, felt.challenges.total()) == (3, 0)
    assert felt.reasons == {"denied: budget-exhausted (people, account, 5 in 24.0 h)": 3}


def test_a_proof_that_the_holder_has_no_means_for_is_a_dead_end(house, residents):
    felt = walk(house(small(level="card"), looks(residents, 32_400)))
    assert felt.denied == 1
    assert walk(house(small(level="card"), looks(residents, 32_400), means="card")).denied == 0


def test_a_mistyped_number_is_his_own_mistake(house, residents):
    typed = residents.people.number(3)
    wrong = f"{typed}00"  # no key is 00
    felt = walk(house(small(), looks(residents, 32_400, right=False, text=wrong)))
    assert (felt.denied, felt.misses, felt.challenges.total()) == (0, 1, 0)
    assert walk(house(small(), looks(residents, 32_400, right=True, text=wrong))).denied == 1


def test_a_moved_session_proves_once_and_is_bound_there(house, residents):
    first, second, third = looks(residents, 32_400, 32_600, 32_800)
    felt = walk(house(small(people=100), [first, Look(32_500.0, -1, "", False, -1), second, third]))
    assert felt.challenges.total() == 1
    assert felt.reasons == {"session-moved": 1}


def test_riders_hear_of_each_person_seen_and_of_nobody_else(house, residents):
    seen = []
    first, second, third = looks(residents, 32_400, 32_500, 32_600)
    again = first._replace(when=32_450.0)
    one = house(small(people=2, past="deny"), [first, again, second, third])
    walk(one, lambda account, holder: seen.append((account.number, holder.number)))
    assert seen == [(1, 0)] * 2


def test_a_locum_works_for_a_week_by_a_delegation(house, residents):
    one = house(small(people=100), [])
    one.account.rng.seed(0)
    regular = one.account.holders[0]
    for _ in range(400):
        one.professionals._change(one.account, 7)
        if one.account.regular is not None:
            break
    assert one.account.regular is regular
    locum = one.account.holders[0]
    subject = one.account.subject(locum, one.hallway.simulation.clock())
    assert subject.delegation.teleservices == {"infopatient"}
    assert subject.assurance.level >= Level.MFA
    for day in range(8, 15):
        one.professionals._change(one.account, day)
    assert one.account.holders[0] is regular


def test_the_far_percentile_counts_those_who_felt_nothing():
    felt = Counter({(1, 0, 0): 9, (2, 0, 0): 4, (3, 0, 0): 1})
    assert far_count(felt, 1_000) == 4
    assert far_count(felt, 999) == 9
    assert far_count(felt, 3_000) == 0
    assert far_count(Counter(), 10) == 0


@pytest.mark.parametrize(("days", "begins"), [(1, 0), (7, 0), (21, 0), (30, 7), (35, 14), (60, 14)])
def test_an_epidemic_comes_in_the_third_week_or_as_late_as_it_may(days, begins):
    assert epidemic_from(days, 3) == begins


def test_the_same_seed_feels_the_same(world, residents, policy):
    first, again, other = (walk_honest(world, policy, residents, seed, 4, 3, CountingLedger()) for seed in (3, 3, 4))
    assert first == again
    assert first.looks != other.looks
    assert (first.accounts, first.days) == (4, 3)


def test_what_was_looked_up_is_what_the_ledger_has(world, residents, policy):
    ledger = CountingLedger()
    honest = walk_honest(world, policy, residents, 3, 6, 3, ledger)
    stopped = honest.denied + honest.mistyped_refused
    assert ledger.looked.total() + ledger.kinds["lookup-missed"] == honest.looks - stopped
    assert honest.busiest.looks > 0
