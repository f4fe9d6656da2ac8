# SPDX-License-Identifier: EUPL-1.2
"""What is kept of one place (an account, a holder, a network, a whole teleservice): whom it saw, and until when. Pure.

Three tallies, since a budget counts people, people new to the account, or misses. Windows are worked out when budgets
are first asked here, and never given up for others: what they know may be asked again, by another rule or session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.tally import Tally, Window, span
from gateway.model import Counts, Level, Past, Scope

if TYPE_CHECKING:
    from datetime import timedelta

    from gateway.model import Budget

REFUSING: Final = frozenset({Past.CHALLENGE, Past.DENY})
_TOLD_TO_ALL = frozenset({Scope.ACCOUNT, Scope.HOLDER})


class Asked(NamedTuple):
    """A budget with its window and, worked out once, what each hit needs of it. `under` is above all levels if any."""

    budget: Budget
    window: Window
    span: int
    people: int
    counts: Counts
    past: Past
    proof: bool
    under: int
    risk: int
    told: bool


@dataclass(slots=True)
class Seen:
    """Whom one place (an account, a holder, a network …) looked up in one teleservice. Changed by `budget` alone.

    `known` is the window that tells who is new; of an account alone. `blocks` are denials that last, with their ends.
    """

    latest: int = 0
    people: Tally = field(default_factory=Tally)
    new: Tally = field(default_factory=Tally)
    missed: Tally = field(default_factory=Tally)
    known: Window | None = None
    arranged: tuple[Budget, ...] | None = None
    known_for: timedelta | None = None
    asked: list[Asked] = field(default_factory=list)
    all_stay_until: int = 0
    """Before this moment nobody leaves any window: whoever is added or moved later, leaves later."""
    blocks: list[tuple[Budget, int]] = field(default_factory=list)
    alerted: dict[Budget, int] = field(default_factory=dict)
    in_flight: dict[bytes, list[Window]] = field(default_factory=dict)
    """By person, the windows in which the latest look-up that is not settled yet took a place."""


def block(seen: Seen, budget: Budget, until: int) -> None:
    """Deny whatever this budget is asked for, until then."""
    seen.blocks = [one for one in seen.blocks if one[0] is not budget]
    seen.blocks.append((budget, until))


def arrange(seen: Seen, budgets: tuple[Budget, ...], known_for: timedelta | None, now: int) -> None:
    """Have a window for each budget, with nobody in it who has left by now (microseconds)."""
    if seen.arranged != budgets or seen.known_for != known_for:
        lengths = [budget.window for budget in budgets if budget.counts is Counts.PEOPLE]
        seen.people.have(lengths if known_for is None else [*lengths, known_for])
        seen.new.have(budget.window for budget in budgets if budget.counts is Counts.NEW)
        seen.missed.have(budget.window for budget in budgets if budget.counts is Counts.MISSED)
        seen.known = None if known_for is None else seen.people.windows[known_for]
        seen.asked = [_asked(seen, budget) for budget in budgets]
        seen.arranged, seen.known_for = budgets, known_for
    # Whoever comes next, comes at the place's own time, which a sweep may be ahead of.
    coming = min(now, seen.latest)
    seen.all_stay_until = min(tally.drop(now, coming) for tally in (seen.people, seen.new, seen.missed))
    seen.blocks = [one for one in seen.blocks if one[1] > now]


def remember(seen: Seen, pseudonym: bytes, moment: int, *, new: bool, missed: bool) -> None:
    """Add a look-up from the ledger."""
    seen.latest = max(seen.latest, moment)
    if missed:
        seen.missed.remember(pseudonym, moment)
    else:
        seen.people.remember(pseudonym, moment)
    if new and not missed:
        seen.new.remember(pseudonym, moment)
    seen.arranged = None


def _asked(seen: Seen, budget: Budget) -> Asked:
    tally = {Counts.PEOPLE: seen.people, Counts.NEW: seen.new, Counts.MISSED: seen.missed}[budget.counts]
    told = (
        budget.past in REFUSING
        and not budget.observe
        and budget.per in _TOLD_TO_ALL
        and budget.counts is not Counts.MISSED
    )
    return Asked(
        budget=budget,
        window=tally.windows[budget.window],
        span=span(budget.window),
        people=budget.people,
        counts=budget.counts,
        past=budget.past,
        proof=budget.past is Past.CHALLENGE,
        under=len(Level) if budget.under is None else budget.under,
        risk=budget.risk,
        told=told,
    )
