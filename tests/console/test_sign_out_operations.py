# SPDX-License-Identifier: EUPL-1.2
"""Forced sign-out: the sessions of a list or of all end at once, each account is told, nobody is locked."""

from __future__ import annotations

import pytest
from console.acts import PHARMACY, T0, Acts

from gateway.console.sign_out_operations import SignOutOperations
from gateway.console.switch_commands import sign_out_handlers
from gateway.errors import HerseError, LedgerError
from gateway.model import Event, EventKind

DOCTOR, NURSE = "751234567", "NURSE-1"


class House(Acts):
    """Three accounts: two sessions, one, none."""

    def __init__(self, folder):
        super().__init__(folder)
        self.handlers = sign_out_handlers(SignOutOperations(self.accounts, self.sessions, self.append), lambda: T0)
        for name, count in ((PHARMACY, 2), (DOCTOR, 1), (NURSE, 0)):
            account = self.accounts.create(name, f"Cabinet {name}", "pharmacist", None, (), T0)
            for _ in range(count):
                self.sessions.open(account, [], T0, None, None)

    def left(self):
        return [len(self.sessions.of_account(name)) for name in (PHARMACY, DOCTOR, NURSE)]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.engine.dispose()


def event(name, count):
    return Event(EventKind.SESSIONS_ENDED, name, T0, reason="vol", details=f"sessions: {count}")


def test_a_list_is_signed_out_whatever_else_stands_in_it(house):
    done = house.do("sign-out", accounts=["75 001 2346", PHARMACY, "NOBODY", NURSE, "é"], reason="vol")
    assert done == {"accounts": 2, "sessions_ended": 2, "unknown": ["NOBODY", "é"]}
    assert house.left() == [0, 1, 0]
    assert house.events == [event(PHARMACY, 2), event(NURSE, 0)]


def test_all_are_signed_out_and_may_sign_in_again(house):
    assert house.do("sign-out", all=True, reason="vol") == {"accounts": 2, "sessions_ended": 3, "unknown": []}
    assert house.left() == [0, 0, 0]
    assert house.events == [event(PHARMACY, 2), event(DOCTOR, 1)]
    token, _ = house.sessions.open(house.accounts.find(PHARMACY), [], T0, None, None)
    assert house.sessions.find(token.encode(), T0) is not None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"reason": "vol"}, "expected either accounts by name or all"),
        ({"reason": "vol", "accounts": []}, "expected either accounts by name or all"),
        ({"reason": "vol", "accounts": [PHARMACY], "all": True}, "expected either accounts by name or all"),
        ({"reason": "vol", "accounts": PHARMACY}, "expected a list of texts"),
        ({"reason": "vol", "accounts": [1]}, "expected a list of texts"),
        ({"reason": " ", "all": True}, "as reason; expected"),
        ({"all": True}, "found None as reason"),
    ],
)
def test_what_is_not_clear_signs_nobody_out(house, arguments, told):
    with pytest.raises(HerseError, match=told):
        house.do("sign-out", **arguments)
    assert house.left() == [2, 1, 0]
    assert house.events == []


def test_a_ledger_that_failed_keeps_nobody_signed_in(house):
    house.broken = True
    with pytest.raises(LedgerError, match="its event sessions-ended could not be recorded"):
        house.do("sign-out", all=True, reason="vol")
    assert house.left() == [0, 0, 0]


def test_more_than_the_ledger_takes_at_once(house):
    for number in range(1_200):
        account = house.accounts.create(f"A-{number:04}", "Cabinet", "nurse", None, (), T0)
        if number % 100 == 0:
            house.sessions.open(account, [], T0, None, None)
    names = [f"A-{number:04}" for number in range(1_200)]
    assert house.do("sign-out", accounts=names, reason="vol")["sessions_ended"] == 12
    assert len(house.events) == 1_200
    assert [name for name in names if house.sessions.of_account(name)] == []
