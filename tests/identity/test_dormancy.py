# SPDX-License-Identifier: EUPL-1.2
"""Sleep, to its exact moment: what counts as use, what wakes, and that whoever guesses learns nothing of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import Refused
from gateway.identity.accounts import AccountError
from gateway.identity.dormancy import NOTED_ANEW, SLEEPS_AFTER, asleep, wakes
from gateway.identity.failures import Failures
from gateway.identity.otp import Factors
from gateway.identity.password import PasswordHasher
from gateway.identity.sign_in import SignIn
from gateway.identity.throttle import Throttle
from gateway.model import Method, Reason

PHARMACY = "750012346"
PASSWORD = "cinq mots pour ouvrir la porte"
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def hasher():
    hasher = PasswordHasher(1, 100, test_cost=True)
    yield hasher
    hasher.close()


@pytest.fixture
def sign_in(engine, accounts, at_rest, hasher, t0):
    accounts.set_password(PHARMACY, asyncio.run(hasher.hash(PASSWORD)), t0)
    throttle = Throttle(per_account=1000, per_network=1000)
    return SignIn(accounts, Factors(engine, at_rest), hasher, throttle, Failures(engine))


def reason_of(awaited):
    with pytest.raises(Refused) as refused:
        asyncio.run(awaited)
    return refused.value.reason


def test_an_account_never_used_sleeps_183_days_after_it_was_made(account, t0):
    assert timedelta(days=183) == SLEEPS_AFTER
    assert not asleep(account, t0 + SLEEPS_AFTER - INSTANT)
    assert asleep(account, t0 + SLEEPS_AFTER)


def test_a_use_counts_from_itself_and_is_written_once_a_day(accounts, account, t0):
    used = t0 + timedelta(days=100)
    accounts.dormancy.used(account, used)
    account = accounts.find(PHARMACY)
    assert account.used_at == used
    assert not asleep(account, used + SLEEPS_AFTER - INSTANT)
    assert asleep(account, used + SLEEPS_AFTER)
    accounts.dormancy.used(account, used + NOTED_ANEW - INSTANT)
    assert accounts.find(PHARMACY).used_at == used
    accounts.dormancy.used(account, used + NOTED_ANEW)
    assert accounts.find(PHARMACY).used_at == used + NOTED_ANEW


def test_the_card_and_the_provider_wake_and_nothing_else_does():
    waking = {Method.SMART_CARD, Method.SSO, Method.SSO_CARD}
    for method in Method:
        assert wakes([method]) == (method in waking)
    assert wakes([Method.PASSWORD, Method.SMART_CARD])
    assert not wakes([])


def test_support_wakes_by_any_spelling_and_only_what_exists(accounts, t0):
    late = t0 + timedelta(days=400)
    assert accounts.dormancy.wake(" 75 001 2346 ", late) == PHARMACY
    assert not asleep(accounts.find(PHARMACY), late)
    with pytest.raises(AccountError, match="there is no account 999999999"):
        accounts.dormancy.wake("999999999", late)
    with pytest.raises(AccountError, match="does not sleep"):
        accounts.dormancy.wake(PHARMACY, late + SLEEPS_AFTER - INSTANT)
    assert accounts.find(PHARMACY).used_at == late
    assert accounts.dormancy.wake(PHARMACY, late + SLEEPS_AFTER) == PHARMACY


def test_a_right_password_is_told_of_the_sleep_and_a_wrong_one_is_not(accounts, sign_in, t0):
    late = t0 + SLEEPS_AFTER
    assert reason_of(sign_in.by_password(PHARMACY, "wrong", "192.0.2.1", late)) is Reason.CREDENTIALS_WRONG
    assert reason_of(sign_in.by_password("999999999", PASSWORD, "192.0.2.1", late)) is Reason.CREDENTIALS_WRONG
    assert reason_of(sign_in.by_password(PHARMACY, PASSWORD, "192.0.2.1", late)) is Reason.ACCOUNT_ASLEEP
    accounts.lock(PHARMACY, late)
    assert reason_of(sign_in.by_password(PHARMACY, PASSWORD, "192.0.2.1", late)) is Reason.ACCOUNT_LOCKED


def test_a_sleeping_account_is_not_asked_for_a_new_password_before_it_is_awake(accounts, sign_in, t0):
    late = t0 + SLEEPS_AFTER
    accounts.changes.ask([PHARMACY], Reason.PASSWORD_MUST_CHANGE, late)
    assert reason_of(sign_in.by_password(PHARMACY, PASSWORD, "192.0.2.1", late)) is Reason.ACCOUNT_ASLEEP
    accounts.dormancy.wake(PHARMACY, late)
    assert reason_of(sign_in.by_password(PHARMACY, PASSWORD, "192.0.2.1", late)) is Reason.PASSWORD_MUST_CHANGE


def test_an_old_invitation_opens_nothing_and_stays_alive_until_the_account_is_awake(accounts, sign_in, t0):
    code = accounts.invite(PHARMACY, t0 + timedelta(days=170), timedelta(days=30))
    late = t0 + timedelta(days=190)
    new = "grand cheval bleu mange lentement"
    before = accounts.password_hash(PHARMACY)
    assert reason_of(sign_in.by_invitation(PHARMACY, code, new, "192.0.2.1", late)) is Reason.ACCOUNT_ASLEEP
    assert accounts.password_hash(PHARMACY) == before
    assert reason_of(sign_in.by_invitation(PHARMACY, "WRONG", new, "192.0.2.1", late)) is Reason.INVITATION_WRONG
    with pytest.raises(AccountError, match=f"herse account wake {PHARMACY}"):
        accounts.invite(PHARMACY, late, timedelta(days=1))
    accounts.dormancy.wake(PHARMACY, late)
    assert asyncio.run(sign_in.by_invitation(PHARMACY, code, new, "192.0.2.1", late)).identifier == PHARMACY


def test_an_account_that_was_just_invited_does_not_sleep(accounts, t0):
    code = accounts.invite(PHARMACY, t0 + timedelta(days=150), timedelta(days=30))
    assert accounts.redeem_invitation(PHARMACY, code, t0 + timedelta(days=179)).identifier == PHARMACY
