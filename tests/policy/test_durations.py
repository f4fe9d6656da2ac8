# SPDX-License-Identifier: EUPL-1.2
"""Durations of policy files."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.durations import EXPECTED, EXPECTED_DAY, duration_text, parse_day, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("90s", 90), ("15m", 900), ("4h", 14_400), ("7d", 604_800), ("30d", 2_592_000)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "0s", "31d", "2592001s", "15", "m", "015m", "1.5h", "-1h", "1h30m", "1 h", "1H", "\uff11h", "99999999s"],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_duration(text)
    assert str(error.value) == EXPECTED


def test_nought_only_where_it_is_meant() -> None:
    assert parse_duration("0s", shortest=timedelta(0)) == timedelta(0)


@given(st.integers(1, 30 * 86_400))
def test_text_and_back(seconds: int) -> None:
    assert parse_duration(duration_text(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("day", [date(2027, 12, 31), date(2028, 2, 29), date(1000, 1, 1), date(2999, 12, 31)])
def test_days_are_read(day: date) -> None:
    assert parse_day(day.isoformat()) == day


@pytest.mark.parametrize(
    "text", ["", "2027-02-29", "2027-13-01", "20271231", "2027-W01-1", "31/12/2027", "9999-12-31", "2027-12-31 "]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_day(text)
    assert str(error.value) == EXPECTED_DAY


def test_the_largest_unit_is_told() -> None:
    assert [duration_text(timedelta(minutes=m)) for m in (0, 1, 90, 240, 1440)] == ["0d", "1m", "90m", "4h", "1d"]
