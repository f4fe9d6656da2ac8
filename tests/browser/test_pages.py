# SPDX-License-Identifier: EUPL-1.2
"""Every page of the gateway and of the demo portal in a real browser: sound, legible, narrow enough, in two languages.

Leaves a picture of each in var/screenshots/, in French at two widths, for whoever changes a page to look at.
"""

from __future__ import annotations

import subprocess
import sys

import pyotp
import pytest
from browser.looks import NARROW, SOUNDNESS, WIDE

from gateway.demo.people import number_of
from support.sources import ROOT

pytestmark = [pytest.mark.system, pytest.mark.browser]

PICTURES = ROOT / "var" / "screenshots"
PICTURED = (NARROW[-1], WIDE)
NOBODY = "2990175116001"


class Tour:
    """Looks at one page after the other, and keeps what is wrong with them until the end."""

    def __init__(self, tab, language):
        self.tab = tab
        self.language = language
        self.pictured = PICTURED if language == "fr" else ()
        self.faults = []
        self.seen = []
        PICTURES.mkdir(parents=True, exist_ok=True)

    def look(self, name, status=200):
        """The page the tab is on now; `status` is what it should have been answered with."""
        found = self.tab.evaluate("performance.getEntriesByType('navigation')[0].responseStatus")
        self.faults += [] if found == status else [f"{name}: status {found}, not {status}"]
        for width in (*NARROW, WIDE) if self.pictured else (NARROW[0], WIDE):
            self.tab.set_viewport_size({"width": width, "height": 800})
            self.faults += [f"{name} at {width}: {fault}" for fault in self.tab.evaluate(SOUNDNESS)]
        for width in self.pictured:  # afterwards: to take a picture, Playwright adds a style of its own
            self.tab.set_viewport_size({"width": width, "height": 800})
            self.tab.screenshot(path=PICTURES / f"{name}-{self.language}-{width}.png", full_page=True)
        self.tab.set_viewport_size({"width": WIDE, "height": 800})
        self.seen.append((name, self.tab.locator("html").get_attribute("lang"), self.tab.text_content("h1")))

    def visit(self, name, path, status=200):
        self.tab.goto(path)
        self.look(name, status)

    def send(self, name, status=200, **fields):
        """Fill in the page's form by the ids of its fields, send it, and look at what comes."""
        for field, value in fields.items():
            self.tab.fill(f"#{field}", value)
        with self.tab.expect_navigation():
            self.tab.click("main form button")
        self.look(name, status)


@pytest.mark.parametrize(("locale", "role"), [("fr-FR", "pharmacist"), ("en-GB", "gp")])
def test_every_page_is_sound(demo, profile, locale, role):
    browser, account, language = profile(locale), demo.account(role), locale[:2]
    tour = Tour(browser.tab(), language)
    outside(tour, account)
    tour.send("home", identifier=account.identifier, password=account.password)
    portal_and_refusals(tour, role)
    tour.visit("step-up", "/infopatient")
    tour.send("step-up-wrong", 401, code=account.wrong_code())
    tour.send("infopatient", code=account.code())
    budget(tour, account)
    own_pages(tour, account, profile(locale))
    assert tour.faults == []
    assert {lang for name, lang, _ in tour.seen if name not in IN_FRENCH_ONLY} == {language}
    headings = {name: heading for name, _, heading in tour.seen}
    wanted = {"fr": "Mes derniers événements", "en": "My latest events"}[language]
    assert headings["events"] == wanted


# The demo portal speaks French alone.
IN_FRENCH_ONLY = {"home", "payments", "deposit", "unknown", "infopatient", "person"}


def outside(tour, account):
    tour.visit("enrol", "/.herse/enrol")
    tour.send(
        "enrol-wrong", 401, identifier=account.identifier, code="AAAA-BBBB-CCCC", password="cinq mots pour une porte"
    )
    tour.visit("reset", "/.herse/reset")
    tour.send("reset-asked", identifier=f"{account.identifier}0")
    tour.visit("reset-old-link", f"/.herse/reset/new?ticket={'A' * 43}", 401)
    tour.visit("signed-out", "/.herse/sign-out")
    tour.visit("forged", "/.herse/step-up?to=a&to=b", 400)
    tour.visit("sign-in", "/")
    for _ in range(6):
        tour.tab.fill("#identifier", f"nobody-{tour.language}")
        tour.tab.fill("#password", "not the password")
        with tour.tab.expect_navigation():
            tour.tab.click("main button")
    tour.look("throttled", 429)
    tour.visit("sign-in", "/")
    tour.send("sign-in-wrong", 401, identifier=account.identifier, password="not the password")


