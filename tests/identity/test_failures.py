# SPDX-License-Identifier: EUPL-1.2
"""Failures per account and factor: growing waits, exact under races, durable (faults I3, I4)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import open_database, reading
from gateway.identity.failures import DAY, Failures, wait_until
from gateway.model import Method, Reason

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)
A = "750012346"
PASSWORD, TOTP = Method.PASSWORD, Method.TOTP


@pytest.fixture
def failures(engine):
    return Failures(engine)


def retry(failures, at, factor=PASSWORD, account=A):
    try:
        failures.check(account, factor, at)
    except Refused as refused:
        return refused.retry_after_seconds if refused.reason is Reason.THROTTLED else refused
    return None


def newest_first(count):
    return [T0 - number * MINUTE for number in range(count)]


@pytest.mark.parametrize(
    ("in_a_row", "minutes"),
    [(0, None), (4, None), (5, 1), (6, 2), (7, 4), (8, 8), (9, 16), (10, 1440 - 9), (12, 1440 - 9)],
)
def test_the_wait_doubles_and_ends_in_a_day(in_a_row, minutes):
    rows = newest_first(in_a_row)
    assert wait_until(rows, rows) == (None if minutes is None else T0 + minutes * MINUTE)


def test_the_total_of_a_day_counts_whatever_was_forgiven():
    rows = newest_first(25)
    assert wait_until([], rows[:24]) is None
    assert wait_until([], rows) == rows[24] + DAY
    assert wait_until(rows[:5], rows) == rows[24] + DAY
    assert wait_until(rows[:10], rows) == rows[9] + DAY


def test_waits_at_their_exact_ends(failures):
    for _ in range(5):
        failures.failed(A, PASSWORD, T0)
    assert retry(failures, T0) == 60
    assert retry(failures, T0 + MINUTE - INSTANT) == 1
    assert retry(failures, T0 + MINUTE) is None
    failures.failed(A, PASSWORD, T0 + MINUTE)
    assert retry(failures, T0 + MINUTE) == 120
    with pytest.raises(Refused):
        failures.attempt(A, PASSWORD, T0 + MINUTE)
    assert retry(failures, T0 + MINUTE) == 120  # a refused attempt is no failure


def test_I3_never_more_than_ten_in_a_day(failures):
    at, tries = T0, 0
    while at < T0 + DAY:
        if retry(failures, at) is None:
            failures.failed(A, PASSWORD, at)
            tries += 1
        at += MINUTE
    assert tries == 10
    assert retry(failures, T0 + DAY) is None


def test_I3_counters_are_of_one_account_and_one_factor(failures):
    for _ in range(5):
        failures.failed(A, TOTP, T0)
    assert retry(failures, T0, TOTP) == 60
    assert retry(failures, T0, PASSWORD) is None
    assert retry(failures, T0, TOTP, "OTHER") is None
    failures.succeeded(A, PASSWORD, failures.attempt(A, PASSWORD, T0))
    assert retry(failures, T0, TOTP) == 60  # a right password forgives no wrong code


def test_a_success_forgives_the_wait_but_the_day_is_counted(failures):
    at = T0
    for _ in range(6):
        for _ in range(4):
            failures.failed(A, PASSWORD, at)
        failures.succeeded(A, PASSWORD, failures.attempt(A, PASSWORD, at))
        at += MINUTE
    failures.failed(A, PASSWORD, at)  # the 25th
    assert retry(failures, at) == (T0 + DAY - at).total_seconds()
    assert retry(failures, T0 + DAY) is None


def test_a_success_forgives_nothing_that_came_after_its_attempt(failures):
    right = failures.attempt(A, PASSWORD, T0)
    for _ in range(4):
        failures.failed(A, PASSWORD, T0)
    failures.succeeded(A, PASSWORD, right)
    failures.failed(A, PASSWORD, T0)
    assert retry(failures, T0) == 60


def test_an_attempt_that_was_not_judged_leaves_no_trace(failures):
    for _ in range(4):
        failures.failed(A, PASSWORD, T0)
    failures.withdraw(failures.attempt(A, PASSWORD, T0))
    assert retry(failures, T0) is None
    failures.failed(A, PASSWORD, T0)
    assert retry(failures, T0) == 60


def test_I3_failures_outlive_a_restart_and_an_operator_forgets_them(failures, accounts, engine, database):
    for _ in range(5):
        failures.failed(A, PASSWORD, T0)
    engine.dispose()
    reopened = open_database(database)
    assert retry(Failures(reopened), T0) == 60
    reopened.dispose()
    accounts.unlock(A, T0)
    assert retry(failures, T0) is None


def test_I4_a_race_gets_no_more_tries_than_a_row(failures):
    def attempt(_):
        try:
            return failures.attempt(A, PASSWORD, T0)
        except Refused:
            return None

    with ThreadPoolExecutor(16) as pool:
        assert sum(one is not None for one in pool.map(attempt, range(100))) == 5


def test_old_failures_are_removed(failures, engine):
    for number in range(3):
        failures.failed(f"UNKNOWN-{number}", PASSWORD, T0)
    failures.failed(A, PASSWORD, T0 + DAY)
    with reading(engine) as connection:
        assert connection.scalars(sa.select(schema.failure.c.account)).all() == [A]


@given(st.integers(0, 30), st.integers(0, 30))
def test_more_failures_never_mean_a_shorter_wait(in_a_row, forgiven):
    rows = newest_first(in_a_row + forgiven)
    less = wait_until(rows[:in_a_row], rows)
    newer = [T0 + MINUTE, *rows]
    more = wait_until(newer[: in_a_row + 1], newer)
    assert less is None or (more is not None and more >= less)
