# SPDX-License-Identifier: EUPL-1.2
"""memory: a denial that lasts, here and in the teleservices that it closes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.metering.memory import MemoryMeter
from gateway.model import Budget, Counts, Effect, Past, Scope
from support.looks import HOUR, NOON, asked, look

DAY = timedelta(hours=24)
PERMIT, CHALLENGE, DENY = Effect.PERMIT, Effect.CHALLENGE, Effect.DENY


MINUTE = timedelta(minutes=1)


def settled(meter: MemoryMeter, asks, *, missed: bool = False) -> Effect:
    outcome = meter.hit(asks)
    meter.settle(asks, outcome, missed=missed)
    return outcome.effect


def closing(**words) -> Budget:
    return Budget(1, 10 * MINUTE, Past.DENY, lasts=HOUR, closes=("u", "v"), **words)


@pytest.mark.parametrize("per", Scope)
def test_a_denial_that_lasts_closes_what_it_names_for_this_account_and_no_longer(per: Scope):
    meter, here, there = MemoryMeter(), asked(closing(per=per)), asked(Budget(99, HOUR, Past.DENY))
    assert settled(meter, look(here, 1)) is PERMIT
    assert settled(meter, look(there, 1, teleservice="u")) is PERMIT
    assert meter.hit(look(here, 2)).retry_after_seconds == 3600
    later = NOON + 30 * MINUTE
    for at in (NOON, later):
        for name in ("u", "v"):
            refused = meter.hit(look(there, 1, at, teleservice=name))
            assert (refused.effect, refused.budget) == (DENY, here.budgets[0]), "even whom it saw before"
        assert meter.hit(look(there, 1, at, teleservice="w")).effect is PERMIT
        assert meter.hit(look(there, 1, at, teleservice="u", account="b")).effect is PERMIT
        assert meter.hit(look(here, 2, at)).effect is DENY, "which does not make it any longer"
    meter.sweep(NOON + HOUR - timedelta(seconds=1))
    assert meter.hit(look(there, 3, NOON + HOUR - timedelta(seconds=1), teleservice="v")).effect is DENY
    assert meter.hit(look(there, 3, NOON + HOUR, teleservice="u")).effect is PERMIT
    assert meter.hit(look(here, 2, NOON + HOUR)).effect is PERMIT


def test_J4_under_a_clock_that_steps_back_a_denial_closes_as_long():
    meter, here, there = MemoryMeter(), asked(closing()), asked(Budget(99, HOUR, Past.DENY))
    settled(meter, look(there, 1, NOON + DAY, teleservice="u"))
    settled(meter, look(here, 1, NOON + HOUR))
    assert meter.hit(look(here, 2, NOON - DAY)).effect is DENY
    assert meter.hit(look(there, 1, NOON - DAY, teleservice="u")).effect is DENY
    assert meter.hit(look(there, 1, NOON + HOUR + 59 * MINUTE, teleservice="v")).effect is DENY


def test_numbers_that_are_none_close_too():
    meter, here = MemoryMeter(), asked(closing(counts=Counts.MISSED))
    assert meter.missed(look(here, 1)).effect is PERMIT
    assert meter.missed(look(here, 2)).effect is DENY
    assert meter.hit(look(asked(), 1, teleservice="u")).effect is DENY
