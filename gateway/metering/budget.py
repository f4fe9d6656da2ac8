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
    from collections.abc import Iterable, Sequence

    from gateway.model import Budget

Window: TypeAlias = "OrderedDict[bytes, int]"
"""Pseudonym -> when last seen, in microseconds since 1970, oldest first."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_PERMIT, _DENY = Effect.PERMIT, Effect.DENY


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
    people: int


@dataclass(slots=True)
class Seen:
    """Whom one account, or one of its holders, looked up in one teleservice. Changed by this file alone."""

    latest: int = 0
    windows: dict[timedelta, Window] = field(default_factory=dict)
    arranged: tuple[Budget, ...] | None = None
    """The budgets that have their windows, as `asked` tells them; `spans` tells each window once."""
    asked: list[_Asked] = field(default_factory=list)
    spans: list[tuple[Window, int]] = field(default_factory=list)
    all_stay_until: int = 0
    """Before this moment nobody leaves any window: whoever is added or moved later, leaves later."""
    earlier: dict[bytes, int] = field(default_factory=dict)
    """People known from the ledger and not yet sorted into windows: the budgets come with the next hit."""
    proved_at: datetime | None = None
    proved: int | None = None
    """The proof of the last hit, and the same in microseconds: the next look-up mostly comes under the same one."""


def hit(seen: Seen, budgets: tuple[Budget, ...], pseudonym: bytes, at: datetime, proved_at: datetime | None) -> Outcome:
    """One look-up: asked of all budgets, counted only if all permit. `proved_at`: the last fresh proof, or None."""
    if proved_at is not seen.proved_at:
        seen.proved = None if proved_at is None else microseconds(proved_at)
        seen.proved_at = proved_at
        # A proof from the future of this clock tells that the clock stepped back.
        seen.latest = max(seen.latest, seen.proved or 0)
    now = seen.latest = max((at - _EPOCH) // _MICROSECOND, seen.latest)
    if budgets is not seen.arranged or now >= seen.all_stay_until:
        arrange(seen, budgets, now)
    proved = seen.proved
    refusing: tuple[Budget, int] | None = None
    for one in seen.asked:
        window = one.window
        if len(window) >= one.people and pseudonym not in window:
            refusing = _weightier(refusing, one, proved, now)
    if refusing is not None:
        budget, wait = refusing
        return Outcome(budget.past, budget, _quotas(seen.asked, proved, now), wait)
    for window, _ in seen.spans:
        window[pseudonym] = now
        window.move_to_end(pseudonym)
    return Outcome(_PERMIT, None, _quotas(seen.asked, proved, now), None)


def hit_together(
    parts: Sequence[tuple[Seen, tuple[Budget, ...]]], pseudonym: bytes, at: datetime, proved_at: datetime | None
) -> Outcome:
    """As `hit`, for one look-up that counts in several places: asked of all, counted in all or in none."""
    proved = None if proved_at is None else microseconds(proved_at)
    now = max(microseconds(at), proved or 0, *(seen.latest for seen, _ in parts))
    refusing: tuple[Budget, int] | None = None
    for seen, budgets in parts:
        seen.latest = now
        if budgets is not seen.arranged or now >= seen.all_stay_until:
            arrange(seen, budgets, now)
        for one in seen.asked:
            if pseudonym not in one.window:
                refusing = _weightier(refusing, one, proved, now)
    if refusing is None:
        for seen, _ in parts:
            for window, _ in seen.spans:
                window[pseudonym] = now
                window.move_to_end(pseudonym)
    quotas = tuple(quota for seen, _ in parts for quota in _quotas(seen.asked, proved, now))
    if refusing is None:
        return Outcome(_PERMIT, None, quotas, None)
    budget, wait = refusing
    return Outcome(budget.past, budget, quotas, wait)


def remember(seen: Seen, pseudonym: bytes, last: datetime, at: datetime) -> None:
    """Add a look-up from the ledger. A time after `at` counts as `at`: it was written under a clock that ran ahead."""
    moment = min(microseconds(last), microseconds(at))
    seen.latest = max(seen.latest, moment)
    seen.earlier[pseudonym] = max(moment, seen.earlier.get(pseudonym, moment))
    seen.arranged = None


def arrange(seen: Seen, budgets: tuple[Budget, ...], now: int) -> None:
    """Have a window for each budget, with nobody in it who has left by now (microseconds).

    Windows are never given up for other budgets: what they know may be asked again, by another rule or session.
    """
    if seen.arranged is not budgets:
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
    # Whoever comes next, comes at the account's own time, which a sweep may be ahead of.
    coming = min(now, seen.latest)
    seen.all_stay_until = min((next(iter(window.values()), coming) + span for window, span in seen.spans), default=0)


def _asked(seen: Seen, budget: Budget) -> _Asked:
    span, proof = budget.window // _MICROSECOND, budget.past is Effect.CHALLENGE
    return _Asked(budget, seen.windows[budget.window], span, proof, budget.people)


def _merged(found: Iterable[dict[bytes, int]]) -> list[tuple[bytes, int]]:
    """All people of several dictionaries with their latest time, oldest first."""
    latest: dict[bytes, int] = {}
    for people in found:
        for pseudonym, moment in people.items():
            latest[pseudonym] = max(moment, latest.get(pseudonym, moment))
    return sorted(latest.items(), key=lambda one: one[1])


def _weightier(
    refusing: tuple[Budget, int] | None, one: _Asked, proved: int | None, now: int
) -> tuple[Budget, int] | None:
    """The budget that refuses, with the seconds until it has a place again: of two the DENY, then the longer wait."""
    count, oldest = _counted(one, proved)
    if count < one.people:
        return refusing
    wait = _until_left(oldest, one.span, now)
    if refusing is None or (one.budget.past is _DENY, wait) > (refusing[0].past is _DENY, refusing[1]):
        return one.budget, wait
    return refusing


def _counted(one: _Asked, proved: int | None) -> tuple[int, int | None]:
    """How many people count, told no further than the budget goes, and when the oldest of them was last seen.

    Of a budget that asks proof, those seen before `proved` do not count. If the budget is full, a place comes back when
    that oldest leaves.
    """
    _, window, _, proof, people = one
    oldest = next(iter(window.values()), None)
    if proof and proved is not None and oldest is not None and oldest < proved:
        return _counted_since(proved, window, people)
    count = len(window)
    if count > people:
        return people, next(islice(window.values(), count - people, None), None)
    return count, oldest


def _counted_since(proved: int, window: Window, people: int) -> tuple[int, int | None]:
    count, oldest = 0, None
    for last in islice(reversed(window.values()), people):
        if last < proved:
            break
        count, oldest = count + 1, last
    return count, oldest


def _until_left(last: int | None, span: int, now: int) -> int:
    """Whole seconds until someone last seen then leaves the window (a budget for nobody: the whole window)."""
    left = (now if last is None else last) + span - now
    return -(-left // _SECOND)


def _quotas(asked: list[_Asked], proved: int | None, now: int) -> tuple[Quota, ...]:
    quotas = []
    for one in asked:
        count, oldest = _counted(one, proved)
        reset = 0 if oldest is None else -(-(oldest + one.span - now) // _SECOND)
        quotas.append(Quota(one.budget, one.people - count, reset))
    return tuple(quotas)


def microseconds(at: datetime) -> int:
    """An aware time as whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND
