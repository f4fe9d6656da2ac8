# SPDX-License-Identifier: EUPL-1.2
"""What ends a quarantine, and what does not: only what the thief of a mailbox could not have made since."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from gateway.errors import Refused
from gateway.identity import quarantine, schema
from gateway.identity.accounts import AccountError
from gateway.identity.database import writing
from gateway.identity.otp import Factors
from gateway.identity.quarantine import Quarantines
from gateway.model import Method, Proof, Reason

PHARMACY = "750012346"
INSTANT = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def quarantines(engine, accounts, t0):
    with writing(engine) as connection:
        assert quarantine.begin(connection, PHARMACY, t0)
    return Quarantines(engine)


@pytest.fixture
def factors(engine, at_rest):
    return Factors(engine, at_rest)


def ends(quarantines, *methods, at):
    try:
        return quarantines.ended_by(PHARMACY, [Proof(method, at) for method in methods])
    except Refused as refused:
        return refused.reason


def passkey(engine, name, added_at, used_at):
    row = {
        "id": name.encode(),
        "account": PHARMACY,
        "reference": name,
        "public_key": b"",
        "sign_count": 0,
        "name": name,
    }
    with writing(engine) as connection:
        connection.execute(schema.passkey.insert().values(**row, added_at=added_at, last_used_at=used_at))


def test_a_second_beginning_changes_nothing(quarantines, engine, t0):
    with writing(engine) as connection:
        assert not quarantine.begin(connection, PHARMACY, t0 + HOUR)
    assert quarantines.since(PHARMACY) == t0
    assert quarantines.since("UNKNOWN") is None


def test_it_ends_once(quarantines):
    assert quarantines.end(PHARMACY)
    assert quarantines.since(PHARMACY) is None
    assert not quarantines.end(PHARMACY)


def link(engine, linked_at):
    row = {"reference": "l", "account": PHARMACY, "issuer": "https://i", "subject": "s", "name": "x", "rpps": None}
    with writing(engine) as connection:
        connection.execute(schema.sso_link.insert().values(**row, linked_at=linked_at))


def test_the_provider_ends_it_if_it_was_linked_before(quarantines, engine, t0):
    assert ends(quarantines, Method.SSO, at=t0 + HOUR) is Reason.ACCOUNT_QUARANTINED
    link(engine, t0)
    assert ends(quarantines, Method.SSO_CARD, at=t0 + HOUR) is Reason.ACCOUNT_QUARANTINED
    with writing(engine) as connection:
        connection.execute(schema.sso_link.delete())
    link(engine, t0 - INSTANT)
    for method in (Method.SSO, Method.SSO_CARD):
        assert ends(quarantines, Method.PASSWORD, method, at=t0 + HOUR) is method


def test_the_card_ends_it_weak_proofs_leave_it_and_a_recovery_code_is_refused(quarantines, t0):
    at = t0 + HOUR
    for methods in ((Method.SMART_CARD,), (Method.PASSWORD, Method.SMART_CARD)):
        assert ends(quarantines, *methods, at=at) is Method.SMART_CARD
    for weak in ((Method.PASSWORD,), (Method.PASSWORD, Method.INVITATION), ()):
        assert ends(quarantines, *weak, at=at) is None
    for method in (Method.RECOVERY, Method.TOTP, Method.PASSKEY):  # the account has none from before
        assert ends(quarantines, Method.PASSWORD, method, at=at) is Reason.ACCOUNT_QUARANTINED
    assert quarantines.since(PHARMACY) == t0  # asking ends nothing


def test_every_method_is_judged(quarantines, t0):
    outcomes = {method: ends(quarantines, method, at=t0 + HOUR) for method in Method}
    assert {method for method, outcome in outcomes.items() if outcome is method} == {Method.SMART_CARD}
    assert {method for method, outcome in outcomes.items() if outcome is None} == {Method.PASSWORD, Method.INVITATION}


def test_outside_quarantine_nothing_is_refused(quarantines, t0):
    quarantines.end(PHARMACY)
    assert all(ends(quarantines, method, at=t0) is None for method in Method)


@pytest.mark.parametrize(("added", "outcome"), [(-INSTANT, Method.TOTP), (INSTANT * 0, None), (INSTANT, None)])
def test_a_code_application_counts_if_it_is_from_before(quarantines, factors, t0, added, outcome):
    factors.add_totp(PHARMACY, pyotp.random_base32(), t0 + added)
    found = ends(quarantines, Method.PASSWORD, Method.TOTP, at=t0 + HOUR)
    assert found is (outcome or Reason.ACCOUNT_QUARANTINED)


def test_a_passkey_counts_if_the_very_one_is_from_before(quarantines, engine, t0):
    at = t0 + HOUR
    passkey(engine, "old", t0 - INSTANT, t0)
    passkey(engine, "new", t0, at)
    assert ends(quarantines, Method.PASSKEY, at=at) is Reason.ACCOUNT_QUARANTINED
    passkey(engine, "used", t0 - INSTANT, at)
    assert ends(quarantines, Method.PASSKEY, at=at) is Method.PASSKEY


def test_no_operator_alone_gives_a_code_in_quarantine(quarantines, accounts, t0):
    with pytest.raises(AccountError, match="herse account release 750012346"):
        accounts.invite(PHARMACY, t0, HOUR)
    quarantines.end(PHARMACY)
    assert accounts.invite(PHARMACY, t0, HOUR)
