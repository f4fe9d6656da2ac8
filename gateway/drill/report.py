# SPDX-License-Identifier: EUPL-1.2
"""What a drill found, in words for a terminal and as JSON. The keys of the JSON are held by tests; more may come."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.drill.ending import Ended
    from gateway.drill.honest import Honest
    from gateway.drill.scenarios import Outcome

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Report:
    """One drill from beginning to end."""

    drill: str
    title: str
    seed: int
    policy: str
    outcomes: list[Outcome]
    honest: Honest

    def as_json(self) -> str:
        """One JSON document."""
        told: dict[str, Any] = {
            "drill": self.drill,
            "seed": self.seed,
            "policy": self.policy,
            "scenarios": [_scenario(one) for one in self.outcomes],
            "honest": _honest(self.honest),
        }
        return json.dumps(told, indent=2)

    def as_text(self) -> str:
        """Tables for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.drill}: {self.title} (seed {self.seed}, policy {self.policy})"
        if self.outcomes:
            yield ""
            yield _row("people exposed", "without Herse", "with", "first alert", "stopped after")
        for one in self.outcomes:
            told = (lasting(one.first_alert_seconds), lasting(one.stopped_seconds))
            yield _row(one.name, f"{one.exposed_without:,}", f"{one.exposed:,}", *told)
            if one.incident is not None:
                yield _ended(one.incident)
            frozen = one.extra.get("exposed_if_frozen_within_a_working_day")
            if frozen is not None:
                yield _row("  frozen in a working day", "", f"{frozen:,}", "", "")
        yield ""
        yield from _felt(self.honest)


def _row(name: str, *cells: str) -> str:
    return f"  {name:<25}" + "".join(f"{cell:>15}" for cell in cells)


def _ended(found: Ended) -> str:
    """`incident 2027-01-05-1: 19 people listed, 19 served to the robot: exactly these`."""
    if found.incident is None:
        return "    no incident: no alert, and nobody was served to the robot"
    claimed = f" ({found.claimed:,} of them claimed by the holders)" if found.claimed else ""
    end = "exactly these" if found.exact else f"{found.missing:,} MISSING, {found.surplus:,} TOO MANY"
    if found.looks_wrong:
        end += f", {found.looks_wrong:,} WITH OTHER LOOK-UPS"
    alone = f"; the alerts alone would have missed {found.missed_by_alerts:,}" if found.missed_by_alerts else ""
    listed = f"{found.people_listed:,} people listed{claimed}, {found.people_served:,} served to the robot"
    return f"    incident {found.incident}: {listed}: {end}{alone}"


def _felt(honest: Honest) -> Iterator[str]:
    yield f"  honest: {honest.accounts:,} accounts ({honest.professionals:,} professionals), {honest.days} days"
    figures = (
        ("look-ups", f"{honest.looks:,}"),
        ("denied", f"{honest.denied:,}"),
        ("challenges per professional and month, mean", f"{honest.challenges_mean_per_month:.4f}"),
        ("  99.9 % of them have no more than", str(honest.challenges_p999_per_month)),
        ("  99.9 % of accounts have no more than", str(honest.challenges_p999_per_account_month)),
        ("accounts that caused an alert", f"{honest.alerted_accounts:,}"),
    )
    for name, figure in figures:
        yield f"    {name:<46}{figure:>12}"
    busiest = honest.busiest
    yield (
        f"    busiest day: {busiest.kind}, {busiest.looks:,} look-ups on day {busiest.day + 1}, "
        f"{busiest.denied} denied, {busiest.challenges} challenged"
    )
    for reason, times in honest.reasons.items():
        yield f"      {reason:<44}{times:>12,}"


def lasting(seconds: float | None) -> str:
    """A length of time in its largest fitting unit; a dash for what never was."""
    if seconds is None:
        return "-"
    for unit, word in ((_DAY, "days"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {word}"
    return f"{seconds:.0f} s"


def _scenario(one: Outcome) -> dict[str, Any]:
    return {
        "name": one.name,
        "exposed_without": one.exposed_without,
        "exposed": one.exposed,
        "first_alert_seconds": one.first_alert_seconds,
        "stopped_seconds": one.stopped_seconds,
        **one.extra,
        **({} if one.incident is None else {"incident": {**asdict(one.incident), "exact": one.incident.exact}}),
    }


def _honest(honest: Honest) -> dict[str, Any]:
    return {
        "accounts": honest.accounts,
        "days": honest.days,
        "denied": honest.denied,
        "challenges_mean_per_month": honest.challenges_mean_per_month,
        "challenges_p999_per_month": honest.challenges_p999_per_month,
        "challenges_p999_per_account_month": honest.challenges_p999_per_account_month,
        "professionals": honest.professionals,
        "looks": honest.looks,
        "alerted_accounts": honest.alerted_accounts,
        "mistyped_refused": honest.mistyped_refused,
        "reasons": honest.reasons,
        "busiest": honest.busiest._asdict(),
    }
