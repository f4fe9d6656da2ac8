# SPDX-License-Identifier: EUPL-1.2
"""What is said past a budget, in a real browser: sound at every width, in two languages, whatever the budget.

The pages are those of the gateway's own code, shown at its own address; leaves their pictures in var/screenshots/.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from browser.looks import NARROW, WIDE, sound

from gateway.model import Budget, Counts, Decision, Effect, Level, Method, Past, Quota, Reason, Risk, Scope, Spent
from gateway.pages.answers import refusal
from gateway.pages.budget_words import past_budget
from gateway.pages.render import page, words
from support.sources import ROOT

pytestmark = [pytest.mark.system, pytest.mark.browser]

PICTURES = ROOT / "var" / "screenshots"
AT = datetime(2026, 11, 22, 13, 25, 30, tzinfo=UTC)
MINUTES, DAY, HOUR = timedelta(minutes=10), timedelta(days=1), 3600
NEW = Budget(15, MINUTES, Past.CHALLENGE, Counts.NEW, Scope.HOLDER)
FEW = Budget(5, DAY, Past.CHALLENGE, Counts.NEW, Scope.HOLDER, risk=Risk.ELEVATED)
NEAR = Quota(Budget(150, DAY, Past.DENY, Counts.NEW), 8, 60)
MISSED = Budget(60, DAY, Past.DENY, Counts.MISSED, lasts=timedelta(hours=12), closes=("aat",))
CHALLENGES = {
    "new": Spent(NEW, 400),
    "unusual": Spent(FEW, 20 * HOUR, near=NEAR),
    "by-card": Spent(NEW, 400, (Method.SMART_CARD, Method.SSO)),
}
DENIALS = {
    "people": Spent(Budget(3000, DAY, Past.DENY), 20 * HOUR),
    "under-card": Spent(Budget(150, DAY, Past.DENY, Counts.NEW, under=Level.CARD, risk=Risk.ELEVATED), 5 * HOUR),
    "missed": Spent(MISSED, 12 * HOUR),
    "network": Spent(Budget(1500, DAY, Past.DENY, per=Scope.NETWORK), 400),
}


def challenge(spent, language):
    told = past_budget(spent, AT, named=True)
    common = {"account": "Pharmacie du Pont", "form": "f", "asked": words(told, language), "sso": "Pro Santé Connect"}
    if spent.methods:
        ways = [("sc", "/.herse/card?to=a"), ("psc", "/.herse/sso?to=a")]
        return page("step_up_ways", language, ways=ways, cards=True, **common)
    more = {"has_passkey": True, "quarantined": False, "has_codes": False, "may_link": False, "cards": True}
    return page("step_up", language, to="a", alert=None, **more, **common)


def denial(spent, language):
    told = past_budget(spent, AT, named=True, closed=("Avis d'arrêt de travail",))
    decision = Decision(Effect.DENY, "infopatient", (Reason.BUDGET_EXHAUSTED,), retry_after_seconds=spent.seconds)
    return refusal(decision, b"text/html", language.encode(), "0" * 32, "Pharmacie du Pont", told=told)[2]


PAGES = {f"budget-challenge-{name}": (challenge, spent) for name, spent in CHALLENGES.items()} | {
    f"budget-denial-{name}": (denial, spent) for name, spent in DENIALS.items()
}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_what_is_said_past_a_budget_is_sound_and_legible(profile, name, language):
    tab, (make, spent) = profile().tab(), PAGES[name]
    body = make(spent, language).decode()
    tab.route("**/nowhere", lambda route: route.fulfill(body=body, content_type="text/html; charset=utf-8"))
    tab.goto("/nowhere")
    sound(tab)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width in (NARROW[-1], WIDE):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.screenshot(path=PICTURES / f"{name}-{language}-{width}.png", full_page=True)
