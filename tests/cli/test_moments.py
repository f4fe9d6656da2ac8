# SPDX-License-Identifier: EUPL-1.2
"""A moment as it is typed: of Paris unless it says otherwise, or counted from now; everything else is refused."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

import pytest

from gateway.cli.moments import moment, read_moment, written

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T18:00", datetime(2026, 11, 22, 17, tzinfo=UTC)),
        ("2026-07-01 18:00", datetime(2026, 7, 1, 16, tzinfo=UTC)),
        ("2026-11-22T18:00:30Z", datetime(2026, 11, 22, 18, 0, 30, tzinfo=UTC)),
        ("2026-11-22T18:00-04:00", datetime(2026, 11, 22, 22, tzinfo=UTC)),
        ("30m", NOW + timedelta(minutes=30)),
        ("12h", NOW + timedelta(hours=12)),
        ("3d", NOW + timedelta(days=3)),
    ],
)
def test_a_moment_is_read(text, at):
    assert read_moment(text, NOW) == at
    assert read_moment(text, NOW).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-11-22", "18:00", "2026-13-01T10:00", "2026-11-22T25:00", "0h", "3w", "-3h", "٣h", "12 h"]
)
def test_what_is_no_moment_is_refused_with_what_is_expected(text):
    with pytest.raises(ArgumentTypeError, match=r"found .*; expected 2026-11-22T18:00 \(of Paris"):
        moment(text)


def test_it_is_printed_in_the_time_of_Paris_with_its_offset():
    assert written("2026-11-22T17:00:00+00:00") == "2026-11-22 18:00+01:00"
    assert written("2026-07-01T16:00:00.123456+00:00") == "2026-07-01 18:00+02:00"
