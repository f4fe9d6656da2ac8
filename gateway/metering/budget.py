# SPDX-License-Identifier: EUPL-1.2
"""Whether one more person may be looked up: exact sliding windows of different people. Pure; the time is an argument.

A person is in a window for as long as it lasts after the latest permitted look-up. Each budget on its own: a person in
its window costs nothing; a new one is refused when the budget is full. A DENY budget counts everybody in the window, a
CHALLENGE budget only those seen since the last fresh proof. All budgets are asked first; only if all agree is the
person counted, in all. DENY wins over CHALLENGE.

A clock that steps back never loosens a budget: the account's time stands still until the clock has caught up.

Cost: one ordered dictionary (pseudonym -> last seen, oldest first) for each different length of window. A hit drops who
has left from the front, each once, so it is O(1) amortised; counting since a proof walks back over at most `people`
entries, and only while older ones are in the window.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gateway.model import Effect, Quota

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Budget

Window: TypeAlias = "OrderedDict[bytes, int]"
"""Pseudonym -> when last seen, in microseconds since 1970, oldest first."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_PERMIT = Effect.PERMIT


class Outcome(NamedTuple):
    """What the budgets say. `budget` is the one that refuses; of several, a DENY, and the one with the longest wait.

    `quotas` is what is left of each after this hit; `retry_after_seconds` tells when a place comes back by waiting.
    """

    effect: Effect
    budget: Budget | None
    quotas: tuple[Quota, ...]
    retry_after_seconds: int | None


class _Asked(NamedTuple):
    """A budget with its window and, worked out once, that window's length in microseconds and whether it asks proof."""

    budget: Budget
    window: Window
    span: int
    proof: bool


@dataclass(slots=True)
class Seen:
    """Whom one account looked up in one teleservice. Changed by the functions of this file alone."""

    latest: int = 0
    windows: dict[timedelta, Window] = field(default_factory=dict)
    arranged: tuple[Budget, ...] | None = None
    """The budgets that have their windows, as `asked` tells them; `spans` tells each window once."""
    asked: list[_Asked] = field(default_factory=list)
    spans: list[tuple[Window, int]] = field(default_factory=list)
    earlier: dict[bytes, int] = field(default_factory=dict)
    """People known from the ledger and not yet sorted into windows: the budgets come with the next hit."""


def hit(seen: Seen, budgets: tuple[Budget, ...], pseudonym: bytes, at: datetime, proved_at: datetime | None) -> Outcome:
    """One look-up: asked of all budgets, counted only if all permit. `proved_at`: the last fresh proof, or None."""
    proved = None if proved_at is None else microseconds(proved_at)
    # A proof from the future of this clock tells that the clock stepped back.
    now = seen.latest = max(microseconds(at), seen.latest, proved or 0)
    arrange(seen, budgets, now)
    refusing: tuple[Budget, int] | None = None
    for one in seen.asked:
        if pseudonym in one.window:
            continue
        budget, wait = one.budget, _wait(one, proved, now)
        if wait is not None and (refusing is None or _outweighs((budget, wait), refusing)):
            refusing = (budget, wait)
    if refusing is not None:
        budget, wait = refusing
        return Outcome(budget.past, budget, _quotas(seen, proved, now), wait)
    for window, _ in seen.spans:
        window[pseudonym] = now
        window.move_to_end(pseudonym)
    return Outcome(_PERMIT, None, _quotas(seen, proved, now), None)


def remember(seen: Seen, pseudonym: bytes, last: datetime, at: datetime) -> None:
    """Add a look-up from the ledger. A time after `at` counts as `at`: it was written under a clock that ran ahead."""
    moment = min(microseconds(last), microseconds(at))
    seen.latest = max(seen.latest, moment)
    seen.earlier[pseudonym] = max(moment, seen.earlier.get(pseudonym, moment))


def arrange(seen: Seen, budgets: tuple[Budget, ...], now: int) -> None:
    """Have a window for each budget, with nobody in it who has left by now (microseconds).

    Windows are never given up for other budgets: what they know may be asked again, by another rule or session.
    """
    if seen.arranged is not budgets or seen.earlier:
        missing = [budget.window for budget in budgets if budget.window not in seen.windows]
        if missing or seen.earlier:
            known = _merged([seen.earlier, *seen.windows.values()])
            seen.windows = {length: OrderedDict(known) for length in (*seen.windows, *missing)}
            seen.earlier = {}
        seen.spans = [(window, length // _MICROSECOND) for length, window in seen.windows.items()]
        seen.asked = [_asked(seen, budget) for budget in budgets]
        seen.arranged = budgets
    for window, span in seen.spans:
        gone = now - span
        while window and next(iter(window.values())) <= gone:
            window.popitem(last=False)


def _asked(seen: Seen, budget: Budget) -> _Asked:
    return _Asked(budget, seen.windows[budget.window], budget.window // _MICROSECOND, budget.past is Effect.CHALLENGE)


def _merged(found: Iterable[dict[bytes, int]]) -> list[tuple[bytes, int]]:
    """All people of several dictionaries with their latest time, oldest first."""
    latest: dict[bytes, int] = {}
    for people in found:
        for pseudonym, moment in people.items():
            latest[pseudonym] = max(moment, latest.get(pseudonym, moment))
    return sorted(latest.items(), key=lambda one: one[1])


def _wait(one: _Asked, proved: int | None, now: int) -> int | None:
    """Seconds until the budget has a place again, or None if it has one now."""
    people = one.budget.people
    count, oldest = _counted(one.window, proved if one.proof else None, people)
    if count < people:
        return None
    return _until_left(oldest, one.span, now)


def _counted(window: Window, since: int | None, enough: int) -> tuple[int, int | None]:
    """How many people count, told no further than `enough`, and when the oldest of them was last seen.

    Those seen before `since` do not count. If `enough` or more do, with the leaving of that oldest a place comes back.
    """
    if since is None or not window or next(iter(window.values())) >= since:
        surplus = max(0, len(window) - enough)
        return min(len(window), enough), next(islice(window.values(), surplus, None), None)
    count, oldest = 0, None
    for last in islice(reversed(window.values()), enough):
        if last < since:
            break
        count, oldest = count + 1, last
    return count, oldest


def _until_left(last: int | None, span: int, now: int) -> int:
    """Whole seconds until someone last seen then leaves the window (a budget for nobody: the whole window)."""
    left = (now if last is None else last) + span - now
    return -(-left // _SECOND)


def _outweighs(one: tuple[Budget, int], other: tuple[Budget, int]) -> bool:
    return (one[0].past is Effect.DENY, one[1]) > (other[0].past is Effect.DENY, other[1])


def _quotas(seen: Seen, proved: int | None, now: int) -> tuple[Quota, ...]:
    quotas = []
    for one in seen.asked:
        people = one.budget.people
        count, oldest = _counted(one.window, proved if one.proof else None, people)
        reset = 0 if oldest is None else _until_left(oldest, one.span, now)
        quotas.append(Quota(one.budget, people - count, reset))
    return tuple(quotas)


def microseconds(at: datetime) -> int:
    """An aware time as whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND
