# SPDX-License-Identifier: EUPL-1.2
"""Passkeys with Chromium's own virtual authenticator: added, named, used and removed, by keyboard and without a script.

Leaves a picture of each page in var/screenshots/, in two languages at two widths.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.passkey_device import Device
from support.servers import wait_until
from support.sources import ROOT

pytestmark = [pytest.mark.system, pytest.mark.browser]

SOUNDNESS = (Path(__file__).parent / "soundness.js").read_text(encoding="utf-8")
PICTURES = ROOT / "var" / "screenshots"
LIST, SIGN_IN, STEP_UP = "/.herse/account/passkeys", "/.herse/sign-in/passkey", "/.herse/step-up/passkey"
BUTTON = "main button[data-passkey-button]"
TAMPER = (Path(__file__).parent / "tamper.js").read_text(encoding="utf-8")


def strong_tab(demo, profile, role, locale="fr-FR"):
    """Signed in with password and code, with a device."""
    browser = profile(locale)
    tab = browser.tab()
    device = Device(tab)
    browser.sign_in(tab, demo.account(role))
    browser.prove(tab, demo.account(role))
    return browser, tab, device


def press(tab, selector=BUTTON):
    with tab.expect_navigation():
        tab.click(selector)
    return tab.evaluate("performance.getEntriesByType('navigation')[0].responseStatus")


def add(tab, name):
    tab.goto(LIST)
    tab.fill("#name", name)
    press(tab, f"{BUTTON}")


def look(tab, name, language):
    """Soundness of the page at three widths, and a picture of it at two."""
    faults = []
    for width in (320, 360, 1200):
        tab.set_viewport_size({"width": width, "height": 800})
        faults += [f"{name} at {width}: {fault}" for fault in tab.evaluate(SOUNDNESS)]
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width in (360, 1200):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.screenshot(path=PICTURES / f"{name}-{language}-{width}.png", full_page=True)
    assert faults == []
    assert tab.locator("html").get_attribute("lang") == language


@pytest.mark.parametrize(("locale", "role"), [("fr-FR", "pharmacist"), ("en-GB", "gp")])
def test_a_passkey_is_added_named_used_and_removed(demo, profile, locale, role):
    language = locale[:2]
    browser, tab, device = strong_tab(demo, profile, role, locale)
    tab.goto(LIST)
    look(tab, "passkeys-none", language)
    add(tab, "Camille")
    assert [one["isResidentCredential"] for one in device.credentials()] == [True]
    assert tab.text_content(".cards h2").strip() == "Camille"
    tab.click(".cards details:first-of-type summary")
    tab.fill("#name-1", "Téléphone de Camille")
    press(tab, ".cards details:first-of-type button")
    assert tab.text_content(".cards h2").strip() == "Téléphone de Camille"
    tab.click(".cards details:nth-of-type(2) summary")
    look(tab, "passkeys", language)

    browser.context.clear_cookies()
    tab.goto("/paiements")
    look(tab, "sign-in-with-passkey", language)
    press(tab, "main a.button")
    look(tab, "passkey-sign-in", language)
    press(tab)
    assert tab.url == f"{demo.origin}/paiements", "no identifier, no password, and on to where he was going"
    tab.goto("/.herse/step-up?to=")
    look(tab, "step-up-with-passkey", language)
    press(tab, "main a.button")
    look(tab, "passkey-step-up", language)
    press(tab)
    assert tab.url == f"{demo.origin}/"

    tab.goto(LIST)
    tab.click(".cards details:nth-of-type(2) summary")
    press(tab, ".cards details:nth-of-type(2) button")
    assert tab.locator(".cards").count() == 0
    tab.goto("/.herse/account/events")
    look(tab, "events-passkeys", language)
    browser.context.clear_cookies()
    tab.goto(SIGN_IN)
    assert press(tab) == 401, "the device still has it; the account has not"
    look(tab, "passkey-wrong", language)


def test_a_passkey_is_used_by_keyboard_alone(demo, profile):
    browser, tab, _ = strong_tab(demo, profile, "leaked")
    tab.goto(LIST)
    tab.focus("#name")
    tab.keyboard.type("Clavier")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    browser.context.clear_cookies()
    tab.goto(SIGN_IN)
    assert tab.evaluate("document.activeElement.textContent") == tab.text_content(BUTTON), "the button waits for Enter"
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert tab.url == f"{demo.origin}/"
    tab.goto(LIST)
    tab.focus(".cards details:nth-of-type(2) summary")
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    with tab.expect_navigation():
        tab.keyboard.press("Enter")
    assert tab.locator(".cards").count() == 0


@pytest.fixture(scope="module")
def key(demo, chromium):
    """A passkey of the leaked account, made in a browser of its own, that the tests below put into theirs."""
    with_device = chromium.new_context(base_url=demo.origin, ignore_https_errors=True)
    tab, account = with_device.new_page(), demo.account("leaked")
    device = Device(tab)
    for path, fields in (
        ("/.herse/sign-in", {"identifier": account.identifier, "password": account.password}),
        ("/.herse/step-up", {"code": account.code()}),
    ):
        tab.goto(path)
        for field, value in fields.items():
            tab.fill(f"#{field}", value)
        press(tab, "main form button")
    add(tab, "Partagée")
    (made,) = device.credentials()
    with_device.close()
    return made


@pytest.fixture
def asked(profile, key):
    """Sign-in by passkey, asked for in a fresh browser whose device has the key, with a counter that goes on."""
    tab = profile().tab()
    device = Device(tab)
    key["signCount"] += 10
    device.put(key)
    tab.goto(SIGN_IN)
    return tab, device


def session_of(tab):
    return [one for one in tab.context.cookies() if one["name"] == "__Host-herse"]


@pytest.mark.parametrize("change", ["origin", "authenticatorData", "signature"])
def test_I9_what_the_device_said_cannot_be_changed_on_the_way(asked, change):
    tab, _ = asked
    tab.evaluate(TAMPER, change)
    assert press(tab) == 401
    assert "n\u2019ouvre pas ce compte" in tab.text_content(".alert:not([hidden])")
    assert session_of(tab) == []
    assert press(tab) == 303 or session_of(tab), "the page is ready for the next try"


def test_I9_a_device_that_does_not_verify_its_user_opens_nothing(asked):
    tab, device = asked
    device.verifies(verifies=False)
    tab.click(BUTTON)
    tab.wait_for_selector("[data-passkey-said=NotAllowedError]:not([hidden])")
    look(tab, "passkey-cancelled", "fr")
    # Even if the page asked for less than we did:
    tab.evaluate("""() => {
      const form = document.querySelector("form[data-passkey]");
      form.dataset.options = JSON.stringify({ ...JSON.parse(form.dataset.options), userVerification: "discouraged" });
    }""")
    assert press(tab) == 401
    assert session_of(tab) == []


def test_I9_a_counter_that_goes_back_is_refused_and_told(asked, key):
    tab, device = asked
    press(tab)
    assert len(session_of(tab)) == 1
    device.forget(key)
    device.put({**key, "signCount": 0})
    tab.goto(SIGN_IN)
    assert press(tab) == 401
    assert "peut-être copiée" in tab.text_content(".alert:not([hidden])")
    wait_until(
        "it stands among the events, put there a moment after the answer",
        lambda: tab.goto("/.herse/account/events") and "Le compteur de cette clé" in tab.text_content("table"),
    )


def test_I9_a_challenge_is_used_once(asked):
    tab, _ = asked
    with tab.expect_request(lambda request: request.method == "POST") as posted:
        press(tab)
    again = tab.context.request.post(
        SIGN_IN,
        headers={"origin": tab.url.rstrip("/"), "content-type": "application/x-www-form-urlencoded"},
        data=posted.value.post_data,
    )
    assert again.status == 401
    assert "Demande expirée" in again.text()


def test_I9_the_key_of_somebody_else_proves_nothing(demo, profile, key):
    _, tab, device = strong_tab(demo, profile, "gp")
    add(tab, "La mienne")
    (mine,) = device.credentials()
    device.forget(mine)
    device.put({**mine, "privateKey": key["privateKey"]})
    tab.goto(STEP_UP)
    assert press(tab) == 401, "the right name, another's key"
    device.forget(mine)
    key["signCount"] += 10
    device.put(key)
    tab.goto(STEP_UP)
    tab.evaluate("""() => {
      const form = document.querySelector("form[data-passkey]");
      form.dataset.options = JSON.stringify({ ...JSON.parse(form.dataset.options), allowCredentials: [] });
    }""")
    assert press(tab) == 401, "a right signature, another's account"
    assert "n\u2019ouvre pas ce compte" in tab.text_content(".alert:not([hidden])")


def test_I9_another_algorithm_is_refused_even_if_the_page_asked_for_it(demo, profile):
    _, tab, _ = strong_tab(demo, profile, "pharmacist")
    tab.goto(LIST)
    tab.fill("#name", "RS1")
    tab.evaluate("""() => {
      const create = navigator.credentials.create.bind(navigator.credentials);
      navigator.credentials.create = async (options) => {
        const made = await create(options);
        const attested = new Uint8Array(made.response.attestationObject);
        const at = attested.findIndex((byte, place) => byte === 0xa5 && attested[place + 1] === 1
          && attested[place + 3] === 3 && attested[place + 4] === 0x26);
        attested[at + 4] = 0x2f;  // COSE -16 where -7 stood
        const response = { clientDataJSON: made.response.clientDataJSON, attestationObject: attested.buffer };
        return { id: made.id, rawId: made.rawId, type: made.type, response };
      };
    }""")
    assert press(tab) == 401
    assert tab.locator(".cards").count() == 0


def test_a_page_left_open_asks_anew_instead_of_failing(asked):
    tab, _ = asked
    before = tab.get_attribute("form[data-passkey]", "data-options")
    tab.evaluate("() => { const now = Date.now(); Date.now = () => now + 280000; }")
    press(tab)
    after = tab.get_attribute("form[data-passkey]", "data-options")
    assert json.loads(before)["challenge"] != json.loads(after)["challenge"]
    press(tab)
    assert len(session_of(tab)) == 1


def test_without_a_script_the_pages_say_what_else_to_do(demo, chromium):
    narrow = {"width": 360, "height": 800}
    context = chromium.new_context(
        base_url=demo.origin, ignore_https_errors=True, java_script_enabled=False, locale="fr-FR", viewport=narrow
    )
    tab = context.new_page()
    tab.goto(SIGN_IN)
    assert tab.is_visible("[data-passkey-unable]")
    assert not tab.is_visible(BUTTON)
    tab.screenshot(path=PICTURES / "passkey-without-script-fr-360.png", full_page=True)
    tab.click("main .aside a")
    assert tab.url == f"{demo.origin}/.herse/sign-in"
    context.close()


def test_the_policy_of_the_page_stops_every_other_script(profile):
    browser = profile()
    tab = browser.tab()
    tab.goto(SIGN_IN)
    ran = tab.evaluate("""async () => {
      for (const source of ["/.herse/static/herse.css", "/static/portail.css"]) {
        const script = document.createElement("script");
        script.src = source;
        const ran = new Promise((done) => {
          script.onerror = () => done(false);
          script.onload = () => done(true);
        });
        document.head.append(script);
        if (await ran) return source;
      }
      return "none";
    }""")
    assert ran == "none"
    assert [("script-src" in one) for one in browser.complaints] == [True, True]
    browser.complaints.clear()
