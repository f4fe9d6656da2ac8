# SPDX-License-Identifier: EUPL-1.2
"""The text of a policy file to a Policy, or one ConfigurationError with all its faults. No file is opened here.

The keys are told in policies/demo.yaml, which is the example to learn from. A file that has one fault gives no policy.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from gateway.model import Effect
from gateway.policy.checks import overlapping
from gateway.policy.fields import Fields
from gateway.policy.rules import Policy, Rule
from gateway.policy.teleservice import read_teleservice

if TYPE_CHECKING:
    from gateway.policy.tree import Node

MAX_ROUTES = 1000
_DEFAULTS = {"deny": Effect.DENY, "permit": Effect.PERMIT}


def load_policy(text: str, file: str) -> Policy:
    """A policy that holds together. `file` names it in faults.

    Raises ConfigurationError with every fault: file, line, key, what was found, what is expected.
    """
    fields = Fields(file)
    keys = fields.document(text, required=("portal", "title", "teleservices"), optional=("default",))
    name = fields.name(keys["portal"]) if "portal" in keys else None
    title = fields.text(keys["title"]) if "title" in keys else None
    default = fields.choice(keys["default"], _DEFAULTS) if "default" in keys else Effect.DENY
    entries = fields.named(keys["teleservices"]) if "teleservices" in keys else {}
    rules = tuple(read_teleservice(fields, rule, node) for rule, node in entries.items())
    count = sum(len(rule.routes) for rule in rules)
    if count > MAX_ROUTES:
        fields.fault(keys["teleservices"], f"at most {MAX_ROUTES}", f"{count} routes")
    else:
        _hold_apart(fields, entries, rules)
    _closed_exist(fields, entries, rules)
    fields.finish()
    digest = sha256(text.encode()).hexdigest()[:16]
    return Policy(name or "", title or "", default or Effect.DENY, rules, digest)


def _closed_exist(fields: Fields, entries: dict[str, Node], rules: tuple[Rule, ...]) -> None:
    """Note what a denial should close, but cannot: only where people are counted is anybody denied by a budget."""
    counted = [rule.name for rule in rules if rule.metered]
    for rule in rules:
        for name in dict.fromkeys(name for budget in rule.budgets for name in budget.closes if name not in counted):
            expected = f"in `closes` one of {', '.join(counted)}, since people are counted there"
            fields.fault(entries[rule.name], expected, f"`{name}`")


def _hold_apart(fields: Fields, entries: dict[str, Node], rules: tuple[Rule, ...]) -> None:
    """Note the routes of which nothing says which one decides."""
    for rule, route, other_rule, other in overlapping(rules):
        node = entries[rule.name]
        if rule is other_rule:
            expected = (
                f"one route for these requests: `{other}` fits them too, and would count otherwise or the same again"
            )
        else:
            expected = (
                f"a distinct `order` here or in `{other_rule.name}`, whose `{other}` fits some of the same requests "
                f"(the lower one decides; it is {rule.order} in both)"
            )
        fields.fault(node, expected, f"the route `{route}`")
