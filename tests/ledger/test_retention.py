# SPDX-License-Identifier: EUPL-1.2
"""retention: each kind is in one class, each class has its time, and what an open incident holds goes never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.event import microseconds
from gateway.ledger.retention import (
    CLASS_OF,
    CLASSES,
    ORDER,
    Keep,
    Periods,
    midnight,
    months_before,
    of_one_day,
    rules_at,
)
from gateway.ledger.span import Span
from gateway.model import EventKind

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
DAY = timedelta(days=1)
PHARMACY = "750012346"


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return microseconds(datetime(year, month, day, hour, tzinfo=UTC))


def test_each_kind_is_in_exactly_one_class():
    assert sorted(kind for kinds in CLASSES.values() for kind in kinds) == sorted(EventKind)
    assert {*CLASSES} == {*Keep} == {*ORDER, Keep.ALWAYS}
    assert CLASS_OF["lookup"] is Keep.DISCLOSURES
    assert CLASS_OF["events-deleted"] is Keep.ALWAYS


def test_what_proves_the_rest_is_kept_as_long_as_the_longest():
    for periods in (Periods(), Periods(48, 36), Periods(6, 6)):
        months = {keep: periods.months(keep) for keep in Keep}
        assert months[Keep.PROOF] == max(months[Keep.SECURITY], months[Keep.DISCLOSURES])
        assert months[Keep.ALWAYS] is None
    assert Periods().months(Keep.SECURITY) == 12
    assert Periods().months(Keep.DISCLOSURES) == 36


def test_time_is_over_at_a_midnight():
    rules = rules_at(NOW, Periods())
    assert rules.before == {
        Keep.SECURITY: at(2025, 11, 23),
        Keep.DISCLOSURES: at(2023, 11, 23),
        Keep.PROOF: at(2023, 11, 23),
    }
    assert rules.over("sign-in", PHARMACY, at(2025, 11, 23) - 1)
    assert not rules.over("sign-in", PHARMACY, at(2025, 11, 23))
    assert not rules.over("lookup", PHARMACY, at(2023, 11, 23))
    assert rules.over("lookup", PHARMACY, at(2023, 11, 23) - 1)
    assert not rules.over("events-deleted", "", 0)
    assert not rules.over("of-a-newer-version", PHARMACY, 0)


def test_what_the_policy_counts_back_is_kept_in_any_case():
    rules = rules_at(NOW, Periods(6, 6), counted_back=timedelta(days=400))
    assert set(rules.before.values()) == {microseconds(midnight(NOW - timedelta(days=400)))}


def test_an_open_incident_holds_its_accounts_and_interval_and_what_is_of_nobody():
    since, until = datetime(2024, 3, 1, 8, tzinfo=UTC), datetime(2024, 3, 3, tzinfo=UTC)
    rules = rules_at(NOW, Periods(), [Span((PHARMACY,), since, until, ("infopatient",))])
    inside = at(2024, 3, 2)
    for account in (PHARMACY, ""):
        assert rules.held(account, inside)
        assert not rules.over("sign-in", account, inside)
        assert rules.held(account, microseconds(since - DAY))
        assert not rules.held(account, microseconds(since - DAY) - 1)
        assert not rules.held(account, microseconds(until + timedelta(hours=2)))
    assert rules.over("sign-in", "130005671", inside)


@pytest.mark.parametrize(
    ("day", "months", "due"),
    [
        (datetime(2026, 3, 31, 23, 59, tzinfo=UTC), 1, (2026, 2, 28)),
        (datetime(2024, 3, 30, tzinfo=UTC), 1, (2024, 2, 29)),
        (datetime(2026, 3, 31, tzinfo=UTC), 12, (2025, 3, 31)),
        (datetime(2026, 1, 5, tzinfo=UTC), 6, (2025, 7, 5)),
        (datetime(2026, 12, 28, tzinfo=UTC), 12, (2025, 12, 28)),
        (datetime.fromisoformat("2026-07-01T00:30:00+02:00"), 6, (2025, 12, 30)),
    ],
)
def test_months_are_those_of_the_calendar(day, months, due):
    assert months_before(day, months) == datetime(*due, tzinfo=UTC)


@given(st.integers(0, 36_500), st.integers(1, 240))
def test_so_many_months_are_never_more(days, months):
    now = datetime(2000, 1, 1, 12, tzinfo=UTC) + days * DAY
    then = months_before(now, months)
    assert timedelta(days=28 * months) <= midnight(now) - then <= timedelta(days=31 * months)
    assert months_before(now + DAY, months) >= then


def test_in_one_day_no_more_than_a_month_goes_of_a_class_and_never_more_than_is_over():
    rules = rules_at(NOW, Periods())
    eased = of_one_day(rules, Keep.SECURITY, at(2024, 1, 10, 17))
    assert eased.before == {**rules.before, Keep.SECURITY: at(2024, 2, 10)}
    assert eased.holds == rules.holds
    assert of_one_day(rules, Keep.SECURITY, at(2025, 11, 20)) == rules
