# SPDX-License-Identifier: EUPL-1.2
"""The drawing of a drill: people exposed over time, with and without Herse, as one SVG of its own.

Both axes are logarithmic: seconds to weeks, one person to millions. With Herse the line is drawn through, without it
dashed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gateway.pages.drawing import Axis, Drawing, Entry, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gateway.drill.scenarios import Outcome

_TIMES: Final = (
    (1, "1 s"),
    (60, "1 min"),
    (3_600, "1 h"),
    (86_400, "1 day"),
    (604_800, "1 week"),
    (2_419_200, "4 weeks"),
)
_DECADES: Final = ("1", "10", "100", "1,000", "10,000", "100,000", "1 million", "10 million", "100 million")
_LONGEST: Final = 2_592_000


def draw(title: str, outcomes: Sequence[Outcome]) -> str:
    """The whole drawing as text."""
    most = max((one.exposed_without for one in outcomes), default=1)
    decades = max(1, math.ceil(math.log10(max(most, 10))))
    return Drawing(
        name="drill",
        heading=f"{title}: people exposed over time",
        told=" ".join(map(_sentence, outcomes)),
        across=Axis("time since the attack began (log scale)", _share_of(_LONGEST), _TIMES),
        up=Axis("different people exposed (log scale)", _share_of(10.0**decades), _decades(decades)),
        lines=list(_lines(outcomes)),
        legend="with Herse / without (dashed)",
        entries=[
            Entry(place, one.name, f"{one.exposed:,} / {one.exposed_without:,}") for place, one in enumerate(outcomes)
        ],
    ).as_svg()


def _sentence(one: Outcome) -> str:
    return f"{one.name}: {one.exposed:,} with Herse, {one.exposed_without:,} without."


def _share_of(most: float) -> Callable[[float], float]:
    """Where a value stands between one and the most, by its logarithm."""
    return lambda value: math.log10(max(value, 1.0)) / math.log10(most)


def _decades(decades: int) -> list[tuple[float, str]]:
    return [(10.0**decade, _DECADES[decade]) for decade in range(decades + 1)]


def _lines(outcomes: Sequence[Outcome]) -> Iterator[Line]:
    for place, one in enumerate(outcomes):
        for grown, dashed in ((one.grown_without, True), (one.grown, False)):
            yield Line([(seconds, people) for seconds, people in grown if people], place, dashed)
