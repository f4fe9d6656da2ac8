# SPDX-License-Identifier: EUPL-1.2
"""Honest professionals and robots as the drills' world file tells them, as streams of glances for the signals.

The figures are those of the drill world (log-normal from the median and the 99.9th percentile); where people come from
is a deduction: an account's own two départements, and a share of others that differs between accounts and days.
Every stream comes from one seeded generator.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from gateway.metering.history import Day
from gateway.metering.watched import DAY, Glance, Watched, add_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

SECOND = 1_000_000
FIRST_DAY = 20_000  # a Friday
WEEKDAYS = (1.2, 1.0, 1.0, 1.0, 1.05, 0.6, 0.05)
EPIDEMIC = 1.8
_P999 = 3.0902
_HANDS = (75.0, math.log(75 / 9) / 2.3263)


class Kind(NamedTuple):
    """One kind of professional: people a day and share of new ones (median, 99.9th percentile), hours, holders."""

    name: str
    weight: float
    people: tuple[float, float]
    new: tuple[float, float]
    opens: float
    hours: float
    holders: int


KINDS = (
    Kind("gp", 0.42, (12, 45), (0.15, 0.5), 8, 11.5, 1),
    Kind("specialist", 0.12, (10, 50), (0.4, 0.9), 8.5, 10.5, 1),
    Kind("nurse", 0.2, (6, 30), (0.1, 0.6), 6.5, 14, 1),
    Kind("pharmacy", 0.18, (30, 160), (0.2, 0.55), 8.5, 11, 4),
    Kind("large-pharmacy", 0.02, (180, 600), (0.35, 0.7), 7.5, 13.5, 14),
    Kind("duty-pharmacy-night", 0.01, (40, 120), (0.8, 0.98), 19.5, 13, 2),
    Kind("health-centre", 0.03, (90, 400), (0.3, 0.7), 7.5, 12.5, 10),
    Kind("optician", 0.02, (12, 60), (0.7, 0.98), 9.5, 10, 3),
)


class Account(NamedTuple):
    """One account: its kind, its share of people from elsewhere, its typing errors and what of it is kept."""

    name: str
    kind: Kind
    elsewhere: float
    mistypes: float
    watched: Watched


def log_normal(random: Random, median: float, p999: float) -> float:
    """One draw, from the median and the 99.9th percentile."""
    return median * math.exp(math.log(p999 / median) / _P999 * random.gauss(0, 1))


def hands(random: Random) -> float:
    """Seconds between two look-ups of a busy holder."""
    median, spread = _HANDS
    return median * math.exp(spread * random.gauss(0, 1))


def new_account(random: Random, number: int, kind: Kind | None = None, *, days: int = 56) -> Account:
    """An account with so many days behind it, before FIRST_DAY."""
    kind = kind or random.choices(KINDS, [one.weight for one in KINDS])[0]
    elsewhere = min(0.6, log_normal(random, 0.15, 0.4))
    account = Account(f"account-{number}", kind, elsewhere, min(0.3, log_normal(random, 0.03, 0.15)), Watched())
    for day in range(FIRST_DAY - days, FIRST_DAY):
        people, share, far = day_of(random, account, day)
        new = sum(random.random() < share for _ in range(people))
        away = sum(random.random() < far for _ in range(new))
        missed = sum(random.random() < account.mistypes for _ in range(people))
        places = (("13", people - away - (people - away) // 4), ("84", (people - away) // 4), (place(random), away))
        add_day(account.watched, day, Day(people, new, missed, new, away), places)
    return account


def day_of(random: Random, account: Account, day: int, factor: float = 1.0) -> tuple[int, float, float]:
    """People of that day, the share of new ones, and the share of these from elsewhere."""
    people = log_normal(random, *account.kind.people) * WEEKDAYS[(day + 3) % 7] * factor
    share = min(0.98, log_normal(random, *account.kind.new))
    return int(people + random.random()), share, min(0.95, account.elsewhere * math.exp(random.gauss(0, 0.3)))


def place(random: Random) -> str:
    """Somewhere in the country."""
    return f"{random.randrange(1, 96):02}"


def person(random: Random) -> bytes:
    """Somebody nobody has met."""
    return random.randbytes(8)


def honest_day(random: Random, account: Account, day: int, factor: float = 1.0) -> list[Glance]:
    """All look-ups of one day in order: each holder in bursts of a few people, with typing errors; now and then a list.

    Bursts begin anywhere in the opening hours; within one the holder works as fast as hands do.
    """
    people, share, far = day_of(random, account, day, factor)
    holders = min(account.kind.holders, max(1, people))
    opens = day * DAY + int(account.kind.opens * 3600 * SECOND)
    span = int(account.kind.hours * 3600 * SECOND)
    glances = []
    for holder in range(holders):
        session = f"{account.name}/{day}/{holder}"
        left = people // holders + (holder < people % holders)
        while left > 0:
            at = opens + random.randrange(span)
            for _ in range(min(left, 1 + int(random.expovariate(1 / 5)))):
                if random.random() < account.mistypes:
                    glances.append(Glance(at, False, True, False, None, session, person(random)))
                    at += int(random.uniform(6, 20) * SECOND)
                glances.append(_honest(random, at, session, share, far))
                at += int(hands(random) * SECOND)
                left -= 1
    if random.random() < 1 / 22:
        at = opens + random.randrange(span)
        session = f"{account.name}/{day}/0"
        glances += [_honest(random, at + 20 * SECOND * count, session, share, far) for count in range(40)]
    return sorted(glances)


def _honest(random: Random, at: int, session: str, share: float, far: float) -> Glance:
    new = random.random() < share
    where = place(random) if new and random.random() < far else ("13" if random.random() < 0.75 else "84")
    return Glance(at, new, False, False, where, session, person(random))


def robot(
    random: Random, began: int, seconds: float, known: float, unknown: float, *, session: str = "stolen"
) -> Iterator[Glance]:
    """A robot that goes on: each `seconds` one person, or as hands do if 0; a share known and a share nobody's."""
    at = began
    while True:
        missed = random.random() < unknown
        new = not missed and random.random() >= known
        where = None if missed else place(random) if new else "13"
        yield Glance(at, new, missed, False, where, session, person(random))
        at += int((seconds or hands(random)) * SECOND)


def resident_day(random: Random, account: Account, day: int) -> list[Glance]:
    """An honest day, and malware in the holder's own sessions that adds half of it: all new, from the whole country."""
    honest = honest_day(random, account, day)
    added = []
    for one in random.sample(honest, len(honest) // 2):
        at = one.at + int(hands(random) * SECOND)
        added.append(Glance(at, True, False, False, place(random), one.session, person(random)))
    return sorted(honest + added)
