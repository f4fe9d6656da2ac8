# SPDX-License-Identifier: EUPL-1.2
"""budget: against a reference that recounts its whole history each time (support.recount), word by word."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.metering.budget import Asking, Outcome, Reserved, hit, missed, settle
from gateway.metering.seen import Seen
from gateway.metering.tally import microseconds
from gateway.model import Assurance, Budget, Counts, Level, Method, Past, Proof, Risk, Scope
from support.recount import Recount, Said

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Step(NamedTuple):
    """One look-up of a random history, or a try that is no number (`who` None); in seconds.

    Before it `settles` of the look-ups under way end, the latest first, as `ends` says in turn (True: missed).
    """

    moved: int
    who: int | None
    account: int
    holder: int
    network: int
    proved: int | None
    by_card: int | None
    level: Level
    risk: Risk
    elsewhere: bool
    settles: int
    ends: bool


def person(number: int) -> bytes:
    return number.to_bytes(16)


def lengths(*seconds: int) -> st.SearchStrategy[timedelta]:
    return st.sampled_from(seconds).map(lambda one: one * SECOND)


WORDS = {
    "counts": st.sampled_from(Counts),
    "per": st.sampled_from(Scope),
    "under": st.sampled_from([None, Level.MFA, Level.CARD]),
    "risk": st.sampled_from(Risk),
    "delay": lengths(0, 1, 5),
    "lasts": st.none() | lengths(5, 45),
    "methods": st.sampled_from([(), (Method.SMART_CARD,), (Method.TOTP, Method.SMART_CARD)]),
    "observe": st.booleans(),
}


@st.composite
def budgets_of_some_words(draw: st.DrawFn) -> tuple[Budget, ...]:
    """One to six budgets that use a few of the words, so that each is met in full strength now and then."""
    words = {name: WORDS[name] for name in draw(st.sets(st.sampled_from(sorted(WORDS)), max_size=4))}
    pasts = draw(st.sampled_from([[Past.CHALLENGE, Past.DENY], [*Past], [Past.DELAY, Past.DENY], [Past.DENY]]))
    people = st.integers(1, draw(st.integers(1, 4)))
    one = st.builds(Budget, people=people, window=lengths(10, 30, 60), past=st.sampled_from(pasts), **words)
    return tuple(draw(st.lists(one, min_size=1, max_size=6)))


STEPS = st.lists(
    st.builds(
        Step,
        moved=st.integers(0, 3) | st.integers(-15, 40),
        who=st.integers(0, 6) | st.integers(0, 6) | st.none(),
        account=st.integers(0, 1),
        holder=st.integers(0, 1),
        network=st.integers(0, 1),
        proved=st.none() | st.integers(-40, 5),
        by_card=st.none() | st.integers(-40, 10),
        level=st.sampled_from([Level.PASSWORD, Level.MFA, Level.CARD]),
        risk=st.sampled_from(Risk),
        elsewhere=st.sampled_from([False, False, True]),
        settles=st.integers(0, 2),
        ends=st.booleans(),
    ),
    max_size=40,
)


def sites_of(step: Step, budgets: tuple[Budget, ...]) -> list[tuple[str, tuple[Budget, ...]]]:
    """Where a step counts: the account always, elsewhere where a budget asks."""
    by_scope = {scope: tuple(one for one in budgets if one.per is scope) for scope in Scope}
    names = {
        Scope.ACCOUNT: f"account {step.account}",
        Scope.HOLDER: f"holder {step.account} {step.holder}",
        Scope.NETWORK: f"network {step.network}",
        Scope.SERVICE: "service",
    }
    return [(names[scope], asked) for scope, asked in by_scope.items() if asked or scope is Scope.ACCOUNT]


def asking_of(step: Step, clock: datetime) -> Asking:
    proofs = [Proof(Method.TOTP, clock - 20 * SECOND)]
    if step.by_card is not None:
        proofs.append(Proof(Method.SMART_CARD, clock + step.by_card * SECOND))
    proved = None if step.proved is None else microseconds(clock + step.proved * SECOND)
    return Asking(microseconds(clock), proved, step.level, step.risk, step.elsewhere, Assurance(tuple(proofs)))


def agree(outcome: Outcome, said: Said) -> None:
    assert (outcome.effect, outcome.retry_after_seconds) == (said.effect, said.wait)
    assert outcome.budget is said.budget
    assert (outcome.delay_seconds, outcome.alerts, outcome.observed) == (said.delay, said.alerts, said.observed)
    assert outcome.new is said.new
    assert [(*one,) for one in outcome.quotas] == said.quotas
    assert isinstance(outcome.reserved, Reserved) is (said.looked is not None)


@settings(max_examples=400, deadline=None)
@given(budgets_of_some_words(), STEPS, st.sampled_from([None, 20 * SECOND, 90 * SECOND]))
def test_J4_it_agrees_with_the_reference_on_any_history(
    budgets: tuple[Budget, ...], steps: list[Step], known_for: timedelta | None
):
    kept: defaultdict[str, Seen] = defaultdict(Seen)
    reference, clock, under_way = Recount(known_for), NOON, []
    for turn, step in enumerate(steps):
        for reserved, looked in [under_way.pop() for _ in range(min(step.settles, len(under_way)))]:
            settle(reserved, missed=step.ends)
            reference.settle(looked, missed=step.ends)
        clock += step.moved * SECOND
        named, asking = sites_of(step, budgets), asking_of(step, clock)
        sites = [(kept[name], asked) for name, asked in named]
        if step.who is None:
            name = (1 << 64 | turn).to_bytes(16)
            agree(missed(sites, known_for, name, asking), reference.tried(named, name, asking))
            continue
        outcome, said = hit(sites, known_for, person(step.who), asking), reference.hit(named, person(step.who), asking)
        agree(outcome, said)
        if said.looked is not None:
            under_way.insert(0 if step.network else len(under_way), (outcome.reserved, said.looked))


PLAIN = st.tuples(st.integers(0, 8), st.integers(-30, 900), st.none() | st.integers(-600, 60))


@settings(max_examples=100, deadline=None)
@given(st.lists(PLAIN, min_size=1, max_size=40))
def test_two_places_that_ask_the_same_say_the_same_as_one(looks: list[tuple[int, int, int | None]]):
    """Proofs, clocks that step back and all: one place, and the same budgets shared out over two places."""
    both = (Budget(3, 1200 * SECOND, Past.CHALLENGE), Budget(4, 2000 * SECOND, Past.DENY))
    alone, first, second, at = Seen(), Seen(), Seen(), NOON
    for number, passed, proved in looks:
        at += passed * SECOND
        proved_at = None if proved is None else microseconds(at + proved * SECOND)
        asking = Asking(microseconds(at), proved_at)
        expected = hit(((alone, both),), None, person(number), asking)
        shared = ((first, both[:1]), (second, both[1:]))
        assert hit(shared, None, person(number), asking)._replace(reserved=None) == expected._replace(reserved=None)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 3), st.booleans()), max_size=40))
def test_J1_whoever_was_shown_stays_counted_however_others_end_at_the_same_moment(
    history: list[tuple[int, int, int, bool]],
):
    """Look-ups end in any order, most at equal times: no window ever shows more people than its budget has."""
    length = 30 * SECOND
    seen, asked, clock = Seen(), (Budget(2, length, Past.DENY),), NOON
    under_way: list[tuple[int, datetime, Reserved]] = []
    shown: list[tuple[int, datetime]] = []
    for who, passed, which, nobody in history:
        clock += max(0, passed - 6) * SECOND * 5
        outcome = hit(((seen, asked),), None, person(who), Asking(microseconds(clock)))
        if isinstance(outcome.reserved, Reserved):
            under_way.append((who, clock, outcome.reserved))
        if under_way and which:
            ended, at, reserved = under_way.pop(which % len(under_way))
            settle(reserved, missed=nobody)
            shown += [] if nobody else [(ended, at)]
    for _, until in shown:
        assert len({who for who, at in shown if until - length < at <= until}) <= 2
