# SPDX-License-Identifier: EUPL-1.2
"""The honest drill: nobody attacks, and what is measured is what Herse costs the people it is for.

A professional is a person: each holder of an account by himself, and each locum. A month is thirty days; the last one
may be shorter and counts as it is, so that the far percentile is never made smaller by stretching it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.drill.accounts import draw_accounts
from gateway.drill.days import Practice
from gateway.drill.hallway import build_hallway, look_rule, pseudonymizer
from gateway.drill.professionals import MONTH_DAYS, Professionals
from gateway.drill.simulation import BEFORE, DAY

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from gateway.drill.people import Residents
    from gateway.drill.professionals import Busiest, Felt
    from gateway.drill.record import CountingLedger
    from gateway.drill.world import World
    from gateway.policy.rules import Policy

FAR: Final = 0.999


@dataclass(frozen=True, slots=True)
class Honest:
    """What honest people felt in so many days. Challenges do not count ordinary sign-ins (see `professionals`)."""

    accounts: int
    days: int
    professionals: int
    looks: int
    denied: int
    challenges_mean_per_month: float
    challenges_p999_per_month: int
    challenges_p999_per_account_month: int
    alerted_accounts: int
    mistyped_refused: int
    reasons: dict[str, int]
    busiest: Busiest


def epidemic_from(days: int, weeks: int) -> int:
    """The day on which the epidemic begins: a Monday, in the third week if the drill is long enough to see its end."""
    return max(0, min(14, days // 7 * 7 - 7 * weeks))


def walk_honest(  # noqa: PLR0917  # the world, then how much of it
    world: World,
    policy: Policy,
    residents: Residents,
    seed: int,
    accounts: int,
    days: int,
    ledger: CountingLedger,
    passed: Callable[[float], None] | None = None,
) -> Honest:
    """Let so many accounts work so many days; `passed` hears of simulated time."""
    rule = look_rule(policy)
    drawn = draw_accounts(world, seed, accounts, residents, rule.professions)
    practice = Practice(world, residents, rule.name, epidemic_from(days, world.epidemic.weeks))
    hallway = build_hallway(policy, residents.people, ledger, practice.history(drawn, pseudonymizer()))
    professionals = Professionals(hallway.simulation, hallway.sessions, practice)
    for account in drawn:
        hallway.simulation.send_in(professionals.work(account, range(days)), BEFORE)
    hallway.simulation.run((days + 2) * DAY, passed)
    felt, holders = professionals.felt, sum(len(account.holders) for account in drawn)
    months = math.ceil(days / MONTH_DAYS)
    return Honest(
        accounts=accounts,
        days=days,
        professionals=holders,
        looks=felt.looks,
        denied=felt.denied,
        challenges_mean_per_month=round(felt.challenges.total() / holders / (days / MONTH_DAYS), 4),
        challenges_p999_per_month=far_count(felt.challenges, holders * months),
        challenges_p999_per_account_month=far_count(_by_account(felt), accounts * months),
        alerted_accounts=len(ledger.alerts),
        mistyped_refused=felt.misses,
        reasons=dict(felt.reasons.most_common()),
        busiest=felt.busiest,
    )


def far_count(counted: Counter[tuple[int, ...]], population: int) -> int:
    """The count that 99.9 % of a population stay at or below, by nearest rank; who is not counted has none."""
    above = population - math.ceil(FAR * population)
    ranked = sorted(counted.values(), reverse=True)
    return ranked[above] if above < len(ranked) else 0


def _by_account(felt: Felt) -> Counter[tuple[int, ...]]:
    found: Counter[tuple[int, ...]] = type(felt.challenges)()
    for (account, _, month), times in felt.challenges.items():
        found[account, month] += times
    return found
