# SPDX-License-Identifier: EUPL-1.2
"""Messages to all professionals stand on the pages of sign-in and account, at their time, and on no others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from portal.world import T0

from gateway.model import Announcement
from gateway.portal.app import build_portal

TEXT = "Choisissez un autre mot de passe"
UNTIL = T0 + timedelta(hours=1)


@pytest.fixture
def announcing(world):
    """The world where a message is shown for an hour."""
    one = Announcement(1, T0, UNTIL, TEXT, "Choose another password", "vol", "anne")
    announcements = lambda at: [one] if one.shows(at) else []  # noqa: E731  # as the builder has it
    world.app = build_portal(replace(world.doors, announcements=announcements))
    return world


SHOWN = ["/.herse/sign-in", "/.herse/sign-in/passkey", "/.herse/account", "/.herse/account/events"]


def test_a_message_is_shown_where_people_look_for_it_until_its_time_is_over(announcing):
    browser = announcing.browser()
    assert TEXT in browser.sign_in(password="wrong").text, "and where something went wrong"
    browser.sign_in()
    for path in SHOWN:
        assert browser.get(path).text.count(TEXT) == 1, path
    assert "Choose another password" in browser.get("/.herse/sign-in", accept_language="en").text
    for path in ("/.herse/step-up", "/.herse/sign-out", "/.herse/reset"):
        assert TEXT not in browser.get(path).text
    announcing.now = UNTIL
    assert TEXT not in announcing.browser().get("/.herse/sign-in").text


def test_nothing_is_announced_where_nobody_did(signed_in):
    assert "Message aux professionnels" not in signed_in.get("/.herse/account").text
