# SPDX-License-Identifier: EUPL-1.2
"""Budgets against budgets, routes against routes, routes against the place of the number."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.model import (
    Budget,
    Counts,
    Effect,
    Level,
    Method,
    Past,
    PatientLocator,
    Place,
    Risk,
    Scope,
)
from gateway.policy.checks import budget_text, locator_fault, never_reached, overlapping, trials, why_never
from gateway.policy.durations import parse_duration
from gateway.policy.rules import Policy, Route, Rule
from gateway.policy.template import parse_template

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def budget(text: str, **words: object) -> Budget:
    people, window, past, *holder = text.split()
    budget = Budget(int(people), parse_duration(window), Past(past), per=Scope(*holder) if holder else Scope.ACCOUNT)
    return replace(budget, **words)


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


CARD, OTP = (Method.SMART_CARD,), (Method.TOTP,)


@pytest.mark.parametrize(
    ("first", "this", "never"),
    [
        ({"counts": Counts.NEW}, {}, False),
        ({}, {"counts": Counts.NEW}, False),
        ({"counts": Counts.NEW}, {"counts": Counts.NEW}, True),
        ({"observe": True}, {}, False),
        ({}, {"observe": True}, False),  # beside a refusal it still says what it would have done
        ({"past": Past.ALERT}, {}, False),
        ({"past": Past.DELAY}, {}, False),
        ({}, {"past": Past.DELAY}, True),
        ({}, {"past": Past.ALERT}, False),  # told when somebody is refused
        ({}, {"past": Past.ALERT, "people": 61}, True),
        ({}, {"observe": True, "people": 61}, True),
        ({"under": Level.CARD}, {}, False),
        ({"under": Level.CARD}, {"under": Level.MFA}, True),
        ({"under": Level.MFA}, {"under": Level.CARD}, False),
        ({}, {"under": Level.MFA}, True),
        ({"risk": Risk.ELEVATED}, {}, False),
        ({"risk": Risk.ELEVATED}, {"risk": Risk.HIGH}, True),
        ({}, {"risk": Risk.HIGH}, True),
        ({"per": Scope.NETWORK}, {}, False),
        ({}, {"per": Scope.NETWORK}, False),
        ({"per": Scope.NETWORK}, {"per": Scope.NETWORK}, True),
        ({"past": Past.CHALLENGE, "methods": CARD}, {"past": Past.CHALLENGE}, False),
        ({"past": Past.CHALLENGE}, {"past": Past.CHALLENGE, "methods": CARD}, False),  # a code opens no stretch of it
        ({"past": Past.CHALLENGE, "methods": OTP}, {"past": Past.CHALLENGE, "methods": CARD}, False),
        ({"past": Past.CHALLENGE, "methods": CARD}, {"past": Past.CHALLENGE, "methods": CARD}, True),
        # who was not asked, or not known to miss, may have filled the longer window already
        ({"under": Level.CARD}, {"under": Level.CARD, "people": 120, "window": timedelta(hours=2)}, False),
        ({"risk": Risk.HIGH}, {"risk": Risk.HIGH, "people": 120, "window": timedelta(hours=2)}, False),
        ({"counts": Counts.MISSED}, {"counts": Counts.MISSED, "people": 120, "window": timedelta(hours=2)}, False),
        ({"counts": Counts.MISSED}, {"counts": Counts.MISSED, "people": 120}, True),
        ({"counts": Counts.MISSED}, {"counts": Counts.MISSED, "people": 120, "observe": True}, False),
        ({}, {"under": Level.CARD, "people": 120, "window": timedelta(hours=2)}, True),
    ],
)
def test_every_word_of_two_budgets_decides_whether_one_hides_the_other(
    first: dict[str, object], this: dict[str, object], never: bool
) -> None:
    pair = [budget("60 1h deny", **first), budget("60 1h deny", **{"people": 60} | this)]
    if pair[0] == pair[1]:
        assert never_reached(pair, 1) == pair[0]
    else:
        assert (never_reached(pair, 1) is not None) is never


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
    told = why_never(budget("5 1h deny"), budget("9 1h alert"))
    assert "so no more than 5 people here, or no such budget" in told


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ({"counts": Counts.NEW}, "5 new people per 1d, then deny"),
        ({"counts": Counts.MISSED, "per": Scope.NETWORK}, "5 misses per 1d for each network, then deny"),
        ({"per": Scope.SERVICE, "past": Past.ALERT}, "5 people per 1d for everybody together, then alert"),
        ({"past": Past.DELAY, "delay": timedelta(seconds=5)}, "5 people per 1d, then delay 5s"),
        ({"past": Past.CHALLENGE, "methods": (*CARD, *OTP)}, "5 people per 1d, then challenge by sc or otp"),
        (
            {"lasts": timedelta(hours=1), "closes": ("u", "v")},
            "5 people per 1d, then deny for 1h, also u, v",
        ),
        (
            {"under": Level.CARD, "risk": Risk.HIGH, "observe": True},
            "5 people per 1d, then deny, under card, at high risk, observed only",
        ),
    ],
)
def test_a_budget_is_told_in_all_its_words(words: dict[str, object], text: str) -> None:
    assert budget_text(budget("5 24h deny", **words)) == text


def test_a_trial_tells_for_how_long_and_what_to_do_after_a_month() -> None:
    since = date(2026, 11, 1)
    budgets = (
        budget("5 1h deny"),
        budget("5 1h deny", observe=True),
        budget("6 1h deny", observe=True, observed_since=since),
    )
    rules = (
        Rule("a", "A", (), budgets=budgets),
        Rule("b", "B", (), observe=True, observed_since=since),
        Rule("c", "C", ()),
    )
    policy = Policy("p", "P", Effect.DENY, rules, "digest")
    undated = (
        "a, 5 people per 1h, then deny, observed only: on trial; write since when (`observe: 2026-12-01`), so that it "
        "is not forgotten"
    )
    assert [*trials(policy, date(2026, 12, 1))] == [
        undated,
        "a, 6 people per 1h, then deny, observed only: on trial for 30 days (since 2026-11-01)",
        "b: on trial for 30 days (since 2026-11-01)",
    ]
    assert [*trials(policy, date(2026, 12, 2))][2] == (
        "b: on trial for 31 days (since 2026-11-01): look at its events, then enforce it or take it out"
    )


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
