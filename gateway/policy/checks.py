# SPDX-License-Identifier: EUPL-1.2
"""Faults that only show when the parts of a policy are held together: budgets against budgets, routes against routes.

Everything here is arithmetic on loaded values; the caller knows where they stand in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Counts, Past, Place, Risk, Scope
from gateway.policy.durations import duration_text
from gateway.policy.template import overlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from gateway.model import Budget
    from gateway.policy.rules import Policy, Route, Rule

_LONG_TRIAL_DAYS = 30
_NO_BODY = frozenset({"GET", "OPTIONS"})
_BODY_PLACES = frozenset({Place.FORM, Place.JSON})
_OF = {
    Scope.ACCOUNT: "",
    Scope.HOLDER: " for each holder",
    Scope.NETWORK: " for each network",
    Scope.SERVICE: " for everybody together",
}


def trials(policy: Policy, today: date) -> Iterator[str]:
    """A line for each rule and budget on trial: for how long, and what to do after a month."""
    for rule in policy.rules:
        if rule.observe:
            yield f"{rule.name}: {_trial_text(rule.observed_since, today)}"
        for budget in rule.budgets:
            if budget.observe:
                yield f"{rule.name}, {budget_text(budget)}: {_trial_text(budget.observed_since, today)}"


def _trial_text(since: date | None, today: date) -> str:
    if since is None:
        return f"on trial; write since when (`observe: {today}`), so that it is not forgotten"
    days = (today - since).days
    told = f"on trial for {days} days (since {since})"
    return told if days <= _LONG_TRIAL_DAYS else f"{told}: look at its events, then enforce it or take it out"


def never_reached(budgets: Sequence[Budget], place: int) -> Budget | None:
    """The budget that always stops people before budget number `place` does, if there is one.

    Let A allow N people in a window W. A window V is covered by ceil(V / W) windows of W, so no more than
    N x ceil(V / W) different people fit into V while A holds. A budget B of that many people or more in V is therefore
    never passed: A is passed first. This holds if A denies, since it counts everybody. It also holds if both challenge,
    since the proof that A asks for starts B's count anew too. It does not hold if A challenges and B denies: proof
    after proof, B fills. Nor does it if A counts for each holder and B for the account, which they
    share, if they count different things, if another proof than A's opens B's stretch, or if A is not asked wherever B
    is. Where A is not asked of everybody, or counts misses (known only when it is too late), it holds within one
    window of A alone: more may have come before A was asked. And what only tells is told when A refuses, too.
    """
    this = budgets[place]
    for index, other in enumerate(budgets):
        twin = other == this
        if index != place and _stops_first(other, this) and (not twin or index < place):
            return other
    return None


def budget_text(budget: Budget) -> str:
    """`20 people per 10m, then challenge`."""
    return f"{_counted_text(budget)}, then {budget.past}{_past_text(budget)}{_asked_text(budget)}"


def _counted_text(budget: Budget) -> str:
    what = {Counts.PEOPLE: "people", Counts.NEW: "new people", Counts.MISSED: "misses"}[budget.counts]
    return f"{budget.people} {what} per {duration_text(budget.window)}{_OF[budget.per]}"


def _past_text(budget: Budget) -> str:
    delay = f" {duration_text(budget.delay)}" if budget.delay else ""
    by = f" by {' or '.join(budget.methods)}" if budget.methods else ""
    lasts = f" for {duration_text(budget.lasts)}" if budget.lasts is not None else ""
    closes = f", also {', '.join(budget.closes)}" if budget.closes else ""
    return f"{delay}{by}{lasts}{closes}"


def _asked_text(budget: Budget) -> str:
    under = "" if budget.under is None else f", under {budget.under.name.lower()}"
    risk = f", at {budget.risk.name.lower()} risk" if budget.risk else ""
    return f"{under}{risk}{', observed only' if budget.observe else ''}"


def why_never(first: Budget, this: Budget) -> str:
    """What to expect instead of a budget that is never reached."""
    fits = first.people * _windows(first, this)
    fewer = "no more" if _only_tells(this) else "fewer"
    return (
        f"a budget that can be reached: `{budget_text(first)}` lets no more than {fits} people through "
        f"in {duration_text(this.window)}, so {fewer} than {fits} people here, or no such budget"
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
    both_challenge = first.past is Past.CHALLENGE and this.past is Past.CHALLENGE and first.methods == this.methods
    of_everybody = first.under is None and first.risk is Risk.CALM and first.counts is not Counts.MISSED
    return (
        (first.past is Past.DENY or both_challenge)
        and not first.observe
        and first.counts is this.counts
        and (first.per is this.per or (first.per is Scope.ACCOUNT and this.per is Scope.HOLDER))
        and first.risk <= this.risk
        and (first.under is None or (this.under is not None and this.under <= first.under))
        and (of_everybody or (this.window <= first.window and not _only_tells(this)))
        and this.people >= first.people * _windows(first, this) + _only_tells(this)
    )


def _only_tells(budget: Budget) -> bool:
    """Whether its word is heard beside another's refusal."""
    return budget.observe or budget.past is Past.ALERT


def _outside_path(route: Route) -> bool:
    return route.patient is None or route.patient.place is not Place.PATH


def _same(route: Route, earlier: Route) -> bool:
    """Whether two routes are one, but for the names of their variables."""
    one, other = route.template, earlier.template
    return one.segments == other.segments and (one.tail is None) == (other.tail is None)
