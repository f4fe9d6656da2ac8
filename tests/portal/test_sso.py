# SPDX-License-Identifier: EUPL-1.2
"""Signing in through Pro Santé Connect: once, in the browser that set out, into the account that is linked, no longer
than the provider's own session.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from portal.sso_door import (
    CALLBACK,
    CHOOSE,
    COOKIE,
    JSON,
    LINK,
    PRACTICE,
    SSO,
    back,
    goes,
    living,
    methods,
    sets_out,
)

from gateway.identity.throttle import Throttle
from gateway.model import EventKind, Level
from support.provider import DISCOVERY
from support.provider_server import Answer


def test_the_button_is_on_the_page_and_keeps_the_way(door):
    page = door.browser().get("/.herse/sign-in?to=abc").text
    form = page[page.index(f'action="{SSO}"') :]
    assert form.index('name="to" value="abc"') < form.index("Pro Santé Connect")


def test_a_linked_identity_opens_a_session_and_leads_on(linked, provider):
    browser = linked.browser()
    to = linked.returns.keep("/infopatient/1?x=2", linked.now)
    answer = goes(linked, provider, browser, to)
    assert (answer.status_code, answer.headers["location"]) == (303, "/infopatient/1?x=2")
    (session,) = living(linked)
    assert session.subject.assurance.level is Level.MFA
    assert linked.sessions.find(browser.token.encode(), linked.now) is session
    assert COOKIE not in browser.client.cookies
    event = linked.events(PRACTICE)[0]
    assert (event.kind, event.method, event.network) == (EventKind.SIGN_IN, "psc", "192.0.2.14")


def test_the_proof_is_as_old_as_the_provider_says_and_the_session_ends_with_its_own(linked, provider):
    provider.proved_seconds_ago = 3 * 3600
    browser = linked.browser()
    goes(linked, provider, browser)
    (session,) = living(linked)
    (proof,) = session.subject.assurance.proofs
    assert timedelta(hours=3) <= linked.now - proof.at < timedelta(hours=3, seconds=20)
    assert session.expires_at == proof.at + timedelta(hours=4)
    linked.now = session.expires_at - timedelta(seconds=1)
    session.seen_at = linked.now
    assert browser.get("/.herse/account").status_code == 200
    linked.later(seconds=1)
    assert browser.get("/.herse/account").status_code == 303
    assert living(linked) == []


def test_a_provider_whose_clock_runs_ahead_proves_nothing_in_the_future(linked, provider):
    provider.proved_seconds_ago = -20
    goes(linked, provider, linked.browser())
    (session,) = living(linked)
    assert [proof.at for proof in session.subject.assurance.proofs] == [linked.now]
    assert session.expires_at == linked.now + timedelta(hours=4)


def test_the_card_at_the_provider_counts_as_a_card(linked, provider):
    provider.claims = {"authMode": "CARD"}
    goes(linked, provider, linked.browser())
    (session,) = living(linked)
    assert (session.subject.assurance.level, methods(session)) == (Level.CARD, {"psc-sc"})


def test_a_program_walks_the_same_way(linked, provider):
    browser = linked.browser()
    following = browser.json(SSO, {}).json()["next"]
    assert following.startswith(provider.wallet)
    answer = browser.get(back(linked, provider, following), **JSON)
    assert answer.json() == {"account": PRACTICE, "assurance": "mfa", "next": "/"}


def test_the_cookie_comes_along_from_another_site_and_belongs_to_the_server(door):
    told = door.browser().post(SSO).headers["set-cookie"]
    assert told.startswith(f"{COOKIE}=")
    assert told.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600")


def test_H5_an_answer_counts_once(linked, provider):
    browser = linked.browser()
    path = back(linked, provider, sets_out(browser))
    assert browser.get(path).status_code == 303
    again = browser.get(path)
    assert again.status_code == 400
    assert f'action="{SSO}"' in again.text
    assert len(living(linked)) == 1


def test_H5_of_fifty_at_once_one_opens_a_session(linked, provider):
    browser = linked.browser()
    path = back(linked, provider, sets_out(browser))

    async def walk():
        return await asyncio.gather(*(browser.client.get(path) for _ in range(50)))

    answers = linked.run(walk())
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 49
    assert len(living(linked)) == 1


def test_R1_an_answer_given_to_another_browser_is_worth_nothing_there(linked, provider):
    attacker, victim, waiting = linked.browser(), linked.browser(), linked.browser()
    path = back(linked, provider, sets_out(attacker))
    sets_out(waiting)
    for one in (victim, waiting):
        assert one.get(path).status_code == 400
        assert one.token is None
    assert living(linked) == []


def test_R1_nobody_sets_out_by_a_foreign_form(door):
    browser = door.browser()
    assert browser.post(SSO, origin="https://evil.example").status_code == 403
    assert COOKIE not in browser.client.cookies


def test_the_page_that_leads_on_is_for_its_own_browser(door):
    browser, other = door.browser(), door.browser()
    path = browser.post(SSO).headers["location"]
    other.post(SSO)
    assert other.get(path).status_code == 400
    assert "refresh" not in other.get(path).headers
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("query", ["", "state=x&code=y", "state=a&state=b&code=c", "code=%ff", "error=access_denied"])
def test_an_answer_that_nobody_asked_for(door, query):
    answer = door.browser().get(f"{CALLBACK}?{query}")
    assert answer.status_code in {400, 502}
    assert "/.herse/sign-in" in answer.text


def test_two_cookies_refuse_the_request(door):
    twice = f"{COOKIE}={'a' * 43}; {COOKIE}={'b' * 43}"
    assert door.browser().get(f"{CALLBACK}?state=x&code=y", cookie=twice).status_code == 400


def test_two_tabs_of_one_browser_both_come_back(linked, provider):
    browser = linked.browser()
    first, second = sets_out(browser), sets_out(browser)
    assert browser.get(back(linked, provider, second)).status_code == 303
    browser.client.cookies.set(COOKIE, "x")  # the first one to arrive took the cookie back
    assert browser.get(back(linked, provider, first)).status_code == 400
    assert len(living(linked)) == 1


def test_an_errand_lasts_ten_minutes(linked, provider):
    browser = linked.browser()
    path = back(linked, provider, sets_out(browser))
    linked.later(minutes=10)
    assert browser.get(path).status_code == 400
    assert living(linked) == []


def test_who_says_no_there_is_told_the_other_ways_and_keeps_his_page(door, provider):
    provider.back = lambda pairs: [pair for pair in pairs if pair[0] != "code"] + [("error", "access_denied")]
    browser = door.browser()
    to = door.returns.keep("/aat", door.now)
    answer = goes(door, provider, browser, to)
    assert answer.status_code == 403
    assert f"/.herse/sign-in?to={to}" in answer.text
    assert f'value="{to}"' in answer.text
    assert 'role="alert"' in answer.text


def test_a_provider_that_is_down_leaves_the_other_ways(door, provider):
    provider.answers[DISCOVERY] = Answer(503)
    answer = door.browser().post(SSO)
    assert answer.status_code == 503
    assert "/.herse/sign-in" in answer.text
    assert door.browser().json(SSO, {}).json()["type"] == "urn:herse:reason:sso-unreachable"


def test_a_network_sets_out_so_often_and_no_oftener(world, opened, provider):
    opened(world, throttle=Throttle(per_network=3))
    answers = [world.browser().post(SSO).status_code for _ in range(4)]
    assert answers == [303, 303, 303, 429]
    assert world.browser("198.51.100.7").post(SSO).status_code == 303


def test_without_a_provider_every_way_says_so(world):
    browser = world.browser()
    for answer in (browser.get(SSO), browser.post(SSO), browser.get(CALLBACK), browser.get(LINK), browser.post(CHOOSE)):
        assert answer.status_code == 404
    assert "Pro Santé Connect" not in browser.get("/.herse/sign-in").text
    assert browser.json(SSO, {}).json()["type"] == "urn:herse:reason:sso-not-set-up"


def test_a_ledger_that_has_failed_opens_nothing_and_uses_nothing_up(failing, opened, provider):
    world = failing
    opened(world)
    browser = world.browser()
    path = back(world, provider, sets_out(browser))
    world.ledger.fail()
    assert browser.get(path).status_code == 503
    assert browser.post(SSO).status_code == 503
    assert provider.count("/auth/realms/esante-wallet/protocol/openid-connect/token") == 0
