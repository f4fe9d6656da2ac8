# SPDX-License-Identifier: EUPL-1.2
"""A decision always has a reason, and nobody can change it afterwards."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from gateway.model import Decision, Effect, Reason


def test_the_first_reason_is_the_one_a_person_is_told():
    decision = Decision(Effect.DENY, "infopatient", (Reason.BUDGET_EXHAUSTED, Reason.CARD_REQUIRED))
    assert decision.reason is Reason.BUDGET_EXHAUSTED


def test_a_decision_stays_what_it_is():
    decision = Decision(Effect.DENY, None, (Reason.NO_TELESERVICE,))
    with pytest.raises(FrozenInstanceError):
        decision.effect = Effect.PERMIT
