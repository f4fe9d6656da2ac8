# SPDX-License-Identifier: EUPL-1.2
"""How improbable a count is: exact tails of the binomial and the Poisson law, and the counts that pass a bound. Pure.

Bounds are worked out once for a share in whole percent and kept, so that a look-up only compares.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

WINDOWS: Final = (6, 8, 12, 16, 24, 32, 48, 64)
"""How many of the latest look-ups are asked about: few, so that a test that is made all day stays honest."""

NEVER: Final = 1 << 30


def binomial_tail(at_least: int, of: int, share: float) -> float:
    """The probability of `at_least` or more among `of`, each with probability `share`."""
    return sum(math.comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(max(at_least, 0), of + 1))


def poisson_tail(at_least: int, mean: float) -> float:
    """The probability of `at_least` or more where `mean` are expected."""
    return max(0.0, 1.0 - sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(at_least)))


@lru_cache(maxsize=512)
def bars(percent: int, probability: float) -> tuple[int, ...]:
    """For each of WINDOWS, the least count that is less probable than `probability`; NEVER where none is."""
    return tuple(_least(of, percent / 100, probability) for of in WINDOWS)


def _least(of: int, share: float, probability: float) -> int:
    tail, least, count = 0.0, NEVER, of
    while (tail := tail + math.comb(of, count) * share**count * (1 - share) ** (of - count)) < probability:
        least, count = count, count - 1
    return least
