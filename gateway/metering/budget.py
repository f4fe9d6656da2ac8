# SPDX-License-Identifier: EUPL-1.2
"""Whether one more person may be looked up: exact sliding windows of different people. Pure; the time is an argument.

All budgets of all sites (the account, the holder, the network, the teleservice) are asked first; only if none refuses
is the person counted, in all of them. Each budget on its own: a person inside its window costs nothing; another one is
refused when it is full. Of several that refuse, a DENY wins, then the longest wait. ALERT, DELAY and observed budgets
never refuse. The places that a look-up took are given back if the number was nobody's, unless somebody has looked at
the same person since: in doubt a place stays taken.

A clock that steps back never loosens a budget: the time of a site stands still until the clock has caught up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gateway.metering.look import Outcome
from gateway.metering.seen import Asked, Seen, arrange, block
from gateway.metering.tally import count_inside, microseconds, seconds_until_left, span
from gateway.model import Assurance, Counts, Effect, Level, Past, Quota, Risk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import timedelta

    from gateway.metering.tally import Window
    from gateway.model import Budget

# By names of their own: looking a member up in its class is slow, and every look-up does.
_PEOPLE, _NEW, _MISSED = Counts.PEOPLE, Counts.NEW, Counts.MISSED
_ALERT, _DELAY, _CHALLENGE, _DENY = Past.ALERT, Past.DELAY, Past.CHALLENGE, Past.DENY
_PERMIT = Effect.PERMIT
_EFFECTS = {Past.CHALLENGE: Effect.CHALLENGE, Past.DENY: Effect.DENY}
_MOVED = Outcome(Effect.CHALLENGE, None, (), None)


class Asking(NamedTuple):
    """What of one look-up budgets depend on; times in microseconds. `proved`: the last fresh proof, or None.

    `proof_before_new`: the session has moved, and must prove afresh before it sees somebody new. `assurance` tells by
    which methods, for budgets that name them.
    """

    at: int
    proved: int | None = None
    level: Level = Level.NONE
    risk: Risk = Risk.CALM
    proof_before_new: bool = False
    assurance: Assurance = Assurance()


Site: TypeAlias = "tuple[Seen, tuple[Budget, ...]]"
"""One place that counts, with the budgets that are asked there."""


class Reserved(NamedTuple):
    """The places that one hit took, site by site, for `settle`."""

    pseudonym: bytes
    places: list[tuple[Seen, list[Window]]]


def hit(sites: Sequence[Site], known_for: timedelta | None, pseudonym: bytes, asking: Asking) -> Outcome:
    """One look-up, at all sites at once; the account's comes first and tells whether the person is new."""
    now = _now(sites, known_for, asking)
    account = sites[0][0]
    new = account.known is not None and pseudonym not in account.known
    full = _full(sites, pseudonym, asking, new=new)
    if not full and not _any_block(sites) and not (new and asking.proof_before_new):
        # As it mostly is.
        reserved = _reserve(sites, pseudonym, now, new=new)
        return Outcome(_PERMIT, None, _quotas(sites, asking, now), None, 0.0, (), (), new, reserved)
    refusing, delay, alerts, observed = _judged(sites, full, asking, now)
    if refusing is not None:
        outcome = _refused(sites, refusing, asking, now)
    elif new and asking.proof_before_new:
        outcome = _MOVED._replace(quotas=_quotas(sites, asking, now))
    else:
        reserved = _reserve(sites, pseudonym, now, new=new)
        return Outcome(_PERMIT, None, _quotas(sites, asking, now), None, delay, alerts, observed, new, reserved)
    return outcome._replace(alerts=alerts, observed=observed, new=new)


