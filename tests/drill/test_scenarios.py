# SPDX-License-Identifier: EUPL-1.2
"""Robots at work: what they were shown is what the ledger recorded, and no password alone opens a thing."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from gateway.drill.accounts import draw_account
from gateway.drill.days import Practice
from gateway.drill.exposure import Exposure
from gateway.drill.hallway import build_hallway
from gateway.drill.people import ManyPeople, Residents
from gateway.drill.professionals import Professionals
from gateway.drill.record import CountingLedger
from gateway.drill.robots import Attack, Loot, Thief
from gateway.drill.scenarios import ATTACK_AT, DRILLS, Plan, Theatre, before_frozen
from gateway.drill.simulation import DAY, OpenGate, Simulation
from gateway.drill.twins import PortalTwin
from gateway.drill.unguarded import taken_without
from gateway.model import EventKind

if TYPE_CHECKING:
    from gateway.drill.world import World

NAMES = [
    *("leaked-passwords", "hijacked-mailboxes", "stolen-sessions-fast", "stolen-sessions-paced"),
    *("stolen-sessions-slow", "stolen-sessions-mimic", "stolen-sessions-lists", "stolen-sessions-split"),
    "resident-malware",
]


def plan(name: str, **changed) -> Plan:
    found = next(one for one in DRILLS["amelipro-2022"].plans if one.name == name)
    return replace(found, **changed)


def from_home(world: World) -> World:
    """The same world, but that thieves work from the holder's own network and browser."""
    stolen = world.stolen_session.model_copy(update={"same_network_share": 1.0, "same_client_headers_share": 1.0})
    return world.model_copy(update={"stolen_session": stolen})


@pytest.fixture
def play(world, residents):
    def played(policy, of, *, seed=1, victims=3, where=None, bystanders=2):
        ledger = CountingLedger()
        drill = replace(DRILLS["amelipro-2022"], victims=victims)
        theatre = Theatre(drill, where or world, policy, residents, seed, bystanders)
        return theatre.play(of, ledger), ledger

    return played


def test_each_drill_has_the_scenarios_of_the_issue():
    assert [one.name for one in DRILLS["amelipro-2022"].plans] == NAMES
    assert {name: (drill.victims, drill.people) for name, drill in DRILLS.items()} == {
        "amelipro-2022": (19, 510_000),
        "viamedis-2024": (1, 20_000_000),
        "almerys-2024": (6, 20_000_000),
    }


@pytest.mark.parametrize("name", ["leaked-passwords", "hijacked-mailboxes"])
@pytest.mark.parametrize("which", ["demo", "open"])
def test_a_password_alone_shows_nobody_by_whatever_way(name, which, play, policy, open_policy):
    outcome, ledger = play(policy if which == "demo" else open_policy, plan(name, with_days=0.3))
    assert outcome.exposed == 0
    assert outcome.stopped_seconds is None
    assert outcome.exposed_without > 100_000
    reasons = {reason for account, reason in ledger.stopped if account.startswith("DRILL-9")}
    assert "second-factor-required" in reasons


def test_a_stolen_session_from_elsewhere_is_asked_for_a_proof_it_has_not(play, open_policy):
    outcome, ledger = play(open_policy, plan("stolen-sessions-fast"))
    assert outcome.exposed == 0
    assert ledger.stopped["DRILL-900000", "session-moved"] > 0


def test_what_a_robot_was_shown_is_what_the_ledger_says_of_it(play, world, open_policy):
    """From the holders' own networks nothing stops it here but the end of the sessions."""
    outcome, ledger = play(open_policy, plan("stolen-sessions-paced"), where=from_home(world), bystanders=0)
    robbed = outcome.exposed
    quiet, honest = play(open_policy, plan("stolen-sessions-paced", robot="slowest", with_days=0.0001), bystanders=0)
    assert quiet.exposed == 0
    assert robbed > 500
    assert 0 < outcome.stopped_seconds <= 4 * 3600
    assert ledger.looked.total() >= robbed
    assert ledger.kinds[EventKind.LOOKUP] - robbed < 3 * 150 + honest.kinds[EventKind.LOOKUP]


