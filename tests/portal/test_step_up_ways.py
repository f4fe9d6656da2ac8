# SPDX-License-Identifier: EUPL-1.2
"""A teleservice that names its methods: the ways that lead there, and none that is not open to this account."""

from __future__ import annotations

import pytest
from portal.card_door import JSON, open_card_door

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
