# SPDX-License-Identifier: EUPL-1.2
"""What a professional sees while something is closed or announced, in a real browser before a running demo.

Leaves pictures in var/screenshots/.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from browser.looks import NARROW, WIDE, path, sound

from gateway.console.admin_socket import SOCKET_FILE, call
from support.sources import ROOT

pytestmark = [pytest.mark.system, pytest.mark.browser]

PICTURES = ROOT / "var" / "screenshots"
LANGUAGES = ("fr-FR", "en-GB")


def do(demo, command, **arguments):
    return call(demo.folder / "demo" / "state" / SOCKET_FILE, command, {"reason": "vol de données", **arguments})


def look(tab, name):
    """The page is sound, and its picture is kept."""
    sound(tab)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width in (NARROW[-1], WIDE):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.screenshot(path=PICTURES / f"{name}-{width}.png", full_page=True)


def until():
    return (datetime.now(UTC) + timedelta(hours=3)).isoformat()


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_closed_teleservice_has_its_own_page_and_the_others_go_on(demo, profile, locale):
    browser = profile(locale)
    tab = browser.tab()
    browser.sign_in(tab, demo.account("pharmacist"))
    do(demo, "teleservice.close", teleservice="infopatient", until=until())
    try:
        tab.goto("/infopatient")
        assert tab.locator("h1").inner_text().replace("\u00a0", " ").startswith("Infopatient")
        assert "36\u00a008" in tab.inner_text("main")
        look(tab, f"closed-teleservice-{locale[:2]}")
        with tab.expect_navigation():
            tab.locator("main a.button").click()
        assert path(tab) == "/"
    finally:
        do(demo, "teleservice.open", teleservice="infopatient")
    tab.goto("/infopatient")
    assert path(tab) == "/.herse/step-up"


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_closed_portal_leads_to_the_account(demo, profile, locale):
    browser = profile(locale)
    tab = browser.tab()
    do(demo, "portal.close")
    try:
        tab.goto("/")
        assert path(tab) == "/"
        look(tab, f"closed-portal-{locale[:2]}")
        browser.sign_in(tab, demo.account("gp"))
        assert path(tab) == "/"
        with tab.expect_navigation():
            tab.locator("main a.button").click()
        assert path(tab) == "/.herse/account/events"
    finally:
        do(demo, "portal.open")
    tab.goto("/")
    assert tab.locator("main .refusal").count() == 0


@pytest.mark.parametrize("locale", LANGUAGES)
def test_messages_to_all_stand_above_sign_in_and_account(demo, profile, locale):
    browser = profile(locale)
    tab = browser.tab()
    for about in ("passwords", "rib", "3608"):
        do(demo, "notice.set", about=about, until=until())
    try:
        tab.goto("/.herse/sign-in")
        assert tab.locator("aside.announced").count() == 3
        look(tab, f"announced-sign-in-{locale[:2]}")
        browser.sign_in(tab, demo.account("gp"))
        tab.goto("/.herse/account")
        assert tab.locator("aside.announced").count() == 3
        look(tab, f"announced-account-{locale[:2]}")
    finally:
        do(demo, "notice.clear")
    tab.goto("/.herse/account")
    assert tab.locator("aside.announced").count() == 0
