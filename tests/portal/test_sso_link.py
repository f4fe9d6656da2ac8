# SPDX-License-Identifier: EUPL-1.2
"""Linking an identity to an account (faults P1): proofs of both, fresh, in one browser, by the person's own word; and
step-up, unlinking and signing out with it.
"""

from __future__ import annotations

from portal.sso_door import (
    BRANCH,
    COOKIE,
    JSON,
    KIT,
    LINK,
    PRACTICE,
    SSO,
    add,
    back,
    goes,
    links,
    links_by_password_and_code,
    living,
    methods,
    open_sso_door,
    waiting_of,
)
from portal.world import PHARMACY

from gateway.model import EventKind, Level
from support.provider import SUBJECT

CLAIRE = "10000000009"
OTHER_SUBJECT = SUBJECT.replace("550dc1c8", "0badf00d")
STRANGER = {"SubjectNameID": f"8{CLAIRE}", "preferred_username": f"8{CLAIRE}"}


def is_another(provider, national_id=None, subject=OTHER_SUBJECT):
    """The provider proves somebody else from now on; without a number: Kit, under another subject."""
    provider.person = {"sub": subject} | ({} if national_id is None else STRANGER)
    provider.claims = {"authMode": "MOBILE", "sub": subject}
    if national_id is not None:
        provider.claims["preferred_username"] = national_id


def test_P1_the_account_first_then_the_identity(door, provider, at_home):
    (session,), old = living(door), at_home.token
    asked = goes(door, provider, at_home)
    assert asked.headers["location"].startswith(f"{LINK}?waiting=")
    assert links(door) == [], "not before the person says so"
    page = at_home.get(asked.headers["location"])
    assert "KIT DOC0042788" in page.text
    assert methods(session) == {"pwd", "otp"}
    done = at_home.post(LINK, {"waiting": waiting_of(asked)})
    assert done.headers["location"] == "/"
    (link,) = links(door)
    assert (link.subject, link.rpps, link.name) == (SUBJECT, KIT, "KIT DOC0042788")
    assert living(door) == [session]
    assert methods(session) == {"pwd", "otp", "psc"}
    assert door.sessions.find(old.encode(), door.now) is None
    told = [(event.kind, event.method) for event in door.events(PRACTICE)[:2]]
    assert told == [(EventKind.STEP_UP, "psc"), (EventKind.SSO_LINKED, "psc")]


def test_P1_the_identity_first_then_password_and_code(door, provider):
    browser = door.browser()
    to = door.returns.keep("/aat", door.now)
    asked = goes(door, provider, browser, to)
    assert browser.token is None
    waiting = asked.headers["location"]
    page = browser.get(waiting)
    reference = page.text.partition("/.herse/sign-in?to=")[2].partition('"')[0]
    arrived = browser.sign_in(PRACTICE, to=reference)
    assert arrived.headers["location"] == waiting
    page = browser.get(waiting)
    assert 'action="/.herse/sso/link"' not in page.text
    assert browser.post(LINK, {"waiting": waiting_of(asked)}).headers["location"] == waiting
    assert links(door) == [], "a password alone links nothing"
    reference = page.text.partition("/.herse/step-up?to=")[2].partition("&")[0]
    assert browser.step_up(door.code(PRACTICE), to=reference).headers["location"] == waiting
    assert 'action="/.herse/sso/link"' in browser.get(waiting).text
    assert browser.post(LINK, {"waiting": waiting_of(asked)}).headers["location"] == "/aat"
    assert [link.subject for link in links(door)] == [SUBJECT]
    again = door.browser()
    assert goes(door, provider, again).headers["location"] == "/"


def test_a_program_links_the_same_way(door, provider, at_home):
    following = at_home.json(SSO, {}).json()["next"]
    told = at_home.get(back(door, provider, following), **JSON).json()
    assert told["next"].startswith(LINK)
    shown = at_home.get(told["next"], **JSON).json()
    assert (shown["account"], shown["missing"], shown["identity"]) == (PRACTICE, None, "KIT DOC0042788")
    kept = at_home.client.cookies.get(COOKIE)
    assert at_home.json(LINK, {"waiting": shown["waiting"]}).json()["account"] == PRACTICE
    at_home.client.cookies.set(COOKIE, kept)
    assert len(links(door)) == 1
    assert at_home.json(LINK, {"waiting": shown["waiting"]}).json()["type"] == "urn:herse:reason:sso-state-wrong"


def test_P1_an_attacker_with_the_password_alone_cannot_link_his_identity(door, provider):
    add(door, BRANCH, CLAIRE)
    for national_id in (None, f"8{CLAIRE}"):  # of the victim's own number even; and of a stranger's
        is_another(provider, national_id)
        thief = door.browser("203.0.113.9")
        thief.sign_in(PRACTICE)
        answer = goes(door, provider, thief)
        if national_id is None:
            answer = thief.post(LINK, {"waiting": waiting_of(answer)})
            assert answer.headers["location"].startswith(LINK)
        else:
            assert answer.status_code == 403
        assert links(door) == []
        assert [session.subject.assurance.level for session in living(door)] == [Level.PASSWORD]
        door.sessions.end_all(PRACTICE, door.now)
    assert door.events(PRACTICE)[0].reason == "sso-of-another"


