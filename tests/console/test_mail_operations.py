# SPDX-License-Identifier: EUPL-1.2
"""An operator changes the mail address of an account: what is done, recorded and told, and what is said if not."""

from __future__ import annotations

import pytest
from console.acts import PHARMACY, T0, Acts

from gateway.console.account_operations import AccountOperations, account_handlers
from gateway.console.mail_operations import MailOperations, mail_handlers
from gateway.errors import HerseError, LedgerError
from gateway.identity.accounts import AccountError
from gateway.identity.mail_address import MailAddresses
from gateway.mail.memory import MemoryOutbox
from gateway.model import Event, EventKind
from gateway.notices import Notices

OLD, NEW = "ancienne@exemple.example", "nouvelle@exemple.example"


class House(Acts):
    def __init__(self, folder):
        super().__init__(folder)
        self.outbox = MemoryOutbox()
        notices = Notices(self.accounts, self.outbox, "https://portail.example")
        operations = AccountOperations(self.accounts, self.sessions, self.append, notices)
        mail = MailOperations(MailAddresses(self.engine), self.append, notices)
        self.handlers = account_handlers(operations, lambda: T0) | mail_handlers(mail, lambda: T0)

    def change(self, address, identifier=PHARMACY, reason="a call"):
        return self.do("mail", identifier=identifier, address=address, reason=reason)

    @property
    def mail(self):
        return self.accounts.find(PHARMACY).mail


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    house.do("create", identifier=PHARMACY, title="Pharmacie du Port", profession="pharmacist", mail=OLD)
    house.events.clear()
    yield house
    house.engine.dispose()


def test_a_change_is_recorded_and_the_old_address_is_told(house):
    assert house.change(NEW) == {"identifier": PHARMACY, "address": True, "told": True}
    assert house.mail == NEW
    assert house.events == [Event(EventKind.MAIL_CHANGED, PHARMACY, T0, reason="a call")]
    assert [letter.to for letter in house.outbox.letters] == [OLD]
    assert house.change(None) == {"identifier": PHARMACY, "address": False, "told": True}
    assert house.change(NEW)["told"] is False
    assert [letter.to for letter in house.outbox.letters] == [OLD, NEW]


@pytest.mark.parametrize(
    "values",
    [
        {"identifier": "NOBODY", "address": NEW, "reason": "x"},
        {"identifier": PHARMACY, "address": "a@b", "reason": "x"},
        {"identifier": PHARMACY, "address": 1, "reason": "x"},
        {"identifier": PHARMACY, "address": NEW, "reason": " "},
        {"identifier": PHARMACY, "address": NEW},
        {"address": NEW, "reason": "x"},
    ],
)
def test_what_cannot_be_done_is_said_and_not_recorded(house, values):
    with pytest.raises(AccountError):
        house.do("mail", **values)
    assert (house.mail, house.events, house.outbox.letters) == (OLD, [], [])


def test_a_change_without_its_event_says_so_and_tells_nobody(house):
    house.broken = True
    with pytest.raises(LedgerError, match="is changed, but the event could not be recorded"):
        house.change(NEW)
    assert house.mail == NEW
    assert house.outbox.letters == []


def test_a_change_without_its_letter_says_so(house):
    house.outbox.fail()
    with pytest.raises(HerseError, match="tell the holder another way"):
        house.change(NEW)
    assert house.mail == NEW
    assert len(house.events) == 1


def test_operators_acts_on_an_account_are_told_and_none_waits_for_a_letter(house):
    house.do("lock", identifier=PHARMACY, reason="leaked")
    house.outbox.fail()
    house.do("unlock", identifier=PHARMACY, reason="called back")
    house.outbox.mend()
    house.do("invite", identifier=PHARMACY, valid_for_seconds=60)
    assert [(letter.to, letter.subject) for letter in house.outbox.letters] == [
        (OLD, "Votre compte est bloqué"),
        (OLD, "Un code d\u2019activation a été créé"),
    ]
    assert "leaked" not in house.outbox.letters[0].text
    house.broken = True
    with pytest.raises(LedgerError):
        house.do("lock", identifier=PHARMACY, reason="x")
    assert len(house.outbox.letters) == 2