def portal_and_refusals(tour, role):
    tour.visit("payments", "/paiements")
    tour.visit("deposit", "/depot")
    tour.visit("nowhere", "/nulle-part", 403)
    tour.visit("own-nowhere", "/.herse/nulle-part", 404)
    if role == "gp":
        tour.visit("card-start", "/aat")
        tour.send("card-wait")
    else:
        tour.visit("profession", "/patients", 403)


def budget(tour, account):
    tour.send("person", nir=number_of(0))
    tour.visit("number-wrong", "/infopatient/123", 400)
    tour.visit("unknown", f"/infopatient/{NOBODY}", 404)
    for index in range(1, 20):
        tour.tab.goto("/infopatient")
        tour.tab.fill("#nir", number_of(index))
        with tour.tab.expect_navigation():
            tour.tab.press("#nir", "Enter")
        if "/step-up" in tour.tab.url:
            break
    tour.look("step-up-budget")
    tour.send("continue", code=account.code())
    tour.send("person")


def own_pages(tour, account, other):
    tour.visit("account", "/.herse/account")
    tour.visit("events", "/.herse/account/events")
    tour.visit("events-none", "/.herse/account/events?to=2020-01-01")
    tour.visit("events-wrong", "/.herse/account/events?group=all", 400)
    tour.visit("factors", "/.herse/account/factors")
    tour.send("factors-new")
    tour.visit("sign-out", "/.herse/sign-out")
    tour.visit("sign-in-again", "/.herse/sign-in")
    other.sign_in(other.tab(), account)
    tour.visit("sessions", "/.herse/account/sessions")
    for name in ("own-password", "mail", "delegates", "recovery"):
        tour.visit(name, f"/.herse/account/{name.removeprefix('own-')}")
    tour.send("recovery-codes")
    tour.visit("passkeys", "/.herse/account/passkeys")
    tour.visit("act-for", "/.herse/act-for")
    tour.visit("ways", "/.herse/step-up?reason=method-required&methods=sc.otp&to=x")
    tour.visit("sign-in-passkey", "/.herse/sign-in/passkey")
    old = other.tab()
    unproved = Tour(old, tour.language)
    for name in ("own-password", "mail", "delegates", "recovery", "factors", "passkeys"):
        unproved.visit(f"{name}-unproved", f"/.herse/account/{name.removeprefix('own-')}")
    unproved.visit("recovery-step-up", "/.herse/step-up/recovery")
    tour.faults += unproved.faults


def test_a_new_account_is_activated_and_linked_in_the_browser(demo, profile):
    herse = [sys.executable, "-m", "gateway.cli", "account"]
    config = ["--config", str(demo.settings_file)]
    create = [*herse, "create", "690012347", "--title", "Pharmacie neuve", "--profession", "pharmacist", *config]
    subprocess.run(create, check=True, capture_output=True)
    told = subprocess.run([*herse, "invite", "690012347", *config], check=True, capture_output=True, text=True).stdout
    tab = profile().tab()
    tab.goto("/.herse/enrol")
    tab.locator("input:focus").wait_for()  # a busy browser focuses after it has loaded
    tab.keyboard.type("690012347")
    tab.keyboard.press("Tab")
    tab.keyboard.type(activation_code(told))
    tab.keyboard.press("Tab")
    tab.keyboard.type("cinq mots pour une porte neuve")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/.herse/account/factors")
    tab.click("summary")
    secret = tab.text_content("code.secret").replace(" ", "")
    tab.fill("#code", pyotp.TOTP(secret).now())
    tab.press("#code", "Enter")
    tab.wait_for_url("**/.herse/account")
    tab.goto("/infopatient")
    assert tab.url.endswith("/infopatient"), "the activation code and the application count as proof"


def activation_code(told):
    """The longest word of what the command prints."""
    return max(told.split(), key=lambda word: word.count("-"))


def test_a_portal_that_is_down_has_a_page(demo, profile):
    browser = profile()
    tab = browser.tab()
    browser.sign_in(tab, demo.account("leaked"))
    tour = Tour(tab, "fr")
    tab.wait_for_load_state("networkidle")  # nothing of the portal's is under way
    with demo.without_portal():
        tour.visit("portal-down", "/paiements", 502)
    assert tour.faults == []
