# SPDX-License-Identifier: EUPL-1.2
"""Typed reads from the nodes of a file a person wrote. Each fault is noted with its place, none is raised here.

A read gives the value, or None after it noted why there is none: the caller goes on, so that all faults are told at
once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from gateway.errors import ConfigurationError, Fault
from gateway.policy.durations import EXPECTED_DAY, parse_day, parse_duration
from gateway.policy.tree import REFUSED, Node, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, timedelta

T = TypeVar("T")

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_ACCOUNT = re.compile(r"[A-Z0-9][A-Z0-9-]{2,31}", re.ASCII)
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,8})", re.ASCII)
_LONGEST_NAME = 64
_LONGEST_TEXT = 300
_SHOWN = 60


class Fields:
    """The faults of one file, and the reads that note them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def document(self, text: str, *, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Node]:
        """The top-level keys of a text. `version: 1` is checked here for all files."""
        tree = read_tree(text, self.file, self.faults)
        keys = {} if tree is None else self.mapping(tree, required=("version", *required), optional=optional)
        if "version" in keys:
            self.number(keys["version"], 1, 1)
        return keys

    def finish(self) -> None:
        """Raise ConfigurationError with all faults in the order of the file, if there are any."""
        if self.faults:
            raise ConfigurationError(sorted(self.faults, key=lambda fault: fault.line or 0))

    def fault(self, node: Node, expected: str, found: str | None = None) -> None:
        """Note a fault at a node, unless the node's own fault is told already."""
        if node.kind != REFUSED:
            self.faults.append(Fault(self.file, node.line, node.path or "file", found or _seen(node), expected))

    def mapping(self, node: Node, *, required: Sequence[str] = (), optional: Sequence[str] = ()) -> dict[str, Node]:
        """The entries of a mapping with these keys. Unknown and missing keys are faults; the rest is handed out."""
        if not isinstance(node.content, dict):
            self.fault(node, f"a mapping with {', '.join(required) or 'keys'}")
            return {}
        known = (*required, *optional)
        for name, value in node.content.items():
            if name not in known:
                self.fault(value, f"one of {', '.join(known)}", f"the unknown key `{name}`")
        for name in required:
            if name not in node.content:
                self.fault(node, f"the key `{name}`", "no such key")
        return {name: value for name, value in node.content.items() if name in known}

    def named(self, node: Node) -> dict[str, Node]:
        """The entries of a mapping whose keys are names chosen by the writer."""
        if not isinstance(node.content, dict) or not node.content:
            self.fault(node, "a mapping of names, at least one")
            return {}
        for name, value in node.content.items():
            if not _is_name(name):
                self.fault(value, "a name of small letters, digits and single hyphens", f"the name `{name[:_SHOWN]}`")
        return node.content

    def items(self, node: Node) -> list[Node]:
        """The items of a list with at least one."""
        if not isinstance(node.content, list) or not node.content:
            self.fault(node, "a list with at least one item")
            return []
        return node.content

    def text(self, node: Node, expected: str = "text") -> str | None:
        """Text a person reads, 1 to 300 characters; YAML must see text too, or it has to be quoted."""
        if not isinstance(node.content, str) or node.kind != "str":
            self.fault(node, f"{expected} (in quotes if YAML would read something else)")
        elif not node.content.strip() or len(node.content) > _LONGEST_TEXT:
            self.fault(node, f"{expected} of 1 to {_LONGEST_TEXT} characters")
        else:
            return node.content
        return None

    def name(self, node: Node) -> str | None:
        """A name: small letters, digits and single hyphens."""
        text = self.text(node, "a name")
        if text is None or _is_name(text):
            return text
        self.fault(node, "a name of small letters, digits and single hyphens")
        return None

    def account(self, node: Node) -> str | None:
        """An account in its canonical form: 3 to 32 capitals, digits and hyphens; digits alone stand in quotes."""
        text = self.text(node, "an account")
        if text is None or _ACCOUNT.fullmatch(text):
            return text
        self.fault(node, "an account as it is kept: 3 to 32 capital letters, digits and hyphens")
        return None

    def choice(self, node: Node, choices: Mapping[str, T]) -> T | None:
        """One of a closed list of words."""
        expected = f"one of {', '.join(choices)}"
        text = self.text(node, expected)
        if text is None or text in choices:
            return None if text is None else choices[text]
        self.fault(node, expected)
        return None

    def number(self, node: Node, lowest: int, highest: int) -> int | None:
        """A plain decimal number: no `010`, `0x1F`, `1_000` or `1:30`, which YAML 1.1 reads as other numbers."""
        text = node.content if isinstance(node.content, str) else ""
        if node.kind == "int" and _WHOLE.fullmatch(text) and lowest <= int(text) <= highest:
            return int(text)
        wanted = str(lowest) if lowest == highest else f"a whole number from {lowest} to {highest}"
        self.fault(node, wanted)
        return None

    def yes(self, node: Node) -> bool:
        """`true`: these keys are left out where they do not hold."""
        if node.kind == "bool" and node.content == "true":
            return True
        self.fault(node, "`true`, or no such key")
        return False

    def trial(self, node: Node) -> tuple[bool, date | None]:
        """`true`, or the day since when: whether something is on trial only, and since when if that is told."""
        if node.kind == "bool":
            return self.yes(node), None
        since = self.day(node)
        return since is not None, since

    def duration(self, node: Node, **bounds: timedelta) -> timedelta | None:
        """A duration such as 15m; `bounds` are `shortest` and `longest`, if others than usual."""
        text = self.text(node, "a duration such as 30s, 15m, 4h or 7d")
        if text is None:
            return None
        try:
            return parse_duration(text, **bounds)
        except ValueError as error:
            self.fault(node, str(error))
            return None

    def day(self, node: Node) -> date | None:
        """A day of the calendar, written 2027-12-31."""
        text = node.content if isinstance(node.content, str) and node.kind in {"timestamp", "str"} else ""
        try:
            return parse_day(text)
        except ValueError:
            self.fault(node, EXPECTED_DAY, f"`{text[:_SHOWN]}`" if text else None)
            return None

    def each(self, node: Node, read: Callable[[Node], str | None]) -> tuple[str, ...]:
        """A list of different texts, each by `read`."""
        found: list[str] = []
        for item in self.items(node):
            text = read(item)
            if text is not None and text in found:
                self.fault(item, "each item once", f"`{text}` again")
            elif text is not None:
                found.append(text)
        return tuple(found)


def _is_name(text: str) -> bool:
    return len(text) <= _LONGEST_NAME and _NAME.fullmatch(text) is not None


def _seen(node: Node) -> str:
    """What stands in the file, cut short."""
    if not isinstance(node.content, str):
        kind = "a mapping" if isinstance(node.content, dict) else "a list"
        return kind if node.content else f"{kind} with nothing in it"
    if node.kind == "null":
        return "nothing"
    shown = node.content if len(node.content) <= _SHOWN else f"{node.content[:_SHOWN]}…"
    return f"`{shown}`" if node.kind == "str" else f"`{shown}`, which YAML reads as {node.kind}"
