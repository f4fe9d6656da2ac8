# SPDX-License-Identifier: EUPL-1.2
"""For the tests of the choice of an activity: two of them, and whoever is asked and chooses. No tests."""

from __future__ import annotations

from portal.sso_door import goes, living, waiting_of

from gateway.model import Activity
from support.practice import CABINET, CENTRE, working_in

ACTIVITY = "/.herse/sso/activity"
BOTH = {"SubjectRefPro": working_in(CABINET, CENTRE)}
AT_CABINET = Activity("10", "SM26", "SA07", "L", structure="CABINET M DOC0042788")
AT_CENTRE = Activity("10", "SM26", "SA05", "S", structure="CENTRE DE SANTE", finess="750012346")


def end_all(world):
    for session in living(world):
        world.sessions.end(session, world.now)


def asked(world, provider, browser, to="", **fields):
    """The reference under which the identity waits for its activity."""
    answer = goes(world, provider, browser, to, **fields)
    assert answer.headers["location"].startswith(f"{ACTIVITY}?waiting="), answer.text
    return waiting_of(answer)


def chooses(browser, reference, activity):
    return browser.post(ACTIVITY, {"waiting": reference, "activity": activity})


def works_in(world):
    (session,) = living(world)
    return session.subject.activity
