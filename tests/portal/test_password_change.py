# SPDX-License-Identifier: EUPL-1.2
"""A right password that must change opens one page and nothing else; a stolen one does not put its holder out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.model import EventKind, Level, Reason

PHARMACY = "750012346"
DOCTOR = "751234567"
PASSWORD = "cinq mots pour ouvrir la porte"
NEW = "grand cheval bleu mange lentement"
CHANGE = "/.herse/password"
TICKET = "__Host-herse-change"
JSON = {"accept": "application/json"}


@pytest.fixture
def asked(world):
    world.accounts.changes.ask([PHARMACY], Reason.PASSWORD_MUST_CHANGE, world.now, "campaign of November")
    return world


@pytest.fixture
def proved(asked, browser):
    answer = browser.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, CHANGE)
    return browser


def change(world, browser, password=NEW, **fields):
    return browser.post(CHANGE, {"password": password, "code": world.code(), **fields})


def test_a_campaign_asks_before_anything_is_open(world, proved):
    assert proved.token is None
    assert world.sessions.of_account(PHARMACY) == []
    page = proved.get(CHANGE).text
    assert "Choisissez un nouveau mot de passe" in page
    assert "Cabinet 750012346" in page
    assert proved.get("/.herse/account").status_code == 303
    assert [event.reason for event in world.events()] == ["password-must-change"]

    answer = change(world, proved)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    (session,) = world.sessions.of_account(PHARMACY)
    assert session.subject.assurance.level is Level.MFA
    assert TICKET not in proved.client.cookies
    told = [EventKind.SIGN_IN, EventKind.DEVICE_NEW, EventKind.PASSWORD_SET, EventKind.SIGN_IN_FAILED]
    assert world.kinds() == told
    assert world.events()[2].method == "pwd+otp"
    assert proved.get(CHANGE).headers["location"] == "/.herse/sign-in"

    again = world.browser()
    assert again.sign_in().status_code == 401
    assert again.sign_in(password=NEW).headers["location"] == "/"
    (campaign,) = world.accounts.changes.campaigns()
    assert (campaign.waiting, campaign.done, campaign.note) == (0, 1, "campaign of November")


def test_the_old_password_is_no_new_one_and_what_is_wrong_is_told(world, proved):
    cases = {
        PASSWORD: ("Le nouveau mot de passe est le même", 400),
        "Marseille2024!": ("un mot que beaucoup choisissent", 400),
        "Camille Durand 1980": ("votre nom ou celui du cabinet", 400),
        "court": ("trop court", 400),
        "": ("trop court", 400),
    }
    for password, (words, status) in cases.items():
        answer = change(world, proved, password)
        assert answer.status_code == status
        assert words in answer.text
        assert 'name="code"' in answer.text
    assert world.sessions.of_account(PHARMACY) == []
    assert change(world, proved).status_code == 303  # and no code was used up by them


def test_who_stole_a_password_alone_cannot_put_its_holder_out(world, proved):
    for code in (world.wrong_code(), "", "x"):
        answer = change(world, proved, code=code)
        assert answer.status_code == 401
        assert "Code incorrect" in answer.text
    assert [event.kind for event in world.events()][:3] == [EventKind.STEP_UP_FAILED] * 3
    assert world.sessions.of_account(PHARMACY) == []
    assert world.browser().sign_in().headers["location"] == CHANGE  # the old one still stands


def test_without_a_code_application_the_old_password_is_enough(world, browser):
    world.add("757575757", totp=False)
    world.accounts.changes.ask(None, Reason.PASSWORD_MUST_CHANGE, world.now, "all")
    browser.sign_in("757575757")
    assert 'name="code"' not in browser.get(CHANGE).text
    assert browser.post(CHANGE, {"password": NEW}).status_code == 303
    (session,) = world.sessions.of_account("757575757")
    assert session.subject.assurance.level is Level.PASSWORD


@pytest.fixture
def breached(world):
    world.accounts.set_password(PHARMACY, world.run(world.hasher.hash("motdepasse123")), world.now)
    return world


def test_a_breached_password_is_asked_to_change_from_then_on(breached, browser):
    answer = browser.sign_in(password="motdepasse123")
    assert (answer.status_code, answer.headers["location"]) == (303, CHANGE)
    assert "liste de mots de passe volés" in browser.get(CHANGE).text
    assert browser.token is None
    told = [(event.kind, event.reason) for event in breached.events()]
    assert sorted(told) == [
        (EventKind.PASSWORD_CHANGE_ASKED, "password-breached"),
        (EventKind.SIGN_IN_FAILED, "password-breached"),
    ]
    breached.browser().sign_in(password="motdepasse123")
    assert breached.kinds().count(EventKind.PASSWORD_CHANGE_ASKED) == 1
    assert change(breached, browser).status_code == 303
    breached.later(minutes=1)
    assert breached.browser().sign_in(password=NEW).headers["location"] == "/"


def test_a_wrong_password_is_told_nothing_of_it(breached, browser):
    plain = browser.sign_in(DOCTOR, "wrong")
    asked = browser.sign_in(PHARMACY, "azerty")  # breached, but not this account's
    assert plain.text.replace(DOCTOR, "NAME") == asked.text.replace(PHARMACY, "NAME")
    assert TICKET not in browser.client.cookies


def test_programs_are_told_and_go_the_same_way(world, asked, browser):
    answer = browser.json("/.herse/sign-in", {"identifier": PHARMACY, "password": PASSWORD})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:herse:reason:password-must-change")
    answer = browser.json(CHANGE, {"password": "court", "code": world.code()})
    assert answer.json()["type"] == "urn:herse:reason:password-too-weak"
    answer = browser.json(CHANGE, {"password": NEW, "code": world.code()})
    assert answer.json() == {"account": PHARMACY, "assurance": "mfa", "next": "/"}
    assert browser.json(CHANGE, {"password": NEW}).status_code == 401


def test_the_page_asked_for_is_reached_after_the_change(world, asked, browser):
    to = world.returns.keep("/infopatient?tri=nom", world.now)
    browser.sign_in(to=to)
    assert change(world, browser).headers["location"] == "/infopatient?tri=nom"


def test_a_ticket_is_of_one_browser_and_ends(world, proved):
    stranger = world.browser()
    assert stranger.get(CHANGE).headers["location"] == "/.herse/sign-in"
    assert change(world, stranger).headers["location"] == "/.herse/sign-in"
    stranger.client.cookies.set(TICKET, "x" * 43)
    assert change(world, stranger).headers["location"] == "/.herse/sign-in"
    world.later(minutes=15)
    assert change(world, proved).headers["location"] == "/.herse/sign-in"
    assert world.sessions.of_account(PHARMACY) == []


def test_a_ticket_has_a_number_of_tries(world, proved):
    for _ in range(20):
        assert change(world, proved, "court").status_code == 400
    assert change(world, proved).headers["location"] == "/.herse/sign-in"


def test_of_parallel_changes_one_is_made(world, proved):
    world.accounts.create("757575758", "Cabinet neuf", "nurse", None, [], world.now)  # no code application to race for
    world.accounts.set_password("757575758", world.run(world.hasher.hash(PASSWORD)), world.now)
    world.accounts.changes.ask(["757575758"], Reason.PASSWORD_MUST_CHANGE, world.now)
    browser = world.browser()
    browser.sign_in("757575758")

    async def race():
        posts = (browser.post_soon(CHANGE, {"password": f"{NEW} numéro {number}"}) for number in range(8))
        return await asyncio.gather(*posts)

    answers = world.run(race())
    assert sum(answer.headers["location"] == "/" for answer in answers) == 1
    assert len(world.sessions.of_account("757575758")) == 1


def test_a_change_ends_the_sessions_of_the_account_and_of_the_browser(world, browser):
    thief = world.browser("203.0.113.9")
    thief.sign_in()
    browser.sign_in(DOCTOR)
    world.accounts.changes.ask([PHARMACY], Reason.PASSWORD_MUST_CHANGE, world.now)
    browser.sign_in()
    assert world.sessions.of_account(DOCTOR) != []  # proved and not changed: nothing has happened yet
    assert change(world, browser).status_code == 303
    assert thief.get("/.herse/account").status_code == 303
    assert world.sessions.of_account(DOCTOR) == []


def test_an_account_locked_or_changed_meanwhile_ends_it(world, proved):
    world.accounts.lock(PHARMACY, world.now)
    answer = change(world, proved)
    assert answer.status_code == 403
    assert "bloqué" in answer.text
    world.accounts.unlock(PHARMACY, world.now)
    assert change(world, proved).headers["location"] == "/.herse/sign-in"
    world.later(minutes=1)
    proved.sign_in()
    world.accounts.set_password(PHARMACY, world.run(world.hasher.hash("another one set elsewhere 5")), world.now)
    assert change(world, proved).headers["location"] == "/.herse/sign-in"
    assert world.sessions.of_account(PHARMACY) == []


def test_another_site_s_form_changes_nothing(world, proved):
    answer = proved.post(CHANGE, {"password": NEW, "code": world.code()}, origin="https://evil.example")
    assert answer.status_code == 403
    assert world.sessions.of_account(PHARMACY) == []


def test_when_the_ledger_fails_no_password_is_changed(failing):
    failing.accounts.changes.ask([PHARMACY], Reason.PASSWORD_MUST_CHANGE, failing.now)
    browser = failing.browser()
    browser.sign_in()
    before = failing.accounts.password_hash(PHARMACY)
    failing.ledger.fail()
    assert change(failing, browser).status_code == 503
    assert failing.accounts.password_hash(PHARMACY) == before


@pytest.mark.parametrize("way", ["campaign", "activation"])
def test_a_new_password_waits_for_its_record(failing, way):
    """What is durable first tells of a change; what fails then has changed nothing, and signed nobody out."""
    standing = failing.browser()
    standing.sign_in()
    browser = failing.browser()
    if way == "campaign":
        failing.accounts.changes.ask([PHARMACY], Reason.PASSWORD_MUST_CHANGE, failing.now)
        browser.sign_in()
        path, fields = "/.herse/password", {"password": NEW, "code": failing.code()}
    else:
        code = failing.accounts.invite(PHARMACY, failing.now, timedelta(days=1))
        path, fields = "/.herse/enrol", {"identifier": PHARMACY, "code": code, "password": NEW}
    before = failing.accounts.password_hash(PHARMACY)

    def break_the_ledger():
        assert failing.accounts.password_hash(PHARMACY) == before
        failing.ledger.fail()

    assert failing.meanwhile(browser.post_soon(path, fields), break_the_ledger, seconds=1).status_code == 503
    assert failing.accounts.password_hash(PHARMACY) == before
    assert len(failing.sessions.of_account(PHARMACY)) == 1


@pytest.mark.parametrize("act", ["lock", "wrong"])
def test_an_activation_that_opens_nothing_is_on_record_as_no_new_password(world, browser, act):
    code = world.accounts.invite(PHARMACY, world.now, timedelta(days=1))
    if act == "lock":
        world.accounts.lock(PHARMACY, world.now)
    fields = {"identifier": PHARMACY, "code": code if act == "lock" else "WRONG", "password": NEW}
    assert browser.post("/.herse/enrol", fields).status_code in {401, 403}
    assert EventKind.PASSWORD_SET not in world.kinds()


def test_an_activation_code_answers_a_campaign_too(world, asked, browser):
    code = world.accounts.invite(PHARMACY, world.now, timedelta(days=1))
    fields = {"identifier": PHARMACY, "code": code}
    answer = browser.post("/.herse/enrol", {**fields, "password": "Camille Durand 1980"})
    assert "votre nom ou celui du cabinet" in answer.text
    assert browser.post("/.herse/enrol", {**fields, "password": NEW}).status_code == 303
    assert world.browser().sign_in(password=NEW).headers["location"] == "/"


def test_the_names_of_an_account_are_not_told_without_its_code(world, browser):
    answers = [
        browser.post("/.herse/enrol", {"identifier": name, "code": "WRONG", "password": "Camille Durand 19-80-x"})
        for name in (PHARMACY, "999999999")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].text.replace(PHARMACY, "NAME") == answers[1].text.replace("999999999", "NAME")
