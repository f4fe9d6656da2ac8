# SPDX-License-Identifier: EUPL-1.2
"""memory: exact under concurrency and over restarts, bounded, and keyed by nothing a client chooses."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.metering.memory import MemoryMeter
from gateway.model import Assurance, Budget, Effect, Meter, PatientLocator, Place, Subject

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def asked(*budgets: Budget) -> Meter:
    """What a rule with these budgets obliges to, as the policy sorts them."""
    shared = tuple(one for one in budgets if not one.per_holder)
    return Meter(PatientLocator(Place.PATH, "nir"), shared, tuple(one for one in budgets if one.per_holder))


def by(account: str, holder: str | None = None) -> Subject:
    return Subject(account, holder=holder, assurance=Assurance())


def person(number: int) -> bytes:
    return number.to_bytes(16)


def test_J1_200_parallel_look_ups_against_a_budget_of_50_let_exactly_50_out():
    meter, budgets = MemoryMeter(), asked(Budget(50, HOUR, Effect.DENY))

    async def look_up(number: int) -> Effect:
        await asyncio.sleep(0)
        outcome = meter.hit(by("pharmacie"), "infopatient", budgets, person(number), NOON)
        await asyncio.sleep(0)
        return outcome.effect

    async def all_at_once() -> list[Effect]:
        return await asyncio.gather(*(look_up(number) for number in range(200)))

    effects = asyncio.run(all_at_once())
    assert effects.count(Effect.PERMIT) == 50
    assert effects.count(Effect.DENY) == 150


def test_J2_no_joining_of_names_shares_a_counter():
    meter, budgets = MemoryMeter(), asked(Budget(1, HOUR, Effect.DENY))
    for account, teleservice in (("a/b", "c"), ("a", "b/c"), ("a/b/c", ""), ("A/b", "c"), ("", "a/b/c")):
        assert meter.hit(by(account), teleservice, budgets, person(1), NOON).effect is Effect.PERMIT
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
    budgets = asked(Budget(people, window, Effect.DENY), Budget(2, timedelta(seconds=300), Effect.CHALLENGE))
    steady, restarted, ledger, at = MemoryMeter(), MemoryMeter(), [], NOON
    for turn, (number, passed) in enumerate(looks):
        at += timedelta(seconds=passed)
        if turn in restarts:
            restarted = MemoryMeter()
            restarted.rebuild([one for one in ledger if one[4] >= at - window], at)
        first = steady.hit(by("a"), "t", budgets, person(number), at)
        assert restarted.hit(by("a"), "t", budgets, person(number), at) == first
        if first.effect is Effect.PERMIT:
            ledger.append(("a", "t", None, person(number), at))
        recent = {one[3] for one in ledger if at - one[4] < window}
        assert len(recent) <= people


def test_a_longer_window_of_a_new_policy_knows_what_the_ledger_knows():
    meter, day = MemoryMeter(), timedelta(hours=24)
    rows = [("a", "t", None, person(number), NOON + timedelta(minutes=number)) for number in range(3)]
    for account, teleservice, _, pseudonym, at in rows:
        meter.hit(by(account), teleservice, asked(Budget(9, HOUR, Effect.DENY)), pseudonym, at)
    later = NOON + 5 * HOUR
    meter.sweep(later)
    meter.rebuild(rows, later)
    longer = asked(Budget(3, day, Effect.DENY), Budget(9, HOUR, Effect.DENY))
    assert meter.hit(by("a"), "t", longer, person(9), later).effect is Effect.DENY
    assert meter.hit(by("a"), "t", longer, person(1), later).effect is Effect.PERMIT


def test_sweep_forgets_who_has_nobody_left_and_nobody_else():
    meter, budgets = MemoryMeter(), asked(Budget(9, HOUR, Effect.DENY))
    meter.rebuild([("a", "t", None, person(1), NOON - 2 * HOUR), ("a", "u", None, person(1), NOON - 2 * HOUR)], NOON)
    meter.hit(by("b"), "t", budgets, person(1), NOON)
    assert meter.sweep(NOON) == 1, "a teleservice nobody used since the start has windows nobody knows yet"
    assert len(meter) == 2
    assert meter.sweep(NOON + HOUR - timedelta(microseconds=1)) == 0
    assert meter.sweep(NOON + HOUR) == 1
    assert len(meter) == 1


def test_J4_sweep_under_a_clock_that_stepped_back_forgets_nothing():
    meter, budgets = MemoryMeter(), asked(Budget(1, HOUR, Effect.DENY))
    meter.hit(by("a"), "t", budgets, person(1), NOON)
    assert meter.sweep(NOON - timedelta(days=2)) == 0
    assert meter.hit(by("a"), "t", budgets, person(2), NOON).effect is Effect.DENY


def test_J1_parallel_look_ups_of_several_holders_let_out_what_each_and_all_of_them_may():
    meter = MemoryMeter()
    budgets = asked(Budget(50, HOUR, Effect.DENY), Budget(20, HOUR, Effect.DENY, per_holder=True))
    out: dict[str | None, int] = {"Ana": 0, "Bob": 0, None: 0}

    async def look_up(number: int) -> None:
        await asyncio.sleep(0)
        holder = ("Ana", "Bob", None)[number % 3]
        outcome = meter.hit(by("pharmacie", holder), "infopatient", budgets, person(number), NOON)
        await asyncio.sleep(0)
        out[holder] += outcome.effect is Effect.PERMIT

    async def all_at_once() -> None:
        await asyncio.gather(*(look_up(number) for number in range(300)))

    asyncio.run(all_at_once())
    assert sum(out.values()) == 50
    assert max(out.values()) <= 20
    assert meter.hit(by("pharmacie", "Ana"), "aat", budgets, person(1), NOON).effect is Effect.PERMIT
    assert meter.hit(by("other", "Ana"), "infopatient", budgets, person(1), NOON).effect is Effect.PERMIT


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["Ana", "Bob", None]), st.integers(0, 12), st.integers(0, 600)), max_size=60),
    st.sets(st.integers(0, 59), max_size=4),
    st.integers(1, 4),
    st.integers(2, 8),
)
def test_promise_4_holds_for_each_holder_and_for_all_of_them_over_restarts(
    looks: list[tuple[str | None, int, int]], restarts: set[int], each: int, together: int
):
    window = timedelta(seconds=1500)
    budgets = asked(
        Budget(together, window, Effect.DENY),
        Budget(each, window, Effect.DENY, per_holder=True),
        Budget(1, timedelta(seconds=300), Effect.CHALLENGE, per_holder=True),
    )
    steady, restarted, ledger, at = MemoryMeter(), MemoryMeter(), [], NOON
    for turn, (holder, number, passed) in enumerate(looks):
        at += timedelta(seconds=passed)
        if turn in restarts:
            restarted = MemoryMeter()
            restarted.rebuild([one for one in ledger if one[4] >= at - window], at, frozenset({"t"}))
        first = steady.hit(by("a", holder), "t", budgets, person(number), at)
        assert restarted.hit(by("a", holder), "t", budgets, person(number), at) == first
        if first.effect is Effect.PERMIT:
            ledger.append(("a", "t", holder, person(number), at))
        recent = [(one[2], one[3]) for one in ledger if at - one[4] < window]
        assert len({pseudonym for _, pseudonym in recent}) <= together
        assert len({pseudonym for name, pseudonym in recent if name == holder}) <= each


def test_what_a_holder_was_refused_takes_no_place_of_the_others():
    meter = MemoryMeter()
    budgets = asked(Budget(2, HOUR, Effect.DENY), Budget(1, HOUR, Effect.CHALLENGE, per_holder=True))
    assert meter.hit(by("a", "Ana"), "t", budgets, person(1), NOON).effect is Effect.PERMIT
    refused = meter.hit(by("a", "Ana"), "t", budgets, person(2), NOON)
    assert (refused.effect, [quota.left for quota in refused.quotas]) == (Effect.CHALLENGE, [1, 0])
    assert meter.hit(by("a", "Bob"), "t", budgets, person(3), NOON).effect is Effect.PERMIT
    assert meter.hit(by("a", "Bob"), "t", budgets, person(4), NOON).effect is Effect.DENY


def test_sweep_forgets_holders_too_and_a_rebuild_leaves_out_whom_nobody_asks_for():
    meter, budgets = MemoryMeter(), asked(Budget(2, HOUR, Effect.DENY, per_holder=True))
    meter.rebuild([("a", "t", "Ana", person(1), NOON), ("a", "u", "Ana", person(1), NOON)], NOON, frozenset({"t"}))
    assert len(meter) == 3
    assert meter.sweep(NOON + HOUR) == 0
    meter.hit(by("a", "Ana"), "t", budgets, person(2), NOON)
    assert meter.sweep(NOON + HOUR) == 2
    assert len(meter) == 1
