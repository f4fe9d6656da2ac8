# SPDX-License-Identifier: EUPL-1.2
"""Levels follow from proofs, freshness from the proof that carries the level, and adding a proof never weakens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ANONYMOUS, Assurance, Level, Method, Proof

AT = datetime(2026, 3, 10, 9, tzinfo=UTC)
PASSWORD = Proof(Method.PASSWORD, AT)
TOTP = Proof(Method.TOTP, AT + timedelta(minutes=5))
CARD = Proof(Method.SMART_CARD, AT + timedelta(minutes=9))
INVITATION = Proof(Method.INVITATION, AT)
PASSKEY = Proof(Method.PASSKEY, AT + timedelta(minutes=6))
RECOVERY = Proof(Method.RECOVERY, AT + timedelta(minutes=4))
SSO = Proof(Method.SSO, AT + timedelta(minutes=7))
SSO_CARD = Proof(Method.SSO_CARD, AT + timedelta(minutes=8))


@pytest.mark.parametrize(
    ("proofs", "level"),
    [
        ((), Level.NONE),
        ((PASSWORD,), Level.PASSWORD),
        ((TOTP,), Level.NONE),
        ((INVITATION,), Level.NONE),
        ((PASSWORD, INVITATION), Level.PASSWORD),
        ((PASSWORD, TOTP), Level.MFA),
        ((CARD,), Level.CARD),
        ((PASSWORD, CARD), Level.CARD),
        ((PASSKEY,), Level.MFA),
        ((SSO,), Level.MFA),
        ((SSO_CARD,), Level.CARD),
        ((SSO, CARD), Level.CARD),
        ((TOTP, INVITATION), Level.NONE),
        ((PASSWORD, RECOVERY), Level.MFA),
        ((RECOVERY,), Level.NONE),
        ((TOTP, RECOVERY), Level.NONE),
    ],
)
def test_the_level_follows_from_the_proofs(proofs, level):
    assert Assurance(proofs).level is level


@pytest.mark.parametrize(
    ("proofs", "level", "at"),
    [
        ((PASSWORD,), Level.PASSWORD, PASSWORD.at),
        ((PASSWORD, TOTP), Level.PASSWORD, TOTP.at),
        ((PASSWORD, TOTP), Level.MFA, TOTP.at),
        ((PASSWORD, TOTP), Level.CARD, None),
        ((PASSWORD,), Level.MFA, None),
        ((PASSWORD, TOTP, CARD), Level.MFA, CARD.at),
        ((CARD,), Level.CARD, CARD.at),
        ((PASSWORD, RECOVERY), Level.MFA, RECOVERY.at),
        ((PASSWORD, RECOVERY), Level.CARD, None),
        ((PASSKEY,), Level.MFA, PASSKEY.at),
        ((PASSKEY,), Level.CARD, None),
        ((PASSWORD, PASSKEY), Level.PASSWORD, PASSKEY.at),
        ((SSO, PASSKEY), Level.MFA, SSO.at),
        ((SSO_CARD, SSO), Level.CARD, SSO_CARD.at),
        ((CARD,), Level.NONE, None),
        ((), Level.PASSWORD, None),
    ],
)
def test_a_level_is_as_fresh_as_the_proof_that_carries_it(proofs, level, at):
    assert Assurance(proofs).proved_at(level) == at


@pytest.mark.parametrize(
    ("proofs", "at"),
    [
        ((), None),
        ((PASSWORD,), None),
        ((PASSWORD, TOTP), TOTP.at),
        ((PASSWORD, CARD), CARD.at),
        ((CARD, replace(TOTP, at=CARD.at + timedelta(hours=1))), CARD.at),
    ],
)
def test_a_step_up_is_the_last_proof_of_the_strongest_level(proofs, at):
    assurance = Assurance(proofs)
    assert assurance.stepped_up_at == at
    assert assurance.stepped_up_at == assurance.proved_at(max(assurance.level, Level.MFA))


def test_a_renewed_proof_replaces_the_old_one():
    later = Proof(Method.TOTP, TOTP.at + timedelta(hours=1))
    renewed = Assurance((PASSWORD, TOTP)).with_proof(later)
    assert renewed.proofs == (PASSWORD, later)
    assert renewed.proved_at(Level.MFA) == later.at


@given(
    st.lists(st.sampled_from([PASSWORD, TOTP, CARD, INVITATION]), max_size=5), st.sampled_from([PASSWORD, TOTP, CARD])
)
def test_another_proof_never_lowers_the_level(proofs, more):
    before = Assurance(tuple(proofs))
    assert before.with_proof(more).level >= before.level


def test_nobody_has_proved_nothing():
    assert ANONYMOUS.account is None
    assert ANONYMOUS.assurance.level is Level.NONE


def test_the_latest_proof_by_one_of_these_methods():
    assurance = Assurance((PASSWORD, TOTP, CARD))
    assert assurance.proved_by((Method.TOTP, Method.PASSWORD)) == TOTP.at
    assert assurance.proved_by({Method.PASSKEY, Method.PASSWORD}) == PASSWORD.at
    assert assurance.proved_by(()) is None
    assert assurance.proved_by((Method.PASSKEY,)) is None
