# SPDX-License-Identifier: EUPL-1.2
"""Robots seen in successful use: each signal is one question about a Scene, answered by a Finding or by nothing. Pure.

An account is measured against hands and against its own past, never against other accounts. What belongs to several
accounts (one network drives many, many act alike) is in `together`. Every threshold is named here with its reason;
false alarms and time to the alarm are measured by tests/metering/test_signals_world.py.
"""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from operator import itemgetter
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Final

from gateway.metering.drift import both
from gateway.metering.tails import WINDOWS, bars
from gateway.metering.watched import HOUR, SECOND, Glance
from gateway.model import Finding, Risk, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.metering.history import History
    from gateway.metering.watched import Scene, Stretch
    from gateway.model.signal import Figure

_NEW: Final = itemgetter(Glance._fields.index("new"))
_MISSED: Final = itemgetter(Glance._fields.index("missed"))
_IN_ORDER: Final = itemgetter(Glance._fields.index("in_order"))
_FAR: Final = itemgetter(Glance._fields.index("far"))
_LATEST: Final = 24

# Typing 15 digits and reading the answer takes 8 to 10 s at least (domain.md 6). One quick pair is chance; hands that
# need 75 s on most days make four new people within 9 s less than once in 10^11 look-ups. Known people may be opened
# from a list with a click each, so of them many are asked for.
_TYPED: Final = (3, 9 * SECOND)
_TYPED_MORE: Final = (5, 35 * SECOND)
_ANY: Final = (12, 96 * SECOND)
_WHOLE_ACCOUNT: Final = (20, 80 * SECOND)  # 15 counters at once do not reach one person every 4 s for 20 people

# Hands vary by about their own mean (0.9 to 1.1); a loop with a fixed wait does not. People known by heart may be
# worked through evenly (a list of renewals), so three in four must be new or nobody's. Weak: a list may be of new ones.
_STEADY_PEOPLE: Final = 21
_STEADY_NEW: Final = 16
_STEADY: Final = 0.2

# By chance on a day with as many new people as only five in a thousand have; asked after every look-up, in each of
# eight windows. Measured: 2 weak ones in 100 accounts and months, 1 or 2 strong ones in 1,000.
_WEAK: Final = 1e-3
_STRONG: Final = 1e-6
# A coach of tourists stops at an honest pharmacy: places alone are only ever weak (over days they are `drift`).
_FAR_WEAK: Final = 1e-4
_FAR_AT_LEAST: Final = 4

_MISSES_AT_LEAST: Final = 6  # a few typing errors in a row are a bad card, not a robot

# Twins have neighbouring numbers, and two pairs in sixteen people is the most a maternity ward should show.
_ORDER_OF: Final = 16
_ORDER_STRONG: Final = 3
_ORDER_CERTAIN: Final = 5

# Nobody works for two hours at one screen without ten minutes between two patients, with a patient each 80 s.
_NO_PAUSES: Final = ((Risk.ELEVATED, 4 * HOUR, 180), (Risk.CALM, 2 * HOUR, 90))

# An epidemic brings 1.8 times the people, a Monday is in the level already; past that the usual spread from day to
# day, as many times over as one day in two thousand (3.3) and one in 300,000 (4.5) have.
_EPIDEMIC: Final = 1.8
_VOLUME: Final = ((Risk.ELEVATED, 4.5), (Risk.CALM, 3.3))
_VOLUME_AT_LEAST: Final = 40

# Evidence is the logarithm of a ratio. Of 14,000 honest accounts of the drills' world over 60 days one passed 14 and
# none 16; 11 is passed about once in two hundred years of an account, 7 once in ten. It needs two days at least to be
# HIGH, for one day is capped at 12.
_DRIFT: Final = ((Risk.HIGH, 15.0), (Risk.ELEVATED, 11.0), (Risk.CALM, 7.0))


def findings(scene: Scene, at: int) -> tuple[Finding, ...]:
    """All that is to be said of one account at `at` (microseconds since 1970), for the session of its latest look-up.

    Empty if nobody was looked up for an hour. Ask after each settled look-up. What is told by new people is asked when
    one is looked up, and so with misses: these signals do not show on the look-ups between.
    """
    every = scene.ring
    if not every or every[-1].at <= at - HOUR:
        return ()
    latest, history = every[-1], scene.usual.history
    mine = [glance for glance in every if glance.session == latest.session]
    typed = latest.new or latest.missed
    asked = (
        _pace(mine, every) or (_pace_of_typing(mine) if typed else None),
        _new_people(mine, every, history) if latest.new else None,
        _misses(mine, history) if latest.missed else None,
        _far_away(mine, history) if latest.far else None,
        _in_order(mine),
        _no_pauses(scene.stretch),
        _volume(scene.today.people, history),
        _drift(scene),
    )
    return tuple([found for found in asked if found is not None])


def _pace(seen: Sequence[Glance], every: Sequence[Glance]) -> Finding | None:
    return _faster(seen, *_ANY) or _faster(every, *_WHOLE_ACCOUNT)


