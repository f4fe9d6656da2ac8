# SPDX-License-Identifier: EUPL-1.2
"""A forgotten password, by mail: one answer for everybody, no session, quarantine until the holder is proved."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from portal.mailbox import (
    MAIL,
    NEW,
    PHARMACY,
    RESET,
    RESET_NEW,
    ask,
    give_mail,
    quarantined,
    settle,
    take_over,
    tickets,
)
from portal.world import levels

from gateway.model import EventKind, Level

PASSWORD = "cinq mots pour ouvrir la porte"
JSON = {"accept": "application/json"}
REPLACED = "a été remplacé par un lien reçu par courriel"


def test_the_whole_way(mailed, browser):
    before = mailed.browser()
    before.sign_in()
    page = browser.get("/.herse/sign-in").text
    assert f'href="{RESET}"' in page
    assert 'name="identifier"' in browser.get(RESET).text
    answer = ask(mailed, browser)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{RESET}?asked=1")
    assert "Si ce compte existe, un message est parti" in browser.get(f"{RESET}?asked=1").text
    (letter,) = mailed.outbox.to(MAIL)[-1:]
    assert PHARMACY not in letter.text
    (ticket,) = tickets(mailed)

    for _ in range(3):  # a scanner opens it too
        assert 'name="password"' in browser.get(f"{RESET_NEW}?ticket={ticket}").text
    answer = browser.post(RESET_NEW, {"ticket": ticket, "password": NEW})
    assert (answer.status_code, answer.headers["location"]) == (303, "/.herse/sign-in?after=reset")
    assert browser.token is None
    assert mailed.sessions.of_account(PHARMACY) == []
    assert before.get("/.herse/account").status_code == 303
    assert "nouveau mot de passe est enregistré" in browser.get("/.herse/sign-in?after=reset").text
    kinds = mailed.kinds()
    assert sorted(kinds[:2]) == [EventKind.PASSWORD_SET, EventKind.QUARANTINE_BEGUN]
    assert EventKind.RESET_ASKED in kinds
    assert {event.method for event in mailed.events()[:2]} == {"mail"}
    assert browser.sign_in().status_code == 401
    assert browser.sign_in(password=NEW).status_code == 303
    assert levels(mailed) == [Level.PASSWORD]
    page = browser.get("/.herse/account").text
    assert "Prouvez que ce compte est le vôtre" in page
    assert browser.get("/.herse/account", **JSON).json()["quarantined"] is True
    assert "lien reçu par courriel" in browser.get("/.herse/account/events").text


def test_I10_known_and_unknown_get_the_same_answer_and_only_known_ones_a_letter(mailed, browser):
    mailed.accounts.lock("751234567", mailed.now)
    give_mail(mailed, "751234567", "locked@example.org")
    answers = [ask(mailed, browser, name) for name in (PHARMACY, "751234567", "999999999", "no/body", "né", "")]
    assert {(one.status_code, one.headers["location"], one.text) for one in answers} == {(303, f"{RESET}?asked=1", "")}
    assert len({tuple(sorted(one.headers)) for one in answers}) == 1
    assert len(tickets(mailed)) == 1
    assert mailed.outbox.to("locked@example.org") == []
    assert mailed.kinds("999999999") == []
    assert mailed.kinds("751234567")[0] is EventKind.RESET_ASKED
    program = browser.json(RESET, {"identifier": "999999999"})
    assert (program.status_code, program.json()) == (200, {"asked": True})


def test_I10_the_answer_waits_for_nothing_that_is_there_for_known_ones_alone(mailed, browser):
    async def post():
        answer = await browser.post_soon(RESET, {"identifier": PHARMACY})
        return answer, len(mailed.outbox.letters)

    answer, letters = mailed.run(post())
    assert (answer.status_code, letters) == (303, 0)
    settle(mailed)
    assert len(tickets(mailed)) == 1


def test_a_mailbox_is_not_flooded(mailed, browser):
    for _ in range(8):
        ask(mailed, browser)
    assert len(mailed.outbox.to(MAIL)) == 1
    mailed.later(minutes=5)
    ask(mailed, browser)
    assert len(tickets(mailed)) == 2


def test_a_device_that_the_account_knows_is_told_and_no_other(mailed):
    at_work, stranger = mailed.browser(), mailed.browser("198.51.100.7")
    at_work.sign_in()
    assert REPLACED not in at_work.sign_in(password="faute de frappe").text
    take_over(mailed)
    told = at_work.sign_in(password=PASSWORD)
    assert told.status_code == 401
    assert REPLACED in told.text
    assert REPLACED not in at_work.sign_in("751234567", "faux").text
    assert REPLACED not in at_work.sign_in("nul", "faux").text
    assert REPLACED not in stranger.sign_in(password=PASSWORD).text
    stranger.client.cookies.set("__Host-herse-device", "A" * 43)
    assert REPLACED not in stranger.sign_in(password=PASSWORD).text


def test_an_outbox_that_fails_stops_nobody_else(mailed, browser):
    mailed.outbox.fail()
    assert ask(mailed, browser).status_code == 303
    mailed.outbox.mend()
    mailed.later(minutes=6)
    ask(mailed, browser)
    assert len(tickets(mailed)) == 1


@pytest.mark.parametrize("ticket", ["", "x" * 43, "<b>", "a" * 5000])
def test_another_link_opens_nothing(mailed, browser, ticket):
    ask(mailed, browser)
    for answer in (
        browser.get(RESET_NEW + f"?ticket={ticket}"),
        browser.post(RESET_NEW, {"ticket": ticket, "password": NEW}),
        browser.post(RESET_NEW, {"password": NEW}),
    ):
        assert answer.status_code == 401
        assert "Lien périmé ou déjà utilisé" in answer.text
    assert not quarantined(mailed)


def test_a_used_and_an_old_link_open_nothing_and_leave_no_event(mailed, browser):
    take_over(mailed, browser)
    (ticket,) = tickets(mailed)
    seen = mailed.kinds()
    answer = browser.post(RESET_NEW, {"ticket": ticket, "password": NEW})
    assert answer.status_code == 401
    mailed.later(minutes=6)
    ask(mailed, browser)
    mailed.later(minutes=30)
    answer = browser.post(RESET_NEW, {"ticket": tickets(mailed)[-1], "password": NEW})
    assert answer.status_code == 401
    assert Counter(mailed.kinds()) - Counter(seen) == {EventKind.RESET_ASKED: 1}


def test_a_weak_password_uses_nothing_up(mailed, browser):
    ask(mailed, browser)
    (ticket,) = tickets(mailed)
    for password, words in {"court": "trop court", "Camille Durand 1980": "votre nom ou celui du cabinet"}.items():
        answer = browser.post(RESET_NEW, {"ticket": ticket, "password": password})
        assert answer.status_code == 400
        assert words in answer.text
        assert f'value="{ticket}"' in answer.text
    assert not quarantined(mailed)
    assert browser.post(RESET_NEW, {"ticket": ticket, "password": NEW}).status_code == 303


def test_a_form_of_another_site_does_nothing(mailed, browser):
    ask(mailed, browser)
    (ticket,) = tickets(mailed)
    for path, fields in ((RESET, {"identifier": PHARMACY}), (RESET_NEW, {"ticket": ticket, "password": NEW})):
        assert browser.post(path, fields, origin="https://evil.example").status_code == 403
    settle(mailed)
    assert len(tickets(mailed)) == 1
    assert not quarantined(mailed)


def test_of_parallel_forms_with_one_ticket_one_wins(mailed, browser):
    ask(mailed, browser)
    (ticket,) = tickets(mailed)

    async def race():
        fields = [{"ticket": ticket, "password": f"{NEW} numéro {number}"} for number in range(8)]
        return await asyncio.gather(*(browser.post_soon(RESET_NEW, one) for one in fields))

    answers = mailed.run(race())
    assert Counter(one.status_code for one in answers) == {303: 1, 401: 7}
    winner = [one.status_code for one in answers].index(303)
    assert mailed.browser().sign_in(password=f"{NEW} numéro {winner}").status_code == 303
    assert mailed.kinds().count(EventKind.PASSWORD_SET) == 1
    assert mailed.kinds().count(EventKind.QUARANTINE_BEGUN) == 1


def test_without_a_ledger_nothing_is_set(failing):
    give_mail(failing)
    browser = failing.browser()
    ask(failing, browser)
    failing.ledger.fail()
    answer = browser.post(RESET_NEW, {"ticket": tickets(failing)[0], "password": NEW})
    assert answer.status_code == 503
    assert not quarantined(failing)
    assert ask(failing, browser).status_code == 503
