# SPDX-License-Identifier: EUPL-1.2
"""Durations as a policy file writes them, one whole number and one unit (`30s`, `15m`, `4h`, `7d`); and days."""

from __future__ import annotations

import re
from datetime import date, timedelta

EXPECTED_DAY = "a day such as 2027-12-31"
EXPECTED = "a duration such as 30s, 15m, 4h or 7d, from 1s to 30d"
EXPECTED_OTHER = "a duration such as 30s, 15m, 4h or 90d, from"

_DURATION = re.compile(r"(0|[1-9][0-9]{0,6})([smhd])", re.ASCII)
_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_LONGEST = timedelta(days=30)


def parse_duration(
    text: str, *, shortest: timedelta = timedelta(seconds=1), longest: timedelta = _LONGEST
) -> timedelta:
    """A duration between `shortest` and `longest`. Raises ValueError that says what is expected."""
    found = _DURATION.fullmatch(text)
    duration = timedelta(0) if found is None else timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    if found is None or not shortest <= duration <= longest:
        told = f"{EXPECTED_OTHER} {duration_text(shortest)} to {duration_text(longest)}"
        raise ValueError(EXPECTED if longest == _LONGEST else told)
    return duration


def duration_text(duration: timedelta) -> str:
    """A whole number of seconds in its largest unit: the inverse of `parse_duration`."""
    seconds = int(duration.total_seconds())
    unit, size = next((unit, size) for unit, size in _SECONDS.items() if seconds % size == 0)
    return f"{seconds // size}{unit}"


def parse_day(text: str) -> date:
    """A day of the calendar, written 2027-12-31. Raises ValueError that says what is expected."""
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(EXPECTED_DAY)
