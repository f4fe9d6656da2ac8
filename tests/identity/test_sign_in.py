# SPDX-License-Identifier: EUPL-1.2
"""The order of a sign-in: the same no for everybody, and no way round the counters (faults I3, I4, I5, I10)."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pyotp
import pytest
import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading
from gateway.identity.failures import Failures
from gateway.identity.otp import Factors, new_secret
from gateway.identity.password import PasswordHasher
from gateway.identity.sign_in import SignIn
from gateway.identity.throttle import Throttle
from gateway.model import Method, Proof, Reason

PHARMACY = "750012346"
PASSWORD = "correct horse 47 battery"
NEW_PASSWORD = "another horse 48 battery"
HERE = "192.0.2.1"
MINUTE = timedelta(minutes=1)


class CountingHasher(PasswordHasher):
    """A real hasher that notes which verifications were asked of it."""

    def __init__(self, workers, waiting):
        super().__init__(workers, waiting, test_cost=True)
        self.asked = []

    async def verify(self, encoded, password):
        self.asked.append(encoded is not None)
        return await super().verify(encoded, password)


@pytest.fixture
def hasher():
    hasher = CountingHasher(2, 200)
    yield hasher
    hasher.close()


@pytest.fixture
def factors(engine, at_rest):
    return Factors(engine, at_rest)


@pytest.fixture
def throttle():
    return Throttle(per_account=1000, per_network=1000)


@pytest.fixture
def sign_in(engine, accounts, factors, hasher, throttle, t0):  # noqa: PLR0917  # its doors
    accounts.set_password(PHARMACY, asyncio.run(hasher.hash(PASSWORD)), t0)
    return SignIn(accounts, factors, hasher, throttle, Failures(engine))


def outcome(awaitable):
    async def walk():
        try:
            return (await awaitable).identifier
        except Refused as refused:
            return refused.reason

    return asyncio.run(walk())


def outcomes(*awaitables):
    async def one(awaitable):
        try:
            return (await awaitable).identifier
        except Refused as refused:
            return refused.reason

    async def walk():
        return await asyncio.gather(*map(one, awaitables))

    return Counter(asyncio.run(walk()))


def totp_outcome(sign_in, code, at, network=HERE):
    try:
        return sign_in.by_totp(PHARMACY, code, network, at)
    except Refused as refused:
        return refused.reason


def counted(engine):
    with reading(engine) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(schema.failure))


def test_the_right_password_under_any_spelling(sign_in, t0):
    assert outcome(sign_in.by_password(PHARMACY, PASSWORD, HERE, t0)) == PHARMACY
    assert outcome(sign_in.by_password(" 75 001 2346", PASSWORD, HERE, t0)) == PHARMACY


def test_I10_unknown_and_wrong_are_one_answer_for_one_verification(sign_in, hasher, accounts, engine, t0):
    accounts.create("NO-PASSWORD", "Cabinet", "nurse", None, (), t0)
    for identifier in (PHARMACY, "UNKNOWN", "NO-PASSWORD"):
        assert outcome(sign_in.by_password(identifier, "wrong", HERE, t0)) is Reason.CREDENTIALS_WRONG
    assert hasher.asked == [True, False, False]
    assert counted(engine) == 3  # unknown ones are counted too: being throttled tells nothing
    assert outcome(sign_in.by_password("not an id!", PASSWORD, HERE, t0)) is Reason.CREDENTIALS_WRONG


def test_locked_is_told_to_the_right_password_only(sign_in, accounts, t0):
    accounts.lock(PHARMACY, t0)
    assert outcome(sign_in.by_password(PHARMACY, "wrong", HERE, t0)) is Reason.CREDENTIALS_WRONG
    assert outcome(sign_in.by_password(PHARMACY, PASSWORD, HERE, t0)) is Reason.ACCOUNT_LOCKED


def test_I3_a_race_of_wrong_passwords_gets_five_tries(sign_in, hasher, t0):
    race = [sign_in.by_password(PHARMACY, f"wrong {number}", HERE, t0) for number in range(60)]
    assert outcomes(*race) == {Reason.CREDENTIALS_WRONG: 5, Reason.THROTTLED: 55}
    assert len(hasher.asked) == 5
    assert outcome(sign_in.by_password(PHARMACY, PASSWORD, HERE, t0)) is Reason.THROTTLED
    assert outcome(sign_in.by_password(PHARMACY, PASSWORD, HERE, t0 + MINUTE)) == PHARMACY


def test_I4_every_spelling_feeds_one_counter(sign_in, accounts, hasher, t0):
    accounts.create("CABINET-1", "Cabinet", "nurse", None, (), t0)
    spellings = ["CABINET-1", "cabinet-1", " Cabinet-1 ", "ca bi ne t-1", "CABINET -1", "cABINET-1"]
    race = [sign_in.by_password(text, "wrong", HERE, t0) for text in spellings]
    assert outcomes(*race) == {Reason.CREDENTIALS_WRONG: 5, Reason.THROTTLED: 1}


def test_I5_a_thousand_addresses_get_no_more(sign_in, throttle, t0):
    race = [sign_in.by_password(PHARMACY, "wrong", f"10.{number >> 8}.{number & 255}.1", t0) for number in range(200)]
    assert outcomes(*race)[Reason.CREDENTIALS_WRONG] == 5


def test_the_throttle_stands_before_everything(engine, accounts, factors, hasher, t0):
    sign_in = SignIn(accounts, factors, hasher, Throttle(per_account=2), Failures(engine))
    race = [sign_in.by_password(PHARMACY, "wrong", HERE, t0) for _ in range(10)]
    assert outcomes(*race) == {Reason.CREDENTIALS_WRONG: 2, Reason.THROTTLED: 8}
    assert counted(engine) == 2


def test_busy_is_not_a_failure(engine, accounts, factors, t0):
    hasher = PasswordHasher(1, 0)
    sign_in = SignIn(accounts, factors, hasher, Throttle(), Failures(engine))
    race = [sign_in.by_password(f"UNKNOWN-{number}", "wrong", HERE, t0) for number in range(4)]
    assert outcomes(*race) == {Reason.CREDENTIALS_WRONG: 1, Reason.BUSY: 3}
    assert counted(engine) == 1
    code = accounts.invite(PHARMACY, t0, MINUTE)
    race = [sign_in.by_invitation(PHARMACY, code, NEW_PASSWORD, HERE, t0) for _ in range(3)]
    assert outcomes(*race) == {PHARMACY: 1, Reason.BUSY: 2}
    assert counted(engine) == 1
    hasher.close()


def test_a_second_factor_is_counted_for_itself(sign_in, factors, engine, t0):
    assert totp_outcome(sign_in, "000000", t0) is Reason.SECOND_FACTOR_MISSING
    assert counted(engine) == 0
    secret = new_secret()
    factors.add_totp(PHARMACY, secret, t0)
    for _ in range(5):
        assert totp_outcome(sign_in, "wrong!", t0) is Reason.CODE_WRONG
    assert totp_outcome(sign_in, pyotp.TOTP(secret).at(t0), t0) is Reason.THROTTLED
    assert outcome(sign_in.by_password(PHARMACY, PASSWORD, HERE, t0)) == PHARMACY
    assert totp_outcome(sign_in, pyotp.TOTP(secret).at(t0), t0) is Reason.THROTTLED
    at = t0 + MINUTE
    assert totp_outcome(sign_in, pyotp.TOTP(secret).at(at), at) == Proof(Method.TOTP, at)
    assert totp_outcome(sign_in, pyotp.TOTP(secret).at(at), at) is Reason.CODE_USED


def test_an_invitation_sets_the_password_once(sign_in, accounts, t0):
    code = accounts.invite(PHARMACY, t0, MINUTE)
    assert outcome(sign_in.by_invitation(PHARMACY, code, "short", HERE, t0)) is Reason.PASSWORD_TOO_WEAK
    assert outcome(sign_in.by_invitation(PHARMACY, "WRONG", NEW_PASSWORD, HERE, t0)) is Reason.INVITATION_WRONG
    assert outcome(sign_in.by_password(PHARMACY, PASSWORD, HERE, t0)) == PHARMACY
    assert outcome(sign_in.by_invitation(PHARMACY, code, NEW_PASSWORD, HERE, t0)) == PHARMACY
    assert outcome(sign_in.by_invitation(PHARMACY, code, NEW_PASSWORD, HERE, t0)) is Reason.INVITATION_WRONG
    assert outcome(sign_in.by_password(PHARMACY, PASSWORD, HERE, t0)) is Reason.CREDENTIALS_WRONG
    assert outcome(sign_in.by_password(PHARMACY, NEW_PASSWORD, HERE, t0)) == PHARMACY


def test_I3_codes_of_invitations_are_counted_too(sign_in, t0):
    race = [sign_in.by_invitation(PHARMACY, f"WRONG-{number}", NEW_PASSWORD, HERE, t0) for number in range(20)]
    assert outcomes(*race) == {Reason.INVITATION_WRONG: 5, Reason.THROTTLED: 15}
    race = [sign_in.by_invitation("UNKNOWN", f"WRONG-{number}", NEW_PASSWORD, HERE, t0) for number in range(20)]
    assert outcomes(*race) == {Reason.INVITATION_WRONG: 5, Reason.THROTTLED: 15}
