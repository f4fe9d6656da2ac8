# SPDX-License-Identifier: EUPL-1.2
"""When the activity is asked for, and how long it holds: with the session, while it is his, until he changes it."""

from __future__ import annotations

import asyncio

import pytest
from portal.activity_door import ACTIVITY, AT_CABINET, AT_CENTRE, BOTH, asked, chooses, works_in
from portal.sso_door import (
    BRANCH,
    CHOOSE,
    LINK,
    LINKS,
    PRACTICE,
    SSO,
    add,
    goes,
    links,
    links_by_password_and_code,
    living,
    methods,
    waiting_of,
)

from gateway.identity.session import Sessions
from support.practice import CABINET, CENTRE, working_in


@pytest.fixture
def linked(linked, provider):
    """The same, and the provider tells two activities from now on."""
    provider.person = BOTH
    return linked


def test_it_is_there_after_a_restart(linked, provider):
    browser = linked.browser()
    chooses(browser, asked(linked, provider, browser), "1")
    again = Sessions(linked.engine, linked.sessions._idle, linked.sessions._absolute)
    assert [one.subject.activity for one in again.of_account(PRACTICE)] == [AT_CENTRE]


def test_after_the_account_comes_the_activity(linked, provider):
    provider.person = {}
    add(linked, BRANCH)
    links_by_password_and_code(linked, provider, BRANCH)
    linked.sessions.end_all(BRANCH, linked.now)
    provider.person = BOTH
    browser = linked.browser()
    account = browser.post(CHOOSE, {"waiting": waiting_of(goes(linked, provider, browser)), "identifier": BRANCH})
    assert account.headers["location"].startswith(f"{ACTIVITY}?waiting=")
    assert chooses(browser, waiting_of(account), "0").headers["location"] == "/"
    (session,) = living(linked, BRANCH)
    assert (session.subject.activity, living(linked)) == (AT_CABINET, [])


def test_the_first_time_it_is_asked_after_the_link(door, provider):
    provider.person = BOTH
    browser = door.browser()
    browser.sign_in(PRACTICE)
    browser.step_up(door.code(PRACTICE))
    done = browser.post(LINK, {"waiting": waiting_of(goes(door, provider, browser))})
    assert len(links(door)) == 1
    assert works_in(door) is None
    assert chooses(browser, waiting_of(done), "1").headers["location"] == "/"
    (session,) = living(door)
    assert (session.subject.activity, methods(session)) == (AT_CENTRE, {"pwd", "otp", "psc"})


def test_a_step_up_keeps_the_activity_while_it_is_the_persons(linked, provider):
    browser = linked.browser()
    chooses(browser, asked(linked, provider, browser), "1")
    to = linked.returns.keep("/infopatient", linked.now)
    assert goes(linked, provider, browser, to).headers["location"] == "/infopatient"
    assert works_in(linked) == AT_CENTRE
    elsewhere = {**CENTRE, "raisonSocialeSite": "CENTRE DU NORD"}
    provider.person = {"SubjectRefPro": working_in(CABINET, elsewhere)}
    reference = asked(linked, provider, browser, to)
    assert works_in(linked) == AT_CENTRE, "not before he has chosen"
    assert chooses(browser, reference, "1").headers["location"] == "/infopatient"
    assert works_in(linked) == AT_CENTRE._replace(structure="CENTRE DU NORD")
    provider.person = {}
    assert goes(linked, provider, browser, to).headers["location"] == "/infopatient"
    assert works_in(linked) == AT_CABINET
    provider.person = {"SubjectRefPro": None}
    goes(linked, provider, browser, to)
    assert works_in(linked) is None, "what the provider tells no longer is not told on"


def test_whoever_wants_another_activity_proves_himself_again(linked, provider):
    browser = linked.browser()
    chooses(browser, asked(linked, provider, browser), "1")
    page = browser.get(f"{SSO}?activity=anew").text
    assert '<input type="hidden" name="activity" value="anew">' in page
    assert 'name="activity"' not in browser.get(f"{SSO}?activity=1").text
    reference = asked(linked, provider, browser, activity="anew")
    assert works_in(linked) == AT_CENTRE
    chooses(browser, reference, "0")
    assert works_in(linked) == AT_CABINET


def test_where_the_card_is_asked_for_no_activity_is_asked_of_the_phone(linked, provider):
    browser = linked.browser()
    browser.sign_in(PRACTICE)
    assert goes(linked, provider, browser, card="1").status_code == 401
    provider.claims = {"authMode": "CARD"}
    reference = asked(linked, provider, browser, card="1")
    assert chooses(browser, reference, "0").headers["location"] == "/"
    assert works_in(linked) == AT_CABINET


def test_an_activity_stays_with_its_session(linked, provider):
    """A password beside it opens none; and whoever signs in by it elsewhere takes none along."""
    browser, by_password = linked.browser(), linked.browser()
    chooses(browser, asked(linked, provider, browser), "1")
    by_password.sign_in(PRACTICE)
    assert sorted(one.subject.activity is None for one in living(linked)) == [False, True]
    assert browser.get(LINKS).status_code == 200


def test_no_activity_is_changed_before_the_proof_is_on_record(failing, opened, provider):
    opened(failing)
    browser = links_by_password_and_code(failing, provider)
    provider.person = BOTH
    reference = asked(failing, provider, browser, activity="anew")
    failing.ledger.hold()

    async def walk():
        sent = asyncio.create_task(browser.post_soon(ACTIVITY, {"waiting": reference, "activity": "1"}))
        await asyncio.wait([sent], timeout=0.5)
        meanwhile = works_in(failing)
        failing.ledger.release()
        assert (await sent).status_code == 303
        return meanwhile

    assert failing.run(walk()) == AT_CABINET
    assert works_in(failing) == AT_CENTRE