def room(sites: Sequence[Site], known_for: timedelta | None, names: Sequence[bytes], asking: Asking) -> Outcome:
    """Places for as many new people as there are names (at least one), at all sites or at none.

    They count as people do until each is given back: `reserved` is a list of them. A budget that refuses is not met
    yet, so no denial begins to last; what only tells is told of real people.
    """
    now = _now(sites, known_for, asking)
    new, more = sites[0][0].known is not None, len(names) - 1
    stopping = (
        one if one.counts is _MISSED else one._replace(people=max(0, one.people - more))
        for one in _asked_of(sites, asking)
        if one.past is not _ALERT and not one.budget.observe and (new or one.counts is not _NEW)
    )
    refusing, delay, _, _ = _judged(sites, stopping, asking, now)
    if refusing is not None:
        return Outcome(_EFFECTS[refusing[0].past], refusing[0], _quotas(sites, asking, now), refusing[1], new=new)
    if new and asking.proof_before_new:
        return _MOVED._replace(quotas=_quotas(sites, asking, now), new=True)
    held = [_reserve(sites, name, now, new=new) for name in names]
    return Outcome(_PERMIT, None, (), None, delay, new=new, reserved=held)


def give_back(reserved: Reserved) -> None:
    """The places of one name that was nobody."""
    for seen, windows in reserved.places:
        del seen.in_flight[reserved.pseudonym]
        for window in windows:
            window.pop(reserved.pseudonym, None)


def missed(sites: Sequence[Site], known_for: timedelta | None, tried: bytes, asking: Asking) -> Outcome:
    """A try that is no number: counted, unless a budget of misses is full already."""
    now = _now(sites, known_for, asking)
    of_misses = (one for one in _asked_of(sites, asking) if one.counts is _MISSED)
    refusing, delay, alerts, observed = _judged(sites, of_misses, asking, now)
    if refusing is not None:
        return _refused(sites, refusing, asking, now)._replace(alerts=alerts, observed=observed)
    for seen, _ in sites:
        seen.missed.put(tried, now, [])
    return Outcome(_PERMIT, None, (), None, delay, alerts, observed)


def settle(reserved: Reserved, *, missed: bool) -> None:
    """How a permitted hit ended. A number that was nobody's gives its places back, and counts as missed."""
    pseudonym, places = reserved
    for seen, windows in places:
        latest = seen.in_flight.get(pseudonym) is windows  # else somebody has looked since
        if latest:
            del seen.in_flight[pseudonym]
        if missed:
            for window in windows if latest else ():
                window.pop(pseudonym, None)
            seen.missed.put(pseudonym, seen.latest, [])


def _now(sites: Sequence[Site], known_for: timedelta | None, asking: Asking) -> int:
    """The time of all sites, which never steps back; a proof from the future of this clock tells that it did."""
    now = max(asking.at, asking.proved or 0)
    for seen, _ in sites:
        now = max(now, seen.latest)
    for seen, budgets in sites:
        seen.latest = now
        if now >= seen.all_stay_until or budgets != seen.arranged or known_for != seen.known_for:
            arrange(seen, budgets, known_for, now)
        known_for = None  # the account's alone
    return now


def _judged(
    sites: Sequence[Site], full: Iterable[Asked], asking: Asking, now: int
) -> tuple[tuple[Budget, int] | None, float, tuple[Budget, ...], tuple[Budget, ...]]:
    """Of the budgets that may be full: the one that refuses, the delay, the alerts, those that are only observed."""
    refusing = _blocked(sites, asking, now)
    delay = 0.0
    alerts: tuple[Budget, ...] = ()
    observed: tuple[Budget, ...] = ()
    for one in full:
        count, oldest = count_inside(one.window, one.people, _since(one, asking, now))
        if count < one.people:
            continue
        past = one.past
        if one.budget.observe:
            observed = (*observed, one.budget)
        elif past is _ALERT:
            alerts = (*alerts, one.budget)
        elif past is _DELAY:
            delay = max(delay, one.budget.delay.total_seconds())
        else:
            refusing = _weightier(refusing, one.budget, seconds_until_left(oldest, one.span, now))
    if alerts:
        alerts = _once(sites[0][0], alerts, now)
    return refusing, delay, alerts, observed


