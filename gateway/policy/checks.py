# SPDX-License-Identifier: EUPL-1.2
"""Faults that only show when the parts of a policy are held together: budgets against budgets, routes against routes.

Everything here is arithmetic on loaded values; the caller knows where they stand in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Effect, Place
from gateway.policy.durations import duration_text
from gateway.policy.template import overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.model import Budget
    from gateway.policy.rules import Route, Rule

_NO_BODY = frozenset({"GET", "OPTIONS"})
_BODY_PLACES = frozenset({Place.FORM, Place.JSON})


def never_reached(budgets: Sequence[Budget], place: int) -> Budget | None:
    """The budget that always stops people before budget number `place` does, if there is one.

    Let A allow N people in a window W. A window V is covered by ceil(V / W) windows of W, so no more than
    N x ceil(V / W) different people fit into V while A holds. A budget B of that many people or more in V is therefore
    never passed: A is passed first. This holds if A denies, since it counts everybody. It also holds if both challenge,
    since the proof that A asks for starts B's count anew too. It does not hold if A challenges and B denies: proof
    after proof, B fills. Nor does it if A counts for each holder and B for the account, which they share.
    """
    this = budgets[place]
    for index, other in enumerate(budgets):
        twin = other == this
        if index != place and _stops_first(other, this) and (not twin or index < place):
            return other
    return None


def budget_text(budget: Budget) -> str:
    """`20 people per 10m, then challenge`."""
    of = " for each holder" if budget.per_holder else ""
    return f"{budget.people} people per {duration_text(budget.window)}{of}, then {budget.past.value}"


def why_never(first: Budget, this: Budget) -> str:
    """What to expect instead of a budget that is never reached."""
    fits = first.people * _windows(first, this)
    return (
        f"a budget that can be reached: `{budget_text(first)}` lets no more than {fits} people through "
        f"in {duration_text(this.window)}, so fewer than {fits} people here, or no such budget"
    )


def overlapping(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Route, Rule, Route]]:
    """Each later route that some request shares with an earlier one although nothing says which of them decides.

    Between teleservices a distinct `order` says it. Within one the first route decides, which is only plain where it
    makes no difference: the number sits in the same place, outside the path.
    """
    every = [(rule, route) for rule in rules for route in rule.routes]
    for index, (rule, route) in enumerate(every):
        for earlier_rule, earlier in every[:index]:
            if not set(route.methods) & set(earlier.methods) or not overlap(route.template, earlier.template):
                continue
            if rule is earlier_rule:
                told = not _same(route, earlier) and route.patient == earlier.patient and _outside_path(route)
            else:
                told = rule.order != earlier_rule.order
            if not told:
                yield rule, route, earlier_rule, earlier


def locator_fault(route: Route) -> str | None:
    """What is expected of a metered route that cannot carry its patient number as it stands; None if it can."""
    patient = route.patient
    if patient is None:
        return None
    if patient.place in _BODY_PLACES and _NO_BODY & set(route.methods):
        without = ", ".join(method for method in route.methods if method in _NO_BODY)
        return f"methods with a body for a number in the {patient.place.value}: give {without} a route of its own"
    if patient.place is Place.PATH and patient.name not in dict(route.template.variables):
        return f"the variable `{{{patient.name}}}` as one segment, for the patient number is there"
    own = {patient.name} if patient.place is Place.PATH else set()
    loose = [name for name in route.template.names if name not in own and not name.startswith("_")]
    if loose:
        return f"`{{_{loose[0]}}}` if this variable is no patient number: it is not counted"
    return None


def _windows(first: Budget, this: Budget) -> int:
    """How many windows of the first budget cover one of this budget."""
    return -(-this.window // first.window)


def _stops_first(first: Budget, this: Budget) -> bool:
    counts_all = first.past is Effect.DENY or this.past is Effect.CHALLENGE
    shared = first.per_holder and not this.per_holder
    return counts_all and not shared and this.people >= first.people * _windows(first, this)


def _outside_path(route: Route) -> bool:
    return route.patient is None or route.patient.place is not Place.PATH


def _same(route: Route, earlier: Route) -> bool:
    """Whether two routes are one, but for the names of their variables."""
    one, other = route.template, earlier.template
    return one.segments == other.segments and (one.tail is None) == (other.tail is None)
