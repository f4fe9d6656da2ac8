# SPDX-License-Identifier: EUPL-1.2
"""A teleservice that names its methods: the ways that lead there, and none that is not open to this account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from portal.card_door import JSON, open_card_door
from portal.world import ORIGIN

from gateway.model import Budget, Past, Spent
from support.authenticator import Authenticator

STEP_UP = "/.herse/step-up?to=abc&reason=method-required&methods="


@pytest.mark.parametrize(
    ("methods", "to"),
    [
        ("sc", "/.herse/card?to=abc"),
        ("otp", "/.herse/step-up?to=abc"),
        ("sc.hwk", "/.herse/card?to=abc"),
        ("pwd", "/.herse/sign-in?to=abc"),
    ],
)
def test_the_only_way_is_taken_at_once(world, methods, to):
    browser = open_card_door(world).browser()
    browser.sign_in()
    assert browser.get(STEP_UP + methods).headers["location"] == to


def test_several_ways_are_offered_strongest_first(world):
    browser = open_card_door(world).browser()
    browser.sign_in()
    page = browser.get(f"{STEP_UP}otp.sc.psc.evil").text
    assert page.index('href="/.herse/card?to=abc"') < page.index('href="/.herse/step-up?to=abc"')
    assert "evil" not in page
    assert [one["method"] for one in browser.get(f"{STEP_UP}otp.sc", **JSON).json()["ways"]] == ["sc", "otp"]


def test_without_a_way_it_is_told(world, signed_in):
    for methods, reason in (("sc", "CPS"), ("hwk", "code"), ("", "code"), ("psc", "code")):
        answer = signed_in.get(STEP_UP + methods)
        assert answer.status_code in {401, 403}
        assert reason in answer.text


def test_past_a_budget_the_only_way_is_shown_with_what_happened(world):
    browser = open_card_door(world).browser()
    browser.sign_in()
    page = browser.get("/.herse/step-up?to=abc&reason=budget-proof-required&methods=sc")
    assert page.status_code == 200
    assert "beaucoup de patients" in page.text
    assert 'href="/.herse/card?to=abc"' in page.text
    assert 'name="code"' not in page.text, "it would not do"


@pytest.mark.parametrize("reason", ["session-moved", "budget-proof-required"])
def test_who_has_no_application_is_told_why_and_shown_the_card(world, reason):
    open_card_door(world).add("690012347", totp=False)
    browser = world.browser()
    browser.sign_in("690012347")
    page = browser.get(f"/.herse/step-up?to=abc&reason={reason}")
    assert page.status_code == 200
    assert "nous vérifions que c\u2019est bien vous" in page.text
    assert 'href="/.herse/card?to=abc"' in page.text
    assert browser.get("/.herse/step-up?to=abc&reason=second-factor-required").status_code == 403


def test_without_any_other_way_the_missing_application_is_told(world):
    world.add("690012347", totp=False)
    browser = world.browser()
    browser.sign_in("690012347")
    assert browser.get("/.herse/step-up?to=abc&reason=session-moved").status_code == 403


def test_a_passkey_takes_the_slip_along(world):
    world.add("690012347", totp=False)
    browser = world.browser()
    browser.sign_in("690012347")
    key, keys = Authenticator(ORIGIN), world.passkeys
    answer = key.create(keys.adding("690012347", "", "s", world.now))
    keys.table.add(keys.check_new("690012347", answer, "s", world.now), "clé", world.now)
    (session,) = world.sessions.of_account("690012347")
    spent = Spent(Budget(15, timedelta(minutes=10), Past.CHALLENGE), 60)
    slip = world.slips.write(spent, session.reference, world.now)
    asked = browser.get(f"/.herse/step-up?to=abc&reason=budget-proof-required&why={slip}").headers["location"]
    assert asked.endswith(f"&why={slip}")
    assert "15 patients différents en 10 minutes" in browser.get(asked).text
    evil = browser.get("/.herse/step-up?to=abc&reason=budget-proof-required&why=a%0d%0ab").headers["location"]
    assert evil == "/.herse/step-up/passkey?to=abc&reason=budget-proof-required"
