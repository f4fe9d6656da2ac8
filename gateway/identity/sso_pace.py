# SPDX-License-Identifier: EUPL-1.2
"""How often one person may be asked on his phone, whoever asks. Pure: a person and a time in, yes or Refused out.

A prompt that nobody wanted is an attack that works by wearing out (MFA fatigue, domain 1.6): one prompt at a time, few
in an hour, and each one that was not said yes to makes the next wait longer; a no counts twice. In memory only.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from math import ceil
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from datetime import datetime

PER_HOUR: Final = 4
WAITS: Final = tuple(timedelta(minutes=one) for one in (1, 5, 20, 60, 240))
"""After so many prompts that were not said yes to; the last one for all that follow."""
HELD_AT_MOST: Final = timedelta(minutes=5)
MOST_PEOPLE: Final = 100_000
_HOUR: Final = timedelta(hours=1)
_REMEMBERED: Final = timedelta(hours=24)


class Said(Enum):
    """How a prompt ended."""

    YES = "yes"
    NO = "no"
    NOTHING = "nothing"


@dataclass(slots=True)
class _Person:
    last_at: datetime
    asked: list[datetime] = field(default_factory=list)
    without_yes: int = 0
    open_until: datetime | None = None
    quiet_until: datetime | None = None


class Pace:
    """The prompts of everybody, by national id."""

    def __init__(self, most_people: int = MOST_PEOPLE) -> None:
        self._most = most_people
        self._people: OrderedDict[str, _Person] = OrderedDict()

    def begin(self, person: str, at: datetime) -> None:
        """Hold the one place of this person; Refused(THROTTLED, retry) while it is taken, or too soon."""
        self._forget(at)
        found = self._people.get(person)
        if found is None:
            if len(self._people) >= self._most:
                raise Refused(Reason.BUSY)
            found = _Person(at)
        if found.open_until is not None and at >= found.open_until:
            self._settle(found, Said.NOTHING, found.open_until)
        found.asked = [one for one in found.asked if at - one < _HOUR]
        free_at = [one for one in (found.open_until, found.quiet_until) if one is not None]
        if len(found.asked) >= PER_HOUR:
            free_at.append(found.asked[-PER_HOUR] + _HOUR)
        wait = max((one - at for one in free_at), default=timedelta(0))
        if wait > timedelta(0):
            raise Refused(Reason.THROTTLED, retry_after_seconds=ceil(wait.total_seconds()))
        found.asked.append(at)
        found.last_at = at
        found.open_until = at + HELD_AT_MOST
        self._people[person] = found
        self._people.move_to_end(person)

    def opened(self, person: str, until: datetime) -> None:
        """The person is being asked until then."""
        if person in self._people:
            self._people[person].open_until = until

    def unasked(self, person: str) -> None:
        """Nobody was asked: the provider could not be."""
        found = self._people.get(person)
        if found is not None:
            found.open_until = None
            if found.asked:
                found.asked.pop()

    def ended(self, person: str, said: Said, at: datetime) -> None:
        """The prompt is over."""
        found = self._people.get(person)
        if found is not None:
            self._settle(found, said, at)

    def _settle(self, person: _Person, said: Said, at: datetime) -> None:
        person.open_until = person.quiet_until = None
        if said is Said.YES:
            person.without_yes = 0
            return
        person.without_yes += 2 if said is Said.NO else 1
        person.quiet_until = at + WAITS[min(person.without_yes, len(WAITS)) - 1]

    def _forget(self, at: datetime) -> None:
        """Who was not asked for a day, oldest first."""
        while self._people:
            name, person = next(iter(self._people.items()))
            if abs(at - person.last_at) < _REMEMBERED:
                return
            del self._people[name]
