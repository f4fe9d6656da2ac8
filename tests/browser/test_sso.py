# SPDX-License-Identifier: EUPL-1.2
"""Pro Santé Connect in a real browser: the gateway as it is run, before a provider on loopback that follows the letter.

From the button to the provider and back, past the form-action of our own policy; the first time with the link to the
account, then without a password; out again, and where the back button leads. At last by the phone, with two digits.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime

import pytest
from browser.looks import sound

from gateway.identity.accounts import Accounts, Holder
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.identity.otp import Factors
from gateway.identity.password import PasswordHasher
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from support.demo import Account
from support.house import House
from support.practice import CABINET, CENTRE, working_in
from support.provider import CIBA, CLIENT_SECRET, LOGOUT, NATIONAL_ID, StandInProvider
from support.servers import free_port
from support.settings_file import sso_section

pytestmark = [pytest.mark.system, pytest.mark.browser]

SESSION, WAITING = "__Host-herse", "__Host-herse-sso"
KIT = Account("750033003", "Cabinet Doc", "cinq mots pour ouvrir la porte", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
# A page with an error status is told on the console.
_STATUS = re.compile(r"Failed to load resource: the server responded with a status of [45]\d\d ")


def settle(house):
    """Kit's account, with a password and a code application."""
    at = datetime.now(UTC)
    engine = open_database(house.accounts_file)
    at_rest = AtRest(read_key(house.folder / "keys" / AT_REST_KEY_FILE))
    accounts, hasher = Accounts(engine, at_rest), PasswordHasher(1, 10)
    accounts.create(KIT.identifier, KIT.title, "physician", None, [Holder("Kit Doc", NATIONAL_ID[1:])], at)
    accounts.set_password(KIT.identifier, asyncio.run(hasher.hash(KIT.password)), at)
    Factors(engine, at_rest).add_totp(KIT.identifier, KIT.totp_secret, at)
    hasher.close()
    engine.dispose()


@pytest.fixture(scope="module")
def provider():
    with StandInProvider() as provider:
        yield provider
        assert provider.faults == []


@pytest.fixture(scope="module")
def house(tmp_path_factory, provider):
    folder, port = tmp_path_factory.mktemp("house"), free_port()
    secret = folder / "psc.secret"
    secret.write_text(CLIENT_SECRET, encoding="utf-8")
    secret.chmod(0o600)
    settings = sso_section(provider, str(secret)) | {"ciba": True}
    house = House(
        folder, "http://127.0.0.1:1", tls=True, settings={"sso": settings}, host=f"localhost:{port}", port=port
    )
    provider.callback = f"{house.origin}/.herse/sso/callback"
    settle(house)
    with house.serve():
        yield house


@pytest.fixture
def tab(house, chromium):
    context = chromium.new_context(base_url=house.origin, ignore_https_errors=True, locale="fr-FR")
    page, complaints = context.new_page(), []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    yield page
    context.close()
    assert [one for one in complaints if not _STATUS.match(one)] == []


def press(tab, name, role="button", *, to):
    """Press, and be there; pages on the way may lead on by themselves."""
    tab.get_by_role(role, name=name).click()
    tab.wait_for_url(to)


def cookies(tab):
    return {cookie["name"]: cookie for cookie in tab.context.cookies()}


