# SPDX-License-Identifier: EUPL-1.2
"""What operators do to accounts: the change, its event, and what a locked account loses (fault F9)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.account_operations import AccountOperations, account_handlers
from gateway.errors import HerseError, LedgerError
from gateway.identity.accounts import Account, AccountError, Accounts, Holder
from gateway.identity.at_rest import AtRest
from gateway.identity.schema import create_database
from gateway.identity.session import Sessions
from gateway.model import Event, EventKind

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PHARMACY = "750012346"
CREATE = {"identifier": PHARMACY, "title": "Pharmacie du Port", "profession": "pharmacist"}


class House:
    def __init__(self, folder):
        self.engine = create_database(folder / "accounts.db")
        self.accounts = Accounts(self.engine, AtRest(bytes(32)))
        self.sessions = Sessions(self.engine, timedelta(minutes=30), timedelta(hours=4))
        self.events = []
        self.broken = False
        operations = AccountOperations(self.accounts, self.sessions, self.append)
        self.handlers = account_handlers(operations, lambda: T0)

    async def append(self, event):
        if self.broken:
            raise LedgerError("the disk is full")
        self.events.append(event)

    def do(self, command, **arguments):
        return asyncio.run(self.handlers[f"account.{command}"](arguments))


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.engine.dispose()


def test_an_account_from_creation_to_its_code(house):
    created = house.do("create", **CREATE, rpps="10101010105", holders=["Anne Roux", "Jean Petit, 99700218896"])
    assert created == {"identifier": PHARMACY}
    assert house.accounts.find(PHARMACY) == Account(
        PHARMACY,
        "Pharmacie du Port",
        "pharmacist",
        "10101010105",
        (Holder("Anne Roux"), Holder("Jean Petit", "99700218896")),
    )
    invited = house.do("invite", identifier=" 75 0012346", valid_for_seconds=7 * 86_400)
    assert (invited["identifier"], invited["valid_until"]) == (PHARMACY, "2026-11-29T08:00:00+00:00")
    assert house.accounts.redeem_invitation(PHARMACY, invited["code"], T0).identifier == PHARMACY
    assert house.events == [Event(EventKind.ACCOUNT_CREATED, PHARMACY, T0), Event(EventKind.INVITED, PHARMACY, T0)]


def test_F9_locking_ends_the_sessions(house):
    house.do("create", **CREATE)
    token, session = house.sessions.open(house.accounts.find(PHARMACY), [], T0, None, None)
    assert house.do("lock", identifier=PHARMACY, reason=" leaked\npassword ") == {
        "identifier": PHARMACY,
        "sessions_ended": 1,
    }
    assert house.sessions.find(token.encode(), T0) is None
    assert session.ended
    assert house.accounts.find(PHARMACY).locked
    house.do("unlock", identifier=PHARMACY, reason="called back")
    assert not house.accounts.find(PHARMACY).locked
    assert house.events[1:] == [
        Event(EventKind.ACCOUNT_LOCKED, PHARMACY, T0, reason="leaked password"),
        Event(EventKind.ACCOUNT_UNLOCKED, PHARMACY, T0, reason="called back"),
    ]


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("create", {**CREATE, "profession": "king"}, "as profession"),
        ("create", {**CREATE, "title": None}, "as title"),
        ("create", {**CREATE, "rpps": 1}, "as rpps"),
        ("create", {**CREATE, "holders": "A"}, "list of texts"),
        ("create", {**CREATE, "holders": [1]}, "list of texts"),
        ("create", {**CREATE, "holders": ["Anne, 123"]}, "as RPPS"),
        ("invite", {"identifier": PHARMACY, "valid_for_seconds": 60}, "there is no account"),
        ("invite", {"identifier": PHARMACY, "valid_for_seconds": 0}, "1 s to 30 days"),
        ("invite", {"identifier": PHARMACY, "valid_for_seconds": 31 * 86_400}, "1 s to 30 days"),
        ("invite", {"identifier": PHARMACY, "valid_for_seconds": True}, "1 s to 30 days"),
        ("invite", {"identifier": PHARMACY}, "1 s to 30 days"),
        ("lock", {"identifier": PHARMACY, "reason": "x"}, "there is no account"),
        ("lock", {"identifier": PHARMACY, "reason": " "}, "as reason"),
        ("lock", {"identifier": PHARMACY}, "as reason"),
        ("unlock", {"reason": "x"}, "as identifier"),
        ("unlock", {"identifier": "é", "reason": "x"}, "as identifier"),
    ],
)
def test_what_cannot_be_done_is_said_and_not_recorded(house, command, arguments, message):
    with pytest.raises(AccountError, match=message):
        house.do(command, **arguments)
    assert house.events == []


def test_a_change_without_its_event_says_so(house):
    house.do("create", **CREATE)
    house.broken = True
    with pytest.raises(
        HerseError, match="is made, but its event account-locked could not be recorded: the disk is full"
    ):
        house.do("lock", identifier=PHARMACY, reason="x")
    assert house.accounts.find(PHARMACY).locked


@pytest.mark.parametrize("valid_for", [timedelta(0), timedelta(seconds=-1), timedelta(days=30, microseconds=1)])
def test_an_invitation_lives_a_month_at_most(house, valid_for):
    house.do("create", **CREATE)
    operations = AccountOperations(house.accounts, house.sessions, house.append)
    with pytest.raises(AccountError, match="at most 30 days"):
        asyncio.run(operations.invite(PHARMACY, T0, valid_for))
