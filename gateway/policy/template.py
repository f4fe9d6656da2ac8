# SPDX-License-Identifier: EUPL-1.2
"""Path templates: literal segments, `{name}` for one segment, a final `{name...}` for any tail, also an empty one.

No regular expression of a policy file is ever run: a template is a tuple of segments. Literals compare without regard
to case, because the portal behind may do so; one trailing slash counts for nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from unicodedata import normalize

from gateway.errors import Refused
from gateway.policy.target import canonical, spelled

_VARIABLE = re.compile(r"\{([a-z_][a-z0-9_]{0,31})(\.\.\.)?\}")
_RESERVED = ".herse"  # the gateway's own pages: they never reach the portal


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template. `segments` holds folded literals, and None for a variable; the tail is not among them.

    `variables` maps a name to its place in `split`; `tail` is the name of the final `{name...}`.
    """

    text: str
    segments: tuple[str | None, ...]
    variables: tuple[tuple[str, int], ...]
    tail: str | None

    @property
    def names(self) -> tuple[str, ...]:
        """Every variable's name, the tail's too."""
        own = tuple(name for name, _ in self.variables)
        return own if self.tail is None else (*own, self.tail)


def fold(text: str) -> str:
    """The form in which two literals are compared: one for all cases and all compositions of a text.

    Unicode's compatibility caseless matching (chapter 3.13, D146), composed at the end.
    """
    if text.isascii():
        return text.lower()
    return normalize("NFKC", normalize("NFKD", normalize("NFD", text).casefold()).casefold())


def split(path: str) -> list[str]:
    """The segments of a canonical path, case kept, without a slash at its end; the first is the empty one before it."""
    segments = path.split("/")
    if not segments[-1]:
        segments.pop()
    return segments


def parse_template(text: str) -> Template:
    """A template from its text. Raises ValueError that says what is expected instead."""
    if not text.startswith("/") or "//" in text or (text != "/" and text.endswith("/")):
        raise ValueError("a path that starts with `/`, has no `//` and no `/` at its end (that one counts for nothing)")
    segments: list[str | None] = []
    variables: list[tuple[str, int]] = []
    tail: str | None = None
    for place, segment in enumerate(split(text)):
        if tail is not None:
            raise ValueError(f"`{{{tail}...}}` as the last segment")
        variable = _VARIABLE.fullmatch(segment)
        if variable is None:
            segments.append(_literal(segment))
        elif variable[1] in (name for name, _ in variables):
            raise ValueError(f"a name of its own for each variable, not `{{{variable[1]}}}` twice")
        elif variable[2]:
            tail = variable[1]
        else:
            variables.append((variable[1], place))
            segments.append(None)
    if segments[1:2] == [_RESERVED]:
        raise ValueError(f"another path: `/{_RESERVED}` is the gateway's own")
    return Template(text, tuple(segments), tuple(variables), tail)


def overlap(one: Template, other: Template) -> bool:
    """Whether some path fits both."""
    for left, right in zip(one.segments, other.segments, strict=False):
        if left is not None and right is not None and left != right:
            return False
    if len(one.segments) == len(other.segments):
        return True
    shorter = min(one, other, key=lambda template: len(template.segments))
    return shorter.tail is not None


def _literal(segment: str) -> str:
    """A literal, folded; only what a canonical path can hold."""
    if "{" in segment or "}" in segment:
        raise ValueError(
            "a whole segment as variable: `{name}` of small letters, digits and `_`, or a final `{name...}`"
        )
    path = f"/{segment}"
    try:
        held = canonical(spelled(path)) == (path, b"")
    except Refused:
        held = False
    if not held:
        raise ValueError(
            "segments as a decoded path holds them, without `;`, `%`, `\\`, `?`, `#`, controls, or a dot at the end"
        )
    return fold(segment)
