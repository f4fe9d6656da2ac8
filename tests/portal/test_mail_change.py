# SPDX-License-Identifier: EUPL-1.2
"""Changing the account's mail address: strong proof, both addresses written to, a link that alone does nothing."""

from __future__ import annotations

import re

import pytest

from gateway.identity.database import writing
from gateway.identity.quarantine import begin
from gateway.model import EventKind

from .world import DOCTOR, JSON, PHARMACY

PAGE = "/.herse/account/mail"
OLD, NEW = "ancienne@exemple.example", "nouvelle@exemple.example"


@pytest.fixture
def mailed(world):
    world.doors.mail_addresses.set(PHARMACY, OLD)
    return world


@pytest.fixture
def proved(mailed):
    browser = mailed.browser()
    browser.sign_in()
    browser.step_up(mailed.code())
    mailed.outbox.letters.clear()
    return browser


def mail(world, account=PHARMACY):
    return world.accounts.find(account).mail


def ticket(world, to=NEW):
    return re.search(r"\?ticket=([A-Za-z0-9_-]{43})\n", world.outbox.to(to)[-1].text)[1]


def test_who_is_not_signed_in_is_sent_to_sign_in_and_comes_back_with_the_ticket(mailed, browser):
    for path in (PAGE, f"{PAGE}/confirm?ticket=abc"):
        answer = browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/.herse/sign-in?to=")
    for path in (PAGE, f"{PAGE}/cancel", f"{PAGE}/confirm"):
        assert browser.post(path, {"mail": NEW, "ticket": "x"}, **JSON).status_code == 401


def test_the_page_shows_a_part_of_the_address_and_the_way_to_a_proof(mailed):
    browser = mailed.browser()
    browser.sign_in()
    text = browser.get(PAGE).text
    assert "a…@exemple.example" in text
    assert OLD not in text
    assert 'name="mail"' not in text
    assert browser.get(PAGE, **JSON).json() == {
        "account": PHARMACY, "current": "a…@exemple.example", "waiting": None, "may_change": False, "until": None,
    }  # fmt: skip
    assert f'href="{PAGE}"' in browser.get("/.herse/account").text


def test_a_quarantine_forgets_the_change_that_waited(mailed, proved):
    """Who once got at a strong session must not get the address by the mailbox afterwards."""
    proved.post(PAGE, {"mail": NEW})
    kept = ticket(mailed)
    with writing(mailed.engine) as connection:
        begin(connection, PHARMACY, mailed.now)
    assert proved.post(f"{PAGE}/confirm", {"ticket": kept}).status_code == 400
    assert mail(mailed) == OLD
    assert proved.get(PAGE, **JSON).json()["waiting"] is None


def test_a_password_alone_changes_nothing(mailed):
    browser = mailed.browser()
    browser.sign_in()
    answer = browser.post(PAGE, {"mail": NEW})
    assert answer.headers["location"].startswith("/.herse/step-up?to=")
    assert browser.json(PAGE, {"mail": NEW}).json()["type"].endswith("proof-too-old")
    assert EventKind.MAIL_CHANGE_ASKED not in mailed.kinds()
    assert mailed.outbox.to(NEW) == []


def test_a_proof_of_long_ago_or_from_elsewhere_changes_nothing(mailed, proved):
    token = proved.token
    mailed.later(minutes=16)
    assert proved.json(PAGE, {"mail": NEW}).status_code == 401
    proved.step_up(mailed.code())
    thief = mailed.browser("198.51.100.7")
    thief.plant(proved.token)
    assert token != proved.token
    assert thief.json(PAGE, {"mail": NEW}).status_code == 401
    assert mailed.doors.mail_addresses.waiting(PHARMACY, mailed.now) is None


