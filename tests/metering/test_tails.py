# SPDX-License-Identifier: EUPL-1.2
"""Tails against figures worked out by hand, and bounds that are the least counts below a probability."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.metering.tails import NEVER, WINDOWS, bars, binomial_tail, poisson_tail


def test_tails_worked_out_by_hand():
    assert binomial_tail(2, 2, 0.5) == pytest.approx(0.25)
    assert binomial_tail(1, 3, 0.5) == pytest.approx(7 / 8)
    assert binomial_tail(-1, 3, 0.2) == pytest.approx(1)
    assert binomial_tail(4, 3, 0.2) == 0
    assert poisson_tail(0, 0.1) == 1
    assert poisson_tail(1, 0.1) == pytest.approx(1 - math.exp(-0.1))
    assert poisson_tail(2, 3.0) == pytest.approx(1 - 4 * math.exp(-3))


@given(st.integers(1, 97), st.sampled_from([1e-2, 1e-3, 1e-6]))
def test_a_bar_is_the_least_count_that_is_less_probable(percent, probability):
    for of, bar in zip(WINDOWS, bars(percent, probability), strict=True):
        if bar == NEVER:
            assert binomial_tail(of, of, percent / 100) >= probability
        else:
            assert (
                binomial_tail(bar, of, percent / 100) < probability <= binomial_tail(bar - 1, of, percent / 100) * 1.001
            )


def test_nothing_is_improbable_for_whom_everybody_is_new():
    assert set(bars(98, 1e-3)) == set(bars(100, 1e-3)) == {NEVER}
    assert set(bars(20, 0.0)) == {NEVER}
