# SPDX-License-Identifier: EUPL-1.2
"""Whom an account looks at on a day, and when: the world's figures as looks in the order of time.

A day's people come in bursts within the account's hours, at the pace of hands; some are looked at again minutes later,
some numbers are mistyped first, and now and then a list of renewals is worked through. Whom the world calls known was
seen by the account in the last seven weeks, so any memory of eight weeks knows him too. Nobody asks the hallway here.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import timedelta
from math import exp
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.demo.number import key_of
from gateway.drill.simulation import DAY, START
from gateway.metering.patient import departement
from gateway.metering.pseudonym import PSEUDONYM_BYTES
from gateway.model import PastLook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from gateway.drill.accounts import Account, Holder
    from gateway.drill.people import Residents
    from gateway.drill.world import World

HISTORY_DAYS: Final = 56
MONTH: Final = 365.25 / 12
_REMEMBERED_DAYS: Final = 49
_FARTHEST: Final = 12 * 3600.0
_BURST: Final = 4
_HANDS_SECONDS: Final = 4.0
"""Nobody types and reads faster."""
LOCAL_SHARE: Final = 0.5
"""So many patients were born in the département (INSEE: about half of the French live where they were born)."""
_KEYED_SHARE: Final = 0.7
_HALF: Final = 0.5**0.5
_RETYPE_SECONDS: Final = 15.0


class Look(NamedTuple):
    """One look-up to come; `text` is what is typed, `right` whether that is the person's number."""

    when: float
    holder: int
    text: str
    right: bool
    person: int


