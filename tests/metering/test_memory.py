# SPDX-License-Identifier: EUPL-1.2
"""memory: exact under concurrency and over restarts, bounded, and keyed by nothing a client chooses."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.metering.memory import MemoryMeter
from gateway.model import Budget, Counts, Effect, Past, Scope
from support.looks import HOUR, NOON, asked, look, network_of, past

DAY = timedelta(hours=24)
PERMIT, CHALLENGE, DENY = Effect.PERMIT, Effect.CHALLENGE, Effect.DENY


def settled(meter: MemoryMeter, asks, *, missed: bool = False) -> Effect:
    outcome = meter.hit(asks)
    meter.settle(asks, outcome, missed=missed)
    return outcome.effect


def test_J1_200_parallel_look_ups_against_a_budget_of_50_let_exactly_50_out():
    meter, budgets = MemoryMeter(), asked(Budget(50, HOUR, Past.DENY))

    async def look_up(number: int) -> Effect:
        await asyncio.sleep(0)
        outcome = meter.hit(look(budgets, number))
        await asyncio.sleep(0)
        return outcome.effect

    async def all_at_once() -> list[Effect]:
        return await asyncio.gather(*(look_up(number) for number in range(200)))

    effects = asyncio.run(all_at_once())
    assert effects.count(PERMIT) == 50
    assert effects.count(DENY) == 150


def test_J2_no_joining_of_names_shares_a_counter():
    meter, budgets = MemoryMeter(), asked(Budget(1, HOUR, Past.DENY))
    for account, teleservice in (("a/b", "c"), ("a", "b/c"), ("a/b/c", ""), ("A/b", "c"), ("", "a/b/c")):
        assert meter.hit(look(budgets, 1, account=account, teleservice=teleservice)).effect is PERMIT
    assert len(meter) == 5


def test_a_time_without_zone_is_refused():
    with pytest.raises(TypeError):
        MemoryMeter().hit(look(asked(), 1, datetime(2026, 1, 1)))  # noqa: DTZ001  # the fault under test


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 600)), max_size=60),
    st.sets(st.integers(0, 59), max_size=4),
    st.integers(1, 6),
)
def test_promise_4_restarts_never_let_more_out(looks: list[tuple[int, int]], restarts: set[int], people: int):
    """Twin meters, one restarted now and then from what was permitted: they answer alike, each and every time."""
    window = timedelta(seconds=1500)
    budgets = asked(Budget(people, window, Past.DENY), Budget(2, timedelta(seconds=300), Past.CHALLENGE))
    steady, restarted, ledger, at = MemoryMeter(), MemoryMeter(), [], NOON
    for turn, (number, passed) in enumerate(looks):
        at += timedelta(seconds=passed)
        if turn in restarts:
            restarted = MemoryMeter()
            restarted.rebuild([one for one in ledger if one.at >= at - window], at, {"t": budgets})
        asks = look(budgets, number, at)
        first = steady.hit(asks)
        assert restarted.hit(asks)[:-1] == first[:-1]
        if first.effect is PERMIT:
            ledger.append(past(asks))
        recent = {one.pseudonym for one in ledger if at - one.at < window}
        assert len(recent) <= people


MINUTE = timedelta(minutes=1)
EVERY_WORD = asked(
    Budget(6, 25 * MINUTE, Past.DENY),
    Budget(2, 5 * MINUTE, Past.CHALLENGE, per=Scope.HOLDER),
    Budget(3, 30 * MINUTE, Past.CHALLENGE, counts=Counts.NEW),
    Budget(3, 20 * MINUTE, Past.DENY, counts=Counts.NEW, per=Scope.HOLDER),
    Budget(2, 10 * MINUTE, Past.DENY, counts=Counts.MISSED),
    Budget(7, 15 * MINUTE, Past.DENY, per=Scope.NETWORK),
    Budget(9, 10 * MINUTE, Past.DENY, per=Scope.SERVICE),
    known_for=15 * MINUTE,
)
LOOKS = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from([0, 0, 7, 61, 180, 900]),
        st.sampled_from("ab"),
        st.sampled_from(["Ana", None]),
        st.sampled_from(["192.0.2.0/24", "198.51.100.0/24"]),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(LOOKS, st.sets(st.integers(0, 59), max_size=4), st.integers(0, 2))
def test_J1_a_restart_knows_whom_everybody_saw_and_missed_and_who_was_new(looks, restarts: set[int], sweeps: int):
    """All kinds of budgets at all kinds of places; numbers past 9 are nobody's. The restarted twin answers alike."""
    steady, restarted, ledger, at = MemoryMeter(network_of), MemoryMeter(network_of), [], NOON
    for turn, (number, passed, account, holder, network) in enumerate(looks):
        at += timedelta(seconds=passed)
        if turn in restarts:
            restarted = MemoryMeter(network_of)
            restarted.rebuild([one for one in ledger if one.at >= at - 45 * MINUTE], at, {"t": EVERY_WORD})
        if sweeps and turn % sweeps == 0:
            steady.sweep(at)
        asks, nobody = look(EVERY_WORD, number, at, account=account, holder=holder, network=network), number > 9
        first, again = steady.hit(asks), restarted.hit(asks)
        assert again[:-1] == first[:-1]
        if first.effect is PERMIT:
            steady.settle(asks, first, missed=nobody)
            restarted.settle(asks, again, missed=nobody)
            ledger.append(past(asks, missed=nobody))


