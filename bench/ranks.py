# SPDX-License-Identifier: EUPL-1.2
"""The rank test of `make timing`: whether one of two ways of answering is slower than the other. Pure.

Wilcoxon's signed-rank test: pairs drift together on a shared machine, and ranks do not care how far an outlier lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from statistics import NormalDist, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Verdict:
    """`p`: how often pairs without any difference would look at least as different. Seconds: of the medians."""

    pairs: int
    p: float
    first_seconds: float
    second_seconds: float
    difference_seconds: float


def compare(pairs: Sequence[tuple[float, float]]) -> Verdict:
    """The two-sided test, by its normal approximation with ties: good from some 20 pairs on. At least one pair."""
    differences = [first - second for first, second in pairs]
    told = [one for one in differences if one != 0]
    return Verdict(
        pairs=len(pairs),
        p=_p_value(told) if told else 1.0,
        first_seconds=median(first for first, _ in pairs),
        second_seconds=median(second for _, second in pairs),
        difference_seconds=median(differences),
    )


def _p_value(differences: Sequence[float]) -> float:
    ordered = sorted(differences, key=abs)
    before, positive, ties = 0, 0.0, 0
    for _, group in groupby(ordered, key=abs):
        equal = list(group)
        rank = before + (len(equal) + 1) / 2
        positive += rank * sum(one > 0 for one in equal)
        ties += len(equal) ** 3 - len(equal)
        before += len(equal)
    count = len(ordered)
    spread = sqrt(count * (count + 1) * (2 * count + 1) / 24 - ties / 48)
    return 2 * NormalDist().cdf(-abs(positive - count * (count + 1) / 4) / spread)
