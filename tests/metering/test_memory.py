# SPDX-License-Identifier: EUPL-1.2
"""memory: exact under concurrency and over restarts, bounded, and keyed by nothing a client chooses."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.metering.memory import MemoryMeter
from gateway.model import Budget, Effect

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def person(number: int) -> bytes:
    return number.to_bytes(16)


def test_J1_200_parallel_look_ups_against_a_budget_of_50_let_exactly_50_out():
    meter, budgets = MemoryMeter(), (Budget(50, HOUR, Effect.DENY),)

    async def look_up(number: int) -> Effect:
        await asyncio.sleep(0)
        outcome = meter.hit("pharmacie", "infopatient", budgets, person(number), NOON, None)
        await asyncio.sleep(0)
        return outcome.effect

    async def all_at_once() -> list[Effect]:
        return await asyncio.gather(*(look_up(number) for number in range(200)))

    effects = asyncio.run(all_at_once())
    assert effects.count(Effect.PERMIT) == 50
    assert effects.count(Effect.DENY) == 150


def test_J2_no_joining_of_names_shares_a_counter():
    meter, budgets = MemoryMeter(), (Budget(1, HOUR, Effect.DENY),)
    for account, teleservice in (("a/b", "c"), ("a", "b/c"), ("a/b/c", ""), ("A/b", "c"), ("", "a/b/c")):
        assert meter.hit(account, teleservice, budgets, person(1), NOON, None).effect is Effect.PERMIT
    assert len(meter) == 5


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 600)), max_size=60),
    st.sets(st.integers(0, 59), max_size=4),
    st.integers(1, 6),
)
def test_promise_4_restarts_never_let_more_out(looks: list[tuple[int, int]], restarts: set[int], people: int):
    """Twin meters, one restarted now and then from what was permitted: they answer alike, each and every time."""
    window = timedelta(seconds=1500)
    budgets = (Budget(people, window, Effect.DENY), Budget(2, timedelta(seconds=300), Effect.CHALLENGE))
    steady, restarted, ledger, at = MemoryMeter(), MemoryMeter(), [], NOON
    for turn, (number, passed) in enumerate(looks):
        at += timedelta(seconds=passed)
        if turn in restarts:
            restarted = MemoryMeter()
            restarted.rebuild([one for one in ledger if one[3] >= at - window], at)
        first = steady.hit("a", "t", budgets, person(number), at, None)
        assert restarted.hit("a", "t", budgets, person(number), at, None) == first
        if first.effect is Effect.PERMIT:
            ledger.append(("a", "t", person(number), at))
        recent = {one[2] for one in ledger if at - one[3] < window}
        assert len(recent) <= people


def test_a_longer_window_of_a_new_policy_knows_what_the_ledger_knows():
    meter, day = MemoryMeter(), timedelta(hours=24)
    rows = [("a", "t", person(number), NOON + timedelta(minutes=number)) for number in range(3)]
    for account, teleservice, pseudonym, at in rows:
        meter.hit(account, teleservice, (Budget(9, HOUR, Effect.DENY),), pseudonym, at, None)
    later = NOON + 5 * HOUR
    meter.sweep(later)
    meter.rebuild(rows, later)
    longer = (Budget(3, day, Effect.DENY), Budget(9, HOUR, Effect.DENY))
    assert meter.hit("a", "t", longer, person(9), later, None).effect is Effect.DENY
    assert meter.hit("a", "t", longer, person(1), later, None).effect is Effect.PERMIT


def test_sweep_forgets_who_has_nobody_left_and_nobody_else():
    meter, budgets = MemoryMeter(), (Budget(9, HOUR, Effect.DENY),)
    meter.rebuild([("a", "t", person(1), NOON - 2 * HOUR), ("a", "u", person(1), NOON - 2 * HOUR)], NOON)
    meter.hit("b", "t", budgets, person(1), NOON, None)
    assert meter.sweep(NOON) == 1, "a teleservice nobody used since the start has windows nobody knows yet"
    assert len(meter) == 2
    assert meter.sweep(NOON + HOUR - timedelta(microseconds=1)) == 0
    assert meter.sweep(NOON + HOUR) == 1
    assert len(meter) == 1


def test_J4_sweep_under_a_clock_that_stepped_back_forgets_nothing():
    meter, budgets = MemoryMeter(), (Budget(1, HOUR, Effect.DENY),)
    meter.hit("a", "t", budgets, person(1), NOON, None)
    assert meter.sweep(NOON - timedelta(days=2)) == 0
    assert meter.hit("a", "t", budgets, person(2), NOON, None).effect is Effect.DENY
