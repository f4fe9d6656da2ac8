# SPDX-License-Identifier: EUPL-1.2
"""Known devices over the pages: told when new, known by a right sign-in alone, shown and forgotten by their owner."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from gateway.model import EventKind, Reason

SIGN_IN = "/.herse/sign-in"
SESSIONS = "/.herse/account/sessions"
FORGET = "/.herse/account/devices/forget"
PHARMACY = "750012346"
DOCTOR = "751234567"
PASSWORD = "cinq mots pour ouvrir la porte"
DEVICE = "__Host-herse-device"
NEW, IN, OUT = EventKind.DEVICE_NEW, EventKind.SIGN_IN, EventKind.SIGN_OUT


def shown(browser):
    return browser.get(SESSIONS, accept="application/json").json()


def devices_of(world, account=PHARMACY):
    return world.devices.of_account(account, world.now)


def test_a_browser_is_new_once_and_its_cookie_is_as_it_should_be(world, browser):
    answer = browser.sign_in()
    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(DEVICE)]
    assert re.fullmatch(DEVICE + r"=[\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=34560000", cookie)
    new, sign_in = sorted(world.events(), key=lambda event: event.kind)
    assert (new.kind, sign_in.kind) == (NEW, IN)
    (session,) = world.sessions.of_account(PHARMACY)
    assert (new.session, new.network, new.method) == (session.reference, "192.0.2.14", "pwd")
    assert "Firefox" in new.device
    (known,) = devices_of(world)
    assert session.browser == known.reference
    secret = browser.client.cookies[DEVICE]
    world.later(minutes=1)
    browser.post("/.herse/sign-out")
    browser.sign_in()
    assert browser.client.cookies[DEVICE] == secret
    assert world.kinds().count(NEW) == 1
    assert len(devices_of(world)) == 1


def test_each_account_knows_its_browsers_for_itself(world, browser):
    browser.sign_in()
    browser.sign_in(DOCTOR)
    assert world.kinds(DOCTOR).count(NEW) == 1
    browser.sign_in()
    assert world.kinds(PHARMACY).count(NEW) == 1


def test_a_failed_sign_in_makes_nobody_known(world, browser):
    for fields in ({"password": "non"}, {"identifier": "999999999"}):
        answer = browser.sign_in(**fields)
        assert not [one for one in answer.headers.get_list("set-cookie") if one.startswith(DEVICE)]
    world.accounts.lock(PHARMACY, world.now)
    browser.sign_in()
    assert devices_of(world) == []
    assert DEVICE not in browser.client.cookies


def test_a_password_that_must_change_makes_nobody_known_before_it_is_changed(world, browser):
    world.accounts.changes.ask([PHARMACY], Reason.PASSWORD_MUST_CHANGE, world.now)
    browser.sign_in()
    assert devices_of(world) == []
    browser.post("/.herse/password", {"password": "grand cheval bleu mange lentement", "code": world.code()})
    assert len(devices_of(world)) == 1
    assert NEW in world.kinds()


@pytest.mark.parametrize(
    "cookie",
    [
        f"{DEVICE}=x",
        f"{DEVICE}=",
        f"{DEVICE}={'a' * 42}!",
        f'{DEVICE}="{"a" * 43}"',
        f"{DEVICE}={'a' * 43}; {DEVICE}={'a' * 43}",
        f"\x1f{DEVICE}={'a' * 43}",
        f"{DEVICE}={'a' * 5000}",
    ],
)
def test_a_cookie_that_is_none_of_ours_is_an_unknown_browser_and_no_error(world, cookie):
    world.devices.keep(PHARMACY, "a" * 43, "known", world.now)
    answer = world.browser().post(SIGN_IN, {"identifier": PHARMACY, "password": PASSWORD}, cookie=cookie)
    assert answer.status_code == 303
    assert world.kinds() == [IN, NEW]
    (given,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(DEVICE)]
    assert "a" * 43 not in given


def test_a_device_seen_again_is_written_once_a_day(world, browser):
    browser.sign_in()
    first = world.now
    world.later(hours=23)
    browser.sign_in()
    assert [one.last_seen_at for one in devices_of(world)] == [first]
    world.later(hours=1)
    browser.sign_in()
    assert [(one.first_seen_at, one.last_seen_at) for one in devices_of(world)] == [(first, world.now)]


def test_at_enrolment_the_first_device_is_told_too_and_a_step_up_gives_no_cookie(world, browser):
    world.accounts.create("757575757", "Cabinet neuf", "nurse", None, [], world.now)
    code = world.accounts.invite("757575757", world.now, timedelta(days=1))
    fields = {"identifier": "757575757", "code": code, "password": "grand cheval bleu mange lentement"}
    assert browser.post("/.herse/enrol", fields).status_code == 303
    assert world.kinds("757575757") == [IN, NEW, EventKind.PASSWORD_SET]
    assert DEVICE in browser.client.cookies
    browser.sign_in()
    answer = browser.step_up(world.code())
    assert not [one for one in answer.headers.get_list("set-cookie") if one.startswith(DEVICE)]
    (session,) = world.sessions.of_account(PHARMACY)
    assert session.browser == devices_of(world)[0].reference  # a new token, the same device


def test_when_the_ledger_fails_at_that_moment_the_browser_stays_unknown(failing):
    request = failing.browser().post_soon(SIGN_IN, {"identifier": PHARMACY, "password": PASSWORD})
    assert failing.meanwhile(request, failing.ledger.fail).status_code == 503
    assert devices_of(failing) == []
    assert failing.accounts.find(PHARMACY).used_at is None


def test_a_session_that_ends_while_it_is_recorded_makes_no_device_known(failing):
    def lock():
        failing.accounts.lock(PHARMACY, failing.now)
        failing.sessions.end_all(PHARMACY, failing.now)

    failing.meanwhile(failing.browser().post_soon(SIGN_IN, {"identifier": PHARMACY, "password": PASSWORD}), lock)
    assert devices_of(failing) == []


def test_the_page_shows_devices_and_which_is_this_one(world, signed_in):
    world.later(days=2)
    phone = world.browser("198.51.100.7")
    phone.client.headers["user-agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) Safari/604.1"
    phone.sign_in()
    told = shown(phone)["devices"]
    assert [(one["current"], one["sessions"]) for one in told] == [(True, 1), (False, 1)]
    assert told[1]["last_seen_at"] == "2026-11-22T08:00:00Z"
    page = phone.get(SESSIONS).text
    assert "Safari sur iPhone" in page.replace("\u00a0", " ")
    assert "Firefox sur Windows" in page.replace("\u00a0", " ")
    assert page.count('action="/.herse/account/devices/forget"') == 2


def test_a_forgotten_device_is_out_at_once_and_new_when_it_comes_back(world, signed_in):
    other = world.browser("198.51.100.7")
    other.sign_in()
    theirs = next(one for one in shown(signed_in)["devices"] if not one["current"])
    assert signed_in.post(FORGET, {"device": theirs["reference"]}).headers["location"] == SESSIONS
    assert other.get("/.herse/account").status_code == 303
    assert signed_in.get("/.herse/account").status_code == 200
    assert len(devices_of(world)) == 1
    assert world.kinds()[:2] == [EventKind.DEVICE_FORGOTTEN, OUT]
    other.sign_in()
    assert world.kinds().count(NEW) == 3


def test_to_forget_this_device_is_to_sign_out(world, signed_in):
    (mine,) = shown(signed_in)["devices"]
    answer = signed_in.post(FORGET, {"device": mine["reference"]})
    assert answer.headers["location"] == "/.herse/sign-out"
    assert signed_in.token is None
    assert world.sessions.of_account(PHARMACY) == []
    assert devices_of(world) == []


def test_nobody_forgets_the_device_of_another_account(world, signed_in):
    stranger = world.browser()
    stranger.sign_in(DOCTOR)
    (theirs,) = devices_of(world, DOCTOR)
    before = world.kinds()
    for reference in (theirs.reference, "", "x"):
        assert signed_in.json(FORGET, {"device": reference}).json() == {"account": PHARMACY, "ended": 0}
    assert devices_of(world, DOCTOR) == [theirs]
    assert stranger.get("/.herse/account").status_code == 200
    assert world.kinds() == before
    assert signed_in.post(FORGET, {"device": theirs.reference}, origin="https://evil.example").status_code == 403
    assert world.browser().json(FORGET, {"device": theirs.reference}).status_code == 401


def test_a_device_is_not_forgotten_off_the_record_but_its_sessions_end(failing):
    browser, other = failing.browser(), failing.browser()
    browser.sign_in()
    other.sign_in()
    theirs = next(one for one in shown(browser)["devices"] if not one["current"])
    mine = next(one for one in shown(browser)["devices"] if one["current"])
    failing.ledger.fail()
    for one in (theirs, mine):
        assert browser.post(FORGET, {"device": one["reference"]}).status_code == 503
    assert failing.sessions.of_account(PHARMACY) == []
    assert len(devices_of(failing)) == 2


def test_sign_out_everywhere_ends_this_session_too(world, signed_in):
    others = [world.browser() for _ in range(2)]
    for other in others:
        other.sign_in()
    answer = signed_in.post(SESSIONS, {"all": "1"})
    assert answer.headers["location"] == "/.herse/sign-out"
    assert answer.headers["clear-site-data"] == '"cache"'
    assert signed_in.token is None
    assert world.sessions.of_account(PHARMACY) == []
    assert world.kinds()[:3] == [OUT] * 3
    again = world.browser()
    again.sign_in()
    assert again.json(SESSIONS, {"all": "1"}).json()["account"] is None


def test_sign_out_everywhere_works_when_the_ledger_does_not(failing):
    browser, other = failing.browser(), failing.browser()
    browser.sign_in()
    other.sign_in()
    failing.ledger.fail()
    assert browser.post(SESSIONS, {"all": "1"}).headers["location"] == "/.herse/sign-out"
    assert failing.sessions.of_account(PHARMACY) == []
