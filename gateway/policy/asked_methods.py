# SPDX-License-Identifier: EUPL-1.2
"""The key `methods` of a teleservice: by which of the ways to prove who one is, and what level that is by itself.

Codes of activation, of recovery and by mail are no methods here: they bring somebody back to his account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import Level, Method
from gateway.model.assurance import COUNTS_FOR
from gateway.policy.criteria import ALLOWED_MEANS, method_words

if TYPE_CHECKING:
    from gateway.policy.fields import Fields
    from gateway.policy.rules import Rule
    from gateway.policy.tree import Node

_NAMEABLE: Final = (
    Method.PASSWORD,
    Method.TOTP,
    Method.PASSKEY,
    Method.SMART_CARD,
    Method.SSO,
    Method.SSO_CARD,
)
_CHOICES: Final = {method.value: method for method in _NAMEABLE}


def read_methods(fields: Fields, node: Node) -> tuple[Method, ...]:
    """A list of methods by their words, each once."""
    return tuple(Method(word) for word in fields.each(node, lambda item: fields.choice(item, _CHOICES)))


def level_of(methods: tuple[Method, ...]) -> Level:
    """The level that each of the methods reaches (a code together with its password); PASSWORD of none."""
    return min((_reached(method) for method in methods), default=Level.PASSWORD)


def hold_methods(fields: Fields, node: Node, rule: Rule) -> None:
    """The methods against the rest of their rule: by one of them at least it must be possible to meet it."""
    asked = frozenset(rule.methods)
    if not asked:
        return  # told already
    if asked.isdisjoint(COUNTS_FOR[rule.level]):
        counting = [method for method in _CHOICES.values() if method in COUNTS_FOR[rule.level]]
        expected = f"{method_words(counting)} among them, since nothing else reaches `{rule.level.name.lower()}`"
        fields.fault(node, expected, f"`{', '.join(rule.methods)}`")
    elif rule.sensitive and rule.attestation is None and asked.isdisjoint(ALLOWED_MEANS):
        allowed = [method for method in _CHOICES.values() if method in ALLOWED_MEANS]
        expected = f"{method_words(allowed)} among them, or an `attestation`: nothing else opens data of patients"
        fields.fault(node, expected, f"`{', '.join(rule.methods)}`")


def _reached(method: Method) -> Level:
    return max(level for level, counting in COUNTS_FOR.items() if method in counting)
