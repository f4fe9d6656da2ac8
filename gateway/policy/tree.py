# SPDX-License-Identifier: EUPL-1.2
"""YAML text to a tree of nodes that know their line and key path. Strict: what could be read two ways is a fault.

Refused: a key twice, anchors, aliases, tags, merge keys, directives, several documents, characters that hide text, more
than 1 MiB, more than 12 levels. Nothing is converted: a scalar keeps its text and the type YAML 1.1 would give it, so
that `no`, `on` or `22:30` where a word is due is seen by `fields`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from gateway.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 12
REFUSED = "refused"
"""The type of a node whose fault is told already."""

# Controls, line breaks that only YAML 1.1 sees, byte-order marks, and marks that turn the reading direction: with these
# a file can say something else than it shows.
_HIDING = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_RESOLVER = yaml.resolver.Resolver()


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar (its text), a list or a mapping, and where it stands.

    `kind` is YAML's short name of the type (`str`, `int`, `bool`, `null`, `float`, `timestamp`, `seq`, `map` …), or
    REFUSED.
    """

    path: str
    line: int
    kind: str
    content: str | list[Node] | dict[str, Node]


def read_tree(text: str, file: str, faults: list[Fault]) -> Node | None:
    """The one document of a text; faults are added to the list. None if there is nothing to go on with."""
    hidden = _HIDING.search(text)
    if hidden is not None:
        line = text.count("\n", 0, hidden.start()) + 1
        faults.append(Fault(file, line, "file", f"the character U+{ord(hidden[0]):04X}", "text that shows all it says"))
        return None
    size = len(text.encode())
    if size > MAX_BYTES:
        faults.append(Fault(file, None, "file", f"{size} bytes", f"at most {MAX_BYTES}"))
        return None
    try:
        return _Builder(file, faults).document(yaml.parse(text, Loader=yaml.SafeLoader))
    except _TooDeepError:
        return None
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        faults.append(Fault(file, line, "file", f"text that is not YAML ({error.problem})", "well-formed YAML"))
        return None


class _TooDeepError(Exception):
    """Nothing further is read of a document nested this deep."""


class _Builder:
    """Events to nodes. Recursion ends at MAX_DEPTH."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self._file = file
        self._faults = faults

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        next(events)  # the start of the stream
        start = next(events)
        if isinstance(start, yaml.StreamEndEvent):
            self._fault(1, "file", "nothing", "a mapping of keys")
            return None
        if isinstance(start, yaml.DocumentStartEvent) and (start.version or start.tags):
            self._fault(_line(start), "file", "a `%` directive", "no directive")
        tree = self._node(next(events), events, "", None, 0)
        next(events)  # the end of the document
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._fault(_line(after), "file", "a second document (`---`)", "one document per file")
        return tree

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: str, line: int | None, depth: int) -> Node:
        line = line or _line(event)
        if isinstance(event, yaml.AliasEvent):
            self._fault(line, path, f"the alias *{event.anchor}", "the value itself, written out")
            return Node(path, line, REFUSED, "")
        if depth > MAX_DEPTH:
            self._fault(line, path, f"more than {MAX_DEPTH} levels", "a flatter file")
            raise _TooDeepError
        self._check_marks(event, path, line)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(path, line, "seq", self._list(events, path, depth))
        if isinstance(event, yaml.MappingStartEvent):
            return Node(path, line, "map", self._mapping(events, path, depth))
        if not isinstance(event, yaml.ScalarEvent):  # the parser yields nothing else here
            raise TypeError(event)
        return Node(path, line, _kind(event), event.value)

    def _check_marks(self, event: yaml.Event, path: str, line: int) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor is not None:
            self._fault(line, path, f"the anchor &{anchor}", "no anchor: write values out where they are used")
        if tag is not None:
            self._fault(line, path, f"the tag {tag}", "no tag")

    def _list(self, events: Iterator[yaml.Event], path: str, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, f"{path}[{len(items)}]", None, depth + 1))
        return items

    def _mapping(self, events: Iterator[yaml.Event], path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, path, None, depth + 1)
            name = key.content if isinstance(key.content, str) else key.kind
            value = self._node(next(events), events, f"{path}.{name}" if path else name, key.line, depth + 1)
            if key.kind != "str":
                self._not_a_key(key, name)
            elif name in entries:
                self._fault(key.line, value.path, f"the key again, first on line {lines[name]}", "each key once")
            else:
                entries[name] = value
                lines[name] = key.line
        return entries

    def _not_a_key(self, key: Node, name: str) -> None:
        if key.kind != REFUSED:
            self._fault(
                key.line, key.path or "file", f"the key `{name}`, which YAML reads as {key.kind}", "a word as key"
            )

    def _fault(self, line: int, key: str, found: str, expected: str) -> None:
        self._faults.append(Fault(self._file, line, key or "file", found, expected))


def _kind(event: yaml.ScalarEvent) -> str:
    """The type YAML 1.1 gives a scalar: a quoted or block one is text, a plain one what it looks like."""
    if event.style is not None:
        return "str"
    tag: str = _RESOLVER.resolve(  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        yaml.ScalarNode, event.value, (True, False)
    )
    return tag.rpartition(":")[2]


def _line(event: yaml.Event) -> int:
    return 1 if event.start_mark is None else event.start_mark.line + 1
