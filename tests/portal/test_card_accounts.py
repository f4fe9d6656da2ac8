# SPDX-License-Identifier: EUPL-1.2
"""A card that opens several accounts, or none that may be opened; and a ledger that fails meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from portal.card_door import (
    BACK,
    BRANCH,
    CARD,
    CLAIRE,
    HUGO,
    INES,
    JSON,
    PHARMACY,
    card_is_read,
    open_card_door,
    sets_out,
)
from portal.world import levels

from gateway.identity.accounts import Holder
from gateway.identity.kept_work import Owner, Work
from gateway.identity.session import Sessions
from gateway.model import EventKind, Level


def test_of_several_accounts_the_person_chooses_one(cards):
    browser = cards.browser()
    to = cards.returns.keep("/infopatient", cards.now)
    answer = browser.get(card_is_read(cards, sets_out(browser, to), CLAIRE))
    assert (answer.status_code, answer.headers["location"]) == (303, BACK)
    assert browser.token is None
    page = browser.get(BACK).text
    assert f'value="{BRANCH}"' in page
    assert "Pharmacie 750012361" in page
    for stranger in (cards.browser(), cards.browser()):
        stranger.post(CARD)
        assert stranger.get(BACK).status_code == 401
        assert stranger.post(BACK, {"identifier": BRANCH}).status_code == 401
    assert browser.post(BACK, {"identifier": PHARMACY}).status_code == 403, "held by somebody else"
    assert browser.post(BACK, {}).status_code == 403
    assert browser.post(BACK, {"identifier": BRANCH}, origin="https://evil.example").status_code == 403
    assert levels(cards, BRANCH) == []
    chosen = browser.post(BACK, {"identifier": BRANCH})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/infopatient")
    assert levels(cards, BRANCH) == [Level.CARD]
    assert browser.post(BACK, {"identifier": "750012361"}).status_code == 401, "the choice is made"


SHARED = "750012361"


@pytest.fixture
def shared(cards):
    """Signed in to an account of two holders, by password."""
    cards.accounts.set_password(SHARED, cards.accounts.password_hash(PHARMACY), cards.now)
    browser = cards.browser()
    browser.sign_in(SHARED)
    return browser


def test_a_card_tells_which_holder_it_is_who_proves_more(cards, shared):
    (session,) = cards.sessions.of_account(SHARED)
    assert session.subject.holder is None
    assert shared.get(card_is_read(cards, sets_out(shared), HUGO)).status_code == 303
    assert (session.subject.holder, session.subject.assurance.level) == ("Hugo Marchand", Level.CARD)
    assert cards.events(SHARED)[0].holder == "Hugo Marchand"
    again = Sessions(cards.engine, timedelta(minutes=30), timedelta(hours=4))
    assert [one.subject.holder for one in again.of_account(SHARED)] == ["Hugo Marchand"]


def test_the_card_of_another_holder_opens_a_session_of_his_own(cards, shared):
    shared.get(card_is_read(cards, sets_out(shared), HUGO))
    (hugos,) = cards.sessions.of_account(SHARED)
    assert shared.get(card_is_read(cards, sets_out(shared), CLAIRE)).status_code == 303
    assert hugos.ended
    (session,) = cards.sessions.of_account(SHARED)
    assert (session.subject.holder, session.subject.assurance.level) == ("Claire Fontaine", Level.CARD)
    told = [(one.kind, one.holder) for one in cards.events(SHARED)]
    assert told[0] == (EventKind.SIGN_IN, "Claire Fontaine")
    assert (EventKind.SIGN_OUT, "Hugo Marchand") in told


def test_what_one_holder_wrote_does_not_wait_for_the_other(cards, shared):
    shared.get(card_is_read(cards, sets_out(shared), HUGO))
    (hugos,) = cards.sessions.of_account(SHARED)
    work = Work("POST", b"/x", (), b"a=1", "/")
    to = cards.kept.keep(work, "infopatient", 1, Owner(SHARED, hugos.reference), cards.now)
    assert shared.get(card_is_read(cards, sets_out(shared, to), CLAIRE)).headers["location"] == "/"
    (session,) = cards.sessions.of_account(SHARED)
    assert cards.kept.find(to, Owner(SHARED, session.reference), cards.now) is None


def test_a_program_chooses_too(cards):
    browser = cards.browser()
    answer = browser.get(card_is_read(cards, sets_out(browser), CLAIRE), **JSON).json()
    assert [one["identifier"] for one in answer["accounts"]] == [BRANCH, "750012361"]
    assert browser.json(answer["next"], {"identifier": "750012361"}).json()["assurance"] == "card"


def test_a_locked_account_is_not_offered_and_alone_it_is_told(cards):
    cards.accounts.lock(BRANCH, cards.now)
    browser = cards.browser()
    answer = browser.get(card_is_read(cards, sets_out(browser), CLAIRE))
    assert answer.status_code == 303
    assert levels(cards, "750012361") == [Level.CARD]
    cards.accounts.lock("750012361", cards.now)
    browser = cards.browser()
    assert "bloqué" in browser.get(card_is_read(cards, sets_out(browser), CLAIRE)).text
    assert browser.token is None
    event = cards.events(BRANCH)[0]
    assert (event.kind, event.reason) == (EventKind.SIGN_IN_FAILED, "account-locked")


@pytest.fixture
def broken(failing):
    return open_card_door(failing)


def test_when_the_ledger_fails_no_card_opens_anything_and_the_ticket_stays_good(broken):
    browser = broken.browser()
    back = card_is_read(broken, sets_out(browser), INES)
    broken.ledger.fail()
    assert browser.get(back).status_code == 503
    assert browser.post(CARD).status_code == 503
    assert levels(broken, "750012379") == []
    assert browser.token is None


def test_I6_the_proof_is_recorded_before_the_session_is_stronger(broken):
    broken.accounts.create("758888888", "Cabinet", "pharmacist", None, [Holder("Hugo", HUGO)], broken.now)
    broken.accounts.set_password("758888888", broken.accounts.password_hash(PHARMACY), broken.now)
    browser = broken.browser()
    browser.sign_in("758888888")
    back = card_is_read(broken, sets_out(browser), HUGO)
    broken.ledger.hold()

    async def walk():
        sent = asyncio.create_task(browser.client.get(back))
        await asyncio.sleep(0.1)
        waiting = levels(broken, "758888888")
        broken.ledger.release()
        return waiting, await sent

    waiting, answer = broken.run(walk())
    assert waiting == [Level.PASSWORD]
    assert answer.status_code == 303
    assert levels(broken, "758888888") == [Level.CARD]
