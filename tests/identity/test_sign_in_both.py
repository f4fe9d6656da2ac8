# SPDX-License-Identifier: EUPL-1.2
"""A password and a code in one act: which of them was wrong is not told, and no counter is got round."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pyotp
import pytest

from gateway.errors import Refused
from gateway.identity.failures import Failures
from gateway.identity.otp import Factors, new_secret
from gateway.identity.password import PasswordHasher
from gateway.identity.password_change import MustChange
from gateway.identity.sign_in import BothWrong, SignIn
from gateway.identity.throttle import Throttle
from gateway.model import Method, Reason

PHARMACY = "750012346"
PASSWORD = "correct horse 47 battery"
HERE = "192.0.2.1"
MINUTE = timedelta(minutes=1)
BOTH_WRONG = Reason.CREDENTIALS_OR_CODE_WRONG
SECRET = new_secret()


class Watched(Factors):
    """Real factors that note which codes were looked at."""

    def __init__(self, engine, at_rest):
        super().__init__(engine, at_rest)
        self.asked = []

    def is_code(self, identifier, code, at):
        found = super().is_code(identifier, code, at)
        self.asked.append(found)
        return found


@pytest.fixture
def factors(engine, at_rest, t0):
    factors = Watched(engine, at_rest)
    factors.add_totp(PHARMACY, SECRET, t0)
    return factors


@pytest.fixture
def sign_in(engine, accounts, factors, t0):
    hasher = PasswordHasher(2, 200, test_cost=True)
    accounts.set_password(PHARMACY, asyncio.run(hasher.hash(PASSWORD)), t0)
    yield SignIn(accounts, factors, hasher, Throttle(per_account=1000, per_network=1000), Failures(engine))
    hasher.close()


def code(at):
    return pyotp.TOTP(SECRET).at(at)


def wrong_code(at):
    return f"{(int(code(at)) + 1) % 1_000_000:06}"


def tried(sign_in, at, password=PASSWORD, typed=None, name=PHARMACY):
    """What was proved, or why not."""
    try:
        account, methods = asyncio.run(sign_in.by_both(name, password, typed or code(at), HERE, at))
    except Refused as refused:
        return refused.reason
    assert account.identifier == PHARMACY
    return methods


def test_both_right_prove_both_and_the_code_is_used_up(sign_in, t0):
    assert tried(sign_in, t0, name="75 001 2346") == (Method.PASSWORD, Method.TOTP)
    assert tried(sign_in, t0) is BOTH_WRONG, "a code works once"
    later = t0 + MINUTE
    assert tried(sign_in, later) == (Method.PASSWORD, Method.TOTP)


def test_I10_whatever_is_wrong_is_one_answer_and_both_are_looked_at(sign_in, factors, accounts, t0):
    accounts.create("NO-CODE", "Cabinet", "nurse", None, (), t0)
    assert tried(sign_in, t0, password="wrong") is BOTH_WRONG
    assert tried(sign_in, t0, typed=wrong_code(t0)) is BOTH_WRONG
    assert tried(sign_in, t0, password="wrong", typed="no code") is BOTH_WRONG
    assert tried(sign_in, t0, name="UNKNOWN") is BOTH_WRONG
    assert tried(sign_in, t0, name="NO-CODE") is BOTH_WRONG
    assert factors.asked == [True, False, False, False, False]


@pytest.mark.parametrize(("password", "right"), [(PASSWORD, True), ("wrong", False)])
def test_what_the_answer_does_not_tell_is_known_to_whoever_records_it(sign_in, t0, password, right):
    with pytest.raises(BothWrong) as refused:
        asyncio.run(sign_in.by_both(PHARMACY, password, wrong_code(t0), HERE, t0))
    assert refused.value.password_right is right


def test_a_locked_account_is_told_to_both_right_only(sign_in, accounts, t0):
    accounts.lock(PHARMACY, t0)
    assert tried(sign_in, t0, typed=wrong_code(t0)) is BOTH_WRONG
    assert tried(sign_in, t0) is Reason.ACCOUNT_LOCKED


def test_I3_a_race_of_wrong_codes_gets_five_tries_whatever_the_password(sign_in, factors, t0):
    async def one(number):
        try:
            await sign_in.by_both(PHARMACY, PASSWORD, f"{number:06}", HERE, t0)
        except Refused as refused:
            return refused.reason

    async def race():
        return await asyncio.gather(*map(one, range(30)))

    assert Counter(asyncio.run(race())) == {BOTH_WRONG: 5, Reason.THROTTLED: 25}
    assert len(factors.asked) == 5


def test_I3_codes_that_failed_elsewhere_and_here_are_counted_together(sign_in, factors, t0):
    for _ in range(3):
        with pytest.raises(Refused):
            sign_in.by_totp(PHARMACY, wrong_code(t0), HERE, t0)
    for _ in range(2):
        assert tried(sign_in, t0, typed=wrong_code(t0)) is BOTH_WRONG
        sign_in.count_code(PHARMACY, t0)
    assert tried(sign_in, t0) is Reason.THROTTLED
    with pytest.raises(Refused) as refused:
        sign_in.by_totp(PHARMACY, code(t0), HERE, t0)
    assert refused.value.reason is Reason.THROTTLED
    sign_in.count_code(PHARMACY, t0)
    later = t0 + MINUTE
    assert tried(sign_in, later) == (Method.PASSWORD, Method.TOTP), "what waits is not counted"


def test_a_password_that_must_be_changed_leaves_the_code_good(sign_in, accounts, t0):
    accounts.changes.ask([PHARMACY], Reason.PASSWORD_BREACHED, t0)
    with pytest.raises(MustChange):
        asyncio.run(sign_in.by_both(PHARMACY, PASSWORD, code(t0), HERE, t0))
    assert sign_in.by_totp(PHARMACY, code(t0), HERE, t0).method is Method.TOTP
