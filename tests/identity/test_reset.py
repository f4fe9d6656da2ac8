# SPDX-License-Identifier: EUPL-1.2
"""A ticket by mail sets a password once, begins a quarantine, and is bound to one address and 30 minutes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.accounts import Accounts
from gateway.identity.breached import Breached
from gateway.identity.database import open_database, reading, writing
from gateway.identity.failures import Failures
from gateway.identity.password import PasswordHasher, TooWeak
from gateway.identity.reset import LIFETIME, NOT_AGAIN_FOR, Resets
from gateway.identity.throttle import Throttle
from gateway.model import Method, Reason
from support.racing import race

PHARMACY = "750012346"
MAIL = "pharmacie@example.org"
NEW = "grand cheval bleu mange lentement"
NETWORK = "192.0.2.1"
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def hasher():
    hasher = PasswordHasher(1, 10, test_cost=True)
    yield hasher
    hasher.close()


@pytest.fixture
def resets(engine, accounts, hasher, t0):
    accounts.set_password(PHARMACY, "old hash", t0)
    write(engine, mail=MAIL)
    return Resets(engine, accounts, hasher, Throttle(3, 100), Breached())


def write(engine, **values):
    with writing(engine) as connection:
        connection.execute(schema.account.update().values(**values))


def kept(engine):
    with reading(engine) as connection:
        return connection.execute(sa.select(schema.reset)).all()


def refusal(act, *arguments):
    with pytest.raises(Refused) as refused:
        act(*arguments)
    return refused.value.reason


def test_a_ticket_sets_the_password_once_and_begins_the_quarantine(resets, accounts, engine, t0):
    asked = resets.ask(PHARMACY, t0)
    assert (asked.account.mail, len(asked.ticket)) == (MAIL, 43)
    assert asked.ticket not in repr(asked)
    assert asked.ticket.encode() not in b"".join(row.digest for row in kept(engine))
    for _ in range(3):
        assert resets.find(asked.ticket, t0).identifier == PHARMACY  # looking uses nothing up
    assert accounts.find(PHARMACY).quarantined_at is None

    later = t0 + LIFETIME - INSTANT
    resets.finish(asked.ticket, "new hash", later)
    assert accounts.password_hash(PHARMACY) == "new hash"
    assert accounts.find(PHARMACY).quarantined_at == later
    assert refusal(resets.find, asked.ticket, later) is Reason.RESET_TICKET_WRONG
    assert refusal(resets.finish, asked.ticket, "third", later) is Reason.RESET_TICKET_WRONG
    assert accounts.password_hash(PHARMACY) == "new hash"


def test_a_ticket_lives_30_minutes(resets, t0):
    ticket = resets.ask(PHARMACY, t0).ticket
    assert refusal(resets.find, ticket, t0 + LIFETIME) is Reason.RESET_TICKET_WRONG
    assert refusal(resets.finish, ticket, "x", t0 + LIFETIME) is Reason.RESET_TICKET_WRONG


def test_one_ticket_lives_and_none_is_sent_right_after_another(resets, t0):
    first = resets.ask(PHARMACY, t0).ticket
    again = resets.ask(PHARMACY, t0 + NOT_AGAIN_FOR - INSTANT)
    assert (again.account.identifier, again.ticket) == (PHARMACY, None)
    assert resets.find(first, t0 + NOT_AGAIN_FOR).identifier == PHARMACY
    second = resets.ask(PHARMACY, t0 + NOT_AGAIN_FOR).ticket
    assert refusal(resets.find, first, t0 + NOT_AGAIN_FOR) is Reason.RESET_TICKET_WRONG
    assert resets.find(second, t0 + NOT_AGAIN_FOR).identifier == PHARMACY


@pytest.mark.parametrize("ticket", ["", "x", "x" * 43, "\ud800", "\x00", "A" * 10_000])
def test_no_other_text_is_a_ticket(resets, ticket, t0):
    resets.ask(PHARMACY, t0)
    assert refusal(resets.find, ticket, t0) is Reason.RESET_TICKET_WRONG
    assert refusal(resets.finish, ticket, "x", t0) is Reason.RESET_TICKET_WRONG


@pytest.mark.parametrize("values", [{"mail": None}, {"locked_at": 1}, {"password": None}, {"created_at": 2}])
def test_who_gets_no_letter(resets, engine, t0, values):
    when = {"locked_at": t0, "created_at": t0 - timedelta(days=183)}
    write(engine, **{name: when.get(name, value) for name, value in values.items()})
    asked = resets.ask(PHARMACY, t0)
    assert (asked.account.identifier, asked.ticket) == (PHARMACY, None)
    assert kept(engine) == []
    assert resets.ask("UNKNOWN", t0) is None


def test_a_ticket_dies_with_the_address_the_lock_and_any_other_new_password(resets, accounts, engine, t0):
    ticket = resets.ask(PHARMACY, t0).ticket
    write(engine, mail="other@example.org")
    assert refusal(resets.find, ticket, t0) is Reason.RESET_TICKET_WRONG
    assert refusal(resets.finish, ticket, "x", t0) is Reason.RESET_TICKET_WRONG
    write(engine, mail=MAIL, locked_at=t0)
    assert refusal(resets.find, ticket, t0) is Reason.ACCOUNT_LOCKED
    assert refusal(resets.finish, ticket, "x", t0) is Reason.ACCOUNT_LOCKED
    write(engine, locked_at=None)
    accounts.set_password(PHARMACY, "chosen otherwise", t0)
    assert refusal(resets.finish, ticket, "x", t0) is Reason.RESET_TICKET_WRONG
    assert accounts.password_hash(PHARMACY) == "chosen otherwise"
    assert accounts.find(PHARMACY).quarantined_at is None


def test_a_second_reset_keeps_the_first_beginning(resets, accounts, t0):
    resets.finish(resets.ask(PHARMACY, t0).ticket, "one", t0)
    later = t0 + timedelta(hours=1)
    resets.finish(resets.ask(PHARMACY, later).ticket, "two", later)
    assert accounts.password_hash(PHARMACY) == "two"
    assert accounts.find(PHARMACY).quarantined_at == t0


def test_codes_given_out_before_are_dead(resets, accounts, t0):
    code = accounts.invite(PHARMACY, t0, DAY)
    resets.finish(resets.ask(PHARMACY, t0).ticket, "one", t0)
    assert accounts.invited(PHARMACY, code, t0) is None
    assert refusal(accounts.redeem_invitation, PHARMACY, code, t0) is Reason.INVITATION_WRONG


def test_wrong_passwords_are_forgiven_and_wrong_codes_are_not(resets, engine, t0):
    failures = Failures(engine)
    for factor in (Method.PASSWORD, Method.TOTP):
        for _ in range(5):
            failures.failed(PHARMACY, factor, t0)
    resets.finish(resets.ask(PHARMACY, t0).ticket, "one", t0)
    failures.check(PHARMACY, Method.PASSWORD, t0)
    assert refusal(failures.check, PHARMACY, Method.TOTP, t0) is Reason.THROTTLED


def test_a_new_password_is_judged_before_anything_is_used_up(resets, accounts, hasher, t0):
    ticket = resets.ask(PHARMACY, t0).ticket

    def hashed(password, ticket=ticket):
        return asyncio.run(resets.hash_new(ticket, password, NETWORK, t0))

    for weak in ("court", "Camille Durand 1980"):
        with pytest.raises(TooWeak):
            hashed(weak)
    assert asyncio.run(hasher.verify(hashed(NEW), NEW))
    assert refusal(hashed, NEW) is Reason.THROTTLED  # a fourth time
    assert refusal(hashed, NEW, "x" * 43) is Reason.RESET_TICKET_WRONG
    assert resets.find(ticket, t0).identifier == PHARMACY


def test_asking_is_throttled_alike_for_known_and_unknown(resets):
    for name in (PHARMACY, "UNKNOWN"):
        assert [resets.admit(f" {name[:3]} {name[3:]}".lower(), NETWORK) for _ in range(3)] == [name] * 3
        assert refusal(resets.admit, name, "198.51.100.1") is Reason.THROTTLED
    assert [resets.admit("no/body", NETWORK) for _ in range(3)] == [None] * 3
    assert refusal(resets.admit, "né", NETWORK) is Reason.THROTTLED


def test_a_restart_keeps_the_ticket_and_the_quarantine(resets, database, at_rest, hasher, t0):
    ticket = resets.ask(PHARMACY, t0).ticket
    again = open_database(database)
    accounts = Accounts(again, at_rest)
    resets = Resets(again, accounts, hasher, Throttle(), Breached())
    resets.finish(ticket, "one", t0)
    again.dispose()
    once_more = open_database(database)
    assert Accounts(once_more, at_rest).find(PHARMACY).quarantined_at == t0
    once_more.dispose()


def test_of_a_hundred_uses_of_one_ticket_in_two_processes_one_wins(resets, accounts, database, t0):
    ticket = resets.ask(PHARMACY, t0).ticket
    outcomes = race(database, "ticket", ticket, PHARMACY, t0.isoformat(), "50")
    assert outcomes == {PHARMACY: 1, "reset-ticket-wrong": 99}
    assert accounts.password_hash(PHARMACY).startswith("hash ")
