# SPDX-License-Identifier: EUPL-1.2
"""Which account an identity enters: the one that it is linked to, while its person holds it; and other providers."""

from __future__ import annotations

from datetime import timedelta

from portal.sso_door import (
    BRANCH,
    CHOOSE,
    COOKIE,
    JSON,
    LINK,
    PRACTICE,
    SSO,
    add,
    goes,
    links,
    links_by_password_and_code,
    living,
    waiting_of,
)
from portal.world import PHARMACY

from gateway.model import EventKind
from support.provider import DISCOVERY, SUBJECT
from support.provider_server import Answer


def test_a_locked_account_stays_closed_and_is_told(linked, provider):
    linked.accounts.lock(PRACTICE, linked.now)
    browser = linked.browser()
    answer = goes(linked, provider, browser)
    assert answer.status_code == 403
    assert browser.token is None
    event = linked.events(PRACTICE)[0]
    assert (event.kind, event.method, event.reason) == (EventKind.SIGN_IN_FAILED, "psc", "account-locked")


def test_P1_a_recycled_subject_opens_nothing(linked, provider):
    provider.person = {"SubjectNameID": "810000000009", "preferred_username": "810000000009"}
    provider.claims = {"preferred_username": "810000000009"}
    add(linked, BRANCH, "10000000009")
    browser = linked.browser()
    answer = goes(linked, provider, browser)
    assert (answer.status_code, browser.token) == (403, None)
    assert living(linked) == living(linked, BRANCH) == []
    assert linked.events(PRACTICE)[0].reason == "sso-of-another"


def test_P1_a_subject_recycled_to_another_holder_of_the_account_opens_nothing_either(linked, provider):
    with linked.engine.begin() as connection:
        row = (PRACTICE, "Claire Fontaine", "10000000009")
        connection.exec_driver_sql("INSERT INTO holder (account, name, rpps) VALUES (?, ?, ?)", row)
    provider.person = {"SubjectNameID": "810000000009", "preferred_username": "810000000009"}
    provider.claims = {"preferred_username": "810000000009", "authMode": "MOBILE"}
    assert goes(linked, provider, linked.browser()).status_code == 403
    assert living(linked) == []
    assert linked.events(PRACTICE)[0].reason == "sso-of-another"


def test_P1_who_holds_the_account_no_longer_stays_outside(linked, provider):
    with linked.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE holder SET rpps = NULL WHERE account = ?", (PRACTICE,))
    answer = goes(linked, provider, linked.browser())
    assert answer.status_code == 403
    assert living(linked) == []


def test_of_several_accounts_one_is_chosen(linked, provider):
    add(linked, BRANCH)
    links_by_password_and_code(linked, provider, BRANCH)
    linked.sessions.end_all(BRANCH, linked.now)
    browser, other = linked.browser(), linked.browser()
    to = linked.returns.keep("/aat", linked.now)
    asked = goes(linked, provider, browser, to)
    assert asked.headers["location"].startswith(f"{CHOOSE}?waiting=")
    page = browser.get(asked.headers["location"])
    assert PRACTICE in page.text
    assert BRANCH in page.text
    told = browser.get(asked.headers["location"], **JSON).json()
    assert [one["identifier"] for one in told["accounts"]] == [PRACTICE, BRANCH]
    reference = waiting_of(asked)
    assert browser.post(CHOOSE, {"waiting": reference, "identifier": PHARMACY}).status_code == 403
    assert other.post(CHOOSE, {"waiting": reference, "identifier": BRANCH}).status_code == 400
    kept = browser.client.cookies.get(COOKIE)
    done = browser.post(CHOOSE, {"waiting": reference, "identifier": BRANCH})
    assert done.headers["location"] == "/aat"
    assert (living(linked), len(living(linked, BRANCH))) == ([], 1)
    browser.client.cookies.set(COOKIE, kept)
    assert browser.post(CHOOSE, {"waiting": reference, "identifier": PRACTICE}).status_code == 400


def test_somebody_whom_no_account_knows_is_told_so(door, provider):
    provider.person = {"SubjectNameID": "810000000009", "preferred_username": "810000000009"}
    provider.claims = {"preferred_username": "810000000009"}
    answer = goes(door, provider, door.browser())
    assert answer.status_code == 403
    assert "RPPS" in answer.text
    assert "/.herse/sign-in" in answer.text
    told = goes(door, provider, door.browser(), headers=JSON)
    assert told.json()["type"] == "urn:herse:reason:sso-unknown"


def test_another_provider_is_called_by_its_name(world, opened, provider):
    opened(world, name="CHU Exemple")
    browser = world.browser()
    assert "CHU Exemple" in browser.get("/.herse/sign-in").text
    provider.answers[DISCOVERY] = Answer(503)
    page = browser.post(SSO).text
    assert "CHU Exemple ne répond pas" in page
    assert "Pro Santé Connect" not in page
    assert browser.json(SSO, {}).json()["title"] == "CHU Exemple ne répond pas"


def test_a_provider_without_national_ids_links_by_both_proofs_alone(world, opened, provider):
    opened(world, national_id_claim=None)
    stranger = goes(world, provider, world.browser())
    assert stranger.headers["location"].startswith(LINK)
    links_by_password_and_code(world, provider, PHARMACY)
    (link,) = links(world, PHARMACY)
    assert (link.subject, link.rpps) == (SUBJECT, None)
    browser = world.browser()
    assert goes(world, provider, browser).headers["location"] == "/"
    assert browser.token is not None


def test_an_account_that_sleeps_wakes(linked, provider):
    linked.doors.accounts.dormancy.used(linked.accounts.find(PRACTICE), linked.now - timedelta(days=400))
    with linked.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE account SET used_at = created_at - 1000000, created_at = 0")
    answer = goes(linked, provider, linked.browser())
    assert answer.headers["location"] == "/"
    assert len(living(linked)) == 1
