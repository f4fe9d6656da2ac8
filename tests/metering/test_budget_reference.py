# SPDX-License-Identifier: EUPL-1.2
"""budget: against a reference that recounts its whole history each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.metering.budget import Outcome, Seen, hit, hit_together
from gateway.model import Budget, Effect

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CHALLENGE, DENY, PERMIT = Effect.CHALLENGE, Effect.DENY, Effect.PERMIT


def person(number: int) -> bytes:
    return number.to_bytes(16)


class Step(NamedTuple):
    """One look-up of a random history, in seconds."""

    moved: int
    who: int
    proved: int | None


def reference(history: list[tuple[bytes, datetime]], budgets, who: bytes, now: datetime, proved_at) -> tuple:
    """The docstring's words, one by one: (effect, refusing budgets with their waits)."""
    refusing = []
    for budget in budgets:
        inside = {one: at for one, at in dict(history).items() if now - at < budget.window}
        if who in inside:
            continue
        counting = sorted(at for at in inside.values() if budget.past is DENY or proved_at is None or at >= proved_at)
        if len(counting) >= budget.people:
            leaves = counting[len(counting) - budget.people] + budget.window
            refusing.append((budget, ceil((leaves - now) / timedelta(seconds=1))))
    effect = DENY if any(b.past is DENY for b, _ in refusing) else CHALLENGE if refusing else PERMIT
    return effect, refusing


BUDGETS = st.lists(
    st.builds(
        Budget,
        people=st.integers(1, 4),
        window=st.sampled_from([10, 30, 60]).map(lambda seconds: timedelta(seconds=seconds)),
        past=st.sampled_from([CHALLENGE, DENY]),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
STEPS = st.lists(
    st.builds(Step, st.integers(-15, 40) | st.integers(0, 3), st.integers(0, 7), st.none() | st.integers(-40, 5)),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(BUDGETS, STEPS)
def test_J4_it_agrees_with_the_reference_on_any_history(budgets: tuple[Budget, ...], steps: list[Step]):
    seen, history, clock, latest = Seen(), [], NOON, None
    for step in steps:
        clock += timedelta(seconds=step.moved)
        proved_at = None if step.proved is None else clock + timedelta(seconds=step.proved)
        latest = now = max(clock, *(one for one in (latest, proved_at) if one is not None), clock)
        effect, refusing = reference(history, budgets, person(step.who), now, proved_at)
        outcome = hit(seen, budgets, person(step.who), clock, proved_at)
        assert outcome.effect is effect
        if effect is PERMIT:
            history.append((person(step.who), now))
        else:
            waits = [wait for budget, wait in refusing if budget.past is effect]
            assert outcome.retry_after_seconds == max(waits)
        check_quotas(outcome, history, budgets, now, proved_at)


def check_quotas(outcome: Outcome, history, budgets, now, proved_at) -> None:
    """What is left by the reference: how many strangers it would still let in, one budget at a time."""
    for quota, budget in zip(outcome.quotas, budgets, strict=True):
        latest = dict(history)
        counting = [
            at
            for at in latest.values()
            if now - at < budget.window and (budget.past is DENY or proved_at is None or at >= proved_at)
        ]
        assert quota.budget is budget
        assert quota.left == max(0, budget.people - len(counting))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(-30, 900), st.none() | st.integers(-600, 60)), min_size=1, max_size=40
    )
)
def test_two_places_that_ask_the_same_say_the_same_as_one(looks: list[tuple[int, int, int | None]]):
    """Proofs, clocks that step back and all: one place, and the same budgets shared out over two places."""
    both = (Budget(3, timedelta(seconds=1200), CHALLENGE), Budget(4, timedelta(seconds=2000), DENY))
    alone, first, second, at = Seen(), Seen(), Seen(), NOON
    for number, passed, proved in looks:
        at += timedelta(seconds=passed)
        proved_at = None if proved is None else at + timedelta(seconds=proved)
        expected = hit(alone, both, person(number), at, proved_at)
        shared = ((first, both[:1]), (second, both[1:]))
        assert hit_together(shared, person(number), at, proved_at) == expected
