# SPDX-License-Identifier: EUPL-1.2
"""Moments as people in France read them: stored in UTC, shown in the time of Paris, exact in `datetime` attributes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from gateway.pages.language import Language

PARIS: Final = ZoneInfo("Europe/Paris")

_MONTHS: Final[dict[str, tuple[str, ...]]] = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin",
        "juillet", "août", "septembre", "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip

_DAYS: Final[dict[str, tuple[str, ...]]] = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def iso(at: datetime) -> str:
    """`2026-11-22T08:05:09Z`: for machines and `datetime` attributes, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at: datetime, language: Language) -> str:
    """`dimanche 22 novembre 2026`."""
    there = at.astimezone(PARIS)
    number = "1er" if language == "fr" and there.day == 1 else str(there.day)
    return f"{_DAYS[language][there.weekday()]} {number} {_MONTHS[language][there.month - 1]} {there.year}"


def clock(at: datetime, language: Language) -> str:
    """`9 h 05` in French (with no-break spaces), `09:05` in English."""
    there = at.astimezone(PARIS)
    return f"{there.hour}\u00a0h\u00a0{there.minute:02}" if language == "fr" else f"{there.hour:02}:{there.minute:02}"


def moment(at: datetime, language: Language) -> str:
    """Day and time in one phrase."""
    return f"{day(at, language)}, {clock(at, language)}"


def start_of_day(day_in_paris: date) -> datetime:
    """The first moment of a day in Paris, in UTC."""
    return datetime.combine(day_in_paris, time(), PARIS).astimezone(UTC)


def end_of_day(day_in_paris: date) -> datetime:
    """The first moment that no longer belongs to the day, in UTC."""
    return start_of_day(day_in_paris + timedelta(days=1))


def delay(seconds: int, language: Language) -> str:
    """A waiting time, rounded up to what one remembers: `30 secondes`, `4 minutes`, `3 heures`."""
    if seconds <= 90:  # noqa: PLR2004  # up to a minute and a half, seconds are the natural unit
        return _counted(max(seconds, 1), ("seconde", "second"), language)
    if seconds <= 90 * 60:
        return _counted(-(-seconds // 60), ("minute", "minute"), language)
    return _counted(-(-seconds // 3600), ("heure", "hour"), language)


def _counted(number: int, unit: tuple[str, str], language: Language) -> str:
    word = unit[0] if language == "fr" else unit[1]
    return f"{number} {word}{'s' if number > 1 else ''}"
