# SPDX-License-Identifier: EUPL-1.2
"""Moments as they are typed: days and times of Paris, or with an offset; never a guess."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime

import pytest

from gateway.cli.intervals import beginning, ending


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        ("2026-11-20", utc(2026, 11, 19, 23), utc(2026, 11, 20, 23)),
        ("2026-03-29", utc(2026, 3, 28, 23), utc(2026, 3, 29, 22)),
        ("2026-11-20T08:30", utc(2026, 11, 20, 7, 30), utc(2026, 11, 20, 7, 30)),
        ("2026-07-20 08:30:15", utc(2026, 7, 20, 6, 30, 15), utc(2026, 7, 20, 6, 30, 15)),
        ("2026-11-20T07:30Z", utc(2026, 11, 20, 7, 30), utc(2026, 11, 20, 7, 30)),
        ("2026-11-20T07:30+02:00", utc(2026, 11, 20, 5, 30), utc(2026, 11, 20, 5, 30)),
        ("2026-10-25T02:30+01:00", utc(2026, 10, 25, 1, 30), utc(2026, 10, 25, 1, 30)),
    ],
)
def test_a_moment_is_read_as_the_pages_show_it(text, begins, ends):
    assert (beginning(text), ending(text)) == (begins, ends)


@pytest.mark.parametrize("text", ["2026-10-25T02:30", "2026-03-29T02:30"])
def test_an_hour_that_is_twice_or_never_is_not_guessed(text):
    with pytest.raises(ArgumentTypeError, match="twice or never in Paris"):
        beginning(text)


@pytest.mark.parametrize("text", ["", "yesterday", "20/11/2026", "2026-13-01", "9999-12-31", "1.5"])
def test_anything_else_is_told(text):
    with pytest.raises(ArgumentTypeError, match="expected a day such as 2026-11-20"):
        ending(text)
