# SPDX-License-Identifier: EUPL-1.2
"""Budgets against budgets, routes against routes, routes against the place of the number."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import Budget, Effect, PatientLocator, Place
from gateway.policy.checks import budget_text, locator_fault, never_reached, overlapping, why_never
from gateway.policy.durations import parse_duration
from gateway.policy.rules import Route, Rule
from gateway.policy.template import parse_template


def budget(text: str) -> Budget:
    people, window, past, *holder = text.split()
    return Budget(int(people), parse_duration(window), Effect(past), per_holder=bool(holder))


def route(text: str, patient: str | None = None) -> Route:
    methods, _, path = text.partition(" ")
    place, _, name = (patient or "").partition(":")
    return Route(
        tuple(methods.split(",")), parse_template(path), PatientLocator(Place(place), name) if patient else None
    )


@pytest.mark.parametrize(
    ("first", "this", "never"),
    [
        ("60 1h deny", "60 1h challenge", True),
        ("60 1h deny", "59 1h challenge", False),
        ("60 1h deny", "60 10m challenge", True),
        ("60 1h deny", "60 2h challenge", False),  # 120 fit into two hours
        ("60 1h deny", "119 2h deny", False),
        ("60 1h deny", "120 2h deny", True),
        ("60 1h deny", "120 90m deny", True),  # ninety minutes are covered by two hours
        ("60 1h deny", "119 90m deny", False),
        ("10 1m deny", "600 1h challenge", True),
        ("10 1m deny", "599 1h challenge", False),
        ("15 10m challenge", "90 1h challenge", True),
        ("15 10m challenge", "89 1h challenge", False),
        ("15 10m challenge", "15 5m challenge", True),
        ("15 10m challenge", "1000 1h deny", False),  # proof after proof, the hour fills up
        ("15 10m challenge", "15 10m deny", False),
        ("15 10m challenge", "1000 5m deny", False),
        ("60 1h deny holder", "60 1h deny", False),  # several holders share an account
        ("60 1h deny", "60 1h deny holder", True),
        ("60 1h deny holder", "61 1h deny holder", True),
    ],
)
def test_a_budget_behind_another_is_never_reached(first: str, this: str, never: bool) -> None:
    pair = [budget(first), budget(this)]
    assert never_reached(pair, 1) == (pair[0] if never else None)
    assert never_reached(pair[::-1], 0) == (pair[0] if never else None)


def test_of_twins_only_the_second_is_told() -> None:
    twins = [budget("5 1m deny"), budget("5 1m deny")]
    assert never_reached(twins, 0) is None
    assert never_reached(twins, 1) == twins[0]
    assert never_reached(twins[:1], 0) is None


def test_the_reason_is_told_in_numbers() -> None:
    told = why_never(budget("15 10m challenge"), budget("90 1h challenge"))
    assert "`15 people per 10m, then challenge` lets no more than 90 people through in 1h" in told
    assert "fewer than 90 people here" in told
    assert budget_text(budget("5 24h deny")) == "5 people per 1d, then deny"


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
        if one.past is Effect.CHALLENGE:
            return sum(since < seen and place > self.proved for place, seen in enumerate(self.seen))
        return sum(since < seen for seen in self.seen)

    def prove(self) -> None:
        self.proved = len(self.seen) - 1


small = st.builds(
    Budget,
    st.integers(1, 6),
    st.integers(1, 6).map(lambda seconds: timedelta(seconds=seconds)),
    st.sampled_from([Effect.CHALLENGE, Effect.DENY]),
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
            if any(one.past is Effect.DENY for one in passed):
                break
            if passed:
                counting.prove()
            counting.seen.append(at)


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
                    if any(one.past is Effect.DENY for one in passed) or (passed and not proving):
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


@pytest.mark.parametrize(
    ("text", "patient", "expected"),
    [
        ("GET /x/{nir}", "path:nir", None),
        ("GET /x/{nir}/{_doc}", "path:nir", None),
        ("GET /x", "query:nir", None),
        ("POST /x", "form:nir", None),
        ("POST /x/{_doc}/{_rest...}", "json:/nir", None),
        ("GET /x/{id}", None, None),
        ("GET /x/{nri}", "path:nir", "the variable `{nir}`"),
        ("GET /x/{nir...}", "path:nir", "the variable `{nir}` as one segment"),
        ("GET /x/{nir}/{doc}", "path:nir", "`{_doc}` if this variable is no patient number"),
        ("POST /x/{nir}", "form:nir", "`{_nir}` if this variable is no patient number"),
        ("POST /x/{rest...}", "form:nir", "`{_rest}` if"),
        ("GET,POST /x", "form:nir", "methods with a body for a number in the form: give GET a route"),
        ("POST,OPTIONS /x", "json:/nir", "give OPTIONS a route"),
    ],
)
def test_a_metered_route_can_carry_its_number(text: str, patient: str | None, expected: str | None) -> None:
    found = locator_fault(route(text, patient))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert expected in found


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ((0, "GET /a"), (0, "GET /b"), 0),
        ((0, "GET /a"), (0, "POST /a"), 0),
        ((0, "GET /a"), (0, "GET /A"), 1),
        ((0, "GET /a"), (1, "GET /a"), 0),
        ((5, "GET,POST /a/{x}"), (5, "POST /{y...}"), 1),
        ((5, "GET /a/{x}"), (-1, "GET /{y...}"), 0),
    ],
)
def test_two_teleservices_share_no_request_without_an_order(
    one: tuple[int, str], other: tuple[int, str], told: int
) -> None:
    rules = [Rule(name, name, (route(text),), order) for name, (order, text) in zip("ab", (one, other), strict=True)]
    found = [*overlapping(rules)]
    assert len(found) == told
    if told:
        assert [found[0][0].name, found[0][2].name] == ["b", "a"]


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ([("GET /a", None), ("GET /a", None)], 1),
        ([("GET /a", None), ("GET,POST /A", None)], 1),
        ([("GET /a", None), ("GET /a/{x...}", None)], 0),
        ([("GET /a/{x...}", None), ("GET /a/{y...}", None)], 1),
        ([("GET /a/b", None), ("GET /a/{x}", None)], 0),
        ([("GET /a/new", None), ("GET /a/{nir}", "path:nir")], 1),  # else a page that shows nobody hides a person
        ([("GET /a/{nir}", "path:nir"), ("GET /{nir}/b", "path:nir")], 1),
        ([("POST /a/b", "form:nir"), ("POST /a/{_x}", "form:nir")], 0),
        ([("POST /a/b", "form:nir"), ("POST /a/{_x}", "form:other")], 1),
    ],
)
def test_within_a_teleservice_overlaps_make_no_difference(routes: list[tuple[str, str | None]], told: int) -> None:
    rule = Rule("a", "a", tuple(route(text, patient) for text, patient in routes))
    assert len([*overlapping([rule])]) == told
