# SPDX-License-Identifier: EUPL-1.2
"""A delegation in a real browser: given to an employee's card, used with that card, told to the holder, taken back."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from browser.looks import path, press, send, sound

from gateway.cli.card_certs import PASSPHRASE
from gateway.demo.people import number_of, person

pytestmark = [pytest.mark.system, pytest.mark.browser]

CARD = "3750012346-EMP0001"


@pytest.fixture
def employee(demo, chromium):
    """A tab of a browser with Lou Martin's CPE card in its reader."""
    shown = {"origin": f"https://localhost:{demo.card_port}", "passphrase": PASSPHRASE}
    shown["pfxPath"] = demo.certs / "cards" / f"{CARD}.p12"
    context = chromium.new_context(
        base_url=demo.origin, ignore_https_errors=True, locale="fr-FR", client_certificates=[shown]
    )
    yield context.new_page()
    context.close()


def give(tab, until):
    """Fill in the form as the holder does: first without a service, which is told beside it and loses nothing."""
    tab.fill("#name", "Lou Martin")
    tab.fill("#card", CARD.replace("-", "/"))
    tab.fill("#last-day", until)
    press(tab, "Donner la délégation")
    assert "Cochez au moins un téléservice" in tab.text_content("[role=alert]")
    sound(tab)
    assert tab.input_value("#name") == "Lou Martin"
    for service in ("Accueil", "Infopatient"):
        tab.get_by_label(service, exact=True).check()
    press(tab, "Donner la délégation")
    assert tab.get_by_role("heading", name="Lou Martin").is_visible()
    sound(tab)


def test_an_employee_acts_by_his_own_card_until_it_is_taken_back(demo, profile, employee):
    browser, account, someone = profile(), demo.account("pharmacist"), person(7)
    tab = browser.tab()
    browser.sign_in(tab, account)
    tab.goto("/.herse/account")
    with tab.expect_navigation():
        tab.locator("main").get_by_role("link", name="Délégations").click()
    press(tab, "Confirmer mon identité")
    send(tab, code=account.code())
    give(tab, f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}")

    employee.goto("/infopatient")
    press(employee, "Carte CPS ou CPE")
    press(employee, "Lire ma carte", "link")
    assert path(employee) == "/infopatient"
    employee.goto(f"/infopatient/{number_of(7)}")
    assert employee.get_by_text(someone.name, exact=True).is_visible()
    employee.goto("/.herse/account")
    assert employee.locator(".who").inner_text().endswith("Lou Martin, pour Pharmacie du Pont")
    assert employee.locator("nav a").count() == 1
    sound(employee)
    employee.goto("/.herse/account/sessions")
    assert "Non compris dans votre délégation" in employee.text_content("h1")
    sound(employee)

    tab.goto("/.herse/account/events?group=look-ups")
    told = tab.locator("tbody tr").first
    assert "1 personne consultée" in told.inner_text().replace("\u00a0", " ")
    assert "par Lou Martin (par délégation)" in told.inner_text()
    tab.goto("/.herse/account/delegates")
    press(tab, "Mettre fin à la délégation de Lou Martin")
    ended = time.monotonic()
    employee.goto(f"/infopatient/{number_of(7)}")
    assert time.monotonic() - ended < 1
    assert path(employee) == "/.herse/sign-in"
    assert someone.name not in employee.content()
