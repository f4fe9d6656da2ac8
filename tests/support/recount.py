# SPDX-License-Identifier: EUPL-1.2
"""Budgets as plainly as can be: every look-up is kept for ever, and everything is counted anew each time it is asked.

The words of model.budget and metering.budget one by one, with none of the cleverness: no windows that are kept, nothing
that is dropped. Times are whole microseconds. Sites are names; whatever looks at the same site shares it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from gateway.metering.tally import microseconds, span
from gateway.model import Budget, Counts, Effect, Past, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from gateway.metering.budget import Asking

SECOND = 1_000_000
REFUSING = {Past.CHALLENGE: Effect.CHALLENGE, Past.DENY: Effect.DENY}
Site = tuple[str, tuple[Budget, ...]]
Window = tuple[str, Counts, "timedelta"]


@dataclass(eq=False)
class Looked:
    """A look-up that was let through. `windows`: in which it took a place; `back`: in which it was given back."""

    who: bytes
    at: int
    sites: Sequence[str]
    new: bool
    windows: set[Window]
    back: set[Window] = field(default_factory=set)


class Said(NamedTuple):
    """What the reference says of one look-up; `quotas` as (budget, left, seconds)."""

    effect: Effect
    budget: Budget | None
    wait: int | None
    delay: float
    alerts: tuple[Budget, ...]
    observed: tuple[Budget, ...]
    new: bool
    quotas: list[tuple[Budget, int, int]]
    looked: Looked | None


def seconds(length: int) -> int:
    return -(-length // SECOND)


class Recount:
    """All that ever happened at some sites."""

    def __init__(self, known_for: timedelta | None) -> None:
        self.known_for = known_for
        self.looks: list[Looked] = []
        self.misses: list[tuple[str, bytes, int]] = []
        self.latest: dict[str, int] = {}
        self.blocks: dict[tuple[str, int], tuple[Budget, int]] = {}
        self.told: dict[tuple[str, Budget], int] = {}

    def inside(self, window: Window, now: int) -> dict[bytes, int]:
        """Who is in a window, with the moment that counts."""
        site, counts, length = window
        found: dict[bytes, int] = {}
        if counts is Counts.MISSED:
            moments = [(who, at) for where, who, at in self.misses if where == site]
        else:
            moments = [
                (one.who, one.at)
                for one in self.looks
                if site in one.sites and window not in one.back and (one.new or counts is Counts.PEOPLE)
            ]
        for who, at in moments:
            found[who] = max(at, found.get(who, at))
        return {who: at for who, at in found.items() if now - at < span(length)}

    def counting(self, site: str, budget: Budget, asking: Asking, now: int) -> list[int]:
        """The moments that count for a budget, oldest first."""
        since = None
        if budget.past is Past.CHALLENGE:
            since = asking.proved
            if budget.methods:
                by = [microseconds(one.at) for one in asking.assurance.proofs if one.method in budget.methods]
                since = max((at for at in by if max(by) <= now), default=None)
        every = self.inside((site, budget.counts, budget.window), now).values()
        return sorted(at for at in every if since is None or at >= since)

    def hit(self, sites: Sequence[Site], who: bytes, asking: Asking) -> Said:
        now = self._now(sites, asking)
        known = {} if self.known_for is None else self.inside((sites[0][0], Counts.PEOPLE, self.known_for), now)
        new = self.known_for is not None and who not in known
        full = []
        for site, budget in self._asked(sites, asking):
            free = who in self.inside((site, budget.counts, budget.window), now) or (
                budget.counts is Counts.NEW and not new
            )
            if budget.counts is Counts.MISSED or not free:
                full.append((site, budget))
        said = self._judge(sites, full, asking, now)._replace(new=new)
        if said.effect is Effect.PERMIT and new and asking.proof_before_new:
            said = said._replace(effect=Effect.CHALLENGE, delay=0.0)
        elif said.effect is Effect.PERMIT:
            said = said._replace(looked=self._let_through([site for site, _ in sites], sites, who, now, new=new))
        return said._replace(quotas=self._quotas(sites, asking, now))

    def tried(self, sites: Sequence[Site], name: bytes, asking: Asking) -> Said:
        """A number that is none."""
        now = self._now(sites, asking)
        of_misses = [one for one in self._asked(sites, asking) if one[1].counts is Counts.MISSED]
        said = self._judge(sites, of_misses, asking, now)
        if said.effect is Effect.PERMIT:
            self.misses += [(site, name, now) for site, _ in sites]
            return said
        return said._replace(quotas=self._quotas(sites, asking, now))

    def settle(self, looked: Looked, *, missed: bool) -> None:
        if not missed:
            return
        for site in looked.sites:
            later = [one for one in self.looks if site in one.sites and one.who == looked.who]
            if later[-1] is looked:
                looked.back |= {window for window in looked.windows if window[0] == site}
            self.misses.append((site, looked.who, self.latest[site]))

    def _now(self, sites: Sequence[Site], asking: Asking) -> int:
        now = max(asking.at, asking.proved or 0, *(self.latest.get(site, 0) for site, _ in sites))
        self.latest |= dict.fromkeys((site for site, _ in sites), now)
        return now

    def _asked(self, sites: Sequence[Site], asking: Asking) -> list[tuple[str, Budget]]:
        return [
            (site, budget)
            for site, budgets in sites
            for budget in budgets
            if (budget.under is None or asking.level < budget.under) and asking.risk >= budget.risk
        ]

    def _judge(self, sites: Sequence[Site], full: Sequence[tuple[str, Budget]], asking: Asking, now: int) -> Said:
        refusing = [
            (budget, seconds(until - now))
            for site, _ in sites
            for (where, _), (budget, until) in self.blocks.items()
            if where == site and now < until and (budget.under is None or asking.level < budget.under)
        ]
        lasting = [budget for budget, _ in refusing]
        delay, alerts, observed = 0.0, [], []
        for site, budget in full:
            counting = self.counting(site, budget, asking, now)
            if len(counting) < budget.people:
                continue
            if budget.observe:
                observed.append(budget)
            elif budget.past is Past.ALERT:
                alerts.append(budget)
            elif budget.past is Past.DELAY:
                delay = max(delay, budget.delay.total_seconds())
            else:
                leaves = counting[len(counting) - budget.people] + span(budget.window)
                refusing.append((budget, seconds(leaves - now)))
        said = Said(
            Effect.PERMIT, None, None, delay, self._once(sites[0][0], alerts, now), (*observed,), False, [], None
        )
        if not refusing:
            return said
        budget, wait = max(refusing, key=lambda one: (one[0].past is Past.DENY, one[1]))
        if budget.lasts is not None and all(one is not budget for one in lasting):
            wait = max(wait, seconds(span(budget.lasts)))
            site = next(site for site, budgets in sites if any(one is budget for one in budgets))
            self.blocks.pop((site, id(budget)), None)
            self.blocks[site, id(budget)] = (budget, now + span(budget.lasts))
        return said._replace(effect=REFUSING[budget.past], budget=budget, wait=wait, delay=0.0)

    def _once(self, account: str, alerts: list[Budget], now: int) -> tuple[Budget, ...]:
        fresh = tuple(budget for budget in alerts if now >= self.told.get((account, budget), 0))
        self.told |= {(account, budget): now + span(budget.window) for budget in fresh}
        return fresh

    def _let_through(self, names: list[str], sites: Sequence[Site], who: bytes, now: int, *, new: bool) -> Looked:
        windows = {(site, budget.counts, budget.window) for site, budgets in sites for budget in budgets}
        if self.known_for is not None:
            windows.add((names[0], Counts.PEOPLE, self.known_for))
        looked = Looked(who, now, names, new, {one for one in windows if who not in self.inside(one, now)})
        self.looks.append(looked)
        return looked

    def _quotas(self, sites: Sequence[Site], asking: Asking, now: int) -> list[tuple[Budget, int, int]]:
        quotas = []
        for site, budget in self._asked(sites, asking):
            told = budget.past in REFUSING and not budget.observe and budget.counts is not Counts.MISSED
            if told and budget.per in {Scope.ACCOUNT, Scope.HOLDER}:
                counting = self.counting(site, budget, asking, now)[-budget.people :]
                reset = seconds(counting[0] + span(budget.window) - now) if counting else 0
                quotas.append((budget, budget.people - len(counting), reset))
        return quotas
