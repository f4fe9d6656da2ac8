# SPDX-License-Identifier: EUPL-1.2
"""Signing in and stepping up on the phone: two digits, a page that waits, and nothing that tells who is known here."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.identity.accounts import Holder
from gateway.identity.at_rest import AtRest
from gateway.identity.sso import SingleSignOn
from gateway.identity.sso_ciba import Ciba
from gateway.identity.sso_identity import SsoIdentity
from gateway.identity.sso_links import SsoLinks
from gateway.identity.sso_prompts import Prompts
from gateway.identity.sso_sessions import SsoSessions
from gateway.identity.throttle import Throttle
from gateway.model import EventKind, Level, Method, Proof
from gateway.portal.app import build_portal
from gateway.portal.doors import SsoDesk
from support.provider import CIBA, DROP, NATIONAL_ID, SUBJECT, TOKEN, StandInProvider, settings_for
from support.provider_server import Answer

PHONE = "/.herse/sso/phone"
PASSWORD = "cinq mots pour ouvrir la porte"
RPPS = NATIONAL_ID[1:]
UNKNOWN = "10101010105"
PRACTICE, SECOND_PRACTICE = "759900001", "759900002"


@pytest.fixture
def provider():
    with StandInProvider(claims={"authMode": "MOBILE"}) as provider:
        yield provider


def identity(provider, at):
    """The person of the stand-in provider, as a sign-in there would prove him."""
    proof = Proof(Method.SSO, at)
    names = {"given_name": "KIT", "family_name": "DOC0042788", "acr": "eidas3"}
    rest = {"sid": "6fd1a9c6", "ends_at": at + timedelta(hours=4), "activities": (), "id_token": "x.y.z"}
    person = {"subject": SUBJECT, "national_id": NATIONAL_ID, "rpps": RPPS}
    return SsoIdentity(issuer=provider.issuer, proof=proof, **names, **rest, **person)


def with_phone(world, provider):
    """Give a world the provider that asks on the phone."""
    world.now = datetime.now(UTC)
    sso = SingleSignOn(settings_for(provider))
    ciba = Ciba(sso)
    sessions = SsoSessions(world.engine, AtRest(bytes(range(32))))
    more = {"ciba": ciba, "name": "Pro Santé Connect", "throttle": Throttle(), "prompts": Prompts(ciba)}
    desk = SsoDesk(sso=sso, links=SsoLinks(world.engine), sessions=sessions, **more)
    world.doors = replace(world.doors, sso=desk)
    world.app = build_portal(world.doors)
    return sso


@pytest.fixture
def phone(world, provider):
    """The world with a provider that asks on the phone, and one practice that its person is linked to."""
    sso = with_phone(world, provider)
    world.accounts.create(PRACTICE, "Cabinet K", "physician", RPPS, [Holder("Kit Doc", RPPS)], world.now)
    world.doors.sso.links.add(PRACTICE, identity(provider, world.now), world.now)
    yield world
    world.run(sso.close())


def asked(phone, browser, identifier=RPPS, **fields):
    """Ask, and give the path of the page that waits."""
    answer = browser.post(PHONE, {"identifier": identifier, **fields})
    assert answer.status_code == 303, answer.text
    phone.later(seconds=5)
    return answer.headers["location"]


def digits_of(page):
    return re.search(r'<p class="digits"><span aria-hidden="true">([0-9]{2})</span>', page.text)[1]


def test_a_person_signs_in_on_the_phone(phone, provider):
    browser = phone.browser()
    form = browser.get(PHONE)
    assert 'name="identifier"' in form.text
    waiting = asked(phone, browser)
    page = browser.get(waiting)
    [sent] = [one.fields for one in provider.seen if one.path == CIBA]
    assert (page.status_code, page.headers["refresh"]) == (200, "5")
    assert digits_of(page) == sent["binding_message"]
    assert (sent["login_hint"], sent["channel"]) == (NATIONAL_ID, "MOBILE")
    assert browser.token is None
    provider.ciba_says = "yes"
    phone.later(seconds=5)
    arrived = browser.get(waiting)
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/")
    session = phone.sessions.find(browser.token.encode(), phone.now)
    assert (session.subject.account, session.subject.assurance.level) == (PRACTICE, Level.MFA)
    [event] = [one for one in phone.events(PRACTICE) if one.kind is EventKind.SIGN_IN]
    assert event.method == Method.SSO
    assert browser.get(waiting).status_code == 400


def test_the_page_is_read_aloud_and_need_not_move(phone):
    browser = phone.browser()
    waiting = asked(phone, browser)
    page = browser.get(waiting)
    digits = digits_of(page)
    assert f'<span class="unseen">{digits[0]}, {digits[1]}</span>' in page.text
    assert "script" not in page.text
    assert f"{waiting}&amp;calm=1" in page.text
    calm = browser.get(f"{waiting}&calm=1")
    assert "refresh" not in calm.headers
    assert f'<a class="button" href="{waiting}&amp;calm=1"' in calm.text


def test_a_program_polls_too(phone, provider):
    browser = phone.browser()
    told = (begun := browser.json(PHONE, {"identifier": RPPS})).json()
    assert (begun.status_code, told["interval"], len(told["digits"])) == (202, 5, 2)
    assert datetime.fromisoformat(told["ends_at"]) == phone.now + timedelta(seconds=120)
    phone.later(seconds=5)
    assert browser.get(told["next"], accept="application/json").json() == told
    provider.ciba_says = "yes"
    phone.later(seconds=5)
    done = browser.get(told["next"], accept="application/json")
    assert (done.status_code, done.json()) == (200, {"account": PRACTICE, "assurance": "mfa", "next": "/"})


def test_somebody_signed_in_steps_up_as_himself(phone, provider):
    phone.accounts.set_password(PRACTICE, phone.run(phone.hasher.hash(PASSWORD)), phone.now)
    browser = phone.browser()
    browser.sign_in(PRACTICE)
    before = browser.token
    form = browser.get(PHONE)
    assert "Kit Doc" in form.text
    assert f'<input type="hidden" name="identifier" value="{RPPS}">' in form.text
    waiting = asked(phone, browser, identifier="")
    provider.ciba_says = "yes"
    assert browser.get(waiting).status_code == 303
    session = phone.sessions.find(browser.token.encode(), phone.now)
    assert (session.subject.account, session.subject.assurance.level) == (PRACTICE, Level.MFA)
    assert browser.token != before
    assert EventKind.STEP_UP in phone.kinds(PRACTICE)


def test_an_account_of_several_holders_asks_who(phone):
    people = [Holder("Kit Doc", RPPS), Holder("Ana Doc", UNKNOWN), Holder("Sans Numéro")]
    phone.accounts.create(SECOND_PRACTICE, "Cabinet à deux", "physician", None, people, phone.now)
    phone.accounts.set_password(SECOND_PRACTICE, phone.run(phone.hasher.hash(PASSWORD)), phone.now)
    browser = phone.browser()
    browser.sign_in(SECOND_PRACTICE)
    page = browser.get(PHONE).text
    assert re.findall(r'<option value="([0-9]+)"', page) == [RPPS, UNKNOWN]
    assert browser.post(PHONE, {"identifier": ""}).status_code == 400


def test_another_person_than_the_account_s_strengthens_nothing(phone, provider):
    signed_in = phone.browser()
    signed_in.sign_in()
    waiting = asked(phone, signed_in)
    provider.ciba_says = "yes"
    answer = signed_in.get(waiting)
    assert answer.status_code == 403
    session = phone.sessions.find(signed_in.token.encode(), phone.now)
    assert session.subject.assurance.level is Level.PASSWORD


def test_I10_who_is_known_here_and_who_is_not_are_asked_and_told_alike(phone, provider):
    seen = []
    for number in (RPPS, UNKNOWN):
        browser = phone.browser()
        browser.get(PHONE)
        before = len(provider.seen)
        begun = browser.post(PHONE, {"identifier": number})
        phone.later(seconds=5)
        waiting = browser.get(begun.headers["location"])
        calls = [one.path for one in provider.seen[before:] if one.path in {CIBA, TOKEN}]
        text = re.sub(r'wait=[\w-]+|<p class="digits">.*?</p>|<time.*?</time>', "", waiting.text)
        seen.append((begun.status_code, sorted(begun.headers), waiting.status_code, calls, text))
    assert seen[0] == seen[1]
    assert phone.events(PRACTICE) == []


@pytest.mark.parametrize(
    ("says", "status", "word"), [("access_denied", 403, "sso-refused"), ("expired_token", 400, "sso-state-wrong")]
)
def test_a_no_and_an_end_are_told_with_the_way_on(phone, provider, says, status, word):
    browser = phone.browser()
    waiting = asked(phone, browser, to="")
    provider.ciba_says = says
    answer = browser.get(waiting)
    assert (answer.status_code, browser.token) == (status, None)
    assert 'role="alert"' in answer.text
    assert 'href="/.herse/sign-in"' in answer.text
    assert "refresh" not in answer.headers
    found = [(one.kind, one.reason, one.method) for one in phone.events(PRACTICE)]
    refused = [(EventKind.SIGN_IN_FAILED, word, Method.SSO)]
    assert found == (refused if word == "sso-refused" else [])


def test_a_no_makes_the_next_prompt_wait_for_whoever_asks(phone, provider):
    waiting = asked(phone, browser := phone.browser())
    provider.ciba_says = "access_denied"
    browser.get(waiting)
    again = browser.post(PHONE, {"identifier": RPPS})
    assert (again.status_code, again.headers["retry-after"]) == (429, "300")
    elsewhere = phone.browser("198.51.100.9").json(PHONE, {"identifier": f"8{RPPS}"})
    assert (elsewhere.status_code, elsewhere.headers["retry-after"]) == (429, "300")
    assert provider.count(CIBA) == 1


def test_an_open_prompt_is_not_doubled(phone, provider):
    browser = phone.browser()
    waiting = asked(phone, browser)
    assert browser.post(PHONE, {"identifier": RPPS}).headers["location"] == waiting
    assert phone.browser().post(PHONE, {"identifier": RPPS}).status_code == 429
    assert provider.count(CIBA) == 1


def test_it_belongs_to_the_browser_that_asked(phone, provider):
    browser = phone.browser()
    waiting = asked(phone, browser)
    provider.ciba_says = "yes"
    thief = phone.browser()
    assert thief.get(waiting).status_code == 400
    assert thief.token is None
    assert thief.get(f"{PHONE}?wait=x").status_code == 400
    assert thief.get(f"{waiting}&wait=x").status_code == 400
    assert provider.count(TOKEN) == 0
    assert browser.get(waiting).status_code == 303


def test_the_provider_is_asked_at_its_own_pace(phone, provider):
    browser = phone.browser()
    waiting = asked(phone, browser)
    for _ in range(10):
        assert browser.get(waiting).status_code == 200
    assert provider.count(TOKEN) == 1


def test_a_provider_that_is_down_for_a_moment_keeps_the_page_waiting(phone, provider):
    browser = phone.browser()
    provider.answers[CIBA] = Answer(503)
    assert browser.post(PHONE, {"identifier": RPPS}).status_code == 503
    del provider.answers[CIBA]
    waiting = asked(phone, browser)
    provider.answers[TOKEN] = Answer(503)
    assert browser.get(waiting).headers["refresh"] == "5"


def test_somebody_whom_the_provider_does_not_know_is_told_so(phone, provider):
    provider.answers[CIBA] = Answer(400, b'{"error":"unknown_user_id"}')
    answer = phone.browser().post(PHONE, {"identifier": UNKNOWN})
    assert answer.status_code == 403
    assert f'value="{UNKNOWN}"' in answer.text


@pytest.mark.parametrize("typed", ["", "12345678901", "750012346", "<b>", "8" * 200])
def test_what_is_no_number_asks_nobody(phone, provider, typed):
    answer = phone.browser().post(PHONE, {"identifier": typed})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert "<b>" not in answer.text
    assert provider.seen == []


def test_a_form_of_another_site_asks_nobody(phone, provider):
    answer = phone.browser().post(PHONE, {"identifier": RPPS}, origin="https://elsewhere.example")
    assert answer.status_code == 403
    assert provider.seen == []


def test_an_identity_that_names_another_person_opens_nothing(phone, provider):
    browser = phone.browser()
    waiting = asked(phone, browser)
    provider.person = {"SubjectNameID": f"8{UNKNOWN}", "preferred_username": DROP}
    provider.claims = {"preferred_username": DROP}
    provider.ciba_says = "yes"
    assert browser.get(waiting).status_code == 403
    assert browser.token is None


def test_a_ledger_that_fails_asks_nobody(failing, provider):
    sso = with_phone(failing, provider)
    failing.ledger.fail()
    assert failing.browser().post(PHONE, {"identifier": RPPS}).status_code == 503
    assert provider.seen == []
    failing.run(sso.close())


def test_without_it_there_is_no_such_page(world, phone):
    for desk in (None, replace(phone.doors.sso, prompts=None)):
        phone.doors = replace(phone.doors, sso=desk)
        phone.app = build_portal(phone.doors)
        browser = phone.browser()
        assert browser.get(PHONE).status_code == 404
        assert browser.post(PHONE, {"identifier": RPPS}).status_code == 404
