# SPDX-License-Identifier: EUPL-1.2
"""What operators switch: teleservices and the whole portal, closed and opened; announcements to all professionals.

Values alone. What is over by its own time is over by the time of whoever asks: no clock has to strike for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


class Closure(NamedTuple):
    """A teleservice, or the whole portal (None), that an operator has closed; `until` None: until he opens it.

    `reason` and `by` are for the ledger and for other operators: no page shows them.
    """

    teleservice: str | None
    since: datetime
    until: datetime | None
    reason: str
    by: str | None

    def stands(self, at: datetime) -> bool:
        """Whether it is closed still."""
        return self.until is None or at < self.until


class Announcement(NamedTuple):
    """A message to all professionals, shown from `since` until `until`; `number` is what operators call it."""

    number: int
    since: datetime
    until: datetime
    fr: str
    en: str
    reason: str
    by: str | None

    def shows(self, at: datetime) -> bool:
        """Whether it is shown now."""
        return self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class Switches:
    """Everything that is switched. Each teleservice has one closure at most, and so has the portal."""

    closures: tuple[Closure, ...] = ()
    announcements: tuple[Announcement, ...] = ()

    def of(self, teleservice: str | None, at: datetime) -> Closure | None:
        """The closure of this teleservice, or of the whole portal for None, if it stands."""
        found = (one for one in self.closures if one.teleservice == teleservice and one.stands(at))
        return next(found, None)

    def closed(self, closure: Closure) -> Switches:
        """The same with this closure, in the place of one that there was."""
        return replace(self, closures=(*self.opened(closure.teleservice).closures, closure))

    def opened(self, teleservice: str | None) -> Switches:
        """The same without the closure of this teleservice, or of the portal."""
        return replace(self, closures=tuple(one for one in self.closures if one.teleservice != teleservice))

    def standing(self, at: datetime) -> Switches:
        """The same without what is over."""
        closures = tuple(one for one in self.closures if one.stands(at))
        return Switches(closures, tuple(one for one in self.announcements if at < one.until))
