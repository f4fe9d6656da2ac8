# SPDX-License-Identifier: EUPL-1.2
"""Quarantine on the pages: what ends it, what does not, and what stays closed while it lasts."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from portal.card_door import INES, card_is_read, open_card_door, sets_out
from portal.mailbox import (
    NEW,
    PHARMACY,
    RECOVERY,
    RESET_NEW,
    STEP_UP,
    ask,
    give_mail,
    held,
    quarantined,
    take_over,
    tickets,
)
from portal.world import levels

from gateway.identity.database import writing
from gateway.identity.quarantine import begin
from gateway.model import EventKind, Level, Method, Proof
from support.passkey_pages import new_key
from support.passkey_pages import sign_in as sign_in_by_key
from support.passkey_pages import step_up as step_up_by_key

PASSWORD = "cinq mots pour ouvrir la porte"
JSON = {"accept": "application/json"}


@pytest.mark.parametrize("act", ["step-up", "card", "sign-in by card"])
def test_F9_a_proof_from_before_a_reset_does_not_end_what_the_reset_begins(failing, act):
    """The thief is done while somebody's proof is being recorded: that session ends, and the quarantine lasts."""
    world, account = open_card_door(failing), PHARMACY if act == "step-up" else "750012379"
    world.accounts.set_password(account, world.run(world.hasher.hash(PASSWORD)), world.now)
    give_mail(world, account)
    browser = take_over(world, account=account)
    if act != "sign-in by card":
        browser.sign_in(account, NEW)
    world.later(minutes=6)
    ask(world, world.browser(), account)
    ticket = tickets(world)[-1]
    back = "" if act == "step-up" else card_is_read(world, sets_out(browser), INES)

    async def race():
        world.ledger.hold()
        proof = browser.client.get(back) if back else browser.post_soon(STEP_UP, {"code": world.code()})
        proving = asyncio.create_task(proof)
        await asyncio.sleep(0.05)
        assert not proving.done()
        world.ways_back.resets.finish(ticket, "hash", world.now)
        world.sessions.end_all(account, world.now)
        world.ledger.release()
        return await proving

    assert world.run(race()).status_code == 303
    assert browser.get("/.herse/account").headers["location"].startswith("/.herse/sign-in")
    assert quarantined(world, account)
    assert levels(world, account) == []


def test_a_code_from_before_ends_it_in_one_step_up(mailed):
    browser = take_over(mailed)
    browser.sign_in(password=NEW)
    page = browser.get(STEP_UP).text
    assert "Prouvez que ce compte est le vôtre" in page
    assert "Les codes de secours ne comptent pas ici" in page
    assert browser.step_up(mailed.wrong_code()).status_code == 401
    assert quarantined(mailed)
    assert browser.step_up(mailed.code()).status_code == 303
    assert not quarantined(mailed)
    assert levels(mailed) == [Level.MFA]
    told = {event.kind: event.method for event in mailed.events()[:2]}
    assert told == {EventKind.STEP_UP: "otp", EventKind.QUARANTINE_ENDED: "otp"}
    assert "Prouvez que ce compte est le vôtre" not in browser.get("/.herse/account").text
    assert browser.post(RECOVERY).status_code == 200  # and what protects the account can be changed again


def test_a_passkey_from_before_ends_it_by_sign_in_and_by_step_up(mailed, signed_in):
    signed_in.step_up(mailed.code())
    key = new_key(signed_in)
    browser = take_over(mailed)
    browser.get("/.herse/sign-in/passkey")
    assert sign_in_by_key(browser, key).status_code == 303
    assert not quarantined(mailed)
    assert EventKind.QUARANTINE_ENDED in mailed.kinds()[:3]
    other = take_over(mailed, mailed.browser(), f"{NEW} encore")
    assert quarantined(mailed)
    other.sign_in(password=f"{NEW} encore")
    assert "Prouvez que ce compte est le vôtre" in other.get("/.herse/step-up/passkey").text
    assert step_up_by_key(other, key).status_code == 303
    assert not quarantined(mailed)


