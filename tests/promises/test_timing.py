# SPDX-License-Identifier: EUPL-1.2
"""The time of an answer must not tell which identifiers exist: a sample of `make timing`, and its rank test."""

from __future__ import annotations

import random

import pytest

from bench.ranks import compare
from bench.timing import ALL_WAYS, ALPHA, run

PAIRS = 16
SUSPECT = 0.02
"""One honest run in fifty looks like this; it is asked once more, at length, and only then believed."""


@pytest.mark.system
@pytest.mark.parametrize("ways", ALL_WAYS, ids=lambda ways: ways.name)
def test_known_and_unknown_take_the_same_time(ways):
    """With hashes at their real cost: on a busy machine a few pairs see the one that is left out, and nothing finer."""
    ((_, verdict),) = run(PAIRS, (ways,), test_cost=False)
    assert verdict.pairs == PAIRS
    if verdict.p < SUSPECT:
        ((_, verdict),) = run(3 * PAIRS, (ways,), test_cost=False)
        assert verdict.p >= ALPHA, verdict


def pairs(difference, count=500):
    chance = random.Random(7)
    return [(chance.lognormvariate(0, 1), chance.lognormvariate(0, 1) + difference) for _ in range(count)]


def test_the_rank_test_sees_a_difference_and_none_where_there_is_none():
    assert compare(pairs(0.0)).p > 0.05
    assert compare(pairs(0.5)).p < 1e-4
    assert compare(pairs(-0.5)).p < 1e-4
    assert compare([(1.0, 1.0)] * 30).p == 1.0


def test_the_rank_test_against_a_worked_example():
    """Differences 1 to 9 with signs + - + + - + + - +: W+ = 1+3+4+6+7+9 = 30, mean 22.5, variance 71.25."""
    signs = (1, -1, 1, 1, -1, 1, 1, -1, 1)
    verdict = compare([(sign * size, 0) for size, sign in enumerate(signs, 1)])
    assert verdict.p == pytest.approx(0.3743, abs=1e-3)
    assert verdict.difference_seconds == 3


def test_ties_share_their_rank():
    """All of one size, 16 up and 4 down: a sign test; z = 6 / sqrt(4 + ...) of the mid-ranks."""
    verdict = compare([(1, 0)] * 16 + [(0, 1)] * 4)
    # mid-rank 10.5: W+ = 168, mean 105, variance 717.5 - (8000 - 20) / 48 = 551.25
    assert verdict.p == pytest.approx(0.00729, abs=1e-4)
