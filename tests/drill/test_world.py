# SPDX-License-Identifier: EUPL-1.2
"""The world is the one that was given, and what is drawn from it has its figures."""

from __future__ import annotations

import json
import statistics
from hashlib import sha256
from importlib.resources import files
from random import Random

import pytest

from gateway.drill.accounts import draw_account, draw_accounts
from gateway.drill.days import newness, volume
from gateway.drill.world import load_world, read_world
from gateway.errors import ConfigurationError

# Of the file that the drills are judged by: whoever changes the world sees this fail.
GIVEN = "387561c72bddfa7b813af0ba64aa8ee9118fc95c32704c9081176871b0f09b1d"
DRAWS = 20_000


def shipped() -> bytes:
    return files("gateway.drill").joinpath("world.json").read_bytes()


def test_the_world_is_the_given_one_byte_for_byte():
    assert sha256(shipped()).hexdigest() == GIVEN


def far(values: list[float]) -> float:
    return sorted(values)[int(0.999 * len(values))]


@pytest.mark.parametrize("kind", ["gp", "pharmacy", "large-pharmacy", "optician"])
def test_volumes_and_new_people_over_all_accounts_have_the_files_figures(kind, world, residents):
    accounts = [draw_account(world, 7, number, residents, None, kind) for number in range(DRAWS // 4)]
    told = accounts[0].kind
    volumes = [volume(account) for account in accounts for _ in range(4)]
    shares = [newness(account) for account in accounts for _ in range(4)]
    assert statistics.median(volumes) == pytest.approx(told.people_per_day.p50, rel=0.04)
    assert far(volumes) == pytest.approx(told.people_per_day.p99_9, rel=0.2)
    assert statistics.median(shares) == pytest.approx(told.new_people_share.p50, rel=0.05)
    assert far(shares) == pytest.approx(told.new_people_share.p99_9, rel=0.25)


def test_each_log_normal_has_its_two_points(world):
    rng = Random(1)
    gap = world.honest_habits.seconds_between_lookups_busy
    drawn = sorted(gap.draw(rng) for _ in range(DRAWS))
    assert statistics.median(drawn) == pytest.approx(75, rel=0.03)
    assert drawn[DRAWS // 100] == pytest.approx(9, rel=0.08)
    moves = world.honest_habits.changes_network_per_month
    drawn = [moves.draw(rng) for _ in range(DRAWS)]
    assert statistics.median(drawn) == pytest.approx(2, rel=0.05)
    assert far(drawn) == pytest.approx(40, rel=0.25)


def test_kinds_and_overseas_and_means_come_in_the_files_shares(world, residents):
    accounts = draw_accounts(world, 3, 4_000, residents, None)
    for kind in world.professionals:
        share = sum(account.kind is kind for account in accounts) / len(accounts)
        assert share == pytest.approx(kind.share, abs=0.02), kind.kind
    assert sum(account.offset != 3600 for account in accounts) / len(accounts) == pytest.approx(0.04, abs=0.012)
    doctors = [account.holders[0] for account in accounts if account.kind.kind == "gp"]
    assert sum(one.means == "psc" for one in doctors) / len(doctors) == pytest.approx(0.5, abs=0.04)


def test_an_account_is_the_same_whatever_the_number_of_the_others(world, residents):
    few, many = (draw_accounts(world, 5, count, residents, None) for count in (3, 30))
    told = [(one.kind.kind, one.departement, one.size, [holder.means for holder in one.holders]) for one in few]
    assert told == [(one.kind.kind, one.departement, one.size, [h.means for h in one.holders]) for one in many[:3]]
    other = draw_accounts(world, 6, 3, residents, None)
    assert told != [(one.kind.kind, one.departement, one.size, [h.means for h in one.holders]) for one in other]


def broken(change) -> str:
    told = json.loads(shipped())
    change(told)
    return json.dumps(told)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda told: told.update(kindness=1), "kindness"),
        (lambda told: told.pop("epidemic"), "epidemic"),
        (lambda told: told["professionals"][0].update(share=0.9), "professionals"),
        (lambda told: told["professionals"][0].update(share=-0.1), "professionals.0.share"),
        (lambda told: told["professionals"][1]["assurance"].update(psc=0.1), "professionals.specialist.assurance"),
        (lambda told: told["professionals"][0].update(hours=["8", "19:30"]), "professionals.0.hours.0"),
        (lambda told: told["stolen_session"].update(same_network_share="0"), "stolen_session.same_network_share"),
        (lambda told: told["robots"][0].update(seconds_between="often"), "robots.0.seconds_between"),
    ],
)
def test_a_world_with_a_fault_is_none(change, key):
    with pytest.raises(ConfigurationError) as caught:
        read_world(broken(change), "w.json")
    assert any(fault.key.startswith(key) and fault.file == "w.json" for fault in caught.value.faults)


def test_a_text_that_is_no_json_is_told_so():
    with pytest.raises(ConfigurationError, match=r"w\.json"):
        read_world("{", "w.json")


def test_robots_are_found_by_name():
    assert load_world().robot("lists").people_per_answer == 50
    with pytest.raises(KeyError):
        load_world().robot("kind")
