# SPDX-License-Identifier: EUPL-1.2
"""The drawing of an incident: how the number of different people exposed grew over its interval. Linear axes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.ledger.event import EPOCH, microseconds
from gateway.pages.drawing import Axis, Drawing, Entry, Line
from gateway.pages.when import PARIS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.incident.exposed import Exposure
    from gateway.incident.incident import Incident

_MARKS: Final = 6
_ENTRIES: Final = 8
_MARGIN: Final = timedelta(minutes=1)


def draw(incident: Incident, found: Exposure) -> str:
    """The whole drawing as text; it begins and ends where the look-ups do."""
    low, high = _ends(incident, found)
    most = max(found.whole.people, 1)
    grown = [(low, 0), *found.grown]
    busiest = sorted(found.accounts.items(), key=lambda one: -one[1].people)
    return Drawing(
        name="incident",
        heading=f"Incident {incident.id}: different people exposed",
        told=f"{found.whole.people:,} different people by {len(found.accounts):,} accounts.",
        across=Axis("time (Paris)", _between(low, high), _moments(low, high)),
        up=Axis("different people so far", _between(0, most), _numbers(most)),
        lines=[Line([(at, people) for at, people in grown if at <= high] + [(high, found.whole.people)], 0)],
        legend=f"{found.whole.people:,} people; by account:",
        entries=_entries([(name, tally.people) for name, tally in busiest]),
    ).as_svg()


def _entries(accounts: list[tuple[str, int]]) -> list[Entry]:
    shown = [Entry(None, name, f"{people:,} people") for name, people in accounts[:_ENTRIES]]
    more = len(accounts) - len(shown)
    return [*shown, Entry(None, f"and {more:,} more", "")] if more else shown


def _ends(incident: Incident, found: Exposure) -> tuple[int, int]:
    since, until = microseconds(incident.since), microseconds(incident.until)
    margin = _MARGIN // timedelta(microseconds=1)
    low = since if found.whole.first is None else max(since, found.whole.first - margin)
    high = until if found.whole.last is None else min(until, found.whole.last + margin)
    return low, max(high, low + 1)


def _between(low: float, high: float) -> Callable[[float], float]:
    return lambda value: (value - low) / (high - low)


def _moments(low: int, high: int) -> list[tuple[float, str]]:
    step = (high - low) / _MARKS
    return [(low + place * step, _moment(low + place * step)) for place in range(_MARKS + 1)]


def _moment(at: float) -> str:
    return f"{(EPOCH + timedelta(microseconds=int(at))).astimezone(PARIS):%d/%m %H:%M}"


def _numbers(most: int) -> list[tuple[float, str]]:
    parts = min(_MARKS, most)
    return [(most * place / parts, f"{most * place // parts:,}") for place in range(parts + 1)]
