# SPDX-License-Identifier: EUPL-1.2
"""Which budgets are never reached, against traffic: told where it is so, and only where it is so."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.metering.budget import Asking
from gateway.model import (
    Assurance,
    Budget,
    Counts,
    Level,
    Method,
    Past,
    Proof,
    Risk,
    Scope,
)
from gateway.policy.checks import never_reached
from support.recount import Recount

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


CARD = (Method.SMART_CARD,)


class Counting:
    """People at whole seconds under two sliding windows, as plainly as can be."""

    def __init__(self, budgets: list[Budget]) -> None:
        self.budgets = budgets
        self.seen: list[int] = []
        self.proved = -1

    def passed(self, at: int) -> list[Budget]:
        """The budgets that one more person at this second would pass."""
        return [one for one in self.budgets if self.count(one, at) >= one.people]

    def count(self, one: Budget, at: int) -> int:
        since = at - one.window.total_seconds()
        if one.past is Past.CHALLENGE:
            return sum(since < seen and place > self.proved for place, seen in enumerate(self.seen))
        return sum(since < seen for seen in self.seen)

    def prove(self) -> None:
        self.proved = len(self.seen) - 1


small = st.builds(
    Budget,
    st.integers(1, 6),
    st.integers(1, 6).map(lambda seconds: timedelta(seconds=seconds)),
    st.sampled_from([Past.CHALLENGE, Past.DENY]),
)


@given(st.lists(small, min_size=2, max_size=2), st.lists(st.tuples(st.integers(0, 3), st.integers(1, 7)), max_size=25))
def test_no_traffic_reaches_what_is_never_reached(budgets: list[Budget], bursts: list[tuple[int, int]]) -> None:
    """Whoever comes whenever: a budget told as never reached is never the only one to stop somebody."""
    never = [one for place, one in enumerate(budgets) if never_reached(budgets, place) is not None]
    counting, at = Counting(budgets), 0
    for pause, people in bursts:
        at += pause
        for _ in range(people):
            passed = counting.passed(at)
            assert not passed or set(map(id, passed)) - set(map(id, never))
            if any(one.past is Past.DENY for one in passed):
                break
            if passed:
                counting.prove()
            counting.seen.append(at)


WORDED = st.builds(
    Budget,
    st.integers(1, 4),
    st.integers(1, 4).map(lambda seconds: timedelta(seconds=seconds)),
    st.sampled_from(Past),
    counts=st.sampled_from(Counts),
    per=st.sampled_from(Scope),
    under=st.sampled_from([None, Level.CARD]),
    risk=st.sampled_from([Risk.CALM, Risk.HIGH]),
    methods=st.sampled_from([(), CARD]),
    observe=st.booleans(),
)
LOOKS = st.lists(
    st.tuples(
        st.integers(0, 1),  # seconds since the one before
        st.integers(0, 20),
        st.sampled_from([Level.MFA, Level.CARD]),
        st.sampled_from([Risk.CALM, Risk.HIGH]),
        st.sampled_from(["none", "otp", "sc"]),  # what is proved just before
        st.booleans(),
    ),
    max_size=40,
)


@st.composite
def one_behind_another(draw: st.DrawFn) -> list[Budget]:
    """Two budgets of which the second is told as never reached: they share most of their words."""
    past = draw(st.sampled_from([Past.CHALLENGE, Past.DENY]))
    first = replace(draw(WORDED), past=past, observe=False)
    times = draw(st.integers(1, 3))
    people = first.people * times + draw(st.integers(0, 1))
    pasts = [past, Past.CHALLENGE, Past.ALERT, Past.DELAY]
    words = {
        "past": st.sampled_from(pasts),
        "under": st.just(Level.CARD),
        "observe": st.just(True),
        "methods": st.just(()),
        "counts": st.sampled_from(Counts),
        "per": st.sampled_from(Scope),
    }
    changes = draw(st.fixed_dictionaries({}, optional=words))
    second = replace(first, people=people, window=times * first.window)
    pair = [first, replace(second, **changes)]
    assume(never_reached(pair, 1) is not None)
    return pair


@settings(max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
@given(one_behind_another(), LOOKS)
def test_no_use_whatever_hears_a_word_of_what_is_never_reached(pair: list[Budget], looks: list[tuple]) -> None:
    """Against the recount of everything: levels, risks, proofs and misses that end late.

    Behind a challenge nobody is looked at again: whom one knows is free, yet counts anew after a proof.
    """
    sites = [(scope.value, tuple(one for one in pair if one.per is scope)) for scope in Scope]
    recount, at, proved, under_way = Recount(timedelta(days=1)), 0, 0, []
    proofs = [Proof(Method.TOTP, EPOCH)]
    for passed, who, level, risk, proving, nobody in looks:
        at += passed * 1_000_000
        moment = EPOCH + timedelta(microseconds=at)
        if proving != "none":
            proved = at
            proofs.append(Proof(Method(proving), moment))
        assurance = Assurance(tuple(proofs))
        whom = who if pair[0].past is Past.DENY else len(recount.looks) + 100
        said = recount.hit(sites, whom.to_bytes(16), Asking(at, proved, level, risk, assurance=assurance))
        assert said.budget is not pair[1]
        assert pair[1] not in (*said.alerts, *said.observed)
        assert not said.delay or pair[0].past is Past.DELAY
        if said.looked is not None:
            under_way.append((said.looked, nobody))
        if len(under_way) > 3:
            for looked, missed in under_way:
                recount.settle(looked, missed=missed)
            under_way.clear()


@settings(max_examples=40)
@given(st.lists(small, min_size=2, max_size=2))
def test_what_can_be_reached_is_reached_by_some_traffic(budgets: list[Budget]) -> None:
    """As many people each second as pass: within 24 seconds every other budget has stopped somebody."""
    reached: set[int] = set()
    for rhythm in range(1, 7):
        for proving in (True, False):
            counting = Counting(budgets)
            for at in range(0, 24, rhythm):
                while True:
                    passed = counting.passed(at)
                    reached |= set(map(id, passed))
                    if any(one.past is Past.DENY for one in passed) or (passed and not proving):
                        break
                    if passed:
                        counting.prove()
                    counting.seen.append(at)
                    if len(counting.seen) > 400:
                        break
                if len(counting.seen) > 400:
                    break
    for place, one in enumerate(budgets):
        if never_reached(budgets, place) is None:
            assert id(one) in reached
