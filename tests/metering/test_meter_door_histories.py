# SPDX-License-Identifier: EUPL-1.2
"""The door on any history: both meters say the same, and what a reference says that recounts everything."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.metering.memory import MemoryMeter
from gateway.metering.redis_rebuild import rebuild
from gateway.model import Budget, Counts, Level, Method, Past, PastLook, Risk, Scope
from support.redis_server_doors import (
    ACCOUNTS,
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
    until_whole,
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


NOBODY = 5


class Step(NamedTuple):
    """One look-up of a random history: seconds passed, who, when proved before, and how it ends.

    From `NOBODY` on, a number is nobody's. One that was somebody's, then nobody's, is the one case in which the doors
    differ: in longer windows memory keeps the time of the miss, Redis the time of the look-up before it.
    """

    passed: int
    who: int
    proved: int | None
    ends: str
    moved: bool
    holder: str | None
    risk: Risk


BUDGETS = st.lists(
    st.builds(
        Budget,
        people=st.integers(0, 4),
        window=st.sampled_from([10, 30, 60]).map(lambda seconds: timedelta(seconds=seconds)),
        past=st.sampled_from(list(Past)),
        counts=st.sampled_from(list(Counts)),
        per=st.sampled_from([Scope.ACCOUNT, Scope.HOLDER, Scope.NETWORK]),
        under=st.sampled_from([None, Level.MFA, Level.CARD]),
        risk=st.sampled_from([Risk.CALM, Risk.CALM, Risk.HIGH]),
        delay=st.just(SECOND),
        lasts=st.sampled_from([None, None, 20 * SECOND]),
        methods=st.sampled_from([(), (Method.TOTP,), (Method.SMART_CARD,)]),
        observe=st.sampled_from([False, False, True]),
    ),
    min_size=1,
    max_size=5,
    unique=True,
).map(tuple)
STEPS = st.lists(
    st.builds(
        Step,
        st.integers(-15, 40) | st.integers(1, 3),
        st.integers(0, 7),
        st.none() | st.integers(-40, 5),
        st.sampled_from(["settled", "settled", "none", "open"]),
        st.booleans(),
        st.sampled_from(["Ana", None]),
        st.sampled_from(Risk),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BUDGETS, STEPS, st.sampled_from([None, 20 * SECOND, 90 * SECOND]))
def test_both_doors_say_the_same_on_any_history(doors, budgets, steps: list[Step], known_for):
    of, account, at = meter(*budgets, known_for=known_for, moved_new=True), next(ACCOUNTS), NOON
    for number, step in enumerate(steps):
        at += timedelta(seconds=step.passed)
        code = () if step.proved is None else ((Method.TOTP, at + timedelta(seconds=step.proved)),)
        assurance = proved((Method.PASSWORD, NOON), *code)
        where = {"holder": step.holder, "network": account, "risk": step.risk, "moved": step.moved}
        one = look(account, of, step.who, at, assurance=assurance, **where)
        said = []
        for door in doors.values():
            outcome = door.missed(one) if step.ends == "none" else door.hit(one)
            if step.ends == "settled" or (step.ends == "open" and step.who >= NOBODY):
                door.settle(one, outcome, missed=step.who >= NOBODY)
            said.append(outcome._replace(reserved=None))
        assert said[0] == said[1], number


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, 6), st.integers(-20, 700)), max_size=40))
def test_promise_4_it_agrees_with_a_reference_that_recounts_everything(door: Door, people: int, looks):
    window = timedelta(seconds=1500)
    of, account = meter(Budget(people, window, Past.DENY)), next(ACCOUNTS)
    history: list[tuple[int, datetime]] = []
    at, now = NOON, NOON - DAY
    for who, passed in looks:
        at += timedelta(seconds=passed)
        now = max(now, at)
        inside = {one: seen for one, seen in dict(history).items() if now - seen < window}
        outcome = door.hit(look(account, of, who, at))
        if who in inside or len(inside) < people:
            assert outcome.effect is PERMIT
            history.append((who, now))
        else:
            wait = ceil((min(inside.values()) + window - now) / SECOND)
            assert (outcome.effect, outcome.retry_after_seconds) == (DENY, wait)


def test_promise_4_what_the_ledger_knows_is_counted_after_a_rebuild(door: Door):
    of = meter(Budget(3, HOUR, Past.DENY), Budget(2, HOUR, Past.DENY, Counts.NEW), known_for=DAY)
    account = next(ACCOUNTS)
    rows = [PastLook(account, "infopatient", None, None, person(one), NOON - DAY, missed=False) for one in (1, 2)]
    rows += [PastLook(account, "infopatient", None, None, person(one), NOON, missed=False) for one in (1, 3)]
    rows += [PastLook(account, "infopatient", None, None, person(9), NOON, missed=True)]
    if isinstance(door.meter, MemoryMeter):
        door.meter.rebuild(rows, NOON, {"infopatient": of})
    else:
        nodes = door.meter._nodes
        assert door.loop.run_until_complete(rebuild(nodes, lambda: rows, NOON, {"infopatient": of}))
        door.loop.run_until_complete(until_whole(nodes))
    outcome = door.hit(look(account, of, 1))
    assert [one.left for one in outcome.quotas] == [1, 0]
    assert door.hit(look(account, of, 4)).effect is DENY