def test_a_code_application_from_during_it_ends_nothing_and_opens_nothing(mailed):
    """No page lets one be added; were one there all the same, it would not count."""
    browser = take_over(mailed)
    mailed.factors.add_totp(PHARMACY, mailed.secrets[PHARMACY], mailed.now)
    browser.sign_in(password=NEW)
    answer = browser.step_up(mailed.code())
    assert (answer.status_code, "Prouvez d\u2019abord" in answer.text) == (403, True)
    assert quarantined(mailed)
    assert levels(mailed) == [Level.PASSWORD]


def test_the_card_of_a_holder_ends_it_by_sign_in_and_by_step_up(world):
    open_card_door(world)
    account = "750012379"
    world.accounts.set_password(account, world.run(world.hasher.hash(PASSWORD)), world.now)
    give_mail(world, account)
    for step_up in (False, True):
        browser = world.browser()
        world.later(minutes=6)
        ask(world, browser, account)
        browser.post(RESET_NEW, {"ticket": tickets(world)[-1], "password": NEW})
        assert quarantined(world, account)
        if step_up:
            browser.sign_in(account, NEW)
            page = browser.get(STEP_UP)  # nothing to prove with here
            assert (page.status_code, 'href="/.herse/card"' in page.text) == (403, True)
        assert browser.get(card_is_read(world, sets_out(browser), INES)).status_code == 303
        assert not quarantined(world, account)
        assert levels(world, account) == [Level.CARD]
        ended = next(event for event in world.events(account) if event.kind is EventKind.QUARANTINE_ENDED)
        assert ended.method == "sc"


def test_nothing_that_protects_the_account_changes_in_quarantine(mailed):
    browser = take_over(mailed)
    browser.sign_in(password=NEW)
    before = held(mailed)
    for path, fields in (
        ("/.herse/account/factors", {}),
        ("/.herse/account/factors", {"code": mailed.code()}),
        ("/.herse/account/passkeys", {"name": "x", "credential": "{}"}),
        (RECOVERY, {}),
    ):
        assert browser.post(path, fields).status_code in {303, 403}
        assert browser.json(path, fields).status_code in {401, 403}
    assert held(mailed) == before
    assert quarantined(mailed)


def test_a_quarantine_that_ends_while_the_next_one_is_recorded_is_on_record_as_begun(failing):
    give_mail(failing)
    with writing(failing.engine) as connection:
        begin(connection, PHARMACY, failing.now)
    thief = failing.browser("203.0.113.9")
    ask(failing, thief)
    (ticket,) = tickets(failing)
    request = thief.post_soon(RESET_NEW, {"ticket": ticket, "password": NEW})
    answer = failing.meanwhile(request, lambda: failing.ways_back.quarantines.end(PHARMACY))  # the holder, just then
    assert answer.status_code == 303
    assert failing.ways_back.quarantines.since(PHARMACY) is not None
    kinds = [stored.event.kind for stored in failing.ledger.stored]
    assert kinds[-2:] == [EventKind.PASSWORD_SET, EventKind.QUARANTINE_BEGUN]


@pytest.mark.parametrize("method", [Method.INVITATION, Method.TOTP, Method.RECOVERY])
def test_a_proof_that_lets_one_change_factors_elsewhere_does_not_in_quarantine(mailed, browser, method):
    """No page opens such a session in quarantine; were one there all the same, it would change nothing."""
    take_over(mailed)
    proofs = [Proof(Method.PASSWORD, mailed.now), Proof(method, mailed.now)]
    device = browser.client.headers["user-agent"]
    token, _ = mailed.sessions.open(mailed.accounts.find(PHARMACY), proofs, mailed.now, "192.0.2.14", device)
    browser.plant(token)
    before = held(mailed)
    assert browser.json("/.herse/account/factors", {}).status_code == 401
    assert browser.json(RECOVERY, {}).status_code == 403
    assert held(mailed) == before
    mailed.ways_back.quarantines.end(PHARMACY)
    assert browser.json("/.herse/account/factors", {}).status_code == 200  # the same session, but for the quarantine


def test_an_activation_code_from_before_is_dead(mailed, browser):
    code = mailed.accounts.invite(PHARMACY, mailed.now, timedelta(days=7))
    take_over(mailed, browser)
    answer = browser.post("/.herse/enrol", {"identifier": PHARMACY, "code": code, "password": f"{NEW} deux"})
    assert answer.status_code == 401
    assert quarantined(mailed)
