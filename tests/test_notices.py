# SPDX-License-Identifier: EUPL-1.2
"""Who is told what: the table of letters, their words, and an outbox that fails without stopping anything."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import create_database
from gateway.ledger.event import LedgerUnreadable
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import create_ledger, open_ledger
from gateway.mail.memory import MemoryOutbox
from gateway.model import AlertReason, Event, EventKind, Method
from gateway.notices import Alarms, Notices
from gateway.pages.letters import NOTICES, confirmation

AT = datetime(2026, 11, 22, 8, 5, tzinfo=UTC)
ORIGIN = "https://portail.example"
PHARMACY = "750012346"
ADDRESS = "pharmacie@exemple.example"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"


class House:
    def __init__(self, folder):
        self.engine = create_database(folder / "accounts.db")
        self.accounts = Accounts(self.engine, AtRest(bytes(32)))
        self.accounts.create(PHARMACY, "Pharmacie du Pont", "pharmacist", None, (), AT, ADDRESS)
        self.accounts.create("751112343", "Dr Rivière", "physician", None, (), AT)
        self.outbox = MemoryOutbox()
        self.notices = Notices(self.accounts, self.outbox, ORIGIN)

    def tell(self, kind, account=PHARMACY, to=None, **values):
        return self.notices.tell(Event(kind, account, AT, **values), to=to)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.engine.dispose()


def test_the_table_names_events_that_there_are():
    assert set(NOTICES) <= set(EventKind)


def test_what_anybody_does_all_day_is_silent(house):
    told = {
        EventKind.SIGN_IN, EventKind.SIGN_IN_FAILED, EventKind.SIGN_OUT, EventKind.STEP_UP, EventKind.STEP_UP_FAILED,
        EventKind.LOOKUP, EventKind.LOOKUP_MISSED, EventKind.ATTEMPT, EventKind.REFUSED, EventKind.CHALLENGED,
        EventKind.ACCOUNT_CREATED, EventKind.PASSWORD_CHANGE_ASKED,
    }  # fmt: skip
    for kind in told:
        assert house.tell(kind)
    assert house.outbox.letters == []


@pytest.mark.parametrize("kind", NOTICES)
def test_each_letter_says_what_when_and_what_to_do_in_both_languages(house, kind):
    reason = NOTICES[kind].reason or "le motif"
    assert house.tell(EventKind(kind), device=FIREFOX, network="192.0.2.14", method="otp", reason=reason)
    (letter,) = house.outbox.letters
    assert letter.to == ADDRESS
    french, english = letter.text.split("----------")
    assert "dimanche 22 novembre 2026, 9\u00a0h\u00a005 (heure de Paris, UTC+1)" in french
    assert "Sunday 22 November 2026, 09:05 (Paris time, UTC+1)" in english
    assert "Firefox sur Windows" in french
    assert "Firefox on Windows" in english
    for part in (french, english):
        assert f"{ORIGIN}/.herse/account/events" in part
        assert "Pharmacie du Pont" in part
        assert "192.0.2.14" in part
        assert "support" in part
    assert "36" not in letter.text
    assert reason not in letter.text  # what operators write to each other
    assert PHARMACY not in letter.text  # an identifier is half of a password sign-in
    assert "ticket" not in letter.text


def test_a_means_of_signing_in_is_named(house):
    house.tell(EventKind.FACTOR_ADDED, method=Method.PASSKEY)
    (letter,) = house.outbox.letters
    assert "Moyen\u00a0: clé d\u2019accès" in letter.text
    assert "Means: passkey" in letter.text


@pytest.mark.parametrize("device", ["https://evil.example/verify your password", "", "curlé \u202e"])
def test_what_a_stranger_may_write_is_not_in_the_letter(house, device):
    house.tell(EventKind.FACTOR_ADDED, device=device)
    (letter,) = house.outbox.letters
    assert "evil" not in letter.text
    assert "appareil inconnu" in letter.text or "curl" in letter.text


def test_one_act_is_one_letter_that_tells_all_of_it(house):
    acts = (EventKind.SIGN_OUT, EventKind.PASSWORD_SET, EventKind.DEVICE_NEW, EventKind.SIGN_IN)
    assert house.notices.tell(*(Event(kind, PHARMACY, AT, method="invite") for kind in acts))
    (letter,) = house.outbox.letters
    assert letter.subject == "Un nouveau mot de passe a été choisi"
    french, english = letter.text.split("----------")
    assert "L\u2019ancien n\u2019ouvre plus rien" in french
    assert "depuis un appareil qui n\u2019y avait pas encore servi" in french
    assert french.count("Quand") == 1
    assert "Means: activation code" in english


def test_a_means_is_named_where_it_is_what_the_holder_must_know(house):
    house.tell(EventKind.PASSWORD_SET, method="pwd+otp")
    assert "Means:" not in house.outbox.letters[0].text


def test_an_act_on_two_accounts_is_told_to_each_of_its_own(house):
    house.accounts.create("751234567", "Cabinet du Lac", "nurse", None, (), AT, "lac@exemple.example")
    told = (Event(EventKind.DEVICE_NEW, PHARMACY, AT), Event(EventKind.PASSWORD_SET, "751234567", AT))
    assert house.notices.tell(*told)
    assert {(letter.to, letter.subject) for letter in house.outbox.letters} == {
        (ADDRESS, "Connexion depuis un nouvel appareil"),
        ("lac@exemple.example", "Un nouveau mot de passe a été choisi"),
    }


def test_what_a_delegate_does_is_told_as_his_and_not_under_a_name_that_somebody_typed(house):
    house.tell(EventKind.DEVICE_NEW, holder="Lou https://evil.example", delegate="d-1")
    house.tell(EventKind.DELEGATION_GIVEN, holder="Camille Martin", delegate="d-1")
    by_delegate, given = house.outbox.letters
    assert "Par\u00a0: un collaborateur à qui un accès est donné" in by_delegate.text
    assert "By: an employee who was given access" in by_delegate.text
    assert "evil" not in by_delegate.text
    assert "By:" not in given.text


def test_an_operators_act_has_no_device(house):
    house.tell(EventKind.ACCOUNT_LOCKED)
    assert "Appareil" not in house.outbox.letters[0].text


def test_in_summer_the_offset_is_that_of_summer(house):
    house.notices.tell(Event(EventKind.PASSWORD_SET, PHARMACY, datetime(2026, 7, 1, 8, tzinfo=UTC)))
    assert "10\u00a0h\u00a000 (heure de Paris, UTC+2)" in house.outbox.letters[0].text


def test_nobody_is_told_without_an_address_or_an_account(house):
    assert house.tell(EventKind.PASSWORD_SET, "751112343")
    assert house.tell(EventKind.PASSWORD_SET, "NOBODY")
    assert house.outbox.letters == []


def test_an_old_address_is_told_instead(house):
    house.tell(EventKind.MAIL_CHANGED, "751112343", "ancienne@exemple.example")
    assert [letter.to for letter in house.outbox.letters] == ["ancienne@exemple.example"]


def test_a_letter_that_cannot_be_kept_is_said_and_stops_nothing(house, caplog):
    house.outbox.fail()
    assert not house.tell(EventKind.PASSWORD_SET)
    assert house.tell(EventKind.SIGN_IN)
    (record,) = caplog.records
    assert (record.message, record.kind, record.error) == ("notice-not-kept", "password-set", "OutboxError")
    assert ADDRESS not in str(vars(record))


def test_a_bad_address_in_the_database_stops_nothing(house):
    assert not house.tell(EventKind.PASSWORD_SET, to="a@b\r\nBcc: c@d.fr")
    assert house.outbox.letters == []


@pytest.mark.parametrize("reason", sorted(set(AlertReason) - {AlertReason.RISK_HIGH}))
def test_an_alert_of_less_than_high_risk_is_silent(house, reason):
    assert house.tell(EventKind.ALERTED, reason=str(reason))
    assert house.outbox.letters == []


def test_a_letter_about_an_alert_holds_no_figure_and_no_patient(house):
    figures = "high risk: 30 patients in 60 s"
    house.tell(EventKind.ALERTED, reason="risk-high", details=figures, pseudonym=b"x" * 16)
    (letter,) = house.outbox.letters
    assert letter.subject == "Activité inhabituelle sur votre compte"
    assert not re.search(r"(?i)\b(30|60|high risk|robot)\b", letter.text)


class Watched:
    """A house whose ledger is watched for alerts."""

    def __init__(self, folder):
        self.house = House(folder)
        create_ledger(folder / "ledger.db")
        self.ledger, self.reader = open_ledger(folder / "ledger.db"), LedgerReader(folder / "ledger.db")
        self.alarms = Alarms(self.reader, self.house.notices)

    def happens(self, *hours, account=PHARMACY, reason="risk-high", kind=EventKind.ALERTED):
        self.ledger.append_now([Event(kind, account, AT + timedelta(hours=one), reason=reason) for one in hours])

    def letters(self):
        asyncio.run(self.alarms.look())
        return [letter.to for letter in self.house.outbox.letters]

    def close(self):
        self.reader.close()
        self.ledger.close()
        self.house.engine.dispose()


@pytest.fixture
def watched(tmp_path):
    watched = Watched(tmp_path)
    yield watched
    watched.close()


def test_an_alert_of_high_risk_is_told_once_a_day_whoever_raised_it(watched):
    assert watched.letters() == []
    watched.happens(0, reason="risk-elevated")
    watched.happens(0, 0, 1)
    watched.happens(0, account="751112343")
    watched.happens(0, kind=EventKind.REFUSED)
    assert watched.letters() == [ADDRESS], "the other account has no address"
    watched.happens(2, 14)  # until 23:05 in Paris
    assert watched.letters() == [ADDRESS]
    watched.happens(15, 16)
    assert watched.letters() == [ADDRESS] * 2, "a new day"


def test_after_a_restart_nothing_is_told_twice_and_nothing_of_before(watched):
    watched.happens(0)
    assert watched.letters() == [], "of before the first look"
    watched.happens(1)
    assert watched.letters() == [], "not the first of its day"
    watched.happens(24)
    assert watched.letters() == [ADDRESS]


def test_a_ledger_that_cannot_be_read_is_read_again(watched, tmp_path):
    watched.letters()
    watched.happens(0)
    watched.reader.close()
    hidden = (tmp_path / "ledger.db").rename(tmp_path / "hidden.db")
    with pytest.raises(LedgerUnreadable):
        watched.letters()
    hidden.rename(tmp_path / "ledger.db")
    assert watched.letters() == [ADDRESS]


def test_a_confirmation_says_for_which_account_how_long_and_what_it_is_not():
    subject, text = confirmation("Pharmacie du Pont", ORIGIN, "T" * 43, AT)
    assert subject == "Confirmez votre adresse électronique"
    assert text.count(f"{ORIGIN}/.herse/account/mail/confirm?ticket={'T' * 43}\n") == 2
    assert "Pharmacie du Pont" in text
    assert "9\u00a0h\u00a005" in text
    assert "ne connecte personne" in text
    assert "signs nobody in" in text
