# SPDX-License-Identifier: EUPL-1.2
"""The ways back in, in a real browser: a forgotten password by letter and what ends its quarantine; recovery codes."""

from __future__ import annotations

import re

import pyotp
import pytest
from browser.looks import link_by_mail, path, press, send, sound

from gateway.demo.people import number_of, person

pytestmark = [pytest.mark.system, pytest.mark.browser]

NEW = "six lapins verts sous la neige"
CODE = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")


def test_a_forgotten_password_a_letter_and_a_code_from_before(demo, profile):
    account, tab = demo.account("leaked"), profile().tab()
    tab.goto("/.herse/sign-in")
    press(tab, "Mot de passe oublié", "link")
    sound(tab)
    send(tab, identifier=account.identifier)
    assert "Si ce compte existe" in tab.text_content("main")
    sound(tab)
    tab.goto(link_by_mail(demo, "/.herse/reset/new"))
    send(tab, password="abricotabricot")
    assert "trop facile à deviner" in tab.text_content("[role=alert] >> nth=0")
    sound(tab)
    send(tab, password=NEW)
    assert path(tab) == "/.herse/sign-in"
    assert "nouveau mot de passe est enregistré" in tab.text_content("[role=status]")
    sound(tab)
    send(tab, identifier=account.identifier, password=NEW)
    tab.goto("/.herse/account")
    assert tab.get_by_text("Prouvez que ce compte est le vôtre.").is_visible()
    sound(tab)
    tab.goto(f"/infopatient/{number_of(3)}")
    assert path(tab) == "/.herse/step-up"
    assert tab.get_by_text("Prouvez que ce compte est le vôtre.").is_visible()
    assert "code d\u2019activation" not in tab.text_content("main"), "none is given in quarantine"
    sound(tab)
    send(tab, code=account.code())
    assert tab.get_by_text(person(3).name, exact=True).is_visible()
    tab.goto("/.herse/account")
    assert not tab.get_by_text("Prouvez que ce compte est le vôtre.").is_visible()


def test_a_list_of_recovery_codes_is_printed_and_one_is_used(demo, profile):
    browser, other, account = profile(), profile(), demo.account("gp")
    tab = browser.tab()
    browser.sign_in(tab, account)
    tab.goto("/.herse/account/recovery")
    sound(tab)
    press(tab, "Confirmer mon identité")
    send(tab, code=account.code())
    assert path(tab) == "/.herse/account/recovery"
    press(tab, "Créer une nouvelle liste")
    codes = tab.locator("ol.codes code").all_text_contents()
    assert len({code for code in codes if CODE.fullmatch(code)}) == 10
    sound(tab)
    tab.emulate_media(media="print")
    assert tab.locator("ol.codes").is_visible()
    assert not tab.locator("header, footer, button, .button").locator("visible=true").count()

    lost = other.tab()
    other.sign_in(lost, account)
    lost.goto("/infopatient")
    press(lost, "Utiliser un code de secours", "link")
    sound(lost)
    send(lost, code="AAAA-BBBB-CCCC-DDDD")
    assert lost.locator("[role=alert]").is_visible()
    send(lost, code=codes[4].lower().replace("-", " "))
    assert "Codes restants" in lost.text_content("main")
    assert lost.locator(".lead strong").text_content() == "9"
    sound(lost)
    lost.goto("/infopatient")
    assert path(lost) == "/.herse/step-up", "a code on paper opens no data of patients"
    lost.goto("/.herse/step-up/recovery")
    send(lost, code=codes[4])
    assert lost.locator("[role=alert]").is_visible(), "once"
    lost.goto("/.herse/account/factors")
    press(lost, "Remplacer l\u2019application")
    sound(lost)
    lost.click("summary")
    send(lost, code=pyotp.TOTP(lost.text_content("code.secret").replace(" ", "")).now())
    lost.goto("/infopatient")
    assert path(lost) == "/infopatient", "a new application does"
