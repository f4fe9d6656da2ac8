# SPDX-License-Identifier: EUPL-1.2
"""The key `answers` of a teleservice to Answers: how the people in its answers are found. Faults go to `Fields`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.model import Counts, Past
from gateway.model.answers import Answers, JsonAnswers, TextAnswers
from gateway.policy.checks import budget_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Budget
    from gateway.policy.fields import Fields
    from gateway.policy.tree import Node

_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*")  # RFC 6901, section 3
_EXPECTED_POINTER: Final = 'a JSON pointer (RFC 6901) such as /people, or "" for the whole'
# No number, and no separator within one, holds any of these: so no number stands over a border.
_BORDER_SIGNS: Final = frozenset("<>|,\"'{}[]()=/\r\n")
_LONGEST_BORDER: Final = 64
_BORDER: Final = (
    f"what ends a record: 1 to {_LONGEST_BORDER} ASCII characters, one of them of "
    '< > | , " \' { } [ ] ( ) = / or a line break ("\\n"), so that no number can stand over it'
)
_SIZE: Final = re.compile(r"([1-9][0-9]{0,4})(KiB|MiB)")
_UNITS: Final = {"KiB": 1024, "MiB": 1024 * 1024}
_HOLD_AT_LEAST, _HOLD_AT_MOST = 4 * 1024, 16 * 1024 * 1024
_HOLD: Final = "a size from 4KiB to 16MiB"
_PEOPLE_AT_MOST: Final = 10_000
_UNREADABLE: Final = {"refuse": False, "pass": True}


def read_answers(fields: Fields, node: Node, budgets: Sequence[Budget]) -> Answers:
    """How answers are read; after a fault as far as it was understood."""
    keys = fields.mapping(node, optional=("json", "text", "people_at_most", "hold", "unreadable"))
    if keys and not {"json", "text"} & keys.keys():
        fields.fault(node, "`json: {people: …, number: …}`, `text: {…}`, or both", "neither")
    people = fields.number(keys["people_at_most"], 1, _PEOPLE_AT_MOST) if "people_at_most" in keys else None
    if people is not None:
        _hold_room(fields, keys["people_at_most"], people, budgets)
    return Answers(
        json=_json(fields, keys["json"]) if "json" in keys else None,
        text=_text(fields, keys["text"]) if "text" in keys else None,
        people_at_most=people,
        hold_bytes=_size(fields, keys["hold"]) if "hold" in keys else _UNITS["MiB"],
        passes="unreadable" in keys and fields.choice(keys["unreadable"], _UNREADABLE) is True,
    )


def _hold_room(fields: Fields, node: Node, people: int, budgets: Sequence[Budget]) -> None:
    """A budget with fewer places than one answer may need would stop every answer, whatever is proved."""
    for budget in budgets:
        stops = budget.past in {Past.CHALLENGE, Past.DENY} and not budget.observe
        if stops and budget.counts is not Counts.MISSED and budget.people < people:
            fields.fault(node, f"no more than {budget.people}, since `{budget_text(budget)}` stops every larger answer")


def _json(fields: Fields, node: Node) -> JsonAnswers | None:
    keys = fields.mapping(node, required=("people", "number"))
    if len(keys) < 2:  # noqa: PLR2004  # told already
        return None
    people = _pointer(fields, keys["people"])
    number = keys["number"]
    if isinstance(number.content, list):
        numbers = fields.each(number, lambda item: _pointer(fields, item))
    else:
        one = _pointer(fields, number)
        numbers = () if one is None else (one,)
    return None if people is None else JsonAnswers(people, numbers)


def _pointer(fields: Fields, node: Node) -> str | None:
    if node.kind == "str" and isinstance(node.content, str) and _POINTER.fullmatch(node.content):
        return node.content
    fields.fault(node, _EXPECTED_POINTER)
    return None


def _text(fields: Fields, node: Node) -> TextAnswers:
    keys = fields.mapping(node, optional=("records", "provisional"))
    border = _border(fields, keys["records"]) if "records" in keys else None
    return TextAnswers(border, "provisional" in keys and fields.yes(keys["provisional"]))


def _border(fields: Fields, node: Node) -> bytes | None:
    text = node.content if node.kind == "str" and isinstance(node.content, str) else ""
    if text.isascii() and len(text) <= _LONGEST_BORDER and not _BORDER_SIGNS.isdisjoint(text):
        return text.encode("ascii")
    fields.fault(node, _BORDER)
    return None


def _size(fields: Fields, node: Node) -> int:
    text = fields.text(node, _HOLD)
    match = None if text is None else _SIZE.fullmatch(text)
    size = 0 if match is None else int(match[1]) * _UNITS[match[2]]
    if text is not None and not _HOLD_AT_LEAST <= size <= _HOLD_AT_MOST:
        fields.fault(node, _HOLD)
    return size
