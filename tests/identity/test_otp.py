# SPDX-License-Identifier: EUPL-1.2
"""One-time codes: six ASCII digits, each step once, whoever races for it (faults 0.5, I1, I2)."""

from __future__ import annotations

from base64 import b32encode
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.at_rest import SealError
from gateway.identity.database import reading, writing
from gateway.identity.otp import STEP_SECONDS, Factors, matching_step, new_secret, provisioning_uri
from gateway.model import Method, Proof, Reason
from support.racing import race

PHARMACY = "750012346"
STEP = timedelta(seconds=STEP_SECONDS)
SECRET = b32encode(b"12345678901234567890").decode()  # of RFC 6238, appendix B


@pytest.fixture
def factors(engine, at_rest, accounts):
    return Factors(engine, at_rest)


def code(at, secret=SECRET):
    return pyotp.TOTP(secret).at(at)


def refusal(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


@pytest.mark.parametrize(
    ("seconds", "digits"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_the_vectors_of_rfc_6238(seconds, digits):
    assert matching_step(SECRET, digits, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


def test_one_step_of_drift_and_no_more():
    at = datetime(2026, 11, 22, 8, 0, 29, 999_999, tzinfo=UTC)
    step = int(at.timestamp()) // 30
    for drift in (-1, 0, 1):
        assert matching_step(SECRET, code(at + drift * STEP), at) == step + drift
    for drift in (-2, 2):
        assert matching_step(SECRET, code(at + drift * STEP), at) is None


@pytest.mark.parametrize("change", [
    lambda digits: "".join(chr(ord(digit) + 0xFEE0) for digit in digits), int, str.encode, list,
    lambda digits: digits + "\n", lambda digits: " " + digits, lambda digits: digits[:-1], lambda digits: digits + "0",
    lambda digits: "+" + digits[1:], lambda _: "", lambda _: None, lambda digits: digits.replace(digits[0], "٣"),
])  # fmt: skip
def test_only_six_ascii_digits_are_a_code(change, t0):
    """Fault 0.5: full-width digits, numbers and other forms of a right code are no code."""
    assert matching_step(SECRET, code(t0), t0) is not None
    assert matching_step(SECRET, change(code(t0)), t0) is None


def test_secrets_are_long_and_the_uri_names_the_account():
    secret = new_secret()
    assert len(secret) == 32
    assert secret != new_secret()
    uri = provisioning_uri(secret, PHARMACY, "Portail")
    assert uri.startswith("otpauth://totp/Portail:750012346?")
    assert f"secret={secret}" in uri


def test_I1_a_step_never_counts_twice_nor_an_older_one(factors, t0):
    factors.add_totp(PHARMACY, SECRET, t0)
    assert factors.use_totp(PHARMACY, code(t0), t0) == Proof(Method.TOTP, t0)
    assert refusal(lambda: factors.use_totp(PHARMACY, code(t0), t0)) is Reason.CODE_USED
    assert refusal(lambda: factors.use_totp(PHARMACY, code(t0 - STEP), t0)) is Reason.CODE_USED
    assert factors.use_totp(PHARMACY, code(t0 + STEP), t0).method is Method.TOTP
    assert refusal(lambda: factors.use_totp(PHARMACY, code(t0 + STEP), t0 + STEP)) is Reason.CODE_USED
    assert refusal(lambda: factors.use_totp(PHARMACY, code(t0), t0 + STEP)) is Reason.CODE_USED


def test_a_wrong_code_and_a_missing_factor(factors, t0):
    assert refusal(lambda: factors.use_totp(PHARMACY, code(t0), t0)) is Reason.SECOND_FACTOR_MISSING
    factors.add_totp(PHARMACY, SECRET, t0)
    wrong = f"{(int(code(t0)) + 1) % 1_000_000:06}"
    assert refusal(lambda: factors.use_totp(PHARMACY, wrong, t0)) is Reason.CODE_WRONG
    assert refusal(lambda: factors.use_totp("NOBODY", code(t0), t0)) is Reason.SECOND_FACTOR_MISSING


def test_I1_the_code_that_enrols_is_used_up(factors, accounts, t0):
    assert refusal(lambda: factors.enrol_totp(PHARMACY, SECRET, "00000x", t0)) is Reason.CODE_WRONG
    assert not accounts.find(PHARMACY).has_totp
    assert factors.enrol_totp(PHARMACY, SECRET, code(t0), t0) == Proof(Method.TOTP, t0)
    assert accounts.find(PHARMACY).has_totp
    assert refusal(lambda: factors.use_totp(PHARMACY, code(t0), t0)) is Reason.CODE_USED


def test_a_new_factor_takes_the_place_of_the_old_one(factors, t0):
    factors.add_totp(PHARMACY, SECRET, t0)
    other = new_secret()
    factors.add_totp(PHARMACY, other, t0)
    assert factors.use_totp(PHARMACY, code(t0, other), t0).method is Method.TOTP
    if code(t0) not in {code(t0 + drift * STEP, other) for drift in (-1, 0, 1)}:
        assert refusal(lambda: factors.use_totp(PHARMACY, code(t0), t0)) is Reason.CODE_WRONG


def test_a_secret_is_sealed_and_bound_to_account_and_factor(factors, accounts, engine, database, t0):
    accounts.create("OTHER", "Cabinet", "nurse", None, (), t0)
    factors.add_totp(PHARMACY, SECRET, t0)
    assert not any(SECRET.encode() in path.read_bytes() for path in database.parent.iterdir())
    with writing(engine) as connection:
        connection.execute(schema.factor.update().values(account="OTHER"))
    with pytest.raises(SealError):
        factors.use_totp("OTHER", code(t0), t0)
    with writing(engine) as connection:
        connection.execute(schema.factor.update().values(account=PHARMACY, id="moved"))
    with pytest.raises(SealError):
        factors.use_totp(PHARMACY, code(t0), t0)
    with reading(engine) as connection:
        assert connection.scalar(sa.select(schema.factor.c.last_step)) == 0


def test_I2_a_hundred_parallel_uses_over_two_processes_succeed_once(factors, database, t0):
    factors.add_totp(PHARMACY, SECRET, t0)
    outcomes = race(database, "totp", code(t0), PHARMACY, t0.isoformat(), "50")
    assert outcomes == {"otp": 1, "code-used": 99}


def test_whether_a_code_would_be_right_uses_nothing_up_and_costs_the_same_for_nobody(factors, t0):
    factors.add_totp(PHARMACY, SECRET, t0)
    assert factors.is_code(PHARMACY, code(t0), t0)
    assert not factors.is_code(PHARMACY, code(t0 + 9 * STEP), t0)
    assert not factors.is_code("NOBODY", code(t0), t0)
    assert factors.use_totp(PHARMACY, code(t0), t0) == Proof(Method.TOTP, t0)