def test_from_the_question_to_the_new_address(mailed, proved):
    assert proved.post(PAGE, {"mail": " Nouvelle@Exemple.example "}).headers["location"] == PAGE
    (told,) = mailed.outbox.to(OLD)  # at once, before anybody confirms
    assert "changement d\u2019adresse électronique a été demandé" in told.text
    (asked,) = mailed.outbox.to("Nouvelle@exemple.example")
    assert asked.subject == "Confirmez votre adresse électronique"
    assert mail(mailed) == OLD
    shown = proved.get(PAGE).text
    assert "Nouvelle@exemple.example" in shown
    assert "Envoyer un autre message" in shown
    link = f"{PAGE}/confirm?ticket={ticket(mailed, 'Nouvelle@exemple.example')}"
    confirming = proved.get(link)
    assert "Confirmer cette adresse" in confirming.text
    assert mail(mailed) == OLD  # a mail program that opens links changes nothing
    fields = {"ticket": link.partition("=")[2]}
    assert proved.post(f"{PAGE}/confirm", fields).headers["location"] == PAGE
    assert mail(mailed) == "Nouvelle@exemple.example"
    assert [letter.subject for letter in mailed.outbox.to(OLD)] == [
        "Un changement d\u2019adresse électronique est demandé",
        "L\u2019adresse électronique de votre compte a changé",
    ]
    assert len(mailed.outbox.letters) == 3
    assert mailed.kinds()[:2] == [EventKind.MAIL_CHANGED, EventKind.MAIL_CHANGE_ASKED]
    again = proved.json(f"{PAGE}/confirm", fields)
    assert (again.status_code, again.json()["type"]) == (400, "urn:herse:reason:mail-link-wrong")


def test_the_link_of_another_account_does_nothing(mailed, proved):
    proved.post(PAGE, {"mail": NEW})
    found = ticket(mailed)
    other = mailed.browser()
    other.sign_in(DOCTOR)
    assert other.get(f"{PAGE}/confirm?ticket={found}").status_code == 400
    assert other.post(f"{PAGE}/confirm", {"ticket": found}).status_code == 400
    assert mail(mailed, DOCTOR) is None
    assert mail(mailed) == OLD
    assert EventKind.MAIL_CHANGED not in mailed.kinds(DOCTOR)


def test_a_link_dies_after_a_day(mailed, proved):
    proved.post(PAGE, {"mail": NEW})
    mailed.later(hours=24)
    browser = mailed.browser()
    browser.sign_in()
    assert browser.get(f"{PAGE}/confirm?ticket={ticket(mailed)}").status_code == 400
    assert "Changement en attente" not in browser.get(PAGE).text


def test_a_mail_that_never_arrives_is_asked_for_again_and_the_first_link_dies(mailed, proved):
    proved.post(PAGE, {"mail": NEW})
    first = ticket(mailed)
    soon = proved.json(PAGE, {"mail": NEW})
    assert (soon.status_code, soon.headers["retry-after"]) == (429, "60")
    assert "Un message vient de partir" in proved.post(PAGE, {"mail": NEW}).text
    mailed.later(minutes=1)
    assert proved.json(PAGE, {"mail": NEW}).json()["waiting"] == NEW
    assert len(mailed.outbox.to(NEW)) == 2
    assert proved.get(f"{PAGE}/confirm?ticket={first}").status_code == 400
    assert proved.json(f"{PAGE}/confirm", {"ticket": ticket(mailed)}).json()["current"] == "n…@exemple.example"


def test_a_change_is_cancelled_by_whoever_is_signed_in(mailed, proved):
    proved.post(PAGE, {"mail": NEW})
    holder = mailed.browser()
    holder.sign_in()
    assert NEW not in holder.get(PAGE).text  # the address of a thief or a slip: masked without a proof
    assert holder.post(f"{PAGE}/cancel").headers["location"] == PAGE
    assert proved.get(f"{PAGE}/confirm?ticket={ticket(mailed)}").status_code == 400
    assert holder.json(f"{PAGE}/cancel", {}).json() == {"account": PHARMACY, "dropped": 0}


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nouvelle",
        "a@b@c.fr",
        "é@exemple.example",
        f"{NEW}\r\nBcc: c@d.fr",
        f"{NEW},x@y.fr",
        OLD,
        f" {OLD} ",
        "x" * 300,
    ],
)
def test_what_is_no_other_address_is_told_and_sends_nothing(mailed, proved, address):
    answer = proved.post(PAGE, {"mail": address})
    assert answer.status_code == 400
    assert "Adresse non retenue" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert proved.json(PAGE, {"mail": address}).json()["type"].endswith("mail-address-wrong")
    assert mailed.outbox.letters == []
    assert EventKind.MAIL_CHANGE_ASKED not in mailed.kinds()


