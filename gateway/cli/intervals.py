# SPDX-License-Identifier: EUPL-1.2
"""The ends of an interval as operators type them: a day or a time of Paris, as the pages show it, or a time with its
own offset. A day that ends an interval is in it.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime

from gateway.pages.when import PARIS, end_of_day, start_of_day


def beginning(text: str) -> datetime:
    """A moment; a day is its first one."""
    return _moment(text, ends=False)


def ending(text: str) -> datetime:
    """A moment; a day is the first one that no longer belongs to it."""
    return _moment(text, ends=True)


def _moment(text: str, *, ends: bool) -> datetime:
    try:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return _exact(datetime.fromisoformat(text), text)
        return end_of_day(day) if ends else start_of_day(day)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"found {text!a}; expected a day such as 2026-11-20, a time of Paris such as 2026-11-20T08:30, or one with "
            "its offset such as 2026-11-20T07:30Z"
        ) from None


def _exact(found: datetime, text: str) -> datetime:
    """A time without offset is one of Paris; where the clocks change it may be none, or two."""
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    once, again = (found.replace(tzinfo=PARIS, fold=fold) for fold in (0, 1))
    if once.utcoffset() != again.utcoffset():
        raise ArgumentTypeError(f"found {text!a}, which is twice or never in Paris; expected it with its offset")
    return once.astimezone(UTC)