def test_exposed_equals_the_robots_rows_when_nobody_else_works(residents, open_policy, world):
    """One robot, no holder at work: row for row."""
    ledger = CountingLedger()
    hallway = build_hallway(open_policy, residents.people, ledger, [])
    account = draw_account(world, 1, 1, residents, None, "pharmacy")
    professionals = Professionals(hallway.simulation, hallway.sessions, Practice(world, residents, "infopatient", 14))
    session = professionals.sign_in(account, account.holders[0])
    exposure = Exposure(hallway.simulation.now)
    loot = Loot(residents, Random(1))
    ends = hallway.simulation.now + DAY
    attack = Attack(hallway.simulation, exposure, loot, world.robot("fast"), world.honest_habits, Random(2), ends)
    thief = Thief(attack, account, session.digest, account.holders[0].device, 0, home=account.network)
    hallway.simulation.send_in(thief.act(), hallway.simulation.now)
    hallway.simulation.run(hallway.simulation.now + 300)
    assert exposure.count == ledger.looked[account.name] > 1_000
    assert ledger.kinds["lookup-missed"] > 0


def test_malware_rides_the_holders_sessions_and_goes_on_when_they_prove(play, policy):
    outcome, ledger = play(policy, plan("resident-malware", with_days=4), victims=2, bystanders=0)
    assert 5 < outcome.exposed <= outcome.exposed_without
    assert outcome.extra["exposed_if_frozen_within_a_working_day"] <= outcome.exposed
    assert ledger.kinds[EventKind.LOOKUP] > outcome.exposed


def test_the_same_seed_comes_out_the_same(play, policy):
    chosen = plan("resident-malware", with_days=2)
    first, again, other = (play(policy, chosen, seed=seed, victims=1, bystanders=1)[0] for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_what_is_counted_hour_by_hour_is_what_a_walked_robot_takes(residents, world):
    simulation, exposure = Simulation(), Exposure()
    simulation.gate = OpenGate(PortalTwin(residents.people, whole_pages=True))
    simulation.now = 0.0
    kind, account = world.professionals[3], draw_account(world, 1, 1, residents, None)
    for name, hours in (("paced", 8), ("lists", 2)):
        robot, exposure = world.robot(name), Exposure(simulation.now)
        loot, began = Loot(residents, Random(1)), simulation.now
        attack = Attack(simulation, exposure, loot, robot, world.honest_habits, Random(2), began + hours * 3600.0)
        simulation.send_in(Thief(attack, account, b"", "robot", 0).act(), began)
        simulation.run(attack.ends)
        told = taken_without(robot, world.honest_habits, kind, 1, residents.people.count, hours / 24)
        assert exposure.count == pytest.approx(told[-1][1], rel=0.02)


def test_a_list_ends(world):
    grown = taken_without(world.robot("fast"), world.honest_habits, world.professionals[3], 19, 510_000, 7)
    assert grown[-1][1] == 510_000
    assert grown[-1][0] < 2 * DAY
    assert grown == sorted(grown)
    mimic = taken_without(world.robot("mimic"), world.honest_habits, world.professionals[3], 19, 510_000, 7)
    assert 10_000 < mimic[-1][1] < 60_000
    assert mimic[-1][0] == 7 * DAY


def test_loot_gives_each_number_once_and_ends():
    people = ManyPeople()
    people.count = 300
    residents = Residents(people)
    loot = Loot(residents, Random(1))
    numbers = [loot.next_number(0.0) for _ in range(300)]
    assert len(set(numbers)) == 300
    assert loot.next_number(0.0) is None
    assert [loot.next_page() for _ in range(7)] == [1, 2, 3, 4, 5, 6, 1]
    tried = Loot(residents, Random(1)).next_number(1.0)
    assert people.find(tried) is None or tried not in numbers


def test_a_robot_that_would_be_its_holder_takes_people_born_around_him(residents):
    loot = Loot(residents, Random(1))
    numbers = [loot.next_local("69", 0.0) for _ in range(400)]
    assert len(set(numbers)) == 400
    assert 0.4 < sum(number[5:7] == "69" for number in numbers) / 400 < 0.6


def test_who_is_frozen_a_working_day_after_the_alert_shows_nobody_more(residents, world):
    attack = Attack(
        Simulation(), Exposure(), Loot(residents, Random(1)), world.robot("fast"), world.honest_habits, Random(2), 0.0
    )
    first, second, third = (draw_account(world, 1, number, residents, None) for number in (1, 2, 3))
    attack.by_account = [(1.5 * DAY, 1, 1), (2.5 * DAY, 1, 10), (7.2 * DAY, 2, 100), (8.2 * DAY, 2, 1_000)]
    attack.by_account += [(29.0 * DAY, 3, 10_000)]
    # A Tuesday's alert is acted on by Wednesday; a Friday's, by Monday; without any, nothing is.
    alerts = {1: 1.2 * DAY, 2: 4.5 * DAY}
    assert before_frozen(attack, [first, second, third], alerts) == 1 + 100 + 10_000


def test_the_attack_is_on_a_tuesday():
    assert ATTACK_AT == DAY + 9 * 3600