def test_a_longer_window_of_a_new_policy_knows_what_the_ledger_knows():
    meter, short = MemoryMeter(), asked(Budget(9, HOUR, Past.DENY))
    looks = [look(short, number, NOON + timedelta(minutes=number)) for number in range(3)]
    for one in looks:
        meter.settle(one, meter.hit(one), missed=False)
    later = NOON + 5 * HOUR
    meter.sweep(later)
    longer = asked(Budget(3, DAY, Past.DENY), Budget(9, HOUR, Past.DENY))
    meter.rebuild(map(past, looks), later, {"t": longer})
    assert meter.hit(look(longer, 9, later)).effect is DENY
    assert meter.hit(look(longer, 1, later)).effect is PERMIT


def test_J4_a_ledger_written_under_a_clock_ahead_counts_from_now():
    meter, budgets = MemoryMeter(), asked(Budget(1, HOUR, Past.DENY))
    meter.rebuild([past(look(budgets, 0, NOON + 400 * DAY))], NOON, {"t": budgets})
    assert meter.hit(look(budgets, 1, NOON + timedelta(minutes=59))).effect is DENY
    assert meter.hit(look(budgets, 1, NOON + HOUR)).effect is PERMIT


def test_sweep_forgets_who_has_nobody_left_and_nobody_else():
    meter, budgets = MemoryMeter(), asked(Budget(9, HOUR, Past.DENY))
    rows = [past(look(budgets, 1, NOON - 2 * HOUR, teleservice=name)) for name in ("t", "u")]
    meter.rebuild(rows, NOON, {"t": budgets, "u": budgets})
    settled(meter, look(budgets, 1, account="b"))
    assert meter.sweep(NOON) == 1, "a teleservice nobody used since the start has windows nobody knows yet"
    assert len(meter) == 2
    assert meter.sweep(NOON + HOUR - timedelta(microseconds=1)) == 0
    assert meter.sweep(NOON + HOUR) == 1
    assert len(meter) == 1


@pytest.mark.parametrize("per", Scope)
@pytest.mark.parametrize("counts", Counts)
def test_J1_sweep_forgets_nobody_who_counts_anywhere(per: Scope, counts: Counts):
    """Also where one kind alone is counted, longer than anybody is known."""
    meter, budgets = MemoryMeter(), asked(Budget(1, 9 * DAY, Past.DENY, counts=counts, per=per), known_for=DAY)
    settled(meter, look(budgets, 1), missed=counts is Counts.MISSED)
    for days in (0, 1, 2, 8):
        meter.sweep(NOON + days * DAY)
    assert meter.hit(look(budgets, 2, NOON + 8 * DAY)).effect is DENY
    meter.sweep(NOON + 9 * DAY)
    assert len(meter) == 0


def test_J1_sweep_forgets_nobody_whose_look_up_is_under_way():
    meter = MemoryMeter()
    budgets = asked(Budget(1, HOUR, Past.DENY, counts=Counts.MISSED, per=Scope.NETWORK))
    asks = look(budgets, 1)
    outcome = meter.hit(asks)
    assert meter.sweep(NOON) == 0
    meter.settle(asks, outcome, missed=True)
    assert meter.hit(look(budgets, 2)).effect is DENY


def test_J4_sweep_under_a_clock_that_stepped_back_forgets_nothing():
    meter, budgets = MemoryMeter(), asked(Budget(1, HOUR, Past.DENY))
    meter.hit(look(budgets, 1))
    assert meter.sweep(NOON - timedelta(days=2)) == 0
    assert meter.hit(look(budgets, 2)).effect is DENY


