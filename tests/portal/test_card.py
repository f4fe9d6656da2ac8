# SPDX-License-Identifier: EUPL-1.2
"""The card on the public host: a ticket opens or strengthens the right session, once, in the browser that set out."""

from __future__ import annotations

import asyncio

import pytest
from portal.card_door import (
    BACK,
    BRANCH,
    CARD,
    CARD_HOST,
    CLAIRE,
    COOKIE,
    INES,
    JSON,
    PHARMACY,
    STEP_UP,
    STRANGER,
    card_is_read,
    sets_out,
)
from portal.world import levels

from gateway.identity.accounts import Holder
from gateway.model import EventKind, Level, Reason


def test_the_button_is_on_the_sign_in_page(cards):
    page = cards.browser().get("/.herse/sign-in?to=abc").text
    form = page[page.index('action="/.herse/card"') :]
    assert form.index('name="to" value="abc"') < form.index("Carte")


def test_a_card_opens_a_session_and_leads_on(cards):
    browser = cards.browser()
    to = cards.returns.keep("/infopatient/1?x=2", cards.now)
    answer = browser.get(card_is_read(cards, sets_out(browser, to), INES))
    assert (answer.status_code, answer.headers["location"]) == (303, "/infopatient/1?x=2")
    assert levels(cards, "750012379") == [Level.CARD]
    assert cards.sessions.find(browser.token.encode(), cards.now)
    assert COOKIE not in browser.client.cookies
    event = cards.events("750012379")[0]
    assert (event.kind, event.method, event.network) == (EventKind.SIGN_IN, "sc", "192.0.2.14")


def test_a_program_walks_the_same_way(cards):
    browser = cards.browser()
    following = browser.json(CARD, {}).json()["next"]
    assert following.startswith(f"{CARD_HOST}/card?state=")
    answer = browser.get(card_is_read(cards, following.partition("=")[2], INES), **JSON)
    assert answer.json() == {"account": "750012379", "assurance": "card", "next": "/"}


def test_the_cookie_of_a_waiting_browser_comes_along_from_another_site_and_belongs_to_the_server(cards):
    told = cards.browser().post(CARD).headers["set-cookie"]
    assert told.startswith(f"{COOKIE}=")
    assert told.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600")


def test_P1_a_card_makes_the_session_of_its_holders_account_stronger(cards):
    cards.add("751112343")
    cards.accounts.create("758888888", "Cabinet", "pharmacist", None, [Holder("Claire Fontaine", CLAIRE)], cards.now)
    cards.accounts.set_password("758888888", cards.accounts.password_hash("751112343"), cards.now)
    browser = cards.browser()
    browser.sign_in("758888888")
    session, old = cards.sessions.of_account("758888888")[0], browser.token
    to = cards.returns.keep("/aat", cards.now)
    shown = browser.get(f"{STEP_UP}?to={to}&reason=card-required")
    assert (shown.status_code, shown.headers["location"]) == (303, f"{CARD}?to={to}")
    assert f'value="{to}"' in browser.get(shown.headers["location"]).text
    answer = browser.get(card_is_read(cards, sets_out(browser, to), CLAIRE))
    assert answer.headers["location"] == "/aat"
    assert cards.sessions.of_account("758888888") == [session], "the same session"
    assert levels(cards, "758888888") == [Level.CARD]
    assert browser.token != old
    assert cards.sessions.find(old.encode(), cards.now) is None
    event = cards.events("758888888")[0]
    assert (event.kind, event.method, event.session) == (EventKind.STEP_UP, "sc", session.reference)


@pytest.mark.parametrize("rpps", [CLAIRE, STRANGER, None])
def test_P1_anothers_card_changes_nothing(cards, rpps):
    browser = cards.browser()
    browser.sign_in()
    answer = browser.get(card_is_read(cards, sets_out(browser), rpps))
    assert answer.status_code == 403
    assert "titulaire" in answer.text
    assert levels(cards, PHARMACY) == [Level.PASSWORD]
    assert levels(cards, BRANCH) == []
    event = cards.events()[0]
    assert (event.kind, event.method, event.reason) == (EventKind.STEP_UP_FAILED, "sc", "card-of-another")
    assert browser.get(card_is_read(cards, sets_out(browser), rpps), **JSON).json()["type"].endswith("card-of-another")


@pytest.mark.parametrize("rpps", [STRANGER, None])
def test_a_card_without_an_account_is_told_the_way_on(cards, rpps):
    browser = cards.browser()
    answer = browser.get(card_is_read(cards, sets_out(browser), rpps))
    assert answer.status_code == 403
    assert "RPPS" in answer.text
    assert "/.herse/sign-in" in answer.text
    assert browser.token is None


def test_a_ticket_is_used_once(cards):
    browser = cards.browser()
    back = card_is_read(cards, sets_out(browser), INES)
    assert browser.get(back).status_code == 303
    again = browser.get(back)
    assert again.status_code == 401
    assert "expir" in again.text
    assert len(levels(cards, "750012379")) == 1


