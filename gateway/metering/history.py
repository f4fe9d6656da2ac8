# SPDX-License-Identifier: EUPL-1.2
"""What is usual for one account, from its last eight weeks: shares, their spread from day to day, volume, places. Pure.

A History is worked out once a day and only compared with afterwards. What is usual is always the account's own: nobody
is measured against his colleagues. Spreads begin at what any profession may show and become the account's own as days
come in, so that few days never make a narrow one.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAYS_KEPT: Final = 56
_WEEK: Final = 7
DAYS_OF_DRIFT: Final = 7
"""The latest days are judged, so they are no part of what is usual: an attack would become its own measure."""

_DAYS_AT_LEAST: Final = 8
_PEOPLE_AT_LEAST: Final = 40
_PLACES_AT_LEAST: Final = 40
_USUAL_COVERS: Final = 0.8
_PRIOR_DAYS: Final = 4
_SPREAD_OF_NEW: Final = 0.25  # squared relative spread: between a nurse's (0.40) and a pharmacy's (0.11)
_SPREAD_OF_FAR: Final = 0.5  # places vary more: a holiday begins, a coach stops
_SPREAD_OF_MISSES: Final = 0.3  # 3 % on a usual day, 15 % on one in a thousand
_SHARE_LEAST: Final = 0.02
_MISSES_LEAST: Final = 0.03
_SPREAD_OF_VOLUME: Final = 0.5  # of the logarithm: 30 people on a usual day, 160 on one in a thousand
_SHARE_MOST: Final = 0.98
_HIGH_DAY: Final = 2.6  # standard deviations of the logarithm: five days in a thousand are higher


class Day(NamedTuple):
    """Counts of one UTC day: different people, of them new, tries missed; of the new, whose place is known, and far."""

    people: int = 0
    new: int = 0
    missed: int = 0
    placed: int = 0
    far: int = 0


class Share(NamedTuple):
    """`mean` of a share over days and its `spread` (standard deviation of the logarithm) from day to day.

    `high_percent` is the share on a day so high that only five in a thousand are higher, rounded up.
    """

    mean: float
    spread: float
    high_percent: int


class History(NamedTuple):
    """What is usual on `day`. `new` and `far` are None while too little is known to tell; `level` is 0 then.

    `level` is the usual number of people on such a weekday, `swing` the spread of its logarithm; `usual` are the
    départements most people come from.
    """

    day: int
    new: Share | None
    far: Share | None
    misses: Share
    level: float
    swing: float
    usual: frozenset[str]


def history_of(days: Mapping[int, Day], places: Mapping[str, int], day: int) -> History:
    """What was usual before `day` (days since 1970)."""
    worked = [(number, one) for number, one in days.items() if one.people and day - DAYS_KEPT <= number < day]
    before = [one for number, one in worked if number < day - DAYS_OF_DRIFT]
    known = len(before) >= _DAYS_AT_LEAST and sum(one.people for one in before) >= _PEOPLE_AT_LEAST
    usual = usual_places(places)
    level, swing = _volume(worked, day) if known else (0.0, _SPREAD_OF_VOLUME)
    placed = [(one.far, one.placed) for one in before if one.placed]
    return History(
        day,
        share_of([(one.new, one.people) for one in before], _SHARE_LEAST, _SPREAD_OF_NEW) if known else None,
        share_of(placed, _SHARE_LEAST, _SPREAD_OF_FAR) if known and usual and len(placed) >= _DAYS_AT_LEAST else None,
        share_of([(one.missed, one.people + one.missed) for one in before], _MISSES_LEAST, _SPREAD_OF_MISSES),
        level,
        swing,
        usual,
    )


def share_of(days: Iterable[tuple[int, int]], least: float, prior: float) -> Share:
    """Mean and spread of a share from (count, of) of each day; what chance alone scatters is taken off the spread.

    `least` bounds the mean from below, `prior` is the squared relative spread before anything is known.
    """
    worked = total = marked = 0
    squares = scatter = 0.0
    for count, of in days:
        if of:
            worked, total, marked = worked + 1, total + of, marked + count
            squares += of * of
            scatter += count * count / of
    mean = marked / total if total else 0.0
    weight = total - squares / total if total else 0.0
    between = (scatter - marked * mean - (worked - 1) * mean * (1 - mean)) / weight if weight else 0.0
    own = max(0.0, between) / mean**2 if mean else prior
    spread = math.sqrt(math.log1p((own * worked + prior * _PRIOR_DAYS) / (worked + _PRIOR_DAYS)))
    mean = min(max(mean, least), _SHARE_MOST)
    high = mean * math.exp(_HIGH_DAY * spread - spread**2 / 2)
    return Share(mean, spread, math.ceil(100 * min(high, 1.0)))


def usual_places(places: Mapping[str, int]) -> frozenset[str]:
    """The fewest départements that four in five people come from; none while too few people are known."""
    total = sum(places.values())
    if total < _PLACES_AT_LEAST:
        return frozenset()
    usual, covered = set[str](), 0
    for place, count in sorted(places.items(), key=lambda one: (-one[1], one[0])):
        if covered >= _USUAL_COVERS * total:
            break
        usual.add(place)
        covered += count
    return frozenset(usual)


def _volume(worked: list[tuple[int, Day]], day: int) -> tuple[float, float]:
    """Usual people on such a weekday, but never less than on any day of work: a Sunday on duty is a full day."""
    every = [one.people for _, one in worked]
    such = [one.people for number, one in worked if number % _WEEK == day % _WEEK]
    level = max(median(every), median(such) if such else 0.0)
    middle = median(map(math.log, every))
    spread = 1.4826 * median(abs(math.log(people) - middle) for people in every)
    return level, max(spread, _SPREAD_OF_VOLUME)