def _asked_of(sites: Sequence[Site], asking: Asking) -> Iterator[Asked]:
    for seen, _ in sites:
        for one in seen.asked:
            if asking.level < one.under and asking.risk >= one.risk:
                yield one


def _full(sites: Sequence[Site], pseudonym: bytes, asking: Asking, *, new: bool) -> list[Asked]:
    """The budgets that may have no place for this person."""
    full = []
    for seen, _ in sites:
        for one in seen.asked:
            window = one.window
            if len(window) >= one.people and asking.level < one.under and asking.risk >= one.risk:
                counts = one.counts
                if counts is _MISSED or (pseudonym not in window and (counts is _PEOPLE or new)):
                    full.append(one)
    return full


def _any_block(sites: Sequence[Site]) -> bool:
    return any(seen.blocks for seen, _ in sites)


def _since(one: Asked, asking: Asking, now: int) -> int | None:
    """The proof since when people count for this budget; one from a time that is still to come opens no stretch."""
    if not one.proof:
        return None
    if not one.budget.methods:
        return asking.proved
    proved = asking.assurance.proved_by(one.budget.methods)
    since = None if proved is None else microseconds(proved)
    return None if since is None or since > now else since


def _blocked(sites: Sequence[Site], asking: Asking, now: int) -> tuple[Budget, int] | None:
    found = None
    for seen, _ in sites:
        for budget, until in seen.blocks:
            if now < until and (budget.under is None or asking.level < budget.under):
                found = _weightier(found, budget, -(-(until - now) // 1_000_000))
    return found


def _weightier(refusing: tuple[Budget, int] | None, budget: Budget, wait: int) -> tuple[Budget, int]:
    """Of two budgets that refuse, with the seconds until a place comes back: the DENY, then the longer wait."""
    if refusing is None or (budget.past is _DENY, wait) > (refusing[0].past is _DENY, refusing[1]):
        return budget, wait
    return refusing


def _refused(sites: Sequence[Site], refusing: tuple[Budget, int], asking: Asking, now: int) -> Outcome:
    budget, wait = refusing
    lasting = any(budget is one and now < until for seen, _ in sites for one, until in seen.blocks)
    if budget.lasts is not None and not lasting:
        wait = max(wait, int(budget.lasts.total_seconds()))
        block(next(seen for seen, budgets in sites if budget in budgets), budget, now + span(budget.lasts))
    return Outcome(_EFFECTS[budget.past], budget, _quotas(sites, asking, now), wait)


def _once(account: Seen, alerts: tuple[Budget, ...], now: int) -> tuple[Budget, ...]:
    """The alerts that this account was not told of for a whole window."""
    fresh = tuple(budget for budget in alerts if now >= account.alerted.get(budget, 0))
    for budget in fresh:
        account.alerted[budget] = now + span(budget.window)
    return fresh


def _reserve(sites: Sequence[Site], pseudonym: bytes, now: int, *, new: bool) -> Reserved:
    places = []
    for seen, _ in sites:
        windows: list[Window] = []
        seen.people.put(pseudonym, now, windows)
        if new:
            seen.new.put(pseudonym, now, windows)
        seen.in_flight[pseudonym] = windows
        places.append((seen, windows))
    return Reserved(pseudonym, places)


def _quotas(sites: Sequence[Site], asking: Asking, now: int) -> tuple[Quota, ...]:
    """What is left of the budgets that can refuse: those of a network or a teleservice tell of others, and are not."""
    quotas = []
    for seen, _ in sites:
        for one in seen.asked:
            if one.told and asking.level < one.under and asking.risk >= one.risk:
                since = _since(one, asking, now) if one.proof else None
                count, oldest = count_inside(one.window, one.people, since)
                reset = 0 if oldest is None else seconds_until_left(oldest, one.span, now)
                quotas.append(Quota(one.budget, one.people - count, reset))
    return tuple(quotas)
