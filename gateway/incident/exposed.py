# SPDX-License-Identifier: EUPL-1.2
"""From look-ups in the order of people to exact figures: how many different people, where, which data, since when.

Pure. One person is held at a time; what stays is one tally for each account, teleservice, address and category.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from gateway.ledger.event import LedgerUnreadable, microseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.ledger.span import Look, Span, Where

STEPS: Final = 2_000
"""The growth is told no finer than the interval in so many parts."""
_MINUTE: Final = 60_000_000
_TOLD_EVERY: Final = 5_000


@dataclass(slots=True)
class Tally:
    """Different people, look-ups, and the first and last of these with their rows. Times in microseconds since 1970."""

    people: int = 0
    looks: int = 0
    first: int | None = None
    last: int | None = None
    first_row: int | None = None
    last_row: int | None = None

    def add(self, at: int, sequence: int) -> None:
        """One look-up."""
        self.looks += 1
        if self.first is None or at < self.first:
            self.first, self.first_row = at, sequence
        if self.last is None or at >= self.last:
            self.last, self.last_row = at, sequence


@dataclass(slots=True)
class Exposure:
    """What a span of the ledger shows. `grown`: (time, different people so far), rising.

    `known`: people left out because each account that saw them had seen the same data of them before the interval;
    `unnamed`: disclosures of which the ledger does not know whose data it was.
    """

    whole: Tally = field(default_factory=Tally)
    accounts: dict[str, Tally] = field(default_factory=dict)
    teleservices: dict[str, Tally] = field(default_factory=dict)
    networks: dict[str, Tally] = field(default_factory=dict)
    categories: dict[str, int] = field(default_factory=dict)
    grown: list[tuple[int, int]] = field(default_factory=list)
    known: int = 0
    unnamed: int = 0


def exposed(looks: Iterable[Look], span: Span, read: Callable[[int], None] | None = None) -> Exposure:
    """The figures. Looks from before the span are honest use, known to their account. `read` is told how many were."""
    since, until = microseconds(span.since), microseconds(span.until)
    counting = _Counting(since, max(_MINUTE, (until - since) // STEPS))
    done = 0
    for pseudonym, of_one in groupby(looks, key=attrgetter("pseudonym")):
        own: list[Look] = []
        before: dict[str, set[str]] = {}
        for look in of_one:
            if look.at >= since:
                own.append(look)
            else:
                place = look.place
                before.setdefault(place.account, set()).update(categories_of(place.categories))
        if own:
            counting.person(pseudonym, own, before)
        if read is not None and (done + len(own)) // _TOLD_EVERY > done // _TOLD_EVERY:
            read(done + len(own))
        done += len(own)
    return counting.result()


class _Counting:
    """One person after the other."""

    def __init__(self, since: int, step: int) -> None:
        self._since = since
        self._step = step
        self._found = Exposure()
        self._places: dict[Where, Tally] = {}
        self._steps: dict[int, int] = {}

    def person(self, pseudonym: bytes | None, own: list[Look], before: dict[str, set[str]]) -> None:
        """All that was shown of somebody, and what each account had been shown before."""
        if pseudonym is None:
            self._found.unnamed += len(own)
            return
        if before and all(_knew(before, look.place) for look in own):
            self._found.known += 1
            return
        for look in own:
            tally = self._places.get(look.place)
            if tally is None:
                tally = self._places[look.place] = Tally()
            tally.add(look.at, look.sequence)
        self._found.whole.people += 1
        places = {look.place for look in own} if len(own) > 1 else None
        if places is None or len(places) == 1:  # nearly everybody: counted with the place, and told at the end
            self._places[own[0].place].people += 1
        else:
            self._count_in_each(places)
        step = (own[0].at - self._since) // self._step
        self._steps[step] = self._steps.get(step, 0) + 1

    def _count_in_each(self, places: set[Where]) -> None:
        """Somebody who was seen in several places counts once in each tally that has one of them."""
        found = self._found
        for tallies, names in (
            (found.accounts, {place.account for place in places}),
            (found.teleservices, {place.teleservice or "" for place in places}),
            (found.networks, {place.network or "" for place in places}),
        ):
            for name in names:
                tallies.setdefault(name, Tally()).people += 1
        for category in {one for place in places for one in categories_of(place.categories)}:
            found.categories[category] = found.categories.get(category, 0) + 1

    def result(self) -> Exposure:
        found = self._found
        for place, tally in self._places.items():
            found.whole.looks += tally.looks
            _join(found.whole, tally)
            for tallies, name in (
                (found.accounts, place.account),
                (found.teleservices, place.teleservice or ""),
                (found.networks, place.network or ""),
            ):
                other = tallies.setdefault(name, Tally())
                other.people += tally.people
                other.looks += tally.looks
                _join(other, tally)
            for category in categories_of(place.categories) if tally.people else ():
                found.categories[category] = found.categories.get(category, 0) + tally.people
        people = 0
        for step in sorted(self._steps):
            people += self._steps[step]
            found.grown.append((self._since + (step + 1) * self._step, people))
        return found


def _knew(before: dict[str, set[str]], place: Where) -> bool:
    """Whether honest use had shown this account all that it was shown here."""
    known = before.get(place.account)
    return known is not None and known.issuperset(categories_of(place.categories))


def _join(whole: Tally, part: Tally) -> None:
    """Widen the first and the last of the whole by those of a part."""
    if part.first is not None and (whole.first is None or part.first < whole.first):
        whole.first, whole.first_row = part.first, part.first_row
    if part.last is not None and (whole.last is None or part.last > whole.last):
        whole.last, whole.last_row = part.last, part.last_row


@lru_cache(maxsize=1_024)
def categories_of(text: str | None) -> tuple[str, ...]:
    """The categories of a row; LedgerUnreadable if it is damaged."""
    try:
        found = [] if text is None else json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise LedgerUnreadable(
            f"a row of the ledger has {text!a} as categories; expected a list of texts: verify the ledger"
        )
    return tuple(dict.fromkeys(found))