class Practice:
    """What all accounts have in common: the world, its people, and how busy each day is."""

    def __init__(self, world: World, residents: Residents, teleservice: str, epidemic_from: int) -> None:
        self.world = world
        self.residents = residents
        self.teleservice = teleservice
        self._factors = world.weekday_factor.factors
        self._epidemic = range(epidemic_from, epidemic_from + 7 * world.epidemic.weeks)

    def factor(self, day: int) -> float:
        """How busy a day is against an ordinary one; day 0 is a Monday."""
        return self._factors[day % 7] * (self.world.epidemic.factor if day in self._epidemic else 1.0)

    def number(self, index: int) -> str:
        """The canonical number of a person."""
        return self.residents.people.number(index)

    def begin(self, account: Account) -> None:
        """Whom the account knew before its history begins."""
        rng, kind = account.rng, account.kind
        weeks = kind.people_per_day.p50 * exp(account.size) * 6 * 7
        for _ in range(round(weeks * (1 - min(0.9, kind.new_people_share.p50)))):
            self.meet(account, self.residents.draw(account.departement, LOCAL_SHARE, rng), -rng.randrange(57, 106))

    def meet(self, account: Account, index: int, day: int) -> None:
        """Know somebody, from that day on."""
        if index not in account.last:
            account.known.append(index)
        account.last[index] = day

    def people(self, account: Account, day: int) -> list[int]:
        """Whom an account looks at on one day."""
        rng = account.rng
        mean = volume(account) * self.factor(day)
        share = newness(account)
        return [
            self._stranger(account, day) if rng.random() < share else self.acquaintance(account, day)
            for _ in range(int(mean + rng.random()))
        ]

    def acquaintance(self, account: Account, day: int) -> int:
        """Somebody seen in the last weeks; a stranger if there is nobody."""
        rng, known, last = account.rng, account.known, account.last
        while known:
            place = int(rng.random() * len(known))
            index = known[place]
            if day - last[index] <= _REMEMBERED_DAYS or day < _REMEMBERED_DAYS - HISTORY_DAYS:
                last[index] = day
                return index
            known[place] = known[-1]
            known.pop()
            del last[index]
        return self._stranger(account, day)

    def _stranger(self, account: Account, day: int) -> int:
        index = self.residents.draw(account.departement, LOCAL_SHARE, account.rng)
        for _ in range(3):
            if index not in account.last:
                break
            index = self.residents.draw(account.departement, 0.0, account.rng)
        self.meet(account, index, day)
        return index

    def looks(self, account: Account, day: int) -> list[Look]:
        """The looks of one day, in the order of time; a change of network is a look of holder -1."""
        rng, kind, habits = account.rng, account.kind, self.world.honest_habits
        begins, lasts = day * DAY + kind.begins - account.offset, kind.lasts
        errors = self._errors(account)
        gap, again = habits.seconds_between_lookups_busy, habits.repeat_same_person_within_minutes_share
        mu, sigma = gap.mu, gap.sigma
        found: list[Look] = []
        left, when, holder = 0, 0.0, 0
        for index in self.people(account, day):
            if not left:
                left = 1 + int(rng.expovariate(1 / _BURST))
                when, holder = begins + rng.random() * lasts, int(rng.random() * len(account.holders))
            left -= 1
            number = self.number(index)
            if rng.random() < errors:
                found.append(Look(when, holder, mistyped(number, rng), right=False, person=index))
                found.append(Look(when + _RETYPE_SECONDS, holder, number, right=True, person=index))
            else:
                found.append(Look(when, holder, number, right=True, person=index))
            if rng.random() < again:
                found.append(Look(when + 60 + rng.random() * 540, holder, number, right=True, person=index))
            when += rng.lognormvariate(mu, sigma)
        self._renew(account, day, begins, found)
        moves = account.moves_per_month / MONTH
        found += [
            Look(begins + rng.random() * lasts, -1, "", right=False, person=-1)
            for _ in range(int(moves + rng.random()))
        ]
        return by_hand(found)

    def history(self, accounts: list[Account], pseudonym: Callable[[str], bytes]) -> Iterator[PastLook]:
        """What the ledger would know before day 0: whom each account knew, then eight weeks that all have lived."""
        known: dict[int, tuple[bytes, str | None]] = {}

        def past_look(when: float, account: Account, holder: Holder, index: int) -> PastLook:
            if index >= 0 and index not in known:
                number = self.number(index)
                known[index] = pseudonym(number), departement(number)
            seen, place = known[index] if index >= 0 else (account.rng.randbytes(PSEUDONYM_BYTES), None)
            at = START + timedelta(seconds=when)
            return PastLook(account.name, self.teleservice, holder.name, account.home, seen, at, index < 0, place)

        met = []
        for account in accounts:
            self.begin(account)
            met += [(day, account, index) for index, day in account.last.items()]
        for day, account, index in sorted(met, key=itemgetter(0)):
            yield past_look((day + 0.5) * DAY, account, account.holders[0], index)
        waiting: list[tuple[float, Account, Holder, int]] = []
        for day in range(-HISTORY_DAYS, 0):
            for account in accounts:
                rng, begins = account.rng, day * DAY + account.kind.begins - account.offset
                unknown = (1 - _KEYED_SHARE) * self._errors(account)
                for index in self.people(account, day):
                    holder = account.holders[int(rng.random() * len(account.holders))]
                    when = begins + rng.random() * account.kind.lasts
                    waiting.append((when, account, holder, index))
                    if rng.random() < unknown:  # what was mistyped without a key: the ledger has it, as a miss
                        waiting.append((when, account, holder, -1))
            waiting.sort(key=_moment)
            # Whoever is far ahead of UTC begins his next day before others have ended this one.
            ended = bisect_left([look[0] for look in waiting], (day + 1) * DAY - _FARTHEST)
            ended = len(waiting) if day == -1 else ended
            past, waiting = waiting[:ended], waiting[ended:]
            for when, account, holder, index in past:
                yield past_look(when, account, holder, index)

    def _errors(self, account: Account) -> float:
        """What share of a day's numbers is mistyped first."""
        share = self.world.honest_habits.typing_error_share
        return exp(share.mu + account.errors + _HALF * account.rng.gauss(0, share.sigma))

    def _renew(self, account: Account, day: int, begins: int, found: list[Look]) -> None:
        """Now and then, a list of renewals."""
        rng, renewals = account.rng, self.world.honest_habits.works_through_a_list_of_renewals
        if rng.random() >= renewals.per_month / MONTH or len(account.known) < renewals.people:
            return
        when, holder = begins + rng.random() * account.kind.lasts, int(rng.random() * len(account.holders))
        for _ in range(renewals.people):
            index = self.acquaintance(account, day)
            found.append(Look(when, holder, self.number(index), right=True, person=index))
            when += renewals.seconds_between


def _moment(look: tuple[float, Account, Holder, int]) -> float:
    return look[0]


def volume(account: Account) -> float:
    """How many people an account sees on an ordinary day."""
    people = account.kind.people_per_day
    return exp(people.mu + account.size + _HALF * account.rng.gauss(0, people.sigma))


def newness(account: Account) -> float:
    """What share of a day's people it had not seen before; above one, it is everybody."""
    share = account.kind.new_people_share
    return exp(share.mu + account.newness + _HALF * account.rng.gauss(0, share.sigma))


def by_hand(looks: list[Look]) -> list[Look]:
    """In the order of time, and no two by one person closer than hands are."""
    looks.sort()
    latest: dict[int, float] = {}
    for place, look in enumerate(looks):
        least = latest.get(look.holder, look.when - _HANDS_SECONDS) + _HANDS_SECONDS
        if look.when < least:
            looks[place] = look._replace(when=least)
        latest[look.holder] = max(look.when, least)
    looks.sort()
    return looks


def mistyped(number: str, rng: Random) -> str:
    """A number with one digit wrong, mostly written with the key of the right one."""
    key = f"{key_of(number):02d}" if rng.random() < _KEYED_SHARE else ""
    place = rng.choice([one for one in range(1, len(number)) if number[one].isdecimal()])
    wrong = (int(number[place]) + rng.randrange(1, 10)) % 10
    return f"{number[:place]}{wrong}{number[place + 1 :]}{key}"
