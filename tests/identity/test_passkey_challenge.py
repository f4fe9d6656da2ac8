# SPDX-License-Identifier: EUPL-1.2
"""Challenges against those who keep, change or make them."""

from __future__ import annotations

from datetime import timedelta

from gateway.identity.passkey_challenge import LIFETIME, Challenges, Purpose
from gateway.model import Reason
from support.passkey_house import refused

SECOND = timedelta(seconds=1)


def test_used_challenges_are_bounded_and_none_is_forgotten_early(t0):
    challenges = Challenges(most_used=3)

    def give(at=t0):
        return challenges.give(Purpose.SIGN_IN, "x", at)

    kept = [give() for _ in range(4)]
    for one in kept[:3]:
        challenges.take(one, Purpose.SIGN_IN, "x", t0)
    assert refused(challenges.take, kept[3], Purpose.SIGN_IN, "x", t0) is Reason.BUSY
    assert refused(challenges.take, kept[0], Purpose.SIGN_IN, "x", t0) is Reason.PASSKEY_EXPIRED
    assert refused(challenges.take, give(t0 + SECOND), Purpose.SIGN_IN, "x", t0) is Reason.PASSKEY_EXPIRED, "from later"
    later = t0 + LIFETIME
    challenges.take(give(later), Purpose.SIGN_IN, "x", later)
    assert repr(challenges) == "<Challenges 1 used>"


def test_a_challenge_cannot_be_made_or_changed(t0):
    challenges = Challenges()
    given = challenges.give(Purpose.STEP_UP, "session/a/s1", t0)
    for place in range(len(given)):
        forged = given[:place] + bytes([given[place] ^ 1]) + given[place + 1 :]
        assert refused(challenges.take, forged, Purpose.STEP_UP, "session/a/s1", t0) is Reason.PASSKEY_EXPIRED
    stranger = Challenges().give(Purpose.STEP_UP, "session/a/s1", t0)
    assert refused(challenges.take, stranger, Purpose.STEP_UP, "session/a/s1", t0) is Reason.PASSKEY_EXPIRED
    challenges.take(given, Purpose.STEP_UP, "session/a/s1", t0)
