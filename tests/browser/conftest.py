# SPDX-License-Identifier: EUPL-1.2
"""For the browser tests: a demo and a Chromium for each file, and tabs that hear every complaint of the browser.

Both last no longer than a file: Playwright's event loop lives on the tests' own thread and would be in the way of
others, and a fresh demo has fresh budgets, throttles and codes.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import sync_playwright

from support.demo import Demo

CHROMIUM = "/usr/bin/chromium"
# Nothing that talks to the world by itself; no sandbox, since tests may run as root in a container.
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
# A page with an error status is told on the console; the tests expect those statuses themselves.
_STATUS = re.compile(r"Failed to load resource: the server responded with a status of [45]\d\d ")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with Demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Profile:
    """A browser profile: its cookies, its language, its tabs, and the complaints it made."""

    def __init__(self, demo, chromium, locale):
        self.demo = demo
        self.complaints = []
        self.context = chromium.new_context(
            base_url=demo.origin, ignore_https_errors=True, locale=locale, viewport={"width": 1200, "height": 800}
        )

    def tab(self):
        page = self.context.new_page()
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self._hear("error", str(error)))
        return page

    def _hear(self, kind, text):
        if kind in {"error", "warning"} and not _STATUS.match(text):
            self.complaints.append(text)

    def cookies(self):
        return {cookie["name"]: cookie for cookie in self.context.cookies()}

    def sign_in(self, tab, account):
        tab.goto("/.herse/sign-in")
        tab.fill("#identifier", account.identifier)
        tab.fill("#password", account.password)
        with tab.expect_navigation():
            tab.click("main button")

    def prove(self, tab, account):
        tab.goto("/.herse/step-up")
        tab.fill("#code", account.code())
        with tab.expect_navigation():
            tab.click("main button")


@pytest.fixture
def profile(demo, chromium):
    """Make a profile. A test ends well only if its browsers had nothing to complain of: no error, no CSP violation."""
    made = []

    def make(locale="fr-FR"):
        made.append(Profile(demo, chromium, locale))
        return made[-1]

    yield make
    for one in made:
        one.context.close()
    assert [complaint for one in made for complaint in one.complaints] == []
