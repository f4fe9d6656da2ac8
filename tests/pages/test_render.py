# SPDX-License-Identifier: EUPL-1.2
"""Every page renders in both languages, holds no script and no inline style, and escapes what comes from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import pytest
from pages.page_values import AT, KEPT, VALUES, Reading, rendered

from gateway.identity.kept_work import State
from gateway.model import Reason
from gateway.pages.language import LANGUAGES
from gateway.pages.render import alert
from gateway.pages.static_files import address

SCRIPTED = {(name, address("passkey.js")) for name in ("passkey", "passkeys")}
"""The pages that run a script, and which."""


def test_every_template_is_tried_here():
    found = {file.name for file in (files("gateway.pages") / "templates").iterdir()}
    names = {name.removesuffix(".html") for name in found if name.endswith(".html")}
    assert names - {"base", "forms", "passkey_form", "ways_back"} == set(VALUES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", VALUES)
def test_G3_a_page_is_well_formed_without_script_or_inline_style(template, language):
    text = rendered(template, language)
    reading = Reading(text)
    assert reading.faults == []
    for tag, values in reading.tags:
        assert tag not in {"style", "iframe", "object", "embed", "base"}
        assert tag != "script" or (template, values["src"]) in SCRIPTED
        assert "style" not in values
        assert not [name for name in values if name.startswith("on")], (tag, values)
        for name in ("href", "src", "action"):
            target = values.get(name)
            ours = target is None or target.startswith(("/", "#", "tel:", "otpauth:"))
            assert ours or template in {"continue", "continue_lost", "card_wait", "sso_leave"}
    assert re.sub(r'<script src="[^"]*" defer></script>', "", text).count("<script") == 0


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", VALUES)
def test_a_page_can_be_used_by_everybody(template, language):
    reading = Reading(rendered(template, language))
    assert reading.all("html") == [{"lang": language}]
    assert len(reading.all("main")) == 1
    assert len(reading.all("h1")) == 1
    assert reading.all("a")[0]["href"] == "#content"
    ids = [values["id"] for _, values in reading.tags if "id" in values]
    assert len(ids) == len(set(ids))
    labelled = {values["for"] for values in reading.all("label")}
    fields = [values for values in reading.all("input") + reading.all("select") if values.get("type") != "hidden"]
    assert {values["id"] for values in fields} == labelled
    assert len([values for _, values in reading.tags if "autofocus" in values]) <= 1
    for values in fields:
        for described in values.get("aria-describedby", "").split():
            assert described in ids
    assert all("alt" in values for values in reading.all("img"))


@pytest.mark.parametrize("template", VALUES)
def test_V743_the_way_out_is_on_each_page_of_who_is_signed_in(template):
    reading = Reading(rendered(template, "fr"))
    assert "/.herse/sign-out" in {values.get("action") for values in reading.all("form")}
    assert "le support de votre portail" in rendered(template, "fr").replace("\u00a0", " ")


@pytest.mark.parametrize("template", VALUES)
def test_the_two_languages_say_the_same_page_differently(template):
    french, english = rendered(template, "fr"), rendered(template, "en")
    assert french != english
    assert [tag for tag, _ in Reading(french).tags] == [tag for tag, _ in Reading(english).tags]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("status", [None, 303, 422])
def test_whatever_became_of_what_was_kept_has_its_page(state, status, language):
    if state is State.SENT and status is None:
        status = 200
    reading = Reading(rendered("continue", language, work=replace(KEPT, state=state, status=status)))
    assert reading.faults == []
    buttons = [values["value"] for values in reading.all("button") if values.get("name") == "work"]
    assert buttons == (["send", "give-up"] if state is State.WAITING else [])


@pytest.mark.parametrize("template", VALUES)
def test_a_delegate_is_named_and_gets_no_way_to_what_is_the_holders(template):
    text = rendered(template, "fr", delegate="Lou Martin", teleservices=["Infopatient"], until=AT)
    who = re.search(r'<span class="who">.*?</span>\s*(.*?)</span>', text)
    assert who[1] == "Lou Martin, pour 750012346"
    menu = text[text.index("<nav") : text.index("</nav>")]
    assert re.findall(r'href="([^"]*)"', menu) == ["/.herse/account"]


def test_a_delegates_account_page_tells_nothing_that_is_the_holders():
    text = rendered("account", "fr", delegate="Lou Martin", teleservices=["Infopatient"], until=AT)
    hrefs = {values.get("href") for values in Reading(text).all("a")}
    assert {one for one in hrefs if one.startswith("/.herse/")} == {"/.herse/account", "/.herse/act-for"}


def test_another_provider_has_its_own_name_everywhere():
    for template in VALUES:
        given = {"sso": "Plage"}
        if VALUES[template].get("alert"):
            given["alert"] = alert(Reason.SSO_REFUSED, "fr", None, "Plage")
        assert "Pro Santé" not in rendered(template, "fr", **given), template


def test_the_forms_help_password_managers_and_telephones():
    sign_in = {v["name"]: v for v in Reading(rendered("sign_in", "fr")).all("input") if "id" in v}
    assert sign_in["identifier"]["autocomplete"] == "username"
    assert sign_in["password"]["autocomplete"] == "current-password"
    (code,) = [v for v in Reading(rendered("step_up", "fr")).all("input") if v["name"] == "code"]
    assert (code["autocomplete"], code["inputmode"]) == ("one-time-code", "numeric")
    enrol = {v["name"]: v for v in Reading(rendered("enrol", "fr")).all("input")}
    assert enrol["password"]["autocomplete"] == "new-password"


def test_an_error_is_announced_and_told_in_the_title():
    text = rendered("sign_in", "fr")
    assert 'role="alert"' in text
    assert "<title>Erreur" in text
    assert "60 secondes" in text
