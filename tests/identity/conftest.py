# SPDX-License-Identifier: EUPL-1.2
"""For the tests of this room: a real database in a folder of its own, with one account in it; and passkeys over it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.identity.accounts import Accounts, Holder
from gateway.identity.at_rest import AtRest
from gateway.identity.database import create_database
from support.passkey_house import House

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PHARMACY = "750012346"


@pytest.fixture
def database(tmp_path):
    return tmp_path / "accounts.db"


@pytest.fixture
def engine(database):
    engine = create_database(database)
    yield engine
    engine.dispose()


@pytest.fixture
def at_rest():
    return AtRest(bytes(range(32)))


@pytest.fixture
def accounts(engine, at_rest):
    accounts = Accounts(engine, at_rest)
    holders = [Holder("Camille Durand", "10101010105"), Holder("Sacha Petit")]
    accounts.create(PHARMACY, "Pharmacie du Port", "pharmacist", None, holders, T0)
    return accounts


@pytest.fixture
def account(accounts):
    return accounts.find(PHARMACY)


@pytest.fixture
def t0():
    return T0


@pytest.fixture
def house(engine, accounts, t0):
    """The passkeys of two accounts."""
    return House(engine, accounts, t0)


@pytest.fixture
def mine(house):
    """A passkey of the first one."""
    key = house.key(counter=3)
    house.add(key)
    return key
