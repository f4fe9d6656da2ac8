# SPDX-License-Identifier: EUPL-1.2
"""Among several activities the person chooses one: once, from his own list, in his own browser."""

from __future__ import annotations

import re

import pytest
from portal.activity_door import ACTIVITY, AT_CABINET, AT_CENTRE, BOTH, asked, chooses, end_all, works_in
from portal.sso_door import (
    BRANCH,
    CHOOSE,
    COOKIE,
    JSON,
    LINK,
    PRACTICE,
    add,
    goes,
    links,
    links_by_password_and_code,
    living,
    methods,
    waiting_of,
)

ACCOUNT, SESSIONS = "/.herse/account", "/.herse/account/sessions"


@pytest.fixture
def linked(linked, provider):
    """The same, and the provider tells two activities from now on."""
    provider.person = BOTH
    return linked


def test_of_several_activities_one_is_chosen_and_the_session_opens_with_it(linked, provider):
    browser = linked.browser()
    to = linked.returns.keep("/aat", linked.now)
    reference = asked(linked, provider, browser, to)
    assert (living(linked), browser.token) == ([], None), "nobody is in before he has chosen"
    page = browser.get(f"{ACTIVITY}?waiting={reference}").text
    assert re.findall(r'type="radio" id="activity-(\d)" name="activity" value="(\d)"', page) == [("0", "0"), ("1", "1")]
    for words in (
        "CABINET M DOC0042788",
        "cabinet individuel",
        "CENTRE DE SANTE",
        "centre de santé",
        "FINESS 750012346",
    ):
        assert words in page
    assert "checked" not in page
    done = chooses(browser, reference, "1")
    assert (done.status_code, done.headers["location"]) == (303, "/aat")
    assert works_in(linked) == AT_CENTRE
    assert COOKIE not in browser.client.cookies
    shown = browser.get(ACCOUNT).text
    assert "CENTRE DE SANTE (médecin, centre de santé, salarié)" in shown
    assert 'href="/.herse/sso?activity=anew"' in shown
    assert "CENTRE DE SANTE (médecin, centre de santé, salarié)" in browser.get(SESSIONS).text
    assert browser.get(ACCOUNT, **JSON).json()["activity"] == AT_CENTRE.told
    assert "physician" in browser.get(SESSIONS, **JSON, **{"accept-language": "en"}).json()["sessions"][0]["activity"]


def test_a_program_chooses_too(linked, provider):
    browser = linked.browser()
    begun = goes(linked, provider, browser, headers=JSON).json()
    assert (begun["account"], begun["assurance"]) == (None, "none")
    told = browser.get(begun["next"], **JSON).json()
    assert told["activities"] == [
        {"place": "0", "activity": AT_CABINET.told},
        {"place": "1", "activity": AT_CENTRE.told},
    ]
    assert browser.json(told["next"], {"waiting": told["waiting"], "activity": "2"}).status_code == 400
    done = browser.json(told["next"], {"waiting": told["waiting"], "activity": "0"})
    assert done.json() == {"account": PRACTICE, "assurance": "mfa", "next": "/"}
    assert works_in(linked) == AT_CABINET


def test_one_activity_is_taken_by_itself_and_none_asks_nothing(linked, provider):
    for told, found in (({}, AT_CABINET), ({"SubjectRefPro": None}, None)):
        provider.person = told
        browser = linked.browser()
        assert goes(linked, provider, browser).headers["location"] == "/"
        assert works_in(linked) == found
        assert ("Activité" in browser.get(ACCOUNT).text) is (found is not None)
        end_all(linked)


@pytest.mark.parametrize("wrong", ["", "2", "-1", "+1", "01", " 1", "1.0", "1e0", "x", "\u0661", "9" * 400])
def test_what_is_no_place_in_his_list_opens_nothing_and_may_be_mended(linked, provider, wrong):
    browser = linked.browser()
    reference = asked(linked, provider, browser)
    answer = chooses(browser, reference, wrong)
    assert (answer.status_code, living(linked)) == (400, [])
    assert 'role="alert"' in answer.text
    assert chooses(browser, reference, "1").headers["location"] == "/"


