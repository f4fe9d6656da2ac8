# SPDX-License-Identifier: EUPL-1.2
"""Sign-in and sign-out: what leaves, what is recorded, what an attacker learns, what a failing ledger does."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from gateway.model import EventKind, Level

SIGN_IN = "/.herse/sign-in"
PHARMACY = "750012346"
PASSWORD = "cinq mots pour ouvrir la porte"


def test_a_right_password_opens_a_session_and_is_recorded(world, browser):
    answer = browser.sign_in("75 001 2346")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    (cookie,) = [value for value in answer.headers.get_list("set-cookie") if value.startswith("__Host-herse=")]
    assert re.fullmatch(r"__Host-herse=[\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Lax", cookie)
    event, new_device = world.events()
    assert new_device.kind == EventKind.DEVICE_NEW
    assert (event.kind, event.method, event.network) == (EventKind.SIGN_IN, "pwd", "192.0.2.14")
    assert "Firefox" in event.device
    assert event.session == world.sessions.of_account(PHARMACY)[0].reference
    assert browser.get("/.herse/account").status_code == 200


def test_a_program_gets_JSON_with_the_same_checks(world, browser):
    answer = browser.json(SIGN_IN, {"identifier": PHARMACY, "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json() == {"account": PHARMACY, "assurance": "password", "next": "/"}
    assert browser.token
    wrong = world.browser().json(SIGN_IN, {"identifier": PHARMACY, "password": "non"})
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.json()["type"] == "urn:herse:reason:credentials-wrong"
    forged = world.browser().post(SIGN_IN, {"identifier": PHARMACY}, accept="application/json", origin="null")
    assert (forged.status_code, forged.json()["type"]) == (403, "urn:herse:reason:form-forged")


def test_the_person_lands_where_he_was_going(world, browser):
    to = world.returns.keep("/infopatient?nir=1", world.now)
    page = browser.get(f"{SIGN_IN}?to={to}")
    assert f'name="to" value="{to}"' in page.text
    assert browser.sign_in(to=to).headers["location"] == "/infopatient?nir=1"


@pytest.mark.parametrize("to", ["unknown", "//evil.example", "https://evil.example", "", "a" * 5000])
def test_G1_a_return_that_was_never_kept_leads_home(browser, to):
    assert browser.sign_in(to=to).headers["location"] == "/"


def test_a_wrong_password_is_told_and_recorded_and_the_name_kept(world, browser):
    answer = browser.sign_in(password="non")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Form realm="Herse"'
    assert 'role="alert"' in answer.text
    assert f'value="{PHARMACY}"' in answer.text
    assert "non" not in re.findall(r'value="([^"]*)"', answer.text)
    assert browser.token is None
    (event,) = world.events()
    assert (event.kind, event.reason) == (EventKind.SIGN_IN_FAILED, "credentials-wrong")


def test_I10_an_unknown_account_gets_the_same_bytes_and_leaves_no_row(world):
    known, unknown = world.browser(), world.browser()
    pages = []
    for browser, name in ((known, PHARMACY), (unknown, "999999999")):
        browser.get(SIGN_IN)
        answer = browser.sign_in(name, "non")
        token = browser.client.cookies["__Host-herse-form"]
        pages.append((answer.status_code, answer.text.replace(name, "NAME").replace(token, "TOKEN")))
    assert pages[0] == pages[1]
    assert world.events("999999999") == []
    for name in ("", "<x>", "\uff19" * 9, "a" * 3000):
        assert world.browser().sign_in(name, "non").status_code == 401


def test_I10_the_answer_to_a_failure_does_not_wait_for_the_ledger(failing):
    failing.ledger.hold()
    assert failing.browser().sign_in(password="non").status_code == 401
    assert failing.ledger.stored == []
    failing.ledger.release()
    assert [stored.event.kind for stored in failing.ledger.stored] == [EventKind.SIGN_IN_FAILED]


def test_I3_tries_that_the_throttle_turns_away_leave_no_rows(world, browser):
    answers = [browser.sign_in(password="non") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
    assert answers[-1].headers["retry-after"] == "60"
    assert "60 secondes" in answers[-1].text
    assert len(world.events()) == 5


def test_a_locked_account_is_told_so_only_after_a_right_password(world, browser):
    world.accounts.lock(PHARMACY, world.now)
    assert browser.sign_in(password="non").status_code == 401
    answer = browser.sign_in()
    assert answer.status_code == 403
    assert browser.token is None
    assert [event.reason for event in world.events()] == ["account-locked", "credentials-wrong"]


def test_a_code_typed_at_once_opens_a_stronger_session(world, browser):
    page = browser.get(SIGN_IN).text
    assert 'name="code"' in page
    assert "(facultatif)" in page
    answer = browser.sign_in(code=world.code())
    assert answer.status_code == 303
    assert world.events()[0].method == "pwd+otp"
    assert world.sessions.of_account(PHARMACY)[0].subject.assurance.level is Level.MFA


@pytest.mark.parametrize(("password", "reason"), [(PASSWORD, "code-wrong"), ("non", "credentials-or-code-wrong")])
def test_a_wrong_code_is_one_answer_and_the_holder_learns_that_his_password_is_known(world, browser, password, reason):
    other = world.browser().sign_in(password="non", code=world.wrong_code())
    answer = browser.sign_in(password=password, code=world.wrong_code())
    assert (answer.status_code, browser.token) == (401, None)
    assert re.sub(r'name="form" value="[^"]*"', "", answer.text) == re.sub(r'name="form" value="[^"]*"', "", other.text)
    event = world.events()[0]
    assert (event.kind, event.method, event.reason) == (EventKind.SIGN_IN_FAILED, "pwd+otp", reason)


def test_wrong_codes_beside_a_right_password_bar_the_page_of_codes_too(world, signed_in):
    for _ in range(5):
        world.browser().sign_in(code=world.wrong_code())
    assert signed_in.step_up(world.code()).status_code == 429


def test_F3_a_sign_in_renews_the_id_and_ends_the_old_session(world, signed_in):
    old = signed_in.token
    world.later(minutes=1)
    signed_in.sign_in()
    assert signed_in.token != old
    assert len(world.sessions.of_account(PHARMACY)) == 1
    assert world.sessions.find(old.encode(), world.now) is None
    assert world.kinds() == [EventKind.SIGN_IN, EventKind.SIGN_OUT, EventKind.SIGN_IN, EventKind.DEVICE_NEW]


def test_F3_a_planted_id_is_never_adopted(world, browser):
    planted = "A" * 43
    browser.plant(planted)
    answer = browser.sign_in()
    given = answer.headers["set-cookie"].split("=", 1)[1].split(";")[0]
    assert given != planted
    assert world.sessions.find(planted.encode(), world.now) is None


def test_F1_two_session_cookies_refuse_the_request(world, signed_in):
    cookie = f"__Host-herse={signed_in.token}; __Host-herse={signed_in.token}"
    stranger = world.browser()
    for name in ("/.herse/account", SIGN_IN):
        answer = stranger.get(name, cookie=cookie)
        assert answer.status_code == 400
        assert "cookies" in answer.text


def test_when_the_ledger_fails_nobody_signs_in_known_or_not(failing):
    failing.ledger.fail()
    for name, password in ((PHARMACY, PASSWORD), (PHARMACY, "non"), ("999999999", "non")):
        browser = failing.browser()
        answer = browser.sign_in(name, password)
        assert answer.status_code == 503
        assert "enregistr" in answer.text
        assert browser.token is None
    assert failing.sessions.of_account(PHARMACY) == []


def test_when_the_ledger_fails_at_that_moment_no_session_is_left(failing):
    failing.ledger.hold()
    browser = failing.browser()

    async def walk():
        form = {"identifier": PHARMACY, "password": PASSWORD}
        sent = asyncio.create_task(browser.post_soon(SIGN_IN, form, accept="application/json"))
        async with asyncio.timeout(20):
            while not failing.sessions.of_account(PHARMACY):
                assert not sent.done()
                await asyncio.sleep(0.01)
        assert len(failing.sessions.of_account(PHARMACY)) == 1
        assert not sent.done(), "nobody is told before it is on record"
        failing.ledger.fail()
        return await sent

    answer = failing.run(walk())
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:herse:reason:ledger-unavailable")
    assert "set-cookie" not in answer.headers
    assert failing.sessions.of_account(PHARMACY) == []


def test_F4_sign_out_ends_the_session_on_the_server(world, signed_in):
    old = signed_in.token
    answer = signed_in.post("/.herse/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/.herse/sign-out")
    assert answer.headers["clear-site-data"] == '"cache"'
    assert signed_in.token is None
    assert "déconnecté" in signed_in.get("/.herse/sign-out").text
    signed_in.plant(old)
    assert signed_in.get("/.herse/account").headers["location"].startswith("/.herse/sign-in?to=")
    assert world.kinds()[0] == EventKind.SIGN_OUT


def test_sign_out_by_GET_shows_a_button_and_changes_nothing(world, signed_in):
    page = signed_in.get("/.herse/sign-out")
    assert 'action="/.herse/sign-out"' in page.text
    assert len(world.sessions.of_account(PHARMACY)) == 1


def test_sign_out_works_when_the_ledger_does_not(failing):
    browser = failing.browser()
    browser.sign_in()
    failing.ledger.fail()
    assert browser.post("/.herse/sign-out").status_code == 303
    assert failing.sessions.of_account(PHARMACY) == []
    assert browser.json("/.herse/sign-out", {}).json()["account"] is None


def test_a_session_ends_when_it_was_idle_too_long(world, signed_in):
    world.later(minutes=29)
    assert signed_in.get("/.herse/account").status_code == 200
    world.later(minutes=30)
    answer = signed_in.get("/.herse/account/events?group=sign-ins")
    to = answer.headers["location"].removeprefix("/.herse/sign-in?to=")
    assert world.returns.find(to, world.now).path == "/.herse/account/events?group=sign-ins"
    assert signed_in.get("/.herse/account", accept="application/json").status_code == 401


def test_the_form_tells_who_is_signed_in_already(signed_in):
    assert PHARMACY in signed_in.get(SIGN_IN).text


def test_the_clock_of_the_absolute_limit_runs_from_the_sign_in(world, signed_in):
    for _ in range(12):
        world.later(minutes=20)
        last = signed_in.get("/.herse/account").status_code
    assert last == 303
    assert world.now >= world.doors.clock() - timedelta(hours=4)


def test_a_return_without_a_form_goes_along_to_a_new_session(world, signed_in):
    to = world.returns.keep("/paiements", world.now)
    assert signed_in.sign_in(to=to).headers["location"] == "/paiements"
