# SPDX-License-Identifier: EUPL-1.2
"""What operators do to accounts: the change, its event, and what a locked account loses (fault F9)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from console.acts import PHARMACY, T0, Acts

from gateway.console.account_operations import AccountOperations, account_handlers
from gateway.errors import HerseError
from gateway.identity import schema
from gateway.identity.accounts import Account, AccountError, Holder
from gateway.model import Event, EventKind

CREATE = {"identifier": PHARMACY, "title": "Pharmacie du Port", "profession": "pharmacist"}


class House(Acts):
    def __init__(self, folder):
        super().__init__(folder)
        operations = AccountOperations(self.accounts, self.sessions, self.append)
        self.handlers = account_handlers(operations, lambda: T0)


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
        T0,
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


def test_what_a_professional_reports_is_on_record_and_changes_nothing(house):
    house.accounts.create(PHARMACY, "Pharmacie du Port", "pharmacist", None, (), T0)
    told = {"identifier": PHARMACY, "at": T0.isoformat()}
    assert house.do("report", identifier="75 001 2346", event=7, reason="that was not me") == told
    assert house.do("report", identifier=PHARMACY, reason="called") == told
    reported = Event(EventKind.REPORTED, PHARMACY, T0, reason="that was not me", details="event 7")
    assert house.events == [reported, reported._replace(reason="called", details=None)]
    assert not house.accounts.find(PHARMACY).locked
    for event in (0, -1, "7", True):
        with pytest.raises(AccountError, match="as the event complained of"):
            house.do("report", identifier=PHARMACY, event=event, reason="x")
    for asked in ({"identifier": "999", "reason": "x"}, {"identifier": PHARMACY, "reason": ""}):
        with pytest.raises(AccountError):
            house.do("report", **asked)


def test_a_sleeping_account_is_woken_on_record_and_no_other(house):
    long_ago = T0 - timedelta(days=183)
    house.accounts.create(PHARMACY, "Pharmacie du Port", "pharmacist", None, (), long_ago)
    house.accounts.create("750012353", "Pharmacie du Pont", "pharmacist", None, (), long_ago + timedelta(days=1))
    assert house.do("wake", identifier="75 001 2346", reason="called back") == {"identifier": PHARMACY}
    assert house.accounts.find(PHARMACY).used_at == T0
    wrong = {"750012353": "does not sleep", PHARMACY: "does not sleep", "999": "there is no account"}
    for name, message in wrong.items():
        with pytest.raises(AccountError, match=message):
            house.do("wake", identifier=name, reason="x")
    with pytest.raises(AccountError, match="as reason"):
        house.do("wake", identifier=PHARMACY)
    assert house.events == [Event(EventKind.ACCOUNT_WOKEN, PHARMACY, T0, reason="called back")]


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


@pytest.fixture
def three(house):
    for name in ("A-1", "B-2", "C-3"):
        house.do("create", **(CREATE | {"identifier": name}))
        if name != "C-3":
            house.accounts.set_password(name, "$argon2id$", T0)
    house.events.clear()
    return house


def test_a_campaign_asks_once_and_tells_each_account(three):
    assert three.do("password-campaign", accounts=["b-2", "B-2"], reason=" leak of\nNovember ") == {"asked": 1}
    assert three.do("password-campaign", all=True, reason="everybody") == {"asked": 1}
    assert three.do("password-campaign", all=True, reason="again") == {"asked": 0}
    asked = EventKind.PASSWORD_CHANGE_ASKED
    assert three.events == [
        Event(asked, "B-2", T0, reason="leak of November"),
        Event(asked, "A-1", T0, reason="everybody"),
    ]
    assert three.accounts.find("A-1").must_change == "password-must-change"
    assert three.accounts.find("C-3").must_change is None  # no password, nothing to change
    three.accounts.set_password("A-1", "$argon2id$new", T0)
    since = {"reason": "password-must-change", "since": "2026-11-22T08:00:00+00:00"}
    campaigns = three.do("password-campaign-status")["campaigns"]
    assert sorted(campaigns, key=lambda one: one["note"]) == [
        {**since, "note": "everybody", "waiting": 0, "done": 1},
        {**since, "note": "leak of November", "waiting": 1, "done": 0},
    ]
    assert three.do("password-campaign", all=True, reason="again") == {"asked": 1}  # who has changed may be asked anew


@pytest.mark.parametrize(
    "arguments",
    [
        {"accounts": ["A-1", "NOBODY"], "reason": "x"},
        {"accounts": ["A-1", "C-3"], "reason": "x"},
        {"accounts": ["A-1", "no such!"], "reason": "x"},
        {"accounts": [], "reason": "x"},
        {"accounts": ["A-1"], "all": True, "reason": "x"},
        {"all": 1, "reason": "x"},
        {"all": True},
        {"all": True, "reason": "\n"},
    ],
)
def test_a_campaign_that_is_not_clear_asks_nobody(three, arguments):
    with pytest.raises(AccountError):
        three.do("password-campaign", **arguments)
    assert three.do("password-campaign-status") == {"campaigns": []}
    assert three.events == []


def test_a_campaign_over_many_accounts_stays_below_what_a_ledger_lets_wait(three):
    waiting = most = 0

    async def append(event):
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        await asyncio.sleep(0)
        waiting -= 1
        three.events.append(event)

    with three.engine.begin() as connection:
        rows = [
            {"identifier": f"N-{number}", "title": "t", "profession": "nurse", "password": b"x", "created_at": T0}
            for number in range(1200)
        ]
        connection.execute(schema.account.insert(), rows)
    operations = AccountOperations(three.accounts, three.sessions, append)
    assert asyncio.run(operations.ask_passwords(None, "all", T0)) == 1202
    assert len(three.events) == 1202
    assert most == 500
