# SPDX-License-Identifier: EUPL-1.2
"""Support agents: one is nobody without password and code together, and ends nothing without another."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pyotp
import pytest
import sqlalchemy as sa

from gateway.errors import HerseError
from gateway.identity import quarantine, schema
from gateway.identity.accounts import AccountError
from gateway.identity.agents import AgentError, Agents
from gateway.identity.database import reading, writing
from gateway.identity.failures import Failures
from gateway.identity.password import PasswordHasher
from gateway.identity.release import AGREED_FOR, Releases
from gateway.identity.throttle import Throttle

PHARMACY = "750012346"
PASSWORD = "cinq mots pour ouvrir la porte"
WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)


class Desk:
    """Two agents with their code applications."""

    def __init__(self, engine, accounts, at_rest, at):
        self.hasher = PasswordHasher(1, 100, test_cost=True)
        self.agents = Agents(engine, at_rest, self.hasher, Throttle(20, 1000), Failures(engine))
        self.releases = Releases(engine, accounts)
        made = {name: asyncio.run(self.agents.create(name, PASSWORD, at)) for name in ("marie", "paul")}
        self.secrets = {name: secret for name, (secret, _) in made.items()}
        self.uri = made["marie"][1]

    def code(self, name, at):
        return pyotp.TOTP(self.secrets[name]).at(at)

    def prove(self, name, at, password=PASSWORD, code=None):
        asyncio.run(self.agents.prove(name, password, self.code(name, at) if code is None else code, at))

    def agree(self, agent, at, reason="called back"):
        return self.releases.agree(PHARMACY, agent, reason, at, WEEK)


@pytest.fixture
def desk(engine, accounts, at_rest, t0):
    desk = Desk(engine, accounts, at_rest, t0)
    yield desk
    desk.hasher.close()


@pytest.fixture
def quarantined(engine, desk, t0):
    with writing(engine) as connection:
        quarantine.begin(connection, PHARMACY, t0)
    return desk


def said(act, *arguments, **more):
    with pytest.raises(HerseError) as error:
        act(*arguments, **more)
    return str(error.value)


def test_an_agent_proves_himself_by_both_at_once(desk, t0):
    desk.prove("marie", t0)
    assert desk.uri.startswith("otpauth://totp/")
    wrong = [
        said(desk.prove, "marie", t0, password="another password of words"),
        said(desk.prove, "marie", t0, code="000000" if desk.code("marie", t0) != "000000" else "000001"),
        said(desk.prove, "marie", t0, code=desk.code("paul", t0)),
        said(desk.prove, "nobody", t0, code="123456"),
        said(desk.prove, "a/b" * 99, t0, code="123456"),
    ]
    assert set(wrong) == {"the name, the password or the code of the agent is not right; this try is counted"}


def test_a_code_of_an_agent_works_once(desk, t0):
    desk.prove("marie", t0)
    assert "used already" in said(desk.prove, "marie", t0)
    desk.prove("marie", t0 + MINUTE)
    code = desk.code("paul", t0)
    together = Barrier(4)

    def use(_):
        together.wait()
        try:
            desk.prove("paul", t0, code=code)
        except AgentError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


def test_failures_of_an_agent_are_durable_and_his_own(desk, engine, at_rest, t0):
    for _ in range(5):
        said(desk.prove, "marie", t0, code="x")
    again = Agents(engine, at_rest, desk.hasher, Throttle(), Failures(engine))
    with pytest.raises(AgentError, match="counts in 60 seconds"):
        asyncio.run(again.prove("marie", PASSWORD, desk.code("marie", t0), t0))
    desk.prove("paul", t0)
    desk.prove("marie", t0 + MINUTE)


def test_tries_of_an_agent_are_throttled(desk, t0):
    for number in range(20):
        desk.prove("marie", t0 + number * MINUTE)
    assert "too many tries" in said(desk.prove, "marie", t0 + 30 * MINUTE)


@pytest.mark.parametrize("name", ["", "a", "Marie", "a b", "x" * 33, "-a", "é" * 3, "a/b"])
def test_names_of_agents(desk, name, t0):
    with pytest.raises(AgentError, match="as name of an agent"):
        asyncio.run(desk.agents.create(name, PASSWORD, t0))


def test_agents_are_created_once_with_a_good_password_listed_and_removed(desk, t0):
    with pytest.raises(AgentError, match="exists already"):
        asyncio.run(desk.agents.create("marie", PASSWORD, t0))
    with pytest.raises(AgentError, match="guessed too quickly"):
        asyncio.run(desk.agents.create("jean", "court", t0))
    assert [(one.name, one.created_at) for one in desk.agents.all()] == [("marie", t0), ("paul", t0)]
    desk.agents.remove("marie")
    assert [one.name for one in desk.agents.all()] == ["paul"]
    assert "there is no agent" in said(desk.agents.remove, "marie")
    assert "is not right" in said(desk.prove, "marie", t0)


def test_nothing_of_an_agent_is_kept_in_clear(desk, engine):
    with reading(engine) as connection:
        rows = connection.execute(sa.select(schema.agent)).all()
    kept = b"".join(row.password + row.secret for row in rows)
    assert b"argon2" not in kept
    assert all(secret.encode() not in kept for secret in desk.secrets.values())


def test_two_agents_end_a_quarantine_and_get_a_code_for_the_holder(quarantined, accounts, t0):
    first = quarantined.agree("marie", t0)
    assert (first.account, first.until, first.first, first.code) == (PHARMACY, t0 + AGREED_FOR, None, None)
    assert accounts.find(PHARMACY).quarantined_at == t0
    second = quarantined.agree("paul", t0 + AGREED_FOR - INSTANT)
    assert (second.first, second.until) == ("marie", t0 + AGREED_FOR - INSTANT + WEEK)
    assert second.code not in repr(second)
    assert accounts.find(PHARMACY).quarantined_at is None
    assert accounts.redeem_invitation(PHARMACY, second.code, t0 + AGREED_FOR).identifier == PHARMACY
    assert "is in no quarantine" in said(quarantined.agree, "marie", t0 + AGREED_FOR)


def test_one_agent_alone_ends_nothing(quarantined, accounts, t0):
    quarantined.agree("marie", t0)
    for after in (INSTANT, AGREED_FOR - INSTANT):
        assert "agent marie has agreed already" in said(quarantined.agree, "marie", t0 + after)
    renewed = quarantined.agree("marie", t0 + AGREED_FOR)  # begins anew, still alone
    assert renewed.code is None
    assert accounts.find(PHARMACY).quarantined_at == t0


def test_an_old_agreement_counts_no_more(quarantined, accounts, t0):
    quarantined.agree("marie", t0)
    at = t0 + AGREED_FOR
    assert "agent marie agreed more than 30 minutes ago" in said(quarantined.agree, "paul", at)
    assert accounts.find(PHARMACY).quarantined_at == t0
    assert quarantined.agree("paul", at).code is None
    assert quarantined.agree("marie", at).code is not None


def test_an_agreement_is_for_one_quarantine_and_of_an_agent_that_exists(quarantined, accounts, engine, t0):
    quarantined.agree("marie", t0)
    with writing(engine) as connection:
        quarantine.end(connection, PHARMACY)
        quarantine.begin(connection, PHARMACY, t0 + MINUTE)
    assert quarantined.agree("paul", t0 + MINUTE).code is None
    quarantined.agents.remove("paul")
    assert quarantined.agree("marie", t0 + MINUTE).code is None
    assert "was removed meanwhile" in said(quarantined.agree, "paul", t0 + MINUTE)
    assert accounts.find(PHARMACY).quarantined_at == t0 + MINUTE


def test_an_account_that_could_not_use_the_code_stays_in_quarantine(quarantined, accounts, t0):
    quarantined.agree("marie", t0)
    accounts.lock(PHARMACY, t0)
    with pytest.raises(AccountError, match="is locked"):
        quarantined.agree("paul", t0)
    assert accounts.find(PHARMACY).quarantined_at == t0
    accounts.unlock(PHARMACY, t0)
    assert quarantined.agree("paul", t0).code is not None


def test_unknown_accounts_are_told(desk, t0):
    with pytest.raises(AccountError, match="there is no account"):
        desk.releases.agree("UNKNOWN", "marie", "x", t0, WEEK)


def test_of_parallel_seconds_one_gets_a_code(quarantined, t0):
    quarantined.agree("marie", t0)
    together = Barrier(6)

    def second(_):
        together.wait()
        try:
            return quarantined.agree("paul", t0).code
        except AgentError:
            return None

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(second, range(6)))
    assert sum(code is not None for code in codes) == 1
