# SPDX-License-Identifier: EUPL-1.2
"""The demo walked in a real browser by keyboard and mouse: cookies, focus, the kept form, the events, the way out."""

from __future__ import annotations

import re

import pytest

from gateway.demo.people import number_of, person

pytestmark = [pytest.mark.system, pytest.mark.browser]

SESSION, FORM, DEVICE = "__Host-herse", "__Host-herse-form", "__Host-herse-device"
SHORT, LONG = 5, 15  # a stretch of people new to the account: short once the walk was found faster than hands
# What has the focus: its words or its name, and whether it shows that it has it.
FOCUSED = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));  // it is scrolled to by then
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  if (one === document.body) return {outside: true, words: "", place: -1};
  return {
    words: one.name || one.textContent.trim(),
    rings: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
    seen: box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth,
    place: [...document.querySelectorAll("*")].indexOf(one),
  };
}"""


def types(tab, *words):
    """Type into the field that has the focus, and the next ones; then Enter."""
    tab.locator("input:focus").wait_for()
    for place, word in enumerate(words):
        if place:
            tab.keyboard.press("Tab")
        tab.keyboard.type(word)
    with tab.expect_navigation():
        tab.keyboard.press("Enter")


def tab_to(tab, words):
    """Press Tab until these words have the focus."""
    for _ in range(40):
        tab.keyboard.press("Tab")
        if tab.evaluate(FOCUSED)["words"] == words:
            return
    raise LookupError(f"{words!r} cannot be reached by Tab at {tab.url}")


def presses(tab, key="Enter"):
    with tab.expect_navigation():
        tab.keyboard.press(key)


def path(tab):
    return re.sub(r"^https://[^/]+|\?.*", "", tab.url)


def test_by_keyboard_alone_from_sign_in_to_a_person(demo, profile):
    browser, account = profile(), demo.account("pharmacist")
    tab = browser.tab()
    tab.goto("/")
    assert path(tab) == "/.herse/sign-in"
    types(tab, account.identifier, account.password)
    assert path(tab) == "/"
    tab_to(tab, "Infopatient")
    presses(tab)
    assert path(tab) == "/.herse/step-up"
    types(tab, account.code())
    assert path(tab) == "/infopatient"
    tab_to(tab, "nir")
    types(tab, number_of(100))
    assert tab.get_by_text(person(100).written_number).is_visible()
    seen = sees_until_he_is_stopped(tab)
    last = person(100 + seen)
    tab.goto("/infopatient")
    tab_to(tab, "nir")
    types(tab, last.written_number)
    assert path(tab) == "/.herse/step-up"
    told = f"{SHORT} nouveaux patients en 24 heures" if seen < LONG else f"{LONG} nouveaux patients en 10 minutes"
    assert tab.get_by_text(told).is_visible()
    types(tab, account.code())
    assert path(tab) == "/.herse/continue"
    tab.locator("main button:focus").wait_for()
    presses(tab)  # the button had the focus; nothing was sent by itself
    assert path(tab) == "/.herse/continue"  # where the portal's answer to it is shown
    assert tab.get_by_text(last.name, exact=True).is_visible()
    tab.goto("/.herse/account/events?group=look-ups")
    told = tab.locator("tbody strong").all_text_contents()  # more than one if an alert came between, or the hour struck
    counts = [re.fullmatch(r"Infopatient\s: (\d+) personnes? consultées?", line)[1] for line in told]
    assert sum(map(int, counts)) == seen + 1


def sees_until_he_is_stopped(tab):
    """How many people, the first of whom he has seen already."""
    for seen in range(1, LONG):
        tab.goto(f"/infopatient/{number_of(100 + seen)}")
        if path(tab) == "/.herse/step-up":
            assert seen >= SHORT
            return seen
    return LONG


def test_cookies_belong_to_the_server_alone_and_change_with_each_proof(demo, profile):
    browser, account = profile(), demo.account("leaked")
    tab = browser.tab()
    tab.goto("/.herse/sign-in")
    assert set(browser.cookies()) == {FORM}
    browser.sign_in(tab, account)
    first = browser.cookies()
    assert set(first) == {SESSION, FORM, DEVICE}
    browser.prove(tab, account)
    second = browser.cookies()
    assert first[SESSION]["value"] != second[SESSION]["value"]
    for cookie in second.values():
        assert (cookie["secure"], cookie["httpOnly"], cookie["path"], cookie["domain"]) == (
            True,
            True,
            "/",
            "localhost",
        )
        assert (cookie["expires"] == -1) is (cookie["name"] != DEVICE), "gone with the browser, but that it is known"
    assert [second[name]["sameSite"] for name in (SESSION, FORM, DEVICE)] == ["Lax", "Strict", "Lax"]
    tab.goto("/")
    assert tab.evaluate("document.cookie") == ""
    browser.context.add_cookies([first[SESSION]])
    tab.goto("/")
    assert path(tab) == "/.herse/sign-in", "the cookie before the proof is dead"


def test_after_sign_out_nothing_is_left_to_look_at(demo, profile):
    browser, account = profile(), demo.account("gp")
    tab = browser.tab()
    browser.sign_in(tab, account)
    browser.prove(tab, account)
    someone = person(500)
    tab.goto(f"/infopatient/{someone.number}")
    assert tab.get_by_text(someone.name, exact=True).is_visible()
    signed_in = browser.cookies()[SESSION]
    with tab.expect_navigation():
        tab.get_by_role("button", name="Se déconnecter").click()
    assert path(tab) == "/.herse/sign-out"
    assert tab.text_content("h1") == "Vous êtes déconnecté"
    assert SESSION not in browser.cookies()
    tab.go_back()
    assert path(tab) == "/.herse/sign-in"
    assert someone.name not in tab.content()
    browser.context.add_cookies([signed_in])
    tab.goto("/")
    assert path(tab) == "/.herse/sign-in"


@pytest.mark.parametrize("width", [1200, 360])
def test_the_focus_is_seen_and_goes_in_the_order_of_the_page(demo, profile, width):
    browser = profile()
    tab = browser.tab()
    tab.set_viewport_size({"width": width, "height": 800})
    assert stops(tab, "/.herse/enrol") == ["identifier", "code", "password", "Continuer"]
    browser.sign_in(tab, demo.account("gp"))
    menu = ["Mon compte", "Mes derniers événements", "Sessions et appareils", "Délégations"]
    home = "Herse Accès protégé des professionnels de santé : accueil du portail"
    start = ["Aller au contenu", home, "Se déconnecter", *menu]
    means = ["Mot de passe", "Application de codes", "Clés d\u2019accès", "Codes de secours"]
    assert stops(tab, "/.herse/account") == [*start, *means, "Adresse électronique", *menu[1:]]
    assert stops(tab, "/.herse/step-up") == ["code", "Confirmer", "Utiliser ma carte CPS"]
    # A date field has a part for the day, the month, the year, and its calendar.
    fields = ["group", *["from"] * 4, *["to"] * 4]
    assert stops(tab, "/.herse/account/events") == [*start, *fields, "Filtrer"]
    tab.goto("/.herse/account/events")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    assert tab.evaluate(FOCUSED)["words"] == "group", "the first link leads past the menu"


def stops(tab, page):
    """Where the focus stops from the start of a page to its end, each stop seen and after the one before."""
    tab.goto(page)
    if tab.evaluate("document.activeElement === document.body"):
        tab.keyboard.press("Tab")
    found, last = [], -1
    while (stop := tab.evaluate(FOCUSED))["words"] and stop["place"] >= last:
        assert stop["rings"], stop
        assert stop["seen"], stop
        found.append(" ".join(stop["words"].split()))
        last = stop["place"]
        tab.keyboard.press("Tab")
    assert stop["outside"], f"the focus went back, to {stop}, after {found}"
    return found


def test_the_events_are_chosen_and_turned_over(demo, profile):
    browser, account = profile(), demo.account("leaked")
    tab = browser.tab()
    browser.sign_in(tab, account)
    for _ in range(55):
        browser.context.request.get("/patients")  # another profession's: a refusal each, on record
    tab.goto("/")
    tab.get_by_role("link", name="Mes derniers événements").first.click()
    assert path(tab) == "/.herse/account/events"
    tab.get_by_label("Afficher").select_option("Refus")
    with tab.expect_navigation():
        tab.get_by_role("button", name="Filtrer").click()
    assert tab.locator("tbody tr").count() == 50
    assert set(tab.locator("tbody strong").all_text_contents()) == {"Patientèle\u00a0: accès refusé"}
    with tab.expect_navigation():
        tab.get_by_role("link", name="Plus anciens").click()
    assert tab.locator("tbody tr").count() == 5
    assert tab.get_by_label("Afficher").input_value() == "refusals"
    with tab.expect_navigation():
        tab.get_by_role("link", name="Plus récents").click()
    assert tab.locator("tbody tr").count() == 50
    tab.get_by_label("Au", exact=True).fill("2020-01-31")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert tab.get_by_text("Aucun événement pour ce choix.").is_visible()
    assert "to=2020-01-31" in tab.url


@pytest.mark.parametrize(("locale", "heading"), [("fr-CA", "Connexion"), ("en-US", "Sign in"), ("de-DE", "Connexion")])
def test_the_page_speaks_as_the_browser_asks(profile, locale, heading):
    tab = profile(locale).tab()
    tab.goto("/.herse/sign-in")
    assert tab.text_content("h1") == heading
    assert tab.get_attribute("html", "lang") == ("en" if heading == "Sign in" else "fr")
