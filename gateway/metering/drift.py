# SPDX-License-Identifier: EUPL-1.2
"""A slow robot that works within its holder's own use: evidence summed over days (Page's CUSUM, 1954). Pure.

Each day is asked twice how much better "somebody adds half of the usual number, all new, from a list of the whole
country" explains it than "a day as usual": by the share of new people, and by the share of these who come from far
away. Shares, not numbers: an epidemic and a Monday bring more people, but not more new ones among them. The logarithms
of the two ratios add up from day to day. No day counts for more than a cap, so that one strange day alone is no alert.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from gateway.metering.history import Day

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.metering.history import History, Share

_ADDED: Final = 1 / 3  # half of the usual number on top of it is a third of all
_MOST: Final = 0.98
_FAR_OF_A_LIST: Final = 0.95
_PLACE_OF_A_LIST: Final = 0.02  # a département has one person in a hundred; the usual ones are the fuller ones
_FAR_LEAST: Final = 0.5
_SMALL: Final = 0.1
# Gauss-Hermite, seven points of the normal law (Abramowitz & Stegun 25.4.46): how a share varies from day to day.
_POINTS: Final = (
    (-3.7504397, 0.00054827),
    (-2.3667594, 0.03075712),
    (-1.1544054, 0.24012318),
    (0.0, 0.45714286),
    (1.1544054, 0.24012318),
    (2.3667594, 0.03075712),
    (3.7504397, 0.00054827),
)
_CAP: Final = 6.0
"""The most that one day may say by one share, so at most 12 by both."""

Nodes: TypeAlias = tuple[tuple[float, float, float], ...]


class Pair(NamedTuple):
    """The two explanations of a share, each as points (log weight, log share, log rest)."""

    as_usual: Nodes
    added: Nodes


class Yardstick(NamedTuple):
    """What a day is measured with, worked out once a day.

    `usual` and `usual_far` are the usual shares of new people, and of these of the far ones (None: not known).
    """

    new: Pair
    far: Pair | None
    usual: float
    usual_far: float | None


class Trail(NamedTuple):
    """What the days up to yesterday leave behind: their evidence, never below 0, how many they are, their counts."""

    evidence: float = 0.0
    days: int = 0
    so_far: Day = Day()


def yardstick_of(history: History) -> Yardstick | None:
    """How to measure a day; None while too little is known of the account."""
    if history.new is None:
        return None
    usual = history.new.mean
    new = _pair(history.new, _ADDED, 1.0)
    if history.far is None:
        return Yardstick(new, None, usual, None)
    # Of all new people the added ones are this share, and a list of the whole country is seldom from here.
    among_new = _ADDED / (_ADDED + (1 - _ADDED) * usual)
    of_a_list = max(_FAR_LEAST, _FAR_OF_A_LIST - _PLACE_OF_A_LIST * len(history.usual))
    return Yardstick(new, _pair(history.far, among_new, of_a_list), usual, history.far.mean)


def evidence(yardstick: Yardstick, day: Day) -> float:
    """How much more this day speaks for somebody added than for a day as usual; below 0 for the latter."""
    gain = min(_CAP, _ratio(yardstick.new, day.new, day.people))
    return gain + min(_CAP, _ratio(yardstick.far, day.far, day.placed)) if yardstick.far else gain


def trail_of(days: Iterable[tuple[Day, float]]) -> Trail:
    """Add the days up with their evidence, oldest first; wherever nothing is left, it begins anew."""
    trail = Trail()
    for day, gain in days:
        total = trail.evidence + gain
        trail = Trail(total, trail.days + 1, both(trail.so_far, day)) if total > 0 else Trail()
    return trail


def both(one: Day, other: Day) -> Day:
    """The counts of both."""
    return Day(*(a + b for a, b in zip(one, other, strict=True)))


def _pair(share: Share, added: float, of_the_added: float) -> Pair:
    # Rounded, so that accounts share what was worked out, and the memory of it.
    mean = round(share.mean, 3 if share.mean < _SMALL else 2)
    return _worked_out(mean, round(20 * share.spread) / 20, round(added, 2), of_the_added)


@lru_cache(maxsize=4096)
def _worked_out(mean: float, spread: float, added: float, of_the_added: float) -> Pair:
    usual, more = [], []
    for point, weight in _POINTS:
        one = min(_MOST, mean * math.exp(spread * point - spread**2 / 2))
        two = min(_MOST, added * of_the_added + (1 - added) * one)
        usual.append((math.log(weight), math.log(one), math.log1p(-one)))
        more.append((math.log(weight), math.log(two), math.log1p(-two)))
    return Pair(tuple(usual), tuple(more))


def _ratio(pair: Pair, count: int, of: int) -> float:
    """How much better `count` of `of` is explained by the added ones, as a logarithm."""
    return _log(pair.added, count, of - count) - _log(pair.as_usual, count, of - count)


def _log(nodes: Nodes, count: int, rest: int) -> float:
    terms = [weight + count * one + rest * other for weight, one, other in nodes]
    most = max(terms)
    return most + math.log(sum([math.exp(term - most) for term in terms]))