def _pace_of_typing(mine: Sequence[Glance]) -> Finding | None:
    typed = [glance for glance in mine[-_LATEST:] if glance.new or glance.missed]
    found = _faster(typed, *_TYPED) or _faster(typed, *_TYPED_MORE)
    return found or (_steady(mine[-_STEADY_PEOPLE:]) if len(typed) >= _STEADY_NEW else None)


def _faster(seen: Sequence[Glance], gaps: int, span: int) -> Finding | None:
    if len(seen) <= gaps or (took := seen[-1].at - seen[-1 - gaps].at) > span:
        return None
    return Finding(Signal.PACE, Risk.HIGH, (("people", gaps + 1), ("seconds", round(took / SECOND, 1))))


def _steady(latest: Sequence[Glance]) -> Finding | None:
    if len(latest) < _STEADY_PEOPLE or sum(glance.new or glance.missed for glance in latest) < _STEADY_NEW:
        return None
    gaps = [after.at - before.at for before, after in pairwise(latest)]
    mean = fmean(gaps)
    varies = pstdev(gaps, mean) / mean
    if varies >= _STEADY:
        return None
    every = round(mean / SECOND, 1)
    figures = (("people", len(latest)), ("every_seconds", every), ("varies_percent", round(100 * varies)))
    return Finding(Signal.PACE, Risk.CALM, figures)


def _new_people(mine: Sequence[Glance], every: Sequence[Glance], history: History) -> Finding | None:
    """Of this session, and of all sessions together, whichever says more."""
    if history.new is None:
        return None
    percent = history.new.high_percent
    found = _above(Signal.NEW_PEOPLE, map(_NEW, reversed(mine)), percent, _STRONG, _WEAK)
    if len(mine) == len(every) or (found is not None and found.risk is not Risk.CALM):
        return found
    return _above(Signal.NEW_PEOPLE, map(_NEW, reversed(every)), percent, _STRONG, _WEAK) or found


def _misses(mine: Sequence[Glance], history: History) -> Finding | None:
    if sum(map(_MISSED, mine)) < _MISSES_AT_LEAST:
        return None
    return _above(Signal.MISSES, map(_MISSED, reversed(mine)), history.misses.high_percent, _STRONG, _WEAK)


def _far_away(mine: Sequence[Glance], history: History) -> Finding | None:
    if history.far is None or sum(map(_FAR, mine)) < _FAR_AT_LEAST:
        return None
    placed = [glance.far for glance in reversed(mine) if glance.new and glance.departement is not None]
    return _above(Signal.FAR_AWAY, placed, history.far.high_percent, 0.0, _FAR_WEAK)


def _above(signal: Signal, marked: Iterable[bool], percent: int, strong: float, weak: float) -> Finding | None:
    """The strongest finding of all windows, newest first: more are marked than the account's highest days explain."""
    counts = list(accumulate(marked))
    found = None
    for of, weak_bar, strong_bar in zip(WINDOWS, bars(percent, weak), bars(percent, strong), strict=True):
        if of > len(counts):
            break
        count = counts[of - 1]
        if count >= strong_bar:
            return Finding(signal, Risk.ELEVATED, (("count", count), ("of", of), ("usual_percent", percent)))
        if count >= weak_bar:
            found = Finding(signal, Risk.CALM, (("count", count), ("of", of), ("usual_percent", percent)))
    return found


def _in_order(mine: Sequence[Glance]) -> Finding | None:
    latest = mine[-_ORDER_OF:]
    count = sum(map(_IN_ORDER, latest))
    if count < _ORDER_STRONG:
        return None
    risk = Risk.HIGH if count >= _ORDER_CERTAIN else Risk.ELEVATED
    return Finding(Signal.IN_ORDER, risk, (("count", count), ("of", len(latest))))


def _no_pauses(stretch: Stretch | None) -> Finding | None:
    if stretch is None:
        return None
    for risk, time, people in _NO_PAUSES:
        if stretch.latest - stretch.began >= time and stretch.people >= people:
            hours = round((stretch.latest - stretch.began) / HOUR, 1)
            return Finding(Signal.NO_PAUSES, risk, (("people", stretch.people), ("hours", hours)))
    return None


def _volume(people: int, history: History) -> Finding | None:
    level, swing = history.level, history.swing
    if not level or people < _VOLUME_AT_LEAST or people < _EPIDEMIC * level:
        return None
    for risk, deviations in _VOLUME:
        if people >= _EPIDEMIC * level * math.exp(deviations * swing):
            return Finding(Signal.VOLUME, risk, (("people", people), ("usual", round(level))))
    return None


def _drift(scene: Scene) -> Finding | None:
    yardstick, trail = scene.usual.yardstick, scene.usual.trail
    total = trail.evidence + scene.evidence
    if yardstick is None or total < _DRIFT[-1][1]:
        return None
    count = both(trail.so_far, scene.today)
    figures: list[Figure] = [("days", trail.days + 1), ("new", count.new), ("people", count.people)]
    figures.append(("usual_percent", round(100 * yardstick.usual)))
    if yardstick.usual_far is not None:
        figures += [("far", count.far), ("usual_far_percent", round(100 * yardstick.usual_far))]
    risk = next(risk for risk, least in _DRIFT if total >= least)
    return Finding(Signal.DRIFT, risk, (*figures, ("evidence", round(total, 1))))
