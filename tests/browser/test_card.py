# SPDX-License-Identifier: EUPL-1.2
"""The card in a real browser: from « Carte CPS » over the card host and back, with a card, without, with a wrong one.

Playwright speaks the TLS to the card host for Chromium when it is given a client certificate; cookies, redirects, the
content security policy and the pages are Chromium's own business.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.cli.card_certs import PASSPHRASE

pytestmark = [pytest.mark.system, pytest.mark.browser]

SOUNDNESS = (Path(__file__).parent / "soundness.js").read_text(encoding="utf-8")
CLAIRE, INES = "810000000009", "810101010105"
SESSION, CARD = "__Host-herse", "__Host-herse-card"


@pytest.fixture
def bearer(demo, chromium):
    """Make a tab of a browser that has this card in its reader; None: no card."""
    made = []

    def make(card, locale="fr-FR"):
        shown = {"origin": f"https://localhost:{demo.card_port}"}
        shown |= {"pfxPath": demo.certs / "cards" / f"{card}.p12", "passphrase": PASSPHRASE}
        context = chromium.new_context(
            base_url=demo.origin,
            ignore_https_errors=True,
            locale=locale,
            client_certificates=[shown] if card else None,
        )
        made.append(context)
        return context.new_page()

    yield make
    for context in made:
        context.close()


def path(tab):
    return re.sub(r"^https://[^/]+|\?.*", "", tab.url)


def press(tab, role, name):
    with tab.expect_navigation():
        tab.get_by_role(role, name=name).click()


def sound(tab):
    for width in (320, 1200):
        tab.set_viewport_size({"width": width, "height": 800})
        assert tab.evaluate(SOUNDNESS) == []


def cookies(tab):
    return {cookie["name"]: cookie for cookie in tab.context.cookies()}


def test_a_card_signs_in_and_leads_to_the_page_that_was_asked_for(bearer):
    tab = bearer(INES)
    tab.goto("/aat")
    assert path(tab) == "/.herse/sign-in"
    press(tab, "button", "Carte CPS")
    assert path(tab) == "/.herse/card"
    sound(tab)
    waiting = cookies(tab)[CARD]
    assert (waiting["secure"], waiting["httpOnly"], waiting["sameSite"]) == (True, True, "Lax")
    press(tab, "link", "Lire ma carte")
    assert path(tab) == "/aat"
    assert SESSION in cookies(tab)
    assert CARD not in cookies(tab)
    tab.goto("/.herse/account/events")
    assert tab.locator("tbody tr").filter(has_text="Connexion").first.get_by_text("carte").is_visible()


def test_a_card_makes_a_password_session_stronger(demo, bearer):
    account, tab = demo.account("gp"), bearer(INES, "en-GB")
    tab.goto("/.herse/sign-in")
    tab.fill("#identifier", account.identifier)
    tab.fill("#password", account.password)
    press(tab, "button", "Sign in")
    before = cookies(tab)[SESSION]["value"]
    tab.goto("/aat")
    assert path(tab) == "/.herse/card"
    sound(tab)
    press(tab, "button", "Go on with my card")
    press(tab, "link", "Read my card")
    assert path(tab) == "/aat"
    assert cookies(tab)[SESSION]["value"] != before


def test_without_a_card_there_is_a_page_with_the_way_on(bearer):
    tab = bearer(None)
    tab.goto("/.herse/sign-in")
    press(tab, "button", "Carte CPS")
    press(tab, "link", "Lire ma carte")
    assert tab.text_content("h1") == "Aucune carte n\u2019a été présentée"
    sound(tab)
    press(tab, "link", "Utiliser ma carte CPS")
    assert path(tab) == "/.herse/card"
    assert SESSION not in cookies(tab)


def test_the_card_of_somebody_else_changes_nothing(demo, bearer):
    account, tab = demo.account("gp"), bearer(CLAIRE)
    tab.goto("/.herse/sign-in")
    tab.fill("#identifier", account.identifier)
    tab.fill("#password", account.password)
    press(tab, "button", "Se connecter")
    tab.goto("/.herse/card")
    press(tab, "button", "Continuer avec ma carte")
    press(tab, "link", "Lire ma carte")
    assert "titulaire" in tab.text_content("h1")
    sound(tab)
    tab.goto("/aat")
    assert path(tab) == "/.herse/card", "the card is still asked for"


def test_an_employees_card_is_known_to_no_account_yet(bearer):
    tab = bearer("3750012346-EMP0001")
    tab.goto("/.herse/sign-in")
    press(tab, "button", "Carte CPS")
    press(tab, "link", "Lire ma carte")
    assert "liée à aucun compte" in tab.text_content("h1")
    assert SESSION not in cookies(tab)
