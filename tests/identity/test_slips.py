# SPDX-License-Identifier: EUPL-1.2
"""Slips: what the hallway wrote is read by its session alone, in time, and nothing that anybody else wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.identity.at_rest import AtRest
from gateway.identity.returns import LIFETIME
from gateway.identity.slips import Slips
from gateway.model import Budget, Counts, Level, Method, Past, Quota, Risk, Scope, Spent

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLAIN = Budget(400, DAY, Past.CHALLENGE)
EVERYTHING = Budget(
    15, timedelta(minutes=10), Past.DENY, Counts.NEW, Scope.HOLDER, Level.CARD, Risk.HIGH, lasts=timedelta(hours=12)
)


@pytest.fixture
def slips():
    return Slips(AtRest(bytes(range(32))))


@pytest.mark.parametrize(
    "spent",
    [
        Spent(PLAIN, 60),
        Spent(EVERYTHING, 43_200, (Method.SMART_CARD, Method.SSO), Quota(PLAIN, 7, 0)),
    ],
)
def test_what_was_written_is_read(slips, spent):
    slip = slips.write(spent, "abc", NOON)
    assert slips.read(slip, "abc", NOON) == spent
    assert slip.replace("-", "").replace("_", "").isalnum()


def test_the_wait_is_told_as_it_is_when_it_is_read(slips):
    slip = slips.write(Spent(PLAIN, 60), "abc", NOON)
    waits = [(0, 60), (20, 40), (100, 0), (-5, 60)]
    read = [slips.read(slip, "abc", NOON + timedelta(seconds=late)) for late, _ in waits]
    assert [one.seconds for one in read] == [left for _, left in waits]


def test_it_says_nothing_to_another_session_nor_later(slips):
    slip = slips.write(Spent(PLAIN, 60), "abc", NOON)
    assert slips.read(slip, "abd", NOON) is None
    assert slips.read(slip, "abc", NOON + LIFETIME) is None
    assert Slips(AtRest(bytes(32))).read(slip, "abc", NOON) is None


def test_nothing_that_somebody_made_up_is_read(slips):
    slip = slips.write(Spent(PLAIN, 60), "abc", NOON)
    flipped = [
        slip[:place] + ("A" if slip[place] != "A" else "B") + slip[place + 1 :] for place in range(len(slip) - 1)
    ]
    for made_up in ("", "=", "é", "A", "A" * 2_000, slip[:-4], slip + "AAAA", *flipped):
        assert slips.read(made_up, "abc", NOON) is None, made_up
