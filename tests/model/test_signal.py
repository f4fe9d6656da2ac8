# SPDX-License-Identifier: EUPL-1.2
"""How findings add up to a risk: two weak are a strong one, two strong a certain one."""

from __future__ import annotations

import pytest

from gateway.model import Finding, Risk, Signal, risk_of

WEAK, STRONG, CERTAIN = (Finding(Signal.PACE, risk, ()) for risk in Risk)


@pytest.mark.parametrize(
    ("found", "risk"),
    [
        ((), Risk.CALM),
        ((WEAK,), Risk.CALM),
        ((WEAK, WEAK), Risk.ELEVATED),
        ((STRONG,), Risk.ELEVATED),
        ((STRONG, WEAK), Risk.ELEVATED),
        ((STRONG, WEAK, WEAK), Risk.HIGH),
        ((STRONG, STRONG), Risk.HIGH),
        ((CERTAIN,), Risk.HIGH),
    ],
)
def test_what_findings_weigh_together(found, risk):
    assert risk_of(found) is risk
