# SPDX-License-Identifier: EUPL-1.2
"""Closures end by their time, each teleservice has one at most, and an announcement shows between its two times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.model import Announcement, Closure, Switches

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
PORTAL = Closure(None, AT, None, "theft", "anne")
LOOKS = Closure("infopatient", AT, AT + HOUR, "theft", "anne")
SOON = Announcement(1, AT + HOUR, AT + 2 * HOUR, "demain", "tomorrow", "plan", None)


def test_a_closure_stands_until_its_end_and_no_longer():
    assert LOOKS.stands(AT + HOUR - timedelta.resolution)
    assert not LOOKS.stands(AT + HOUR)
    assert PORTAL.stands(AT + 10_000 * HOUR)


def test_a_closure_is_found_by_its_teleservice_and_the_portals_by_none():
    switches = Switches().closed(LOOKS).closed(PORTAL)
    assert switches.of("infopatient", AT) is LOOKS
    assert switches.of(None, AT) is PORTAL
    assert switches.of("aat", AT) is None
    assert switches.of("infopatient", AT + HOUR) is None


def test_closed_again_takes_the_place_of_what_there_was():
    longer = LOOKS._replace(until=None)
    switches = Switches().closed(LOOKS).closed(PORTAL).closed(longer)
    assert switches.closures == (PORTAL, longer)
    assert switches.opened("infopatient").closures == (PORTAL,)
    assert switches.opened(None).closures == (longer,)


def test_an_announcement_shows_from_its_beginning_to_its_end():
    shown = [SOON.shows(AT + minutes * timedelta(minutes=1)) for minutes in (59, 60, 119, 120)]
    assert shown == [False, True, True, False]


def test_what_is_over_is_left_out_and_what_is_to_come_stays():
    switches = Switches((PORTAL, LOOKS), (SOON,))
    assert switches.standing(AT) == switches
    assert switches.standing(AT + HOUR) == Switches((PORTAL,), (SOON,))
    assert switches.standing(AT + 2 * HOUR) == Switches((PORTAL,), ())
