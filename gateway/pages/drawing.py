# SPDX-License-Identifier: EUPL-1.2
"""A drawing of lines over two axes, as one SVG of its own: what a drill and an incident draw with.

Colours are Okabe and Ito's, which everybody can tell apart. No script, no font, nothing from elsewhere; title and
description for those who do not see it. What the axes mean is the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

WIDTH, HEIGHT = 1080, 560
LEFT, RIGHT, TOP, BOTTOM = 84, 760, 64, 480
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F00", "#882255")
_MIDDLE: Final = 'text-anchor="middle"'
_FONT: Final = 'font-family="sans-serif" fill="#222"'
_TEXT: Final = f'{_FONT} font-size="13"'


@dataclass(frozen=True, slots=True)
class Axis:
    """`share` gives where a value stands, 0 to 1; what lies outside is put on the edge. `marks`: value and word."""

    title: str
    share: Callable[[float], float]
    marks: Sequence[tuple[float, str]]

    def at(self, value: float, low: float, high: float) -> float:
        """Where a value stands between two ends of the drawing."""
        return low + min(max(self.share(value), 0.0), 1.0) * (high - low)


class Line(NamedTuple):
    """Points in the values of the axes; `colour` is a number."""

    points: Sequence[tuple[float, float]]
    colour: int
    dashed: bool = False


class Entry(NamedTuple):
    """One name beside the drawing, in the colour of its line (None: it has none of its own), and what is told of it."""

    colour: int | None
    name: str
    told: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """`name` begins the ids inside, so that two drawings can stand on one page; `told` is the description."""

    name: str
    heading: str
    told: str
    across: Axis
    up: Axis
    lines: Sequence[Line]
    legend: str
    entries: Sequence[Entry]

    def as_svg(self) -> str:
        """The whole drawing as text."""
        named = f'role="img" aria-labelledby="{self.name}-title {self.name}-desc"'
        heading = escape(self.heading)
        head = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {named}>',
            f'<title id="{self.name}-title">{heading}</title>',
            f'<desc id="{self.name}-desc">{escape(self.told)}</desc>',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            f'<text x="{LEFT}" y="34" {_FONT} font-size="18" font-weight="bold">{heading}</text>',
        ]
        return "\n".join((*head, *self._axes(), *self._polylines(), *self._legend(), "</svg>\n"))

    def _x(self, value: float) -> float:
        return self.across.at(value, LEFT, RIGHT)

    def _y(self, value: float) -> float:
        return self.up.at(value, BOTTOM, TOP)

    def _axes(self) -> Iterator[str]:
        yield '<g stroke="#ddd" stroke-width="1">'
        for value, _ in self.up.marks:
            yield f'<line x1="{LEFT}" y1="{self._y(value):.1f}" x2="{RIGHT}" y2="{self._y(value):.1f}"/>'
        for value, _ in self.across.marks:
            yield f'<line x1="{self._x(value):.1f}" y1="{TOP}" x2="{self._x(value):.1f}" y2="{BOTTOM}"/>'
        yield "</g>"
        for value, word in self.up.marks:
            yield _text(LEFT - 8, self._y(value) + 4, word, 'text-anchor="end"')
        for value, word in self.across.marks:
            yield _text(self._x(value), BOTTOM + 20, word, _MIDDLE)
        yield _text((LEFT + RIGHT) / 2, BOTTOM + 46, self.across.title, _MIDDLE)
        height = (TOP + BOTTOM) / 2
        yield _text(18, height, self.up.title, f'{_MIDDLE} transform="rotate(-90 18 {height})"')

    def _polylines(self) -> Iterator[str]:
        for line in self.lines:
            if line.points:
                path = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in line.points)
                colour = COLOURS[line.colour % len(COLOURS)]
                width, dashes = (1.5, ' stroke-dasharray="5 5"') if line.dashed else (3, "")
                yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'

    def _legend(self) -> Iterator[str]:
        left = RIGHT + 28
        yield _text(left, TOP + 4, self.legend, 'font-weight="bold"')
        for place, entry in enumerate(self.entries):
            height = TOP + 32 + place * 42
            if entry.colour is not None:
                mark = f'x1="{left}" y1="{height - 4}" x2="{left + 22}" y2="{height - 4}"'
                yield f'<line {mark} stroke="{COLOURS[entry.colour % len(COLOURS)]}" stroke-width="3"/>'
            yield _text(left + 30, height, entry.name)
            yield _text(left + 30, height + 17, entry.told)


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {_TEXT} {more}>{escape(text)}</text>'
