# SPDX-License-Identifier: EUPL-1.2
"""One suite for the door: MemoryMeter, and RedisMeter on a real server, count alike and exactly."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.model import Budget, Counts, Level, Method, Past, Risk, Scope
from support.redis_server_doors import (
    ACCOUNTS,
    CHALLENGE,
    DAY,
    DENY,
    HOUR,
    NOON,
    PERMIT,
    SECOND,
    Door,
    both_doors,
    look,
    meter,
    person,
    proved,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def doors(tmp_path_factory) -> Iterator[dict[str, Door]]:
    with both_doors(tmp_path_factory.mktemp("redis")) as found:
        yield found


@pytest.fixture(params=["memory", "redis"])
def door(request, doors) -> Door:
    return doors[request.param]


def test_J1_200_parallel_look_ups_against_a_budget_of_50_let_exactly_50_out(door: Door):
    of, account = meter(Budget(50, HOUR, Past.DENY)), next(ACCOUNTS)
    effects = [one.effect for one in door.all_at_once([look(account, of, number) for number in range(200)])]
    assert (effects.count(PERMIT), effects.count(DENY)) == (50, 150)


def test_J1_over_the_edge_of_a_window_nobody_is_let_in_too_early_and_everybody_in_time(door: Door):
    of, account = meter(Budget(50, HOUR, Past.DENY)), next(ACCOUNTS)
    first = [look(account, of, number, NOON + number * SECOND) for number in range(50)]
    assert all(one.effect is PERMIT for one in door.all_at_once(first))
    edge = NOON + HOUR
    early = door.hit(look(account, of, 99, edge - timedelta(microseconds=1)))
    assert (early.effect, early.retry_after_seconds) == (DENY, 1)
    at_edge = door.all_at_once([look(account, of, 100 + number, edge + 9 * SECOND) for number in range(200)])
    assert [one.effect for one in at_edge].count(PERMIT) == 10
    one, single = next(ACCOUNTS), meter(Budget(1, HOUR, Past.DENY))
    assert [door.hit(look(one, single, number, NOON + number * HOUR)).effect for number in (0, 1)] == [PERMIT] * 2


def test_a_person_in_the_window_is_free_and_stays_longer(door: Door):
    of, account = meter(Budget(1, HOUR, Past.DENY)), next(ACCOUNTS)
    door.hit(look(account, of, 1))
    assert door.hit(look(account, of, 1, NOON + HOUR - SECOND)).effect is PERMIT
    refused = door.hit(look(account, of, 2, NOON + HOUR))
    assert (refused.effect, refused.retry_after_seconds) == (DENY, 3599)


def test_J2_no_joining_of_names_shares_a_counter(door: Door):
    of = meter(Budget(1, HOUR, Past.DENY), Budget(1, HOUR, Past.DENY, per=Scope.HOLDER))
    root = next(ACCOUNTS)
    for account, teleservice, holder in (
        (root + "a/b", "c", None),
        (root + "a", "b/c", None),
        (root + "a/b/c", "", None),
        (root + "A/b", "c", None),
        (root + "a}{b", "c", None),
        (root + "a/b\0c", "", ""),
    ):
        one = look(account, of, 1, teleservice=teleservice, holder=holder)
        assert door.hit(one).effect is PERMIT
        assert door.hit(one._replace(pseudonym=person(2))).effect is DENY


def test_holders_of_one_account_have_budgets_of_their_own_nobody_by_name_too(door: Door):
    of, account = meter(Budget(1, HOUR, Past.DENY, per=Scope.HOLDER)), next(ACCOUNTS)
    for number, holder in enumerate(("Ana", "Bob", None, "")):
        assert door.hit(look(account, of, number, holder=holder)).effect is PERMIT
        assert door.hit(look(account, of, 9, holder=holder)).effect is DENY


def test_a_network_counts_its_accounts_together_and_a_refusal_counts_nowhere(door: Door):
    network = next(ACCOUNTS)
    of = meter(Budget(5, HOUR, Past.DENY), Budget(2, HOUR, Past.DENY, per=Scope.NETWORK))
    accounts = [next(ACCOUNTS) for _ in range(3)]
    effects = [door.hit(look(account, of, 1, network=network)).effect for account in accounts]
    assert effects == [PERMIT, PERMIT, PERMIT], "the same person is one in the network"
    assert door.hit(look(accounts[0], of, 2, network=network)).effect is PERMIT
    refused = door.hit(look(accounts[1], of, 3, network=network))
    assert (refused.effect, refused.budget) == (DENY, of.budgets[1])
    assert refused.quotas[0].left == 4, "its own budget is told, and has counted one"


def test_NEW_counts_whom_the_account_did_not_know_by_the_first_look(door: Door):
    of = meter(Budget(2, DAY, Past.DENY, Counts.NEW), known_for=30 * DAY)
    account = next(ACCOUNTS)
    assert [door.hit(look(account, of, number)).new for number in (1, 1, 2)] == [True, False, True]
    assert door.hit(look(account, of, 3)).effect is DENY
    later = NOON + DAY
    assert door.hit(look(account, of, 1, later)).effect is PERMIT
    assert [door.hit(look(account, of, number, later)).effect for number in (3, 4, 5)] == [PERMIT, PERMIT, DENY]
    forgotten = later + 30 * DAY
    assert door.hit(look(account, of, 1, forgotten)).new


def test_a_look_up_that_was_nobodys_gives_its_place_back_and_is_a_miss(door: Door):
    misses = Budget(2, HOUR, Past.CHALLENGE, Counts.MISSED)
    of, account = meter(Budget(1, HOUR, Past.DENY), Budget(1, HOUR, Past.DENY, Counts.NEW), misses), next(ACCOUNTS)
    for number in (1, 2):
        one = look(account, of, number)
        door.settle(one, door.hit(one), missed=True)
    third = door.hit(look(account, of, 3))
    assert (third.effect, third.budget) == (CHALLENGE, misses)


def test_a_place_stays_taken_if_somebody_has_looked_since(door: Door):
    of, account = meter(Budget(1, HOUR, Past.DENY)), next(ACCOUNTS)
    first, again = look(account, of, 1), look(account, of, 1)
    told = door.hit(first)
    door.settle(again, door.hit(again), missed=False)
    door.settle(first, told, missed=True)
    assert door.hit(look(account, of, 2)).effect is DENY


def test_numbers_that_are_none_have_a_budget(door: Door):
    of, account = meter(Budget(2, HOUR, Past.DENY, Counts.MISSED)), next(ACCOUNTS)
    assert [door.missed(look(account, of, number)).effect for number in (1, 1, 2, 3)] == [PERMIT, PERMIT, PERMIT, DENY]
    assert door.hit(look(account, of, 4)).effect is DENY


def test_a_proof_opens_a_new_stretch_and_one_by_other_methods_does_not(door: Door):
    by_card = Budget(1, HOUR, Past.CHALLENGE, methods=(Method.SMART_CARD,))
    of, account = meter(by_card), next(ACCOUNTS)
    code = proved((Method.PASSWORD, NOON), (Method.TOTP, NOON + 2 * SECOND))
    card = proved((Method.SMART_CARD, NOON + 3 * SECOND))
    ahead = proved((Method.SMART_CARD, NOON + HOUR))
    assert door.hit(look(account, of, 1, NOON + SECOND)).effect is PERMIT
    assert door.hit(look(account, of, 2, NOON + 4 * SECOND, assurance=code)).effect is CHALLENGE
    assert door.hit(look(account, of, 2, NOON + 4 * SECOND, assurance=card)).effect is PERMIT
    assert door.hit(look(account, of, 3, NOON + 5 * SECOND, assurance=card)).effect is CHALLENGE
    assert door.hit(look(next(ACCOUNTS), of, 3, NOON, assurance=ahead)).effect is PERMIT


def test_a_budget_of_a_risk_is_asked_of_whoever_is_at_that_risk_or_a_higher_one(door: Door):
    of, account = meter(Budget(1, HOUR, Past.DENY, risk=Risk.ELEVATED)), next(ACCOUNTS)
    for number in (1, 2):
        assert door.hit(look(account, of, number)).effect is PERMIT
    for risk in (Risk.ELEVATED, Risk.HIGH):
        assert door.hit(look(account, of, 3, risk=risk)).effect is DENY
    assert door.hit(look(account, of, 3)).effect is PERMIT


def test_under_asks_only_who_has_proved_less(door: Door):
    of, account = meter(Budget(1, HOUR, Past.DENY, under=Level.CARD)), next(ACCOUNTS)
    card = proved((Method.SMART_CARD, NOON))
    for number in (1, 2):
        assert door.hit(look(account, of, number, assurance=card)).effect is PERMIT
    assert door.hit(look(account, of, 3)).effect is DENY


def test_a_session_that_moved_sees_who_is_known_and_proves_before_it_sees_somebody_new(door: Door):
    of, account = meter(Budget(9, HOUR, Past.DENY), known_for=DAY, moved_new=True), next(ACCOUNTS)
    door.hit(look(account, of, 1))
    assert door.hit(look(account, of, 1, moved=True)).effect is PERMIT
    stopped = door.hit(look(account, of, 2, moved=True))
    assert (stopped.effect, stopped.budget, stopped.new, stopped.quotas[0].left) == (CHALLENGE, None, True, 8)


def test_ALERT_DELAY_and_observe_let_on_and_are_told(door: Door):
    alert, delay = Budget(1, HOUR, Past.ALERT), Budget(1, HOUR, Past.DELAY, delay=2 * SECOND)
    observed = Budget(1, HOUR, Past.DENY, observe=True)
    of, account = meter(alert, delay, observed), next(ACCOUNTS)
    first = door.hit(look(account, of, 1))
    assert (first.alerts, first.delay_seconds, first.observed, first.quotas) == ((), 0.0, (), ())
    told = [door.hit(look(account, of, number)) for number in (2, 3)]
    assert [one.effect for one in told] == [PERMIT, PERMIT]
    assert [one.alerts for one in told] == [(alert,), ()], "an alert is told once a window"
    assert [(one.delay_seconds, one.observed) for one in told] == [(2.0, (observed,))] * 2


def test_a_denial_that_lasts_goes_on_here_and_in_what_it_closes_and_then_ends(door: Door):
    lasting = Budget(1, timedelta(minutes=1), Past.DENY, lasts=HOUR, closes=("other",), under=Level.CARD)
    of, other, account = meter(lasting), meter(Budget(9, HOUR, Past.DENY)), next(ACCOUNTS)
    door.hit(look(account, of, 1))
    met = door.hit(look(account, of, 2))
    assert (met.effect, met.retry_after_seconds) == (DENY, 3600)
    soon = NOON + timedelta(minutes=30)
    for of_service, teleservice in ((of, "infopatient"), (other, "other")):
        closed = door.hit(look(account, of_service, 1, soon, teleservice=teleservice))
        assert (closed.effect, closed.budget, closed.retry_after_seconds) == (DENY, lasting, 1800)
        card = proved((Method.SMART_CARD, NOON))
        assert door.hit(look(account, of_service, 1, soon, teleservice=teleservice, assurance=card)).effect is PERMIT
        assert door.hit(look(account, of_service, 3, NOON + HOUR, teleservice=teleservice)).effect is PERMIT


def test_J4_a_clock_that_steps_back_loosens_nothing(door: Door):
    of, account = meter(Budget(1, HOUR, Past.DENY)), next(ACCOUNTS)
    door.hit(look(account, of, 1))
    back = door.hit(look(account, of, 2, NOON - 2 * DAY))
    assert (back.effect, back.retry_after_seconds) == (DENY, 3600)
    door.hit(look(account, of, 2, NOON + HOUR - SECOND))
    assert door.hit(look(account, of, 2, NOON)).retry_after_seconds == 1, "the time of a refusal stands, too"


def test_a_teleservice_breaks_off_past_what_all_accounts_may_together(door: Door):
    whole = Budget(20, HOUR, Past.DENY, per=Scope.SERVICE)
    of, teleservice = meter(whole), next(ACCOUNTS)
    looks = [look(next(ACCOUNTS), of, number, teleservice=teleservice) for number in range(60)]
    effects = [one.effect for one in door.all_at_once(looks)]
    assert effects.count(PERMIT) == 20
    assert door.hit(looks[effects.index(PERMIT)]._replace(at=NOON + SECOND)).effect is PERMIT, "whom one has seen"
    later = look(next(ACCOUNTS), of, 99, NOON + HOUR + timedelta(minutes=2), teleservice=teleservice)
    assert door.hit(later).effect is PERMIT


def test_J1_room_for_a_list_is_made_for_all_of_it_or_not_at_all(door: Door):
    of, account = meter(Budget(50, HOUR, Past.DENY), known_for=DAY), next(ACCOUNTS)
    asked = look(account, of, 0)
    first = door.room(asked, 40)
    assert (first.effect, door.room(asked, 11).effect, door.room(asked, 10).effect) == (PERMIT, DENY, PERMIT)
    assert door.hit(look(account, of, 1)).effect is DENY
    door.leave(first, 1)
    assert [door.hit(look(account, of, number)).effect for number in (1, 1, 2)] == [PERMIT, PERMIT, DENY]
    door.leave(first, None)
    door.leave(first, 1)
    assert [door.hit(look(account, of, number)).effect for number in range(1, 41)] == [PERMIT] * 40
    assert door.hit(look(account, of, 99)).effect is DENY


def test_room_that_is_left_was_nobody_and_missed_nobody(door: Door):
    missed = Budget(1, HOUR, Past.DENY, counts=Counts.MISSED)
    of, account = meter(Budget(3, HOUR, Past.DENY), missed, known_for=DAY), next(ACCOUNTS)
    asked = look(account, of, 0)
    assert door.room(asked, 4).effect is DENY
    for _ in range(3):
        room = door.room(asked, 3)
        assert room.effect is PERMIT
        door.leave(room, None)
    assert [door.hit(look(account, of, number)).new for number in range(3)] == [True] * 3
