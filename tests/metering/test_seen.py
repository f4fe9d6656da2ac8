# SPDX-License-Identifier: EUPL-1.2
"""seen: what is kept of one place, and that neither a new policy nor a sweep forgets what may be asked again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.metering.seen import Seen, arrange, block, remember
from gateway.model import Budget, Counts, Level, Past, Scope

HOUR = timedelta(hours=1)
US = 3_600_000_000
WHO = bytes(16)


def test_each_kind_of_budget_has_windows_of_its_own():
    seen = Seen()
    budgets = tuple(Budget(5, (index + 1) * HOUR, Past.DENY, counts=counts) for index, counts in enumerate(Counts))
    arrange(seen, budgets, None, 0)
    assert [[*tally.windows] for tally in (seen.people, seen.new, seen.missed)] == [[HOUR], [2 * HOUR], [3 * HOUR]]
    for one, tally in zip(seen.asked, (seen.people, seen.new, seen.missed), strict=True):
        assert one.window is tally.windows[one.budget.window]
    assert seen.known is None


def test_the_window_of_who_is_known_is_one_of_people():
    seen = Seen()
    arrange(seen, (), HOUR, 0)
    assert seen.known is seen.people.windows[HOUR]
    arrange(seen, (), 2 * HOUR, 0)
    assert seen.known is seen.people.windows[2 * HOUR]
    assert [*seen.people.windows] == [HOUR, 2 * HOUR]
    arrange(seen, (), None, 0)
    assert seen.known is None
    arrange(seen, (), None, 0)
    assert [*seen.people.windows] == [HOUR, 2 * HOUR], "asked the same again, nothing is worked out anew"


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (Budget(5, HOUR, Past.DENY), True),
        (Budget(5, HOUR, Past.CHALLENGE, per=Scope.HOLDER, counts=Counts.NEW), True),
        (Budget(5, HOUR, Past.ALERT), False),
        (Budget(5, HOUR, Past.DELAY), False),
        (Budget(5, HOUR, Past.DENY, observe=True), False),
        (Budget(5, HOUR, Past.DENY, per=Scope.NETWORK), False),
        (Budget(5, HOUR, Past.DENY, per=Scope.SERVICE), False),
        (Budget(5, HOUR, Past.DENY, counts=Counts.MISSED), False),
    ],
)
def test_what_is_told_is_what_can_refuse_and_tells_of_nobody_else(budget: Budget, told: bool):
    seen = Seen()
    arrange(seen, (budget,), None, 0)
    assert seen.asked[0].told is told


def test_a_budget_is_asked_under_a_level_or_of_everybody():
    seen = Seen()
    arrange(seen, (Budget(5, HOUR, Past.DENY), Budget(5, HOUR, Past.DENY, under=Level.CARD)), None, 0)
    assert [[level < one.under for level in (Level.MFA, Level.CARD)] for one in seen.asked] == [
        [True, True],
        [True, False],
    ]


@pytest.mark.parametrize(
    ("new", "missed", "kept"),
    [(False, False, [1, 0, 0]), (True, False, [1, 1, 0]), (False, True, [0, 0, 1]), (True, True, [0, 0, 1])],
)
def test_the_ledger_is_remembered_by_kind(new: bool, missed: bool, kept: list[int]):
    seen = Seen()
    budgets = tuple(Budget(5, HOUR, Past.DENY, counts=counts) for counts in Counts)
    arrange(seen, budgets, None, 0)
    remember(seen, WHO, US, new=new, missed=missed)
    remember(seen, WHO, US - 1, new=new, missed=missed)
    assert seen.latest == US, "the time of a place never falls"
    arrange(seen, budgets, None, US)
    assert [len(one.window) for one in seen.asked] == kept


def test_denials_that_last_end_and_are_told_once():
    seen = Seen()
    one, twin = Budget(5, HOUR, Past.DENY, lasts=HOUR), Budget(5, HOUR, Past.DENY, lasts=HOUR)
    block(seen, one, 5)
    block(seen, twin, 7)
    block(seen, one, 9)
    assert [(budget is one, until) for budget, until in seen.blocks] == [(False, 7), (True, 9)]
    arrange(seen, (one, twin), None, 7)
    assert seen.blocks == [(one, 9)]


def test_a_sweep_ahead_of_the_places_own_time_promises_nothing_about_who_comes_next():
    seen, budgets = Seen(latest=US), (Budget(5, HOUR, Past.DENY),)
    arrange(seen, budgets, None, 9 * US)
    assert seen.all_stay_until == 2 * US