def test_the_first_time_with_the_account_and_then_without_a_password(tab, house, provider):
    tab.goto("/.herse/account")
    sound(tab)
    press(tab, "Se connecter avec Pro Santé Connect", to="**/.herse/sso/link?*")
    assert "KIT DOC0042788" in tab.text_content("main")
    sound(tab)
    assert SESSION not in cookies(tab)
    waiting = cookies(tab)[WAITING]
    assert (waiting["secure"], waiting["httpOnly"], waiting["sameSite"]) == (True, True, "Lax")
    press(tab, "Se connecter au compte", "link", to="**/.herse/sign-in?*")
    tab.fill("#identifier", KIT.identifier)
    tab.fill("#password", KIT.password)
    press(tab, re.compile("^Se connecter$"), to="**/.herse/sso/link?*")
    sound(tab)
    press(tab, "Confirmer mon identité", "link", to="**/.herse/step-up?*")
    sound(tab)
    tab.fill("#code", KIT.code())
    press(tab, "Confirmer", to="**/.herse/sso/link?*")
    sound(tab)
    press(tab, "Lier cette identité au compte", to="**/.herse/account")
    tab.goto("/.herse/account/sso")
    assert tab.get_by_role("heading", name="KIT DOC0042788").is_visible()
    sound(tab)
    press(tab, "Se déconnecter", to="**/.herse/sign-out?*")
    sound(tab)
    away = tab.get_by_role("link", name="Se déconnecter aussi de Pro Santé Connect")
    assert away.get_attribute("href").startswith(f"{provider.origin}{LOGOUT}?id_token_hint=")
    assert SESSION not in cookies(tab)

    tab.goto("/.herse/account")
    press(tab, "Se connecter avec Pro Santé Connect", to="**/.herse/account")
    assert SESSION in cookies(tab)
    assert WAITING not in cookies(tab)
    tab.goto("/.herse/account/events")
    assert tab.get_by_text("Identité de connexion liée au compte").first.is_visible()
    assert [one.event.kind for one in house.events(KIT.identifier)].count("sso-linked") == 1
    tab.go_back()
    tab.go_back()
    assert tab.url.startswith(house.origin), "the back button does not lead into the provider again"


def test_of_several_activities_one_is_chosen(tab, provider):
    """Kit's identity was linked above."""
    provider.person = {"SubjectRefPro": working_in(CABINET, CENTRE)}
    tab.goto("/.herse/account")
    press(tab, "Se connecter avec Pro Santé Connect", to="**/.herse/sso/activity?*")
    provider.person = {}
    sound(tab)
    assert SESSION not in cookies(tab)
    tab.get_by_role("button", name="Continuer dans cette activité").click()
    assert "/.herse/sso/activity?" in tab.url, "the browser itself asks for one"
    tab.get_by_label("CENTRE DE SANTE").check()
    press(tab, "Continuer dans cette activité", to="**/.herse/account")
    assert tab.get_by_text("CENTRE DE SANTE (médecin, centre de santé, salarié)").is_visible()
    sound(tab)
    press(tab, "Changer d\u2019activité", "link", to="**/.herse/sso?activity=anew")
    sound(tab)


def test_the_page_that_leads_on_has_a_link_too(tab, provider):
    tab.goto("/.herse/sso")
    sound(tab)
    tab.route(f"{provider.wallet}/**", lambda route: route.abort())
    with tab.expect_request(f"{provider.wallet}/**"):
        tab.get_by_role("button", name="Continuer avec Pro Santé Connect").click()


def test_on_the_phone_two_digits_are_compared_and_the_page_goes_on_by_itself(tab, provider):
    """Kit's identity was linked above."""
    tab.goto("/.herse/sso")
    press(tab, "Confirmer sur le téléphone", "link", to="**/.herse/sso/phone")
    sound(tab)
    tab.fill("#identifier", NATIONAL_ID[1:])
    press(tab, "Envoyer la demande", to="**/.herse/sso/phone?wait=*")
    (asked,) = [one.fields for one in provider.seen if one.path == CIBA]
    assert tab.locator(".digits [aria-hidden]").text_content() == asked["binding_message"]
    sound(tab)
    press(tab, "Ne plus l\u2019actualiser", "link", to="**&calm=1")
    sound(tab)
    press(tab, "L\u2019actualiser automatiquement", "link", to="**/.herse/sso/phone?wait=*")
    provider.ciba_says = "yes"
    tab.wait_for_url(lambda url: "/.herse/" not in url, wait_until="commit")
    assert SESSION in cookies(tab)
