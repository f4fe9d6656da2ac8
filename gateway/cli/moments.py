# SPDX-License-Identifier: EUPL-1.2
"""A moment as an operator types it, and as it is printed for him: in the time of Paris, unless he writes another."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_PARIS: Final = ZoneInfo("Europe/Paris")
_FROM_NOW: Final = re.compile(r"([1-9][0-9]{0,3})([dhm])")
_UNIT: Final = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_WRITTEN: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)

TIME_HELP: Final = "2026-11-22T18:00 (of Paris, or with its offset from UTC), or from now: 30m, 12h, 3d"


def moment(text: str) -> datetime:
    """A moment in UTC, for argparse. `30m`, `12h`, `3d` are counted from now."""
    return read_moment(text, datetime.now(UTC))


def read_moment(text: str, now: datetime) -> datetime:
    """As `moment`, at a given time."""
    counted = _FROM_NOW.fullmatch(text)
    if counted is not None:
        return now + int(counted[1]) * _UNIT[counted[2]]
    try:
        at = datetime.fromisoformat(text) if _WRITTEN.fullmatch(text) else None
    except ValueError:
        at = None
    if at is None:
        raise ArgumentTypeError(f"found {text!a}; expected {TIME_HELP}")
    return (at if at.tzinfo is not None else at.replace(tzinfo=_PARIS)).astimezone(UTC)


def written(at: str) -> str:
    """A moment that the server told, in the time of Paris, to the minute: `2026-11-22 18:00+01:00`."""
    return datetime.fromisoformat(at).astimezone(_PARIS).isoformat(" ", "minutes")