def test_P1_an_attacker_with_his_own_identity_cannot_enter_anothers_account(door, provider):
    links_by_password_and_code(door, provider)
    door.sessions.end_all(PRACTICE, door.now)
    is_another(provider, f"8{CLAIRE}")
    for browser in (door.browser(), door.browser("203.0.113.9")):
        assert goes(door, provider, browser).status_code == 403
        assert browser.token is None
    is_another(provider)  # the same number under another subject: nothing opens
    browser = door.browser()
    assert goes(door, provider, browser).headers["location"].startswith(LINK)
    assert browser.token is None
    assert living(door) == []


def test_P1_with_both_factors_of_the_account_a_strangers_identity_is_still_not_linked(door, provider, at_home):
    is_another(provider, f"8{CLAIRE}")
    assert goes(door, provider, at_home).status_code == 403
    event = door.events(PRACTICE)[0]
    assert (event.kind, event.method, event.reason) == (EventKind.STEP_UP_FAILED, "psc", "sso-of-another")
    assert links(door) == []


def test_P1_a_waiting_identity_is_linked_to_no_account_of_somebody_else(door, provider):
    browser = door.browser()
    asked = goes(door, provider, browser)
    browser.sign_in(PHARMACY)
    browser.step_up(door.code(PHARMACY))
    assert browser.get(asked.headers["location"]).status_code == 403
    assert browser.post(LINK, {"waiting": waiting_of(asked)}).status_code == 403
    assert links(door, PHARMACY) == []
    assert door.events(PHARMACY)[0].reason == "sso-of-another"


def test_P1_a_second_subject_of_the_same_number_is_told_before_it_is_linked(door, provider):
    links_by_password_and_code(door, provider)
    is_another(provider)
    browser = door.browser()
    browser.sign_in(PRACTICE)
    door.later(seconds=30)
    provider.proved_seconds_ago = -25
    browser.step_up(door.code(PRACTICE))
    asked = goes(door, provider, browser)
    assert "une autre identité" in browser.get(asked.headers["location"]).text
    assert len(links(door)) == 1
    browser.post(LINK, {"waiting": waiting_of(asked)})
    assert {link.subject for link in links(door)} == {SUBJECT, OTHER_SUBJECT}


def test_a_waiting_identity_is_for_its_own_browser_ten_minutes_and_once(door, provider, at_home):
    asked = goes(door, provider, at_home)
    other = door.browser()
    other.sign_in(PRACTICE)
    door.later(seconds=30)
    other.step_up(door.code(PRACTICE))
    other.client.cookies.set(COOKIE, "a" * 43)
    assert other.get(asked.headers["location"]).status_code == 400
    assert other.post(LINK, {"waiting": waiting_of(asked)}).status_code == 400
    assert at_home.post(LINK, {"waiting": waiting_of(asked)}, origin="https://evil.example").status_code == 403
    door.later(minutes=9, seconds=31)
    assert at_home.get(asked.headers["location"]).status_code == 400
    assert at_home.post(LINK, {"waiting": waiting_of(asked)}).status_code == 400
    assert links(door) == []


def test_an_old_proof_at_the_provider_links_nothing(door, provider):
    provider.proved_seconds_ago = 16 * 60
    browser = door.browser()
    asked = goes(door, provider, browser)
    browser.sign_in(PRACTICE)
    browser.step_up(door.code(PRACTICE))
    page = browser.get(asked.headers["location"])
    assert "15" in page.text
    assert f'action="{SSO}"' in page.text
    assert browser.post(LINK, {"waiting": waiting_of(asked)}).status_code == 303
    assert links(door) == []


def test_a_proof_of_the_account_that_has_aged_is_asked_for_again(door, provider):
    door.later(minutes=-6)
    browser = door.browser()
    browser.sign_in(PRACTICE)
    browser.step_up(door.code(PRACTICE))
    asked = goes(door, provider, browser)  # six minutes later
    door.later(minutes=9, seconds=10)
    assert "/.herse/step-up?to=" in browser.get(asked.headers["location"]).text
    assert browser.post(LINK, {"waiting": waiting_of(asked)}).headers["location"].startswith(LINK)
    assert links(door) == []


def test_a_ledger_that_has_failed_links_nothing(failing, provider):
    open_sso_door(failing, provider)
    browser = failing.browser()
    browser.sign_in(PRACTICE)
    browser.step_up(failing.code(PRACTICE))
    asked = goes(failing, provider, browser)
    failing.ledger.fail()
    assert browser.post(LINK, {"waiting": waiting_of(asked)}).status_code == 503
    assert links(failing) == []
    failing.run(failing.doors.sso.sso.close())