def test_two_places_at_once_are_none(linked, provider):
    browser = linked.browser()
    reference = asked(linked, provider, browser)
    form = f"waiting={reference}&activity=0&activity=1"
    headers = {"origin": linked.doors.origin, "content-type": "application/x-www-form-urlencoded"}
    sent = linked.run(browser.client.post(ACTIVITY, content=form, headers=headers))
    assert (sent.status_code, living(linked)) == (400, [])
    assert chooses(browser, reference, "0\u0000").status_code == 400


def test_the_choice_counts_once_and_in_its_own_browser_alone(linked, provider):
    browser, other = linked.browser(), linked.browser()
    reference = asked(linked, provider, browser)
    kept = browser.client.cookies.get(COOKIE)
    theirs = asked(linked, provider, other)
    for path in (f"{ACTIVITY}?waiting={reference}", f"{ACTIVITY}?waiting=x", ACTIVITY):
        assert other.get(path).status_code == 400
    assert chooses(other, reference, "1").status_code == 400
    assert chooses(browser, theirs, "1").status_code == 400
    assert living(linked) == []
    assert chooses(browser, reference, "1").status_code == 303
    browser.client.cookies.set(COOKIE, kept)
    assert chooses(browser, reference, "0").status_code == 400
    assert works_in(linked) == AT_CENTRE
    linked.later(minutes=10)
    assert chooses(other, theirs, "1").status_code == 400, "it has waited too long"


def test_a_reference_of_another_question_is_none_here(door, provider):
    """Who waits for a link has no account, and who waits for his activity links nothing."""
    stranger = door.browser()
    provider.person = BOTH
    unlinked = waiting_of(goes(door, provider, stranger))
    assert stranger.get(f"{ACTIVITY}?waiting={unlinked}").status_code == 400
    assert chooses(stranger, unlinked, "0").status_code == 400
    assert living(door) == []
    provider.person = {}
    links_by_password_and_code(door, provider)
    end_all(door)
    provider.person = BOTH
    browser = door.browser()
    reference = asked(door, provider, browser)
    assert browser.post(CHOOSE, {"waiting": reference, "identifier": PRACTICE}).status_code == 400
    assert browser.post(LINK, {"waiting": reference}).status_code in {303, 400}
    assert living(door) == []


def test_an_account_that_is_locked_meanwhile_stays_closed_and_is_told(linked, provider):
    browser = linked.browser()
    reference = asked(linked, provider, browser)
    linked.accounts.lock(PRACTICE, linked.now)
    assert (chooses(browser, reference, "1").status_code, browser.token) == (403, None)
    assert linked.events(PRACTICE)[0].reason == "account-locked"


def test_an_identity_that_is_unlinked_meanwhile_opens_nothing(linked, provider):
    browser = linked.browser()
    reference = asked(linked, provider, browser)
    linked.doors.sso.links.remove(PRACTICE, links(linked)[0].reference)
    assert chooses(browser, reference, "1").status_code == 403
    assert living(linked) == []


def test_whoever_signed_in_to_another_account_meanwhile_stays_in_that(linked, provider):
    add(linked, BRANCH)
    browser = linked.browser()
    reference = asked(linked, provider, browser)
    browser.sign_in(BRANCH)
    assert chooses(browser, reference, "1").status_code == 403
    (session,) = living(linked, BRANCH)
    assert (living(linked), methods(session), session.subject.activity) == ([], {"pwd"}, None)


def test_a_form_of_another_site_chooses_nothing(linked, provider):
    browser = linked.browser()
    reference = asked(linked, provider, browser)
    sent = browser.post(ACTIVITY, {"waiting": reference, "activity": "1"}, origin="https://elsewhere.example")
    assert (sent.status_code, living(linked)) == (403, [])
