# SPDX-License-Identifier: EUPL-1.2
"""The watch over accounts in this process: each settled look-up is noted, and what it gives away raises their risk.

What is found, and by which figures, is decided by pure code (signals, together); here it is only kept: for each account
its use and its risk, for each network and teleservice who takes part. A risk that was raised stays for hours, so that a
robot which pauses finds no open door, and is told once for as long as it stays.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.history import DAYS_KEPT, Day, usual_places
from gateway.metering.signals import findings
from gateway.metering.tally import microseconds, span
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
from gateway.model import Risk, risk_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gateway.metering.look import Look
    from gateway.model import Finding, PastLook, Signal

KEPT: Final = {Risk.ELEVATED: timedelta(hours=4), Risk.HIGH: timedelta(hours=24)}
"""How long a risk stays after it was last found."""
_NOTED_EVERY: Final = 50_000
_JUDGED_EVERY: Final = 1_000_000
"""Microseconds: to ask the signals costs some 20 µs, and no robot does much harm within a second."""
WATCHED_FOR: Final = timedelta(days=DAYS_KEPT)
"""How far back the days of an account are known after a start."""
KNOWN_BEFORE: Final = timedelta(days=90)
"""How much farther back the ledger is read for who was known then: else everybody would seem new at first."""


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
        self._risks: dict[str, _Kept] = {}
        self._noted: dict[str, int] = {}
        self._judged: dict[str, int] = {}

    def __len__(self) -> int:
        """How many accounts are watched."""
        return len(self._accounts)

    def risk(self, account: str, at: int, proved: int | None = None) -> Risk:
        """The risk of an account for whoever proved himself last at `proved`; both in microseconds.

        A proof that was given since the risk rose answers it: a thief has none, and nobody honest is asked twice.
        """
        kept = self._risks.get(account)
        if kept is None or at >= kept.until or (proved is not None and proved > kept.since):
            return Risk.CALM
        return kept.risk

    def resting(self, account: str, at: int) -> bool:
        """Whether a look-up at `at` (microseconds) comes so soon after the last one noted that it is let pass: what is
        that fast is found by every twentieth of its look-ups, and a flood of them must not cost twice.
        """
        return 0 <= at - self._noted.get(account, 0) < _NOTED_EVERY

    def seen(self, look: Look, *, new: bool, missed: bool) -> Raised | None:
        """Note a settled look-up; what it raised, if anything."""
        at, account = microseconds(look.at), look.subject.account or ""
        if self.resting(account, at):
            return None
        self._noted[account] = at
        watched = self._accounts[account]
        noted = note(watched, _glance(watched, look, new=new, missed=missed))
        return self._judge(watched, look) if noted else None

    def showed(self, looks: Sequence[tuple[Look, bool]]) -> Raised | None:
        """Note an answer that showed these people (at least one), each with whether he is new; what it raised."""
        last = looks[-1][0]
        watched = self._accounts[last.subject.account or ""]
        noted = note_answer(watched, [_glance(watched, look, new=new, missed=False) for look, new in looks])
        return self._judge(watched, last) if noted else None

    def _judge(self, watched: Watched, look: Look) -> Raised | None:
        at, account = microseconds(look.at), look.subject.account or ""
        if at - self._judged.get(account, 0) < _JUDGED_EVERY:
            return None
        self._judged[account] = at
        found = findings(scene_of(watched, at), at)
        network = self._networks[look.network]
        take_part(network, account, at)
        many = many_accounts(network, at)
        same = alike(found, self._services[look.teleservice], account, at) if found else None
        found += tuple(one for one in (many, same) if one is not None)
        return self._raise(account, risk_of(found), found, at) if found else None

    def alarm(self, account: str, at: datetime) -> None:
        """What leaves no doubt (a decoy was asked for): high risk, whatever else was seen."""
        now = microseconds(at)
        self._risks[account] = _Kept(Risk.HIGH, now, now + span(KEPT[Risk.HIGH]))

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
        """How each account is used, to be written down: what a start cannot learn from the ledger."""
        for account, watched in self._accounts.items():
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
        self._risks = {account: kept for account, kept in self._risks.items() if now < kept.until}
        for account in [account for account, watched in self._accounts.items() if forget(watched, now)]:
            del self._accounts[account]
            self._judged.pop(account, None)
            self._noted.pop(account, None)
        for network in [network for network, together in self._networks.items() if idle(together, now)]:
            del self._networks[network]

    def _raise(self, account: str, risk: Risk, found: tuple[Finding, ...], at: int) -> Raised | None:
        if risk is Risk.CALM:
            return None
        before, until = self.risk(account, at), at + span(KEPT[risk])
        if risk > before:
            self._risks[account] = _Kept(risk, at, until)
            return Raised(risk, found)
        if risk is before:
            self._risks[account] = self._risks[account]._replace(until=until)
        return None


class _Kept(NamedTuple):
    """A risk since when and until when, in microseconds."""

    risk: Risk
    since: int
    until: int


def _glance(watched: Watched, look: Look, *, new: bool, missed: bool) -> Glance:
    return Glance(
        microseconds(look.at),
        new,
        missed,
        in_order(watched.ring, look.neighbours),
        look.departement,
        look.subject.session or "",
        look.pseudonym[:PERSON_BYTES],
    )


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