def test_without_a_letter_nothing_changes(mailed, proved):
    mailed.outbox.fail()
    answer = proved.post(PAGE, {"mail": NEW})
    assert answer.status_code == 503
    assert "Messages en panne" in answer.text
    assert mailed.doors.mail_addresses.waiting(PHARMACY, mailed.now) is None
    mailed.outbox.mend()
    proved.post(PAGE, {"mail": NEW})
    mailed.outbox.fail()
    answer = proved.json(f"{PAGE}/confirm", {"ticket": ticket(mailed)})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:herse:reason:mail-unavailable")
    assert mail(mailed) == OLD
    mailed.outbox.mend()
    proved.post(f"{PAGE}/confirm", {"ticket": ticket(mailed)})
    assert mail(mailed) == NEW


def test_a_confirmation_that_cannot_be_kept_leaves_no_change_that_waits(mailed, proved):
    mailed.doors.mail_addresses.set(PHARMACY, None)  # nobody to tell: the confirmation is the first letter
    mailed.outbox.fail()
    assert proved.json(PAGE, {"mail": NEW}).status_code == 503
    assert mailed.doors.mail_addresses.waiting(PHARMACY, mailed.now) is None


def test_an_account_without_an_address_gets_one(mailed, proved):
    mailed.doors.mail_addresses.set(PHARMACY, None)
    assert "Absente" in proved.get(PAGE).text
    proved.post(PAGE, {"mail": NEW})
    assert [letter.to for letter in mailed.outbox.letters] == [NEW]
    proved.post(f"{PAGE}/confirm", {"ticket": ticket(mailed)})
    assert mail(mailed) == NEW


def test_a_ledger_that_fails_lets_nothing_change_and_nobody_is_told(failing):
    failing.doors.mail_addresses.set(PHARMACY, OLD)
    browser = failing.browser()
    browser.sign_in()
    browser.step_up(failing.code())
    browser.post(PAGE, {"mail": NEW})
    found = ticket(failing)
    failing.outbox.letters.clear()
    failing.later(minutes=2)
    failing.ledger.fail()
    assert browser.post(PAGE, {"mail": NEW}).status_code == 503
    assert browser.post(f"{PAGE}/confirm", {"ticket": found}).status_code == 503
    assert failing.outbox.letters == []
    assert mail(failing) == OLD


def test_a_form_of_another_site_changes_nothing(mailed, proved):
    for path in (PAGE, f"{PAGE}/cancel", f"{PAGE}/confirm"):
        assert proved.post(path, {"mail": NEW}, origin="https://evil.example").status_code == 403
    assert mailed.outbox.letters == []


def test_other_events_of_these_pages_are_told_to_the_address(mailed):
    browser = mailed.browser()
    browser.sign_in()
    mailed.outbox.letters.clear()
    browser.step_up(mailed.code())
    browser.step_up(mailed.wrong_code())
    assert mailed.outbox.letters == []  # every day
    secret = browser.json("/.herse/account/factors", {}).json()["secret"]
    mailed.secrets[PHARMACY] = secret
    browser.post("/.herse/account/factors", {"code": mailed.code()})
    (letter,) = mailed.outbox.to(OLD)
    assert letter.subject == "Un moyen de connexion a été ajouté"
    assert secret not in letter.text
    assert mailed.code() not in letter.text


def test_an_outbox_that_fails_stops_no_security_act(mailed):
    browser = mailed.browser()
    browser.sign_in()
    browser.step_up(mailed.code())
    mailed.outbox.fail()
    secret = browser.json("/.herse/account/factors", {}).json()["secret"]
    mailed.secrets[PHARMACY] = secret
    assert browser.post("/.herse/account/factors", {"code": mailed.code()}).headers["location"] == "/.herse/account"