def test_J1_parallel_look_ups_of_several_holders_let_out_what_each_and_all_of_them_may():
    meter = MemoryMeter()
    budgets = asked(Budget(50, HOUR, Past.DENY), Budget(20, HOUR, Past.DENY, per=Scope.HOLDER))
    out: dict[str | None, int] = {"Ana": 0, "Bob": 0, None: 0}

    async def look_up(number: int) -> None:
        await asyncio.sleep(0)
        holder = ("Ana", "Bob", None)[number % 3]
        outcome = meter.hit(look(budgets, number, account="pharmacie", holder=holder))
        await asyncio.sleep(0)
        out[holder] += outcome.effect is PERMIT

    async def all_at_once() -> None:
        await asyncio.gather(*(look_up(number) for number in range(300)))

    asyncio.run(all_at_once())
    assert sum(out.values()) == 50
    assert max(out.values()) <= 20
    assert meter.hit(look(budgets, 1, account="pharmacie", holder="Ana", teleservice="u")).effect is PERMIT
    assert meter.hit(look(budgets, 1, account="other", holder="Ana")).effect is PERMIT


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
        Budget(together, window, Past.DENY),
        Budget(each, window, Past.DENY, per=Scope.HOLDER),
        Budget(1, timedelta(seconds=300), Past.CHALLENGE, per=Scope.HOLDER),
    )
    steady, restarted, ledger, at = MemoryMeter(), MemoryMeter(), [], NOON
    for turn, (holder, number, passed) in enumerate(looks):
        at += timedelta(seconds=passed)
        if turn in restarts:
            restarted = MemoryMeter()
            restarted.rebuild([one for one in ledger if one.at >= at - window], at, {"t": budgets})
        asks = look(budgets, number, at, holder=holder)
        first = steady.hit(asks)
        assert restarted.hit(asks)[:-1] == first[:-1]
        if first.effect is PERMIT:
            ledger.append(past(asks))
        recent = [(one.holder, one.pseudonym) for one in ledger if at - one.at < window]
        assert len({pseudonym for _, pseudonym in recent}) <= together
        assert len({pseudonym for name, pseudonym in recent if name == holder}) <= each


def test_what_a_holder_was_refused_takes_no_place_of_the_others():
    meter = MemoryMeter()
    budgets = asked(Budget(2, HOUR, Past.DENY), Budget(1, HOUR, Past.CHALLENGE, per=Scope.HOLDER))
    assert meter.hit(look(budgets, 1, holder="Ana")).effect is PERMIT
    refused = meter.hit(look(budgets, 2, holder="Ana"))
    assert (refused.effect, [quota.left for quota in refused.quotas]) == (CHALLENGE, [1, 0])
    assert meter.hit(look(budgets, 3, holder="Bob")).effect is PERMIT
    assert meter.hit(look(budgets, 4, holder="Bob")).effect is DENY


def test_sweep_forgets_holders_too_and_a_rebuild_leaves_out_whom_nobody_asks_for():
    meter, budgets = MemoryMeter(), asked(Budget(2, HOUR, Past.DENY, per=Scope.HOLDER))
    rows = [past(look(budgets, 1, holder="Ana", teleservice=name)) for name in ("t", "u", "gone")]
    meter.rebuild(rows, NOON, {"t": budgets, "u": asked(Budget(2, HOUR, Past.DENY))})
    assert len(meter) == 3
    assert meter.sweep(NOON + HOUR) == 0
    settled(meter, look(budgets, 2, holder="Ana"))
    assert meter.sweep(NOON + HOUR) == 2
    assert len(meter) == 1


def test_a_network_is_told_by_address_in_the_ledger_and_shared_by_accounts():
    budgets = asked(Budget(2, HOUR, Past.DENY, per=Scope.NETWORK))
    meter = MemoryMeter(network_of)
    meter.rebuild([past(look(budgets, 1))], NOON, {"t": budgets})
    assert settled(meter, look(budgets, 2, account="b")) is PERMIT
    assert settled(meter, look(budgets, 3, account="c")) is DENY
    assert settled(meter, look(budgets, 3, account="c", network="198.51.100.0/24")) is PERMIT
    nowhere = past(look(budgets, 1))._replace(network=None)
    meter.rebuild([nowhere], NOON, {"t": budgets})
    assert len(meter) == 3 + 3


def test_a_session_that_moved_sees_whom_the_account_knows_and_nobody_new():
    meter = MemoryMeter()
    budgets = asked(Budget(9, HOUR, Past.DENY), known_for=DAY, moved_new=True)
    settled(meter, look(budgets, 1))
    settled(meter, look(budgets, 2), missed=True)
    assert meter.hit(look(budgets, 1, moved=True)).effect is PERMIT
    refused = meter.hit(look(budgets, 2, moved=True))
    assert (refused.effect, refused.budget, refused.new) == (CHALLENGE, None, True), "nobody is known by a miss"
    anything = asked(*budgets.budgets, known_for=DAY)
    assert meter.hit(look(anything, 2, moved=True)).effect is PERMIT, "the hallway asks before, there"