def test_R1_a_ticket_given_to_somebody_else_is_worth_nothing(cards):
    attacker, victim, waiting = cards.browser(), cards.browser(), cards.browser()
    sets_out(waiting)
    for one in (victim, waiting):
        back = card_is_read(cards, sets_out(attacker), INES)
        assert one.get(back).status_code == 401
        assert one.token is None
        assert attacker.get(back).status_code == 401, "burnt"
    assert levels(cards, "750012379") == []


def test_a_ticket_is_good_for_sixty_seconds(cards):
    browser = cards.browser()
    back = card_is_read(cards, sets_out(browser), INES)
    cards.later(seconds=60)
    assert browser.get(back).status_code == 401
    back = card_is_read(cards, sets_out(browser), INES)
    cards.later(seconds=59)
    assert browser.get(back).status_code == 303


def test_of_fifty_at_once_one_opens_a_session(cards):
    browser = cards.browser()
    back = card_is_read(cards, sets_out(browser), INES)

    async def walk():
        return await asyncio.gather(*(browser.client.get(back) for _ in range(50)))

    answers = cards.run(walk())
    assert sorted(answer.status_code for answer in answers) == [303] + [401] * 49
    assert len(levels(cards, "750012379")) == 1
    assert [event.kind for event in cards.events("750012379")] == [EventKind.SIGN_IN, EventKind.DEVICE_NEW]


@pytest.mark.parametrize("path", [BACK, f"{BACK}?ticket=", f"{BACK}?ticket=x", f"{BACK}?ticket={'x' * 43}"])
def test_a_way_back_that_nobody_gave(cards, path):
    assert cards.browser().get(path).status_code == 401
    assert cards.browser().get(f"{BACK}?ticket=a&ticket=b").status_code == 400


@pytest.mark.parametrize("value", ["x", "é" * 43, "a" * 44])
def test_a_cookie_that_is_none_of_ours_waits_for_nothing(cards, value):
    answer = cards.browser().get(CARD, cookie=f"{COOKIE}={value}".encode())
    assert answer.status_code == 200
    assert CARD_HOST not in answer.text
    twice = f"{COOKIE}={'a' * 43}; {COOKIE}={'b' * 43}"
    assert cards.browser().get(CARD, cookie=twice).status_code == 400


def test_a_refused_card_is_told_with_its_reason_and_recorded_where_it_concerns_somebody(cards):
    browser = cards.browser()
    browser.sign_in()
    answer = browser.get(card_is_read(cards, sets_out(browser), Reason.CARD_MISSING))
    assert answer.status_code == 401
    assert "Aucune carte" in answer.text
    event = cards.events()[0]
    assert (event.kind, event.reason) == (EventKind.STEP_UP_FAILED, "card-missing")
    stranger = cards.browser()
    assert stranger.get(card_is_read(cards, sets_out(stranger), Reason.CARD_MISSING)).status_code == 401
    assert stranger.token is None


def test_the_waiting_page_tells_of_a_certificate_that_was_refused_from_the_same_place(cards):
    browser, elsewhere = cards.browser(), cards.browser("198.51.100.7")
    sets_out(browser)
    sets_out(elsewhere)
    cards.doors.card.tickets.note_failure("192.0.2.14", Reason.CARD_NOT_TRUSTED, cards.now)
    page = browser.get(CARD).text
    assert 'role="alert"' in page
    assert "autorité inconnue" in page, "the reason of its own"
    assert "depuis votre réseau" in page, "nobody knows whose browser it was"
    assert 'role="alert"' not in elsewhere.get(CARD).text


def test_setting_out_anew_ends_what_was_before(cards):
    browser = cards.browser()
    first = sets_out(browser)
    second = sets_out(browser)
    assert first != second
    assert cards.doors.card.tickets.issue(first, Reason.CARD_MISSING, cards.now) is None


def test_nobody_sets_out_by_a_foreign_form(cards):
    browser = cards.browser()
    assert browser.post(CARD, origin="https://evil.example").status_code == 403
    assert COOKIE not in browser.client.cookies


def test_without_a_card_listener_every_way_says_so(world):
    browser = world.browser()
    for answer in (browser.get(CARD), browser.post(CARD), browser.get(f"{BACK}?ticket=x"), browser.post(BACK)):
        assert answer.status_code == 404
        assert "36" in answer.text
    assert browser.json(CARD, {}).json()["type"] == "urn:herse:reason:card-not-set-up"
    browser.sign_in()
    assert browser.get(f"{STEP_UP}?reason=card-required").status_code == 401


def test_a_program_that_lacks_a_card_is_told_so(cards, signed_in):
    signed_in = cards.browser()
    signed_in.sign_in()
    answer = signed_in.get(f"{STEP_UP}?card=1", **JSON)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:herse:reason:card-required")
