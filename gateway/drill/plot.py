# SPDX-License-Identifier: EUPL-1.2
"""The drawing of a drill: people exposed over time, with and without Herse, as one SVG of its own.

Both axes are logarithmic: seconds to weeks, one person to millions. Colours are Okabe and Ito's, which everybody can
tell apart; with Herse the line is drawn through, without it dashed. No script, no font, nothing from elsewhere.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.drill.scenarios import Outcome

_WIDTH, _HEIGHT = 1080, 560
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 760, 64, 480
_COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F00", "#882255")
_TIMES: Final = (
    (1, "1 s"),
    (60, "1 min"),
    (3_600, "1 h"),
    (86_400, "1 day"),
    (604_800, "1 week"),
    (2_419_200, "4 weeks"),
)
_MIDDLE: Final = 'text-anchor="middle"'
_DECADES: Final = ("1", "10", "100", "1,000", "10,000", "100,000", "1 million", "10 million", "100 million")
_LONGEST: Final = 2_592_000
_FONT: Final = 'font-family="sans-serif" fill="#222"'
_TEXT: Final = f'{_FONT} font-size="13"'


def draw(title: str, outcomes: Sequence[Outcome]) -> str:
    """The whole drawing as text."""
    most = max((one.exposed_without for one in outcomes), default=1)
    decades = max(1, math.ceil(math.log10(max(most, 10))))
    heading = f"{escape(title)}: people exposed over time"
    told = escape(" ".join(map(_sentence, outcomes)))
    named = 'role="img" aria-labelledby="drill-title drill-desc"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {named}>',
        f'<title id="drill-title">{heading}</title>',
        f'<desc id="drill-desc">{told}</desc>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="34" {_FONT} font-size="18" font-weight="bold">{heading}</text>',
    ]
    return "\n".join((*head, *_axes(decades), *_lines(outcomes, decades), *_legend(outcomes), "</svg>\n"))


def _sentence(one: Outcome) -> str:
    return f"{one.name}: {one.exposed:,} with Herse, {one.exposed_without:,} without."


def _x(seconds: float) -> float:
    share = math.log10(max(seconds, 1.0)) / math.log10(_LONGEST)
    return _LEFT + min(share, 1.0) * (_RIGHT - _LEFT)


def _y(people: float, decades: int) -> float:
    return _BOTTOM - math.log10(max(people, 1.0)) / decades * (_BOTTOM - _TOP)


def _axes(decades: int) -> Iterator[str]:
    yield '<g stroke="#ddd" stroke-width="1">'
    for decade in range(decades + 1):
        height = _y(10.0**decade, decades)
        yield f'<line x1="{_LEFT}" y1="{height:.1f}" x2="{_RIGHT}" y2="{height:.1f}"/>'
    for seconds, _ in _TIMES:
        yield f'<line x1="{_x(seconds):.1f}" y1="{_TOP}" x2="{_x(seconds):.1f}" y2="{_BOTTOM}"/>'
    yield "</g>"
    for decade in range(decades + 1):
        yield _text(_LEFT - 8, _y(10.0**decade, decades) + 4, _DECADES[decade], 'text-anchor="end"')
    for seconds, word in _TIMES:
        yield _text(_x(seconds), _BOTTOM + 20, word, _MIDDLE)
    yield _text((_LEFT + _RIGHT) / 2, _BOTTOM + 46, "time since the attack began (log scale)", _MIDDLE)
    height = (_TOP + _BOTTOM) / 2
    turned = f'{_MIDDLE} transform="rotate(-90 18 {height})"'
    yield _text(18, height, "different people exposed (log scale)", turned)


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {_TEXT} {more}>{escape(text)}</text>'


def _lines(outcomes: Sequence[Outcome], decades: int) -> Iterator[str]:
    for place, one in enumerate(outcomes):
        colour = _COLOURS[place % len(_COLOURS)]
        for grown, dashes, width in ((one.grown_without, ' stroke-dasharray="5 5"', 1.5), (one.grown, "", 3)):
            points = [(seconds, people) for seconds, people in grown if people]
            if points:
                path = " ".join(f"{_x(seconds):.1f},{_y(people, decades):.1f}" for seconds, people in points)
                yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def _legend(outcomes: Sequence[Outcome]) -> Iterator[str]:
    left = _RIGHT + 28
    yield _text(left, _TOP + 4, "with Herse / without (dashed)", 'font-weight="bold"')
    for place, one in enumerate(outcomes):
        height, colour = _TOP + 32 + place * 42, _COLOURS[place % len(_COLOURS)]
        mark = f'x1="{left}" y1="{height - 4}" x2="{left + 22}" y2="{height - 4}"'
        yield f'<line {mark} stroke="{colour}" stroke-width="3"/>'
        yield _text(left + 30, height, one.name)
        yield _text(left + 30, height + 17, f"{one.exposed:,} / {one.exposed_without:,}")
