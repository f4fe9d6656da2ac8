# SPDX-License-Identifier: EUPL-1.2
"""Enrolment: an activation code opens a session; only a fresh proof links a code application; the whole first day."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from gateway.model import EventKind, Level

ENROL = "/.herse/enrol"
FACTORS = "/.herse/account/factors"
NEWCOMER = "757575757"
PASSWORD = "une phrase neuve et assez longue"


@pytest.fixture
def invited(world):
    world.accounts.create(NEWCOMER, "Pharmacie neuve", "pharmacist", None, [], world.now)
    return world.accounts.invite(NEWCOMER, world.now, timedelta(days=7))


def enrol(browser, code, **fields):
    return browser.post(ENROL, {"identifier": NEWCOMER, "code": code, "password": PASSWORD, **fields})


def linked_secret(browser):
    return browser.get(FACTORS, accept="application/json").json()["secret"]


def test_the_whole_first_day(world, browser, invited):
    assert "Étape 1" in browser.get(ENROL).text
    answer = enrol(browser, invited)
    assert (answer.status_code, answer.headers["location"]) == (303, FACTORS)
    page = browser.get(FACTORS).text
    assert "<svg" in page
    secret = linked_secret(browser)
    assert " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)) in page
    old = browser.token
    answer = browser.post(FACTORS, {"code": pyotp.TOTP(secret).at(world.now)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/.herse/account")
    assert browser.token != old
    (session,) = world.sessions.of_account(NEWCOMER)
    assert session.subject.assurance.level is Level.MFA
    assert "Active" in browser.get("/.herse/account").text

    browser.post("/.herse/sign-out")
    world.later(minutes=1)
    browser.sign_in(NEWCOMER, PASSWORD)
    assert browser.step_up(pyotp.TOTP(secret).at(world.now)).status_code == 303
    told = browser.get("/.herse/account/events").text
    for words in ("Mot de passe choisi", "Moyen de connexion ajouté", "Identité confirmée", "Déconnexion"):
        assert words in told
    assert world.kinds(NEWCOMER) == [
        EventKind.STEP_UP,
        EventKind.SIGN_IN,
        EventKind.SIGN_OUT,
        EventKind.STEP_UP,
        EventKind.FACTOR_ADDED,
        EventKind.SIGN_IN,
        EventKind.DEVICE_NEW,
        EventKind.PASSWORD_SET,
    ]


def test_the_first_code_is_used_up_by_the_link(world, browser, invited):
    enrol(browser, invited)
    code = pyotp.TOTP(linked_secret(browser)).at(world.now)
    browser.post(FACTORS, {"code": code})
    assert browser.step_up(code).status_code == 401
    assert world.events(NEWCOMER)[0].reason == "code-used"


def test_an_activation_code_works_once_and_ends_older_sessions(world, browser, invited):
    enrol(browser, invited)
    (first,) = world.sessions.of_account(NEWCOMER)
    again = enrol(world.browser(), invited)
    assert again.status_code == 401
    assert 'role="alert"' in again.text
    assert world.events(NEWCOMER)[0].reason == "invitation-wrong"
    fresh = world.accounts.invite(NEWCOMER, world.now, timedelta(days=7))
    enrol(world.browser(), fresh)
    assert first.ended
    assert len(world.sessions.of_account(NEWCOMER)) == 1


def test_a_weak_password_keeps_the_code_alive_and_leaves_no_row(world, browser, invited):
    assert enrol(browser, invited, password="court").status_code == 400
    assert world.events(NEWCOMER) == []
    assert enrol(browser, invited).status_code == 303


def test_an_unknown_identifier_looks_like_a_wrong_code(world, browser, invited):
    wrong = enrol(browser, "AAAA-BBBB")
    unknown = enrol(browser, invited, identifier="999999999")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace(NEWCOMER, "NAME") == unknown.text.replace("999999999", "NAME")
    assert world.events("999999999") == []


def test_when_the_ledger_fails_an_activation_code_is_not_used_up(failing):
    failing.accounts.create(NEWCOMER, "Pharmacie neuve", "pharmacist", None, [], failing.now)
    code = failing.accounts.invite(NEWCOMER, failing.now, timedelta(days=7))
    failing.ledger.fail()
    assert enrol(failing.browser(), code).status_code == 503
    assert failing.accounts.redeem_invitation(NEWCOMER, code, failing.now).identifier == NEWCOMER


def test_I7_a_password_alone_never_links_an_application(world):
    world.add("759876543", totp=False)
    browser = world.browser()
    browser.sign_in("759876543")
    page = browser.get(FACTORS)
    assert "/.herse/enrol" in page.text
    assert "<svg" not in page.text
    for fields in ({}, {"code": "123456"}):
        answer = browser.json(FACTORS, fields)
        assert (answer.status_code, answer.json()["type"]) == (401, "urn:herse:reason:proof-too-old")
    assert not world.accounts.find("759876543").has_totp


def test_I7_a_stolen_password_does_not_replace_an_application(world, signed_in):
    to_step_up = signed_in.post(FACTORS).headers["location"]
    assert to_step_up.startswith("/.herse/step-up?to=")
    assert "moins de 15" in signed_in.get(to_step_up).text


@pytest.mark.parametrize("elsewhere", [{"network": "198.51.100.7"}, {"client": "robot/1"}], ids=["network", "client"])
def test_F3_a_stolen_session_changes_no_factor_however_fresh_its_proof(world, signed_in, elsewhere):
    signed_in.step_up(world.code())
    thief = world.browser(elsewhere.get("network", "192.0.2.14"))
    thief.plant(signed_in.token)
    headers = {"user_agent": elsewhere["client"]} if "client" in elsewhere else {}
    answer = thief.post(FACTORS, **headers)
    assert answer.headers["location"].startswith("/.herse/step-up?to=")
    assert signed_in.post(FACTORS).headers["location"] == FACTORS, "from where it was proved it is open"


def test_I7_the_proof_must_be_fresh_and_the_secret_is_bound_to_its_session(world, signed_in):
    signed_in.step_up(world.code())
    assert signed_in.post(FACTORS).headers["location"] == FACTORS
    secret = linked_secret(signed_in)
    other = world.browser()
    other.sign_in()
    world.later(minutes=1)
    assert other.step_up(world.code()).status_code == 303
    stolen = other.json(FACTORS, {"code": pyotp.TOTP(secret).at(world.now)})
    assert stolen.json()["type"] == "urn:herse:reason:form-forged"
    world.later(minutes=15)
    late = signed_in.json(FACTORS, {"code": pyotp.TOTP(secret).at(world.now)})
    assert late.json()["type"] == "urn:herse:reason:proof-too-old"
    assert EventKind.FACTOR_ADDED not in world.kinds()


def test_a_replacement_needs_a_code_of_the_new_application(world, signed_in):
    signed_in.step_up(world.code())
    signed_in.post(FACTORS)
    secret = linked_secret(signed_in)
    good = pyotp.TOTP(secret).at(world.now)
    wrong = str((int(good) + 1) % 1_000_000).zfill(6)
    answer = signed_in.post(FACTORS, {"code": wrong})
    assert answer.status_code == 401
    assert "<svg" in answer.text
    assert signed_in.json(FACTORS, {"code": wrong}).json()["type"] == "urn:herse:reason:code-wrong"
    assert signed_in.post(FACTORS, {"code": good}).status_code == 303
    world.later(minutes=1)
    world.secrets["750012346"] = secret
    assert signed_in.step_up(world.code()).status_code == 303


def test_looking_at_the_page_begins_nothing(world, signed_in):
    signed_in.step_up(world.code())
    assert "<svg" not in signed_in.get(FACTORS).text
    assert signed_in.get(FACTORS, accept="application/json").json() == {
        "account": "750012346",
        "totp": True,
        "may_add": True,
    }


def test_when_the_ledger_fails_no_application_is_linked(failing):
    browser = failing.browser()
    browser.sign_in()
    browser.step_up(failing.code())
    browser.post(FACTORS)
    secret = linked_secret(browser)
    failing.ledger.fail()
    assert browser.post(FACTORS, {"code": pyotp.TOTP(secret).at(failing.now)}).status_code == 503
    failing.later(minutes=1)
    assert failing.factors.use_totp("750012346", failing.code(), failing.now)


def test_I7_a_session_that_ends_while_its_proof_is_recorded_links_nothing(failing):
    browser = failing.browser()
    browser.sign_in()
    browser.step_up(failing.code())
    browser.post(FACTORS)
    secret = linked_secret(browser)
    request = browser.post_soon(FACTORS, {"code": pyotp.TOTP(secret).at(failing.now)})
    answer = failing.meanwhile(request, lambda: failing.sessions.end_all("750012346", failing.now))
    assert answer.headers["location"].startswith("/.herse/sign-in")
    failing.later(minutes=1)
    assert failing.factors.use_totp("750012346", failing.code(), failing.now)


def test_K2_no_answer_and_no_representation_holds_the_secret_without_need(world, signed_in):
    signed_in.step_up(world.code())
    signed_in.post(FACTORS)
    secret = linked_secret(signed_in)
    for path in ("/.herse/account", "/.herse/account/events", "/.herse/account/sessions"):
        assert secret not in signed_in.get(path).text
