# SPDX-License-Identifier: EUPL-1.2
"""Robots that spread over accounts: one network that drives several, and several that act alike at the same time. Pure.

Both are measured against their own past, as an account is: a hospital's network always drives many, and in a large
service somebody always looks odd. What is found belongs to each account that takes part, and only to these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway.metering.history import DAYS_KEPT
from gateway.metering.tails import poisson_tail
from gateway.metering.watched import DAY, HOUR
from gateway.model import Finding, Risk, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable

MACHINE_LIKE: Final = frozenset({Signal.PACE, Signal.NEW_PEOPLE, Signal.NO_PAUSES, Signal.IN_ORDER})
"""What several accounts can have alike. Not volume (an epidemic reaches all), misses (an outage does), far people and
drift (a holiday fills a whole coast)."""

# A practice has a few accounts on one line; a network of a thousand may gain some, but not double in a day.
_MANY_AT_LEAST: Final = 4
_MANY_TIMES_USUAL: Final = 2
_VERY_MANY_AT_LEAST: Final = 12
_VERY_MANY_TIMES_USUAL: Final = 4

# One in 100,000 hours: for a service where such a thing is never seen (0.1 an hour at most) that is four accounts.
_ALIKE: Final = 1e-5
_ALIKE_RARELY: Final = 0.1
_ALIKE_AT_LEAST: Final = 3


@dataclass(slots=True)
class Together:
    """Accounts of the last hour by name with their latest time, and the most at once of each day (since 1970).

    One for each network: the accounts it drives. One for each machine-like signal of the service: the accounts that
    show it.
    """

    latest: dict[str, int] = field(default_factory=dict)
    peaks: dict[int, int] = field(default_factory=dict)


def take_part(together: Together, account: str, at: int) -> int:
    """Note that an account takes part at `at` (microseconds since 1970); how many do in this hour."""
    latest, since = together.latest, at - HOUR
    latest.pop(account, None)
    latest[account] = at
    while (oldest := next(iter(latest))) != account and latest[oldest] <= since:
        del latest[oldest]
    day = at // DAY
    if len(latest) > together.peaks.get(day, 0):
        together.peaks[day] = len(latest)
        for old in [one for one in together.peaks if one <= day - DAYS_KEPT]:
            del together.peaks[old]
    return len(latest)


def many_accounts(network: Together, at: int) -> Finding | None:
    """One network drives far more accounts than it ever did: weak, for it may be a hospital that has just moved in."""
    count, usual = len(network.latest), max(_before(network, at), default=0)
    figures = (("accounts", count), ("usual", usual))
    if count >= max(_VERY_MANY_AT_LEAST, _VERY_MANY_TIMES_USUAL * usual):
        return Finding(Signal.MANY_ACCOUNTS, Risk.ELEVATED, figures)
    if count >= max(_MANY_AT_LEAST, _MANY_TIMES_USUAL * usual):
        return Finding(Signal.MANY_ACCOUNTS, Risk.CALM, figures)
    return None


def alike(found: Iterable[Finding], service: dict[Signal, Together], account: str, at: int) -> Finding | None:
    """Note what this account shows; a finding if more accounts than chance brings show the same in this hour."""
    most = None
    for finding in found:
        if finding.signal not in MACHINE_LIKE:
            continue
        together = service.setdefault(finding.signal, Together())
        count = take_part(together, account, at)
        usual = _usual(together, at)
        if count >= _ALIKE_AT_LEAST and poisson_tail(count, usual) < _ALIKE:
            figures = (("accounts", count), ("usual", round(usual, 1)), ("signal", finding.signal.value))
            most = max(most or (count, figures), (count, figures))
    return Finding(Signal.ALIKE, Risk.ELEVATED, most[1]) if most else None


def idle(together: Together, at: int) -> bool:
    """Whether nothing is left to remember. Drops the accounts of hours past: call it now and then."""
    together.latest = {account: one for account, one in together.latest.items() if one > at - HOUR}
    return not together.latest and all(day <= at // DAY - DAYS_KEPT for day in together.peaks)


def _before(together: Together, at: int) -> list[int]:
    today = at // DAY
    return [peak for day, peak in together.peaks.items() if today - DAYS_KEPT < day < today]


def _usual(together: Together, at: int) -> float:
    """What to expect at the fullest hour of a day: the mean of the days with any, or hardly ever one."""
    peaks = _before(together, at)
    return max(sum(peaks) / len(peaks), _ALIKE_RARELY) if peaks else _ALIKE_RARELY
