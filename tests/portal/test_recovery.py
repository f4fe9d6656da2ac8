# SPDX-License-Identifier: EUPL-1.2
"""Recovery codes on their pages: made after a fresh proof, shown once, one use each, and no way out of quarantine."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import pytest
from portal.mailbox import NEW, PHARMACY, RECOVERY, STEP_UP, USE, give_mail, quarantined, take_over
from portal.world import assurance

from gateway.identity import schema
from gateway.identity.database import writing
from gateway.model import EventKind, Level, Method

DOCTOR = "751234567"
JSON = {"accept": "application/json"}
CODE = re.compile(r"<code>((?:[0-9A-Z]{4}-){3}[0-9A-Z]{4})</code>")


@pytest.fixture
def codes(strong):
    return CODE.findall(strong.post(RECOVERY).text)


@pytest.fixture
def phoneless(world, codes):
    """Somebody with his password and his sheet, an hour later."""
    world.later(hours=1)
    browser = world.browser()
    browser.sign_in()
    return browser


def use(browser, code, **fields):
    return browser.post(USE, {"code": code, **fields})


def test_a_set_is_shown_once_and_told(world, strong):
    assert "Aucun code" in strong.get(RECOVERY).text
    page = strong.post(RECOVERY)
    codes = CODE.findall(page.text)
    assert (page.status_code, len(set(codes))) == (200, 10)
    assert page.headers["cache-control"] == "no-store"
    again = strong.get(RECOVERY).text
    assert not CODE.findall(again)
    assert re.search(r"Restants\s:\s10", again)
    assert re.search(r"10\srestants", strong.get("/.herse/account").text)
    assert world.events()[0].kind is EventKind.RECOVERY_CODES_MADE
    assert "10" in strong.get(RECOVERY, **JSON).text
    assert "Nouveaux codes de secours créés" in strong.get("/.herse/account/events").text


def test_I7_making_a_set_needs_a_fresh_proof(world, signed_in):
    answer = signed_in.post(RECOVERY)
    assert answer.headers["location"].startswith(f"{STEP_UP}?to=")
    assert signed_in.json(RECOVERY, {}).json()["type"] == "urn:herse:reason:proof-too-old"
    signed_in.step_up(world.code())
    world.later(minutes=15)
    assert signed_in.post(RECOVERY).headers["location"].startswith(STEP_UP)
    assert world.ways_back.recovery.left(PHARMACY) == 0
    assert world.browser().post(RECOVERY).headers["location"].startswith("/.herse/sign-in")


def test_a_code_stands_in_for_the_phone_once(world, codes, phoneless):
    to = world.returns.keep("/infopatient", world.now)
    page = phoneless.get(f"{STEP_UP}?to={to}").text
    assert f'href="{USE}?to={to}"' in page
    assert 'name="code"' in phoneless.get(f"{USE}?to={to}").text
    old = phoneless.token
    answer = use(phoneless, codes[3].lower(), to=to)
    assert answer.status_code == 200
    assert re.search(r"Codes restants\s:\s*<strong>9<", answer.text)
    assert 'href="/infopatient"' in answer.text
    assert phoneless.token != old
    proved = assurance(world, phoneless)
    assert (proved.level, {one.method for one in proved.proofs}) == (Level.MFA, {Method.PASSWORD, Method.RECOVERY})
    told = {event.kind: event.method for event in world.events()[:2]}
    assert told == {EventKind.STEP_UP: "rc", EventKind.RECOVERY_CODE_USED: "rc"}
    assert "code de secours" in phoneless.get("/.herse/account/events").text

    assert use(phoneless, codes[3]).status_code == 401
    assert world.events()[0].kind is EventKind.STEP_UP_FAILED
    program = phoneless.json(USE, {"code": codes[4]}).json()
    assert program == {"account": PHARMACY, "assurance": "mfa", "next": "/", "left": 8}


def test_who_has_just_used_a_code_is_led_to_a_new_application_and_uses_up_no_other(world, codes, phoneless):
    """No recovery code opens data of patients: the next one would not either."""
    to = world.returns.keep("/infopatient", world.now)
    use(phoneless, codes[0])
    page = phoneless.get(f"{STEP_UP}?to={to}").text
    assert USE not in page
    assert 'href="/.herse/account/factors"' in page
    world.later(minutes=15)
    assert USE in phoneless.get(f"{STEP_UP}?to={to}").text
    with world.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM factor")
    assert phoneless.get(f"{STEP_UP}?to={to}").headers["location"].startswith(USE)
    use(phoneless, codes[1])
    assert phoneless.get(f"{STEP_UP}?to={to}").headers["location"] == "/.herse/account/factors"


def test_a_code_lets_one_link_a_new_application(world, codes, phoneless):
    assert phoneless.post("/.herse/account/factors").headers["location"].startswith(STEP_UP)
    use(phoneless, codes[0])
    answer = phoneless.post("/.herse/account/factors")
    assert answer.headers["location"] == "/.herse/account/factors"
    assert "otpauth://" in phoneless.get("/.herse/account/factors").text


def test_a_new_set_kills_the_old_one(world, codes, strong):
    new = CODE.findall(strong.post(RECOVERY).text)
    assert use(strong, codes[0]).status_code == 401
    assert use(strong, new[0]).status_code == 200


def test_I8_a_code_of_another_account_is_none(world, codes, browser):
    browser.sign_in(DOCTOR)
    answer = use(browser, codes[0])
    assert (answer.status_code, "Code de secours incorrect" in answer.text) == (401, True)
    assert world.ways_back.recovery.left(PHARMACY) == 10
    assert assurance(world, browser).level is Level.PASSWORD


def test_I3_failures_are_counted_over_sessions(world, codes, phoneless):
    for _ in range(5):
        assert use(phoneless, "WRONG").status_code == 401
    other = world.browser()
    other.sign_in()
    assert use(other, codes[0]).status_code == 429
    assert world.ways_back.recovery.left(PHARMACY) == 10
    assert world.kinds().count(EventKind.STEP_UP_FAILED) == 5


def test_a_code_without_a_session_or_from_another_site_does_nothing(world, codes, phoneless):
    assert use(world.browser(), codes[0]).headers["location"].startswith("/.herse/sign-in")
    assert phoneless.post(USE, {"code": codes[0]}, origin="https://evil.example").status_code == 403
    assert world.browser().get(USE).headers["location"] == "/.herse/sign-in"
    assert world.ways_back.recovery.left(PHARMACY) == 10


def test_of_parallel_uses_of_one_code_one_wins(world, codes):
    browsers = [world.browser() for _ in range(5)]
    for browser in browsers:
        browser.sign_in()

    async def race():
        return await asyncio.gather(*(one.post_soon(USE, {"code": codes[0]}) for one in browsers))

    assert Counter(one.status_code for one in world.run(race())) == {200: 1, 401: 4}
    assert world.ways_back.recovery.left(PHARMACY) == 9


def test_the_only_means_left_is_offered_at_once(world, codes, browser):
    """Without a code application and a passkey, the step-up page leads to the codes."""
    with writing(world.engine) as connection:
        connection.execute(schema.factor.delete())
    browser.sign_in()
    assert browser.get(STEP_UP).headers["location"].startswith(USE)


def test_in_quarantine_no_code_counts_and_none_is_used_up(world, codes):
    give_mail(world)
    thief = take_over(world)
    thief.sign_in(password=NEW)
    assert USE not in thief.get(STEP_UP).text
    page = thief.get(USE)
    assert (page.status_code, "Prouvez d\u2019abord" in page.text) == (403, True)
    for code in (codes[0], "WRONG"):
        answer = use(thief, code)
        assert answer.status_code == 403
        assert thief.json(USE, {"code": code}).json()["type"] == "urn:herse:reason:account-quarantined"
    assert thief.post(RECOVERY).status_code == 403
    assert world.ways_back.recovery.left(PHARMACY) == 10
    assert quarantined(world)
    assert assurance(world, thief).level is Level.PASSWORD
    thief.step_up(world.code())  # the holder, after all
    assert use(thief, codes[0]).status_code == 200


def test_without_a_ledger_nothing_is_made_and_nothing_used_up(failing):
    browser = failing.browser()
    browser.sign_in()
    browser.step_up(failing.code())
    codes = CODE.findall(browser.post(RECOVERY).text)
    failing.ledger.fail()
    assert browser.post(RECOVERY).status_code == 503
    assert use(browser, codes[0]).status_code == 503
    assert failing.ways_back.recovery.left(PHARMACY) == 10
