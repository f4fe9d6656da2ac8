# SPDX-License-Identifier: EUPL-1.2
"""Accounts and their one-time codes: unique, bound to the account, used once under any race (faults I4, I8)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.accounts import Account, AccountError, Holder
from gateway.identity.at_rest import SealError
from gateway.identity.database import reading, writing
from gateway.identity.invitation import code_digest, new_code
from gateway.model import Reason

PHARMACY = "750012346"
WEEK = timedelta(days=7)


def refusal(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def test_I4_an_account_is_found_under_every_spelling(accounts, t0):
    found = accounts.find(" 75 001 2346 ")
    assert found == Account(
        PHARMACY,
        "Pharmacie du Port",
        "pharmacist",
        t0,
        holders=(Holder("Camille Durand", "10101010105"), Holder("Sacha Petit")),
    )
    assert accounts.find("750012347") is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((" 750012346", "T", "pharmacist", None, ()), "exists already"),
        (("a", "T", "pharmacist", None, ()), "as identifier"),
        (("NEW", "", "pharmacist", None, ()), "as title"),
        (("NEW", "T", "king", None, ()), "as profession"),
        (("NEW", "T", "nurse", "10003456789", ()), "as RPPS"),
        (("NEW", "T", "nurse", None, (Holder("\x00"),)), "as holder"),
        (("NEW", "T", "nurse", None, (Holder("A", "1"),)), "as RPPS"),
    ],
)
def test_a_bad_account_is_refused_whole(accounts, t0, values, message):
    with pytest.raises(AccountError, match=message):
        accounts.create(*values, t0)
    assert accounts.find("NEW") is None


def test_acts_on_an_unknown_account_say_so(accounts, t0):
    for act in (
        lambda: accounts.invite("NOBODY", t0, WEEK),
        lambda: accounts.lock("NOBODY", t0),
        lambda: accounts.unlock("NOBODY", t0),
        lambda: accounts.set_password("NOBODY", "hash", t0),
    ):
        with pytest.raises(AccountError, match="there is no account NOBODY"):
            act()
    assert accounts.password_hash("NOBODY") is None


def test_a_code_works_once_until_its_end(accounts, t0):
    code = accounts.invite(PHARMACY, t0, WEEK)
    assert refusal(lambda: accounts.redeem_invitation(PHARMACY, new_code(), t0)) is Reason.INVITATION_WRONG
    assert refusal(lambda: accounts.redeem_invitation(PHARMACY, code, t0 + WEEK)) is Reason.INVITATION_WRONG
    almost = t0 + WEEK - timedelta(microseconds=1)
    account = accounts.redeem_invitation(PHARMACY, f" {code.lower()} ", almost, encoded_hash="$argon2id$x")
    assert account.has_password
    assert accounts.password_hash(PHARMACY) == "$argon2id$x"
    assert refusal(lambda: accounts.redeem_invitation(PHARMACY, code, almost)) is Reason.INVITATION_WRONG


def test_a_new_code_kills_the_older_one(accounts, t0):
    old = accounts.invite(PHARMACY, t0, WEEK)
    new = accounts.invite(PHARMACY, t0, WEEK)
    assert refusal(lambda: accounts.redeem_invitation(PHARMACY, old, t0)) is Reason.INVITATION_WRONG
    assert accounts.redeem_invitation(PHARMACY, new, t0).identifier == PHARMACY


def test_I8_a_code_is_of_its_account_only(accounts, t0):
    accounts.create("OTHER", "Cabinet", "nurse", None, (), t0)
    code = accounts.invite(PHARMACY, t0, WEEK)
    accounts.invite("OTHER", t0, WEEK)
    assert refusal(lambda: accounts.redeem_invitation("OTHER", code, t0)) is Reason.INVITATION_WRONG
    assert refusal(lambda: accounts.redeem_invitation("NOBODY", code, t0)) is Reason.INVITATION_WRONG


def test_I8_a_code_raced_for_is_won_once(accounts, t0):
    code = accounts.invite(PHARMACY, t0, WEEK)

    def redeem(_):
        try:
            return accounts.redeem_invitation(PHARMACY, code, t0).identifier
        except Refused:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert sum(won is not None for won in pool.map(redeem, range(40))) == 1


def test_a_code_is_long_readable_and_stored_hashed(accounts, engine, t0):
    code = accounts.invite(PHARMACY, t0, WEEK)
    assert [len(group) for group in code.split("-")] == [4] * 6  # 24 base32 characters: 120 bits
    with reading(engine) as connection:
        (stored,) = connection.scalars(sa.select(schema.invitation.c.digest)).all()
    assert stored == code_digest(PHARMACY, code)
    assert code_digest("A", "OIB-Z") == code_digest("A", " 018 z")
    assert code_digest("A", "\uff2f\uff29\uff22\uff3a") != code_digest("A", "OIBZ")
    assert len(code_digest("A", "\ud800")) == 32
    assert len({new_code() for _ in range(100)}) == 100


def test_a_locked_account_is_told_to_a_right_code_only(accounts, t0):
    code = accounts.invite(PHARMACY, t0, WEEK)
    assert accounts.lock(PHARMACY, t0).locked
    assert refusal(lambda: accounts.redeem_invitation(PHARMACY, new_code(), t0)) is Reason.INVITATION_WRONG
    assert refusal(lambda: accounts.redeem_invitation(PHARMACY, code, t0)) is Reason.ACCOUNT_LOCKED
    with pytest.raises(AccountError, match="unlock it first"):
        accounts.invite(PHARMACY, t0, WEEK)
    assert not accounts.unlock(PHARMACY, t0).locked
    assert accounts.redeem_invitation(PHARMACY, code, t0).identifier == PHARMACY


def test_locking_twice_keeps_the_first_time(accounts, engine, t0):
    accounts.lock(PHARMACY, t0)
    accounts.lock(PHARMACY, t0 + WEEK)
    with reading(engine) as connection:
        assert connection.scalar(sa.select(schema.account.c.locked_at)) == t0


def test_a_password_hash_is_sealed_and_bound_to_its_account(accounts, engine, database, t0):
    accounts.create("OTHER", "Cabinet", "nurse", None, (), t0)
    accounts.set_password(PHARMACY, "$argon2id$canary", t0)
    assert not any(b"canary" in path.read_bytes() for path in database.parent.iterdir())
    row = schema.account.c
    with writing(engine) as connection:
        sealed = connection.scalar(sa.select(row.password).where(row.identifier == PHARMACY))
        connection.execute(schema.account.update().where(row.identifier == "OTHER").values(password=sealed))
    with pytest.raises(SealError):
        accounts.password_hash("OTHER")
