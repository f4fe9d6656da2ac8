# SPDX-License-Identifier: EUPL-1.2
"""The watch over accounts: each settled look-up is noted, and what it gives away raises their risk.

What is found, and by which figures, is decided by pure code (signals, together); here it is only kept: for each account
its use and its risk (risks), for each network and teleservice who takes part. Of several processes one has the watch;
the others tell it what was looked up, and hear what it found (watching_afar).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.history import DAYS_KEPT, Day, usual_places
from gateway.metering.risks import Rest, Risks
from gateway.metering.signals import findings
from gateway.metering.tally import microseconds
from gateway.metering.together import Together, alike, idle, many_accounts, take_part
from gateway.metering.watched import (
    DAY,
    PERSON_BYTES,
    Glance,
    Watched,
    add_day,
    days_of,
    forget,
    in_order,
    note,
    note_answer,
    scene_of,
)
from gateway.model import risk_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gateway.metering.look import Look
    from gateway.model import Finding, PastLook, Risk, Signal

_JUDGED_EVERY: Final = 1_000_000
"""Microseconds: to ask the signals costs some 20 µs, and no robot does much harm within a second."""
WATCHED_FOR: Final = timedelta(days=DAYS_KEPT)
"""How far back the days of an account are known after a start."""
KNOWN_BEFORE: Final = timedelta(days=90)
"""How much farther back the ledger is read for who was known then: else everybody would seem new at first."""


class Note(NamedTuple):
    """A settled look-up, as much of it as the watch takes. `at`: microseconds; `person` and `neighbours`: the first
    bytes of pseudonyms (see Look).
    """

    account: str
    session: str
    teleservice: str
    network: str
    at: int
    person: bytes
    neighbours: tuple[bytes, ...]
    departement: str | None
    new: bool
    missed: bool


def note_of(look: Look, *, new: bool, missed: bool) -> Note:
    """The note of a look-up."""
    return Note(
        look.subject.account or "",
        look.subject.session or "",
        look.teleservice,
        look.network,
        microseconds(look.at),
        look.pseudonym[:PERSON_BYTES],
        tuple(one[:PERSON_BYTES] for one in look.neighbours),
        look.departement,
        new,
        missed,
    )


class Raised(NamedTuple):
    """A risk that has just risen, and by what."""

    risk: Risk
    findings: tuple[Finding, ...]


class Use(NamedTuple):
    """How one account is used: (day since 1970, counts of that day), and people by département. No patient."""

    account: str
    days: list[tuple[int, ...]]
    places: dict[str, int]


class Watching:
    """Watched accounts. About 2 kB each, and what the signals cost for each look-up (see signals)."""

    def __init__(self) -> None:
        self._accounts: defaultdict[str, Watched] = defaultdict(Watched)
        self._networks: defaultdict[str, Together] = defaultdict(Together)
        self._services: defaultdict[str, dict[Signal, Together]] = defaultdict(dict)
        self._judged: dict[str, int] = {}
        self._rest = Rest()
        self.risks = Risks()

    def __len__(self) -> int:
        """How many accounts are watched."""
        return len(self._accounts)

    def risk(self, account: str, at: int, proved: int | None = None) -> Risk:
        """See Risks."""
        return self.risks.of(account, at, proved)

    def resting(self, account: str, at: int) -> bool:
        """See Rest."""
        return self._rest(account, at)

    def seen(self, look: Look, *, new: bool, missed: bool) -> Raised | None:
        """Note a settled look-up; what it raised, if anything."""
        account, at = look.subject.account or "", microseconds(look.at)
        if self._rest(account, at):
            return None
        self._rest.begin(account, at)
        return self.take_in([note_of(look, new=new, missed=missed)], together=False)

    def showed(self, looks: Sequence[tuple[Look, bool]]) -> Raised | None:
        """Note an answer that showed these people (at least one), each with whether he is new; what it raised."""
        return self.take_in([note_of(look, new=new, missed=False) for look, new in looks], together=True)

    def take_in(self, notes: Sequence[Note], *, together: bool) -> Raised | None:
        """Note a look-up, or an answer that showed several people `together`; what it raised."""
        last = notes[-1]
        watched = self._accounts[last.account]
        glances = [_glance(watched, one) for one in notes]
        noted = note_answer(watched, glances) if together else note(watched, glances[0])
        if not noted or last.at - self._judged.get(last.account, 0) < _JUDGED_EVERY:
            return None
        self._judged[last.account] = last.at
        return self._judge(watched, last)

    def _judge(self, watched: Watched, last: Note) -> Raised | None:
        account, at = last.account, last.at
        found = findings(scene_of(watched, at), at)
        network = self._networks[last.network]
        take_part(network, account, at)
        many = many_accounts(network, at)
        same = alike(found, self._services[last.teleservice], account, at) if found else None
        found += tuple(one for one in (many, same) if one is not None)
        risk = risk_of(found)
        return Raised(risk, found) if self.risks.found(account, risk, at) else None

    def alarm(self, account: str, at: datetime) -> None:
        """What leaves no doubt (a decoy was asked for): high risk, whatever else was seen."""
        self.risks.alarm(account, microseconds(at))

    def rebuild(self, past: Past, at: datetime) -> None:
        """What was looked up in the weeks before a start: days, people, new ones, misses, places."""
        today = microseconds(at) // DAY
        for account, days in past.days.items():
            places: Mapping[str, int] = past.places.get(account, {})
            usual = usual_places(places)
            for number, day in days.items():
                if number <= today:
                    add_day(self._accounts[account], number, day.counts(usual))
            add_day(self._accounts[account], today, Day(), places.items())

    def kept(self) -> Iterator[Use]:
        """How each account is used, to be written down: what a start cannot learn from the ledger.

        Another thread may walk it: the accounts are listed at once, and what is copied of one is copied at once.
        """
        for account, watched in list(self._accounts.items()):
            yield Use(account, [(day, *counts) for day, counts in days_of(watched).items()], dict(watched.places))

    def restore(self, uses: Iterable[Use]) -> None:
        """What `kept` gave."""
        for use in uses:
            watched = self._accounts[use.account]
            for number, *counts in sorted(use.days):
                add_day(watched, number, Day(*counts))
            add_day(watched, watched.day, Day(), use.places.items())

    def sweep(self, at: datetime) -> None:
        """Forget what no signal asks about any more. O(accounts)."""
        now = microseconds(at)
        self.risks.sweep(now)
        self._rest.sweep(now)
        for account in [account for account, watched in self._accounts.items() if forget(watched, now)]:
            del self._accounts[account]
            self._judged.pop(account, None)
        for network in [network for network, together in self._networks.items() if idle(together, now)]:
            del self._networks[network]


def _glance(watched: Watched, one: Note) -> Glance:
    order = in_order(watched.ring, one.neighbours)
    return Glance(one.at, one.new, one.missed, order, one.departement, one.session, one.person)


class _PastDay:
    """One day of one account."""

    __slots__ = ("missed", "new", "people", "places")

    def __init__(self) -> None:
        self.people = self.new = self.missed = 0
        self.places: list[str] = []

    def counts(self, usual: frozenset[str]) -> Day:
        far = sum(place not in usual for place in self.places) if usual else 0
        return Day(self.people, self.new, self.missed, len(self.places) if usual else 0, far)


class Past:
    """Look-ups of the past, oldest first, gathered by account and day; those before `since` only tell who is known."""

    def __init__(self, since: datetime) -> None:
        self._since = microseconds(since) // DAY
        self.days: defaultdict[str, defaultdict[int, _PastDay]] = defaultdict(lambda: defaultdict(_PastDay))
        self.places: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._latest: dict[tuple[str, bytes], int] = {}

    def passing(self, looks: Iterable[PastLook]) -> Iterator[PastLook]:
        """The same look-ups, gathered as they pass by."""
        for look in looks:
            self.add(look)
            yield look

    def add(self, look: PastLook) -> None:
        """Gather one."""
        number = microseconds(look.at) // DAY
        before = None
        if not look.missed:
            before = self._latest.get((look.account, look.pseudonym))
            self._latest[look.account, look.pseudonym] = number
        if number < self._since or before == number:
            return
        day = self.days[look.account][number]
        if look.missed:
            day.missed += 1
            return
        day.people += 1
        day.new += before is None
        if look.departement is not None:
            self.places[look.account][look.departement] += 1
            if before is None:
                day.places.append(look.departement)
