# SPDX-License-Identifier: EUPL-1.2
"""Step-up: a code makes the session stronger, under a new id, once; and the person goes on to what he was doing."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from gateway.model import Budget, Counts, EventKind, Level, Past, Scope, Spent

STEP_UP = "/.herse/step-up"
PHARMACY = "750012346"


def level(world, account=PHARMACY):
    return [session.subject.assurance.level for session in world.sessions.of_account(account)]


def test_a_right_code_makes_the_session_stronger_and_leads_on(world, signed_in):
    to = world.returns.keep("/infopatient/1?x=2", world.now)
    assert 'inputmode="numeric"' in signed_in.get(f"{STEP_UP}?to={to}").text
    old = signed_in.token
    answer = signed_in.step_up(world.code(), to=to)
    assert (answer.status_code, answer.headers["location"]) == (303, "/infopatient/1?x=2")
    assert level(world) == [Level.MFA]
    assert signed_in.token != old
    assert world.sessions.find(old.encode(), world.now) is None
    assert world.sessions.find(signed_in.token.encode(), world.now)
    event = world.events()[0]
    assert (event.kind, event.method) == (EventKind.STEP_UP, "otp")


def test_a_program_gets_JSON(world, signed_in):
    answer = signed_in.json(STEP_UP, {"code": world.code()})
    assert answer.json() == {"account": PHARMACY, "assurance": "mfa", "next": "/"}
    again = signed_in.json(STEP_UP, {"code": world.code()})
    assert (again.status_code, again.json()["type"]) == (401, "urn:herse:reason:code-used")


@pytest.mark.parametrize("code", ["", "12345", "1234567", "\uff11\uff12\uff13\uff14\uff15\uff16", " 123456", "abcdef"])
def test_I6_no_code_or_a_bad_one_changes_nothing(world, signed_in, code):
    answer = signed_in.step_up(code)
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert level(world) == [Level.PASSWORD]
    event = world.events()[0]
    assert (event.kind, event.reason) == (EventKind.STEP_UP_FAILED, "code-wrong")


def test_I6_a_step_up_without_a_field_called_code_changes_nothing(world, signed_in):
    assert signed_in.post(STEP_UP).status_code == 401
    assert level(world) == [Level.PASSWORD]


def test_I2_of_many_parallel_posts_of_one_code_one_succeeds(world, signed_in):
    code = world.code()

    async def walk():
        return await asyncio.gather(*(signed_in.post_soon(STEP_UP, {"code": code}) for _ in range(5)))

    answers = world.run(walk())
    assert sorted(answer.status_code for answer in answers) == [303, 401, 401, 401, 401]


def test_I3_wrong_codes_are_slowed_down_for_every_session_of_the_account(world, signed_in):
    codes = [signed_in.step_up(world.wrong_code()).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    other = world.browser("198.51.100.7")
    other.sign_in()
    assert other.step_up(world.code()).status_code == 429


def test_nobody_steps_up_without_a_session(world, browser):
    assert browser.get(f"{STEP_UP}?to=abc").headers["location"] == "/.herse/sign-in?to=abc"
    assert browser.step_up(world.code()).headers["location"].startswith("/.herse/sign-in?to=")
    assert browser.json(STEP_UP, {"code": world.code()}).json()["type"] == "urn:herse:reason:sign-in-required"
    assert browser.get(STEP_UP, accept="application/json").status_code == 401


def test_an_account_without_an_application_is_told_the_way_on(world):
    world.add("759876543", totp=False)
    browser = world.browser()
    browser.sign_in("759876543")
    page = browser.get(STEP_UP)
    assert page.status_code == 403
    assert "/.herse/enrol" in page.text
    assert browser.step_up("123456").status_code == 403
    assert world.events("759876543")[0].reason == "second-factor-missing"


@pytest.mark.parametrize("query", ["card=1", "reason=card-required"])
def test_where_a_card_is_asked_no_code_form_is_shown(signed_in, query):
    page = signed_in.get(f"{STEP_UP}?{query}")
    assert page.status_code == 401
    assert "CPS" in page.text
    assert 'name="code"' not in page.text


def test_the_reason_of_the_challenge_is_told_from_our_own_sentences(signed_in):
    assert "beaucoup de patients" in signed_in.get(f"{STEP_UP}?to=a&reason=budget-proof-required").text
    assert "evil" not in signed_in.get(f"{STEP_UP}?to=a&reason=evil").text
    assert signed_in.get(f"{STEP_UP}?to=a&to=b").status_code == 400


SPENT = Spent(Budget(15, timedelta(minutes=10), Past.CHALLENGE, Counts.NEW, Scope.HOLDER), 400)


def slip_of(world, spent=SPENT):
    (session,) = world.sessions.of_account(PHARMACY)
    return world.slips.write(spent, session.reference, world.now)


def test_the_figures_of_the_budget_are_told_from_the_slip_of_the_hallway(world, signed_in):
    page = signed_in.get(f"{STEP_UP}?to=a&reason=budget-proof-required&why={slip_of(world)}").text
    assert "15 nouveaux patients en 10 minutes" in page
    assert "dans 7 minutes, à 9\u00a0h\u00a007" in page
    world.later(minutes=5)
    later = f"{STEP_UP}?to=a&reason=budget-proof-required&why={slip_of(world, SPENT._replace(seconds=50))}"
    assert "dans 50 secondes" in signed_in.get(later).text


@pytest.mark.parametrize("made_up", ["99", "", "A" * 200, "%3Cscript%3E"])
def test_no_figure_of_the_address_is_shown(world, signed_in, made_up):
    page = signed_in.get(f"{STEP_UP}?to=a&reason=budget-proof-required&why={made_up}")
    assert page.status_code == 200
    assert "beaucoup de patients" in page.text
    assert "99" not in re.sub(r'nonce="[^"]*"|value="[^"]*"', "", page.text), "but by chance in what is random"
    other = world.browser()
    slip = slip_of(world)
    other.sign_in()
    assert "15 nouveaux" not in other.get(f"{STEP_UP}?to=a&reason=budget-proof-required&why={slip}").text
    assert "15 nouveaux" not in signed_in.get(f"{STEP_UP}?to=a&reason=second-factor-stale&why={slip}").text


def test_whose_session_has_moved_is_told_what_to_do_if_it_was_not_he(signed_in):
    page = signed_in.get(f"{STEP_UP}?to=a&reason=session-moved").text
    assert "depuis un autre réseau ou un autre appareil" in page
    assert "déconnectez-vous et appelez le support" in page
    assert "déconnectez-vous" not in signed_in.get(f"{STEP_UP}?to=a&reason=second-factor-stale").text


def test_when_the_ledger_fails_no_session_gets_stronger(failing):
    browser = failing.browser()
    browser.sign_in()
    failing.ledger.fail()
    assert browser.step_up(failing.code()).status_code == 503
    assert level(failing) == [Level.PASSWORD]


def test_I6_the_proof_is_recorded_before_the_session_is_stronger(failing):
    browser = failing.browser()
    browser.sign_in()
    waiting = []
    request = browser.post_soon(STEP_UP, {"code": failing.code()})
    answer = failing.meanwhile(request, lambda: waiting.extend(level(failing)))
    assert waiting == [Level.PASSWORD]
    assert answer.status_code == 303
    assert level(failing) == [Level.MFA]


def test_a_session_that_ends_while_its_proof_is_recorded_stays_ended(failing):
    browser = failing.browser()
    browser.sign_in()
    request = browser.post_soon(STEP_UP, {"code": failing.code()})
    answer = failing.meanwhile(request, lambda: failing.sessions.end_all(PHARMACY, failing.now))
    assert answer.headers["location"].startswith("/.herse/sign-in")
    assert failing.sessions.of_account(PHARMACY) == []
