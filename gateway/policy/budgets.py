# SPDX-License-Identifier: EUPL-1.2
"""The entries of `budgets` to Budgets, each read and held against the others. Faults go to `Fields`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.model import Budget, Counts, Level, Past, Risk, Scope
from gateway.policy.asked_methods import level_of, read_methods
from gateway.policy.checks import budget_text, never_reached, why_never

if TYPE_CHECKING:
    from gateway.model import Method
    from gateway.policy.fields import Fields
    from gateway.policy.tree import Node

_COUNTS: Final = {counts.value: counts for counts in Counts}
_KEYS: Final = ("per", "under", "risk", "delay", "for", "closes", "by", "observe", *_COUNTS)
_UNDER: Final = {"mfa": Level.MFA, "card": Level.CARD}
_RISKS: Final = {"elevated": Risk.ELEVATED, "high": Risk.HIGH}
_ONLY_PAST: Final = {"delay": Past.DELAY, "for": Past.DENY, "closes": Past.DENY, "by": Past.CHALLENGE}
_AT_MOST: Final = 1_000_000
_LONGEST_DELAY: Final = timedelta(seconds=30)


def read_budgets(fields: Fields, node: Node) -> tuple[Budget, ...]:
    """Every budget that was understood; one that another always stops before it is a fault."""
    found: list[tuple[Node, Budget]] = []
    for item in fields.items(node):
        budget = _budget(fields, item)
        if budget is not None:
            found.append((item, budget))
    budgets = tuple(budget for _, budget in found)
    for place, (item, budget) in enumerate(found):
        first = never_reached(budgets, place)
        if first is not None:
            fields.fault(item, why_never(first, budget), f"`{budget_text(budget)}`")
    return budgets


def _budget(fields: Fields, item: Node) -> Budget | None:
    keys = fields.mapping(item, required=("window", "past"), optional=_KEYS)
    counted = [name for name in _COUNTS if name in keys]
    if len(counted) != 1 and keys:
        fields.fault(item, f"one of {', '.join(_COUNTS)}, with how many", " and ".join(counted) or "neither")
    window = fields.duration(keys["window"]) if "window" in keys else None
    past = fields.choice(keys["past"], {one.value: one for one in Past}) if "past" in keys else None
    for name, only in _ONLY_PAST.items():
        if name in keys and past is not None and past is not only:
            fields.fault(keys[name], f"`past: {only}` beside it", f"`{name}` with `past: {past}`")
    if past is Past.DELAY and "delay" not in keys:
        fields.fault(item, "the key `delay`, with how long", "no such key")
    if "closes" in keys and "for" not in keys:
        fields.fault(item, "the key `for`, with how long they are closed", "no such key")
    people = fields.number(keys[counted[0]], 1, _AT_MOST) if len(counted) == 1 else None
    if people is None or window is None or past is None:
        return None
    per = fields.choice(keys["per"], {scope.value: scope for scope in Scope}) if "per" in keys else None
    risk = fields.choice(keys["risk"], _RISKS) if "risk" in keys else None
    delay = fields.duration(keys["delay"], longest=_LONGEST_DELAY) if "delay" in keys else None
    observe, since = fields.trial(keys["observe"]) if "observe" in keys else (False, None)
    return Budget(
        people,
        window,
        past,
        counts=_COUNTS[counted[0]],
        per=per or Scope.ACCOUNT,
        under=fields.choice(keys["under"], _UNDER) if "under" in keys else None,
        risk=risk or Risk.CALM,
        delay=delay or timedelta(0),
        lasts=fields.duration(keys["for"]) if "for" in keys else None,
        closes=fields.each(keys["closes"], fields.name) if "closes" in keys else (),
        methods=_by(fields, keys["by"]) if "by" in keys else (),
        observe=observe,
        observed_since=since,
    )


def _by(fields: Fields, node: Node) -> tuple[Method, ...]:
    """By which proofs a challenge is met: each a second factor at least, since a password alone is asked of nobody."""
    methods = read_methods(fields, node)
    if methods and level_of(methods) is Level.PASSWORD:
        fields.fault(node, "second factors and cards alone, since a fresh proof is one of them", "`pwd`")
    return methods
