# SPDX-License-Identifier: EUPL-1.2
"""Sign-in and step-up by passkey: what they open, for whom, and what is told of those that fail."""

from __future__ import annotations

import asyncio
from collections import Counter

from portal.world import assurance

from gateway.model import EventKind, Level, Method
from support.authenticator import UP, Authenticator
from support.passkey_pages import LIST, ORIGIN, SIGN_IN, STEP_UP, options_of, sign_in, step_up

PHARMACY, DOCTOR = "750012346", "751234567"
JSON = {"accept": "application/json"}


def test_a_passkey_alone_opens_a_session_with_two_factors(world, key):
    browser = world.browser("198.51.100.7")
    browser.get(SIGN_IN)
    answer = sign_in(browser, key)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    proved = assurance(world, browser)
    assert (proved.level, [one.method for one in proved.proofs]) == (Level.MFA, [Method.PASSKEY])
    event = world.events()[0]
    assert (event.kind, event.method, event.network) == (EventKind.SIGN_IN, Method.PASSKEY, "198.51.100.7")
    assert "clé d\u2019accès" in browser.get("/.herse/account/events").text


def test_a_sign_in_by_passkey_leads_to_where_the_person_was_going(world, key):
    browser = world.browser()
    to = world.returns.keep("/infopatient", world.now)
    page = browser.get(f"{SIGN_IN}?to={to}")
    assert f'name="to" value="{to}"' in page.text
    assert f"{SIGN_IN}?to={to}" in browser.get(f"/.herse/sign-in?to={to}").text
    answer = browser.post(SIGN_IN, {"credential": key.get(options_of(page)), "to": to})
    assert answer.headers["location"] == "/infopatient"


def test_a_sign_in_by_passkey_ends_the_earlier_session_of_the_browser(world, strong, key):
    earlier = world.sessions.find(strong.token.encode(), world.now)
    sign_in(strong, key)
    assert earlier.ended
    assert len(world.sessions.of_account(PHARMACY)) == 1


def test_a_passkey_strengthens_a_session(world, key):
    browser = world.browser()
    browser.sign_in()
    before = browser.token
    assert STEP_UP in browser.get("/.herse/step-up").text
    assert step_up(browser, key).status_code == 303
    assert browser.token != before
    assert assurance(world, browser).level is Level.MFA
    assert (world.events()[0].kind, world.events()[0].method) == (EventKind.STEP_UP, Method.PASSKEY)
    assert browser.get(LIST).text.count("data-options") == 1, "it is a fresh proof: another key may be added"


def test_an_account_with_a_passkey_and_no_application_is_asked_for_the_passkey(world):
    world.add("690012347", totp=False)
    browser = world.browser()
    browser.sign_in("690012347")
    assert browser.get("/.herse/step-up").status_code == 403
    assert browser.get(STEP_UP).status_code == 403
    key, keys = Authenticator(ORIGIN), world.passkeys
    answer = key.create(keys.adding("690012347", "", "s", world.now))
    keys.table.add(keys.check_new("690012347", answer, "s", world.now), "clé", world.now)
    asked = browser.get("/.herse/step-up?to=abc&reason=proof-too-old")
    assert asked.headers["location"] == f"{STEP_UP}?to=abc&reason=proof-too-old"
    assert "moins de 15\u00a0minutes" in browser.get(asked.headers["location"]).text.replace("15 m", "15\u00a0m")
    assert step_up(browser, key).status_code == 303


def test_a_failed_sign_in_is_told_to_the_owner_of_the_key(world, key):
    browser = world.browser()
    answer = sign_in(browser, key, flags=UP)
    assert answer.status_code == 401
    assert "Clé d\u2019accès non reconnue" in answer.text
    assert options_of(answer)["challenge"], "with a new challenge, for the next try"
    event = world.events()[0]
    assert (event.kind, event.method, event.reason) == (EventKind.SIGN_IN_FAILED, Method.PASSKEY, "passkey-wrong")
    assert sign_in(browser, key, count=0).status_code == 303
    assert sign_in(world.browser(), key, count=9).status_code == 303
    answer = sign_in(world.browser(), key, count=9)
    assert (answer.status_code, "peut-être copiée" in answer.text) == (401, True)
    assert world.events()[0].reason == "passkey-cloned"


def test_a_failed_step_up_is_told_and_changes_nothing(world, strong, key):
    browser = world.browser()
    browser.sign_in()
    before = browser.token
    answer = step_up(browser, key, origin="https://localhost:9443")
    assert answer.status_code == 401
    assert (browser.token, assurance(world, browser).level) == (before, Level.PASSWORD)
    event = world.events()[0]
    assert (event.kind, event.method, event.reason) == (EventKind.STEP_UP_FAILED, Method.PASSKEY, "passkey-wrong")


def test_failures_slow_down_and_a_flood_of_tries_is_no_flood_of_rows(world, key):
    browser = world.browser()
    browser.sign_in()
    statuses = [step_up(browser, key, flags=UP).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    assert Counter(world.kinds())[EventKind.STEP_UP_FAILED] == 5
    answer = step_up(browser, key)
    assert answer.headers["retry-after"] == "60"
    assert browser.step_up(world.code()).status_code == 401, "used before: the code still is its own way, not throttled"


def test_R1_a_challenge_belongs_to_the_browser_that_asked(world, key):
    attacker, victim = world.browser(), world.browser()
    options = options_of(attacker.get(SIGN_IN))
    victim.get(SIGN_IN)
    answer = victim.post(SIGN_IN, {"credential": key.get(options)})
    assert (answer.status_code, victim.token) == (401, None)
    assert "Demande expirée" in answer.text
    assert world.browser().post(SIGN_IN, {"credential": key.get(options)}).status_code == 403, "no cookie of our page"
    assert attacker.post(SIGN_IN, {"credential": key.get(options)}).status_code == 303


def test_a_locked_account_is_closed_to_its_passkey(world, key):
    world.accounts.lock(PHARMACY, world.now)
    world.sessions.end_all(PHARMACY, world.now)
    browser = world.browser()
    answer = sign_in(browser, key)
    assert (answer.status_code, browser.token) == (403, None)
    assert "Compte bloqué" in answer.text
    assert world.events()[0].reason == "account-locked"


def test_I2_100_posts_of_one_assertion_are_one_session(world, key):
    browser = world.browser()
    credential = key.get(options_of(browser.get(SIGN_IN)))

    async def rush():
        return await asyncio.gather(*(browser.post_soon(SIGN_IN, {"credential": credential}) for _ in range(100)))

    found = Counter(answer.status_code for answer in world.run(rush()))
    assert found == {303: 1, 401: 99}
    assert len(world.sessions.of_account(PHARMACY)) == 2
    assert Counter(event.method for event in world.events() if event.kind is EventKind.SIGN_IN)[Method.PASSKEY] == 1
