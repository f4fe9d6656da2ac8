# SPDX-License-Identifier: EUPL-1.2
"""The mail address of an account: one form, one change that waits, one use of its ticket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import Refused
from gateway.identity.accounts import AccountError, Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import create_database
from gateway.identity.mail_address import MailAddresses, parse_mail_address
from gateway.model import Reason

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(hours=24)
ONE, TWO = "750012346", "751234567"
NEW = "new@exemple.example"


class House:
    def __init__(self, folder):
        self.path = folder / "accounts.db"
        self.engine = create_database(self.path)
        self.accounts = Accounts(self.engine, AtRest(bytes(32)))
        self.accounts.create(ONE, "One", "pharmacist", None, (), T0, "one@exemple.example")
        self.accounts.create(TWO, "Two", "pharmacist", None, (), T0)
        self.addresses = MailAddresses(self.engine)

    def mail(self, name=ONE):
        return self.accounts.find(name).mail


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.engine.dispose()


def refused(reason, call, *arguments):
    with pytest.raises(Refused) as caught:
        call(*arguments)
    assert caught.value.reason is reason
    return caught.value.retry_after_seconds


def test_an_address_has_one_form():
    assert parse_mail_address(" Anne.Roux@Exemple.EXAMPLE ") == "Anne.Roux@exemple.example"
    for text in ("", "anne", "a@b@c.fr", "a@b.fr\n", "é@b.fr"):
        with pytest.raises(AccountError, match="expected one such as") as caught:
            parse_mail_address(text)
        assert text == "" or text not in str(caught.value)


def test_an_account_is_created_with_an_address_or_not_at_all(house):
    assert house.mail() == "one@exemple.example"
    assert house.mail(TWO) is None
    with pytest.raises(AccountError):
        house.accounts.create("A-3", "Three", "nurse", None, (), T0, "three")
    assert house.accounts.find("A-3") is None


def test_an_operator_sets_it_and_what_waited_is_dropped(house):
    ticket, _ = house.addresses.ask(ONE, NEW, T0)
    assert house.addresses.set(" 75 001 2346", None) == "one@exemple.example"
    assert house.mail() is None
    refused(Reason.MAIL_LINK_WRONG, house.addresses.confirm, ONE, ticket, T0)
    assert house.addresses.set(ONE, NEW) is None
    assert house.mail() == NEW
    with pytest.raises(AccountError, match="there is no account"):
        house.addresses.set("NOBODY", NEW)


def test_a_change_waits_until_it_is_confirmed_once(house):
    ticket, change = house.addresses.ask(ONE, NEW, T0)
    assert house.mail() == "one@exemple.example"
    assert house.addresses.waiting(ONE, T0) == change
    assert change.expires_at == T0 + DAY
    assert house.addresses.asked(ONE, ticket, T0) == change
    assert house.addresses.confirm(ONE, ticket, T0 + DAY - MINUTE) == NEW
    assert house.mail() == NEW
    assert house.addresses.waiting(ONE, T0) is None
    refused(Reason.MAIL_LINK_WRONG, house.addresses.confirm, ONE, ticket, T0 + MINUTE)


def test_of_many_at_once_one_confirms(house):
    ticket, _ = house.addresses.ask(ONE, NEW, T0)

    def confirm(_):
        try:
            return house.addresses.confirm(ONE, ticket, T0)
        except Refused:
            return None

    with ThreadPoolExecutor(4) as pool:
        assert [found for found in pool.map(confirm, range(8)) if found] == [NEW]


def test_a_ticket_is_of_one_account_and_dies(house):
    ticket, _ = house.addresses.ask(ONE, NEW, T0)
    house.addresses.ask(TWO, "two@exemple.example", T0)
    for account, text, at in (
        (TWO, ticket, T0),
        (ONE, "", T0),
        (ONE, ticket + "x", T0),
        (ONE, "\ud800", T0),
        (ONE, ticket, T0 + DAY),
    ):
        refused(Reason.MAIL_LINK_WRONG, house.addresses.asked, account, text, at)
        refused(Reason.MAIL_LINK_WRONG, house.addresses.confirm, account, text, at)
    assert house.addresses.waiting(ONE, T0 + DAY) is None
    assert house.mail() == "one@exemple.example"


def test_a_newer_ticket_kills_the_older_and_dropping_kills_both(house):
    first, _ = house.addresses.ask(ONE, NEW, T0)
    second, _ = house.addresses.ask(ONE, NEW, T0 + MINUTE)
    refused(Reason.MAIL_LINK_WRONG, house.addresses.asked, ONE, first, T0 + MINUTE)
    assert house.addresses.drop(ONE, T0 + MINUTE)
    assert not house.addresses.drop(ONE, T0 + MINUTE)
    refused(Reason.MAIL_LINK_WRONG, house.addresses.confirm, ONE, second, T0 + MINUTE)


def test_tickets_are_not_in_the_file(house):
    ticket, _ = house.addresses.ask(ONE, NEW, T0)
    assert all(ticket.encode() not in file.read_bytes() for file in house.path.parent.iterdir())


def test_one_a_minute_and_ten_a_day_whatever_is_dropped(house):
    at = T0
    for asked in range(10):
        if asked:
            assert refused(Reason.MAIL_TOO_OFTEN, house.addresses.may_ask, ONE, at - timedelta(seconds=29.5)) == 30
            assert refused(Reason.MAIL_TOO_OFTEN, house.addresses.ask, ONE, NEW, at - MINUTE) == 60
        house.addresses.ask(ONE, NEW, at)
        house.addresses.drop(ONE, at)
        at += MINUTE
    house.addresses.ask(TWO, NEW, at)
    assert refused(Reason.MAIL_TOO_OFTEN, house.addresses.may_ask, ONE, T0 + DAY - MINUTE) == 60
    house.addresses.may_ask(ONE, T0 + DAY)
    house.addresses.ask(ONE, NEW, T0 + DAY)
