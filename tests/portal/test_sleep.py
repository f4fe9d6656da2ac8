# SPDX-License-Identifier: EUPL-1.2
"""An account that was not used for six months sleeps: the pages of who comes back, and what wakes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from portal.card_door import INES, card_is_read, open_card_door, sets_out
from starlette.requests import Request

from gateway.errors import Refused
from gateway.model import EventKind, Method, Reason
from gateway.portal.sign_in import open_session
from gateway.portal.visit import Visit
from support.passkey_pages import new_key
from support.passkey_pages import sign_in as passkey_sign_in

SIGN_IN = "/.herse/sign-in"
PHARMACY = "750012346"
PASSWORD = "cinq mots pour ouvrir la porte"
DEVICE = "__Host-herse-device"
NEW, IN = EventKind.DEVICE_NEW, EventKind.SIGN_IN


def test_a_right_password_gets_the_ways_on_and_no_session(world, browser):
    world.later(days=183)
    to = world.returns.keep("/infopatient", world.now)
    answer = browser.sign_in(to=to)
    assert answer.status_code == 403
    assert "Compte en sommeil" in answer.text
    assert "le support de votre portail" in answer.text
    assert f'href="/.herse/sign-in?to={to}"' in answer.text
    assert browser.token is None
    assert DEVICE not in browser.client.cookies
    (event,) = world.events()
    assert (event.kind, event.reason) == (EventKind.SIGN_IN_FAILED, "account-asleep")
    wrong, unknown = browser.sign_in(password="non"), browser.sign_in("999999999", "non")
    assert wrong.text.replace(PHARMACY, "NAME") == unknown.text.replace("999999999", "NAME")
    told = browser.json(SIGN_IN, {"identifier": PHARMACY, "password": PASSWORD})
    assert told.json()["type"] == "urn:herse:reason:account-asleep"


def test_use_keeps_it_awake(world, browser):
    world.later(days=182)
    assert browser.sign_in().status_code == 303
    world.later(days=182)
    assert browser.sign_in().status_code == 303
    world.later(days=183)
    assert browser.sign_in().status_code == 403


def test_an_old_invitation_and_whatever_else_opens_sessions_is_stopped(world, browser):
    world.later(days=170)
    code = world.accounts.invite(PHARMACY, world.now, timedelta(days=30))
    world.later(days=20)
    fields = {"identifier": PHARMACY, "code": code, "password": "grand cheval bleu mange lentement"}
    answer = browser.post("/.herse/enrol", fields)
    assert (answer.status_code, browser.token) == (403, None)
    assert "Compte en sommeil" in answer.text
    assert world.events()[0].method == Method.INVITATION
    assert browser.sign_in().status_code == 403  # its password is what it was


def test_the_card_wakes_it_once_and_on_record(world):
    cards = open_card_door(world)
    cards.later(days=200)
    browser = cards.browser()
    back = card_is_read(cards, sets_out(browser), INES)
    assert browser.get(back).headers["location"] == "/"
    name = "750012379"
    assert cards.kinds(name) == [IN, NEW, EventKind.ACCOUNT_WOKEN]
    assert {event.method for event in cards.events(name)} == {"sc"}
    assert cards.accounts.find(name).used_at == cards.now
    cards.later(minutes=1)
    browser.post("/.herse/sign-out")
    browser.get(card_is_read(cards, sets_out(browser), INES))
    assert cards.kinds(name).count(IN) == 2
    assert cards.kinds(name).count(EventKind.ACCOUNT_WOKEN) == 1


def test_the_card_does_not_unlock(world):
    cards = open_card_door(world)
    browser = cards.browser()
    cards.later(days=200)
    cards.accounts.lock("750012379", cards.now)
    assert browser.get(card_is_read(cards, sets_out(browser), INES)).status_code == 403
    assert cards.accounts.find("750012379").used_at is None


def test_a_passkey_does_not_wake_it(world, signed_in):
    signed_in.step_up(world.code())
    key = new_key(signed_in, counter=0)
    world.later(days=183)
    browser = world.browser()
    answer = passkey_sign_in(browser, key)
    assert (answer.status_code, browser.token) == (403, None)
    assert "Compte en sommeil" in answer.text
    event = world.events()[0]
    assert (event.kind, event.method, event.reason) == (EventKind.SIGN_IN_FAILED, "hwk", "account-asleep")


def test_whatever_opens_sessions_is_stopped_at_the_one_door(world, browser):
    """Also what forgot to ask: the place where sessions are opened asks by itself."""
    account = world.accounts.find(PHARMACY)
    visits = []

    async def page(visit):
        visits.append(visit)
        await open_session(visit, account, (Method.PASSWORD, Method.TOTP, Method.PASSKEY))

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    world.later(days=183)
    with pytest.raises(Refused) as refused:
        world.run(page(Visit(world.doors, Request(scope))))
    assert refused.value.reason is Reason.ACCOUNT_ASLEEP
    assert world.sessions.of_account(PHARMACY) == []
    assert visits[0].known_by is None


def test_support_wakes_it(world, browser):
    world.later(days=300)
    assert browser.sign_in().status_code == 403
    world.accounts.dormancy.wake(PHARMACY, world.now)
    assert browser.sign_in().status_code == 303


def test_an_open_session_does_not_sleep(world, browser):
    world.later(days=183, minutes=-5)
    browser.sign_in()
    world.later(minutes=10)
    assert browser.get("/.herse/account").status_code == 200
