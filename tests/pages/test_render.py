# SPDX-License-Identifier: EUPL-1.2
"""Every page renders in both languages, holds no script and no inline style, and escapes what comes from outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from jinja2 import UndefinedError

from gateway.model import Reason
from gateway.pages.headers import CONTENT_SECURITY_POLICY, SECURITY_HEADERS, STATIC_HEADERS
from gateway.pages.language import LANGUAGES
from gateway.pages.qr import qr
from gateway.pages.render import alert, page, refusal_page
from gateway.pages.static_files import address, static

AT = datetime(2026, 11, 22, 8, 5, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\" onfocus=x '"
LINE = {
    "at": AT,
    "sentence": "Connexion",
    "reason": EVIL,
    "method": "code",
    "network": "192.0.2.1",
    "device": EVIL,
    "alarming": True,
}
OPEN = {
    "reference": "ab",
    "current": False,
    "opened_at": AT,
    "seen_at": AT,
    "network": EVIL,
    "device": EVIL,
}
VALUES = {
    "sign_in": {"to": "abc", "typed": EVIL, "alert": alert(Reason.THROTTLED, "fr", 60)},
    "step_up": {"to": "abc", "alert": None, "asked": alert(Reason.SECOND_FACTOR_STALE, "fr"), "has_passkey": True},
    "passkey": {"to": "abc", "alert": None, "asked": None, "act": "sign-in", "options": EVIL},
    "passkeys": {
        "alert": alert(Reason.PASSKEY_WRONG, "fr"),
        "passkeys": [{"reference": EVIL, "name": EVIL, "added_at": AT, "last_used_at": None}],
        "may_change": True,
        "options": EVIL,
        "longest": 60,
        "most": 10,
    },
    "continue": {"path": EVIL, "fields": ((EVIL, EVIL),)},
    "enrol": {"typed": EVIL, "alert": alert(Reason.PASSWORD_TOO_WEAK, "fr")},
    "password_change": {
        "alert": alert(Reason.PASSWORD_TOO_WEAK, "fr"),
        "asked": alert(Reason.PASSWORD_BREACHED, "fr"),
        "advice": [EVIL],
        "identifier": EVIL,
        "title": EVIL,
        "has_totp": True,
    },
    "enrol_totp": {"alert": None, "qr": qr("otpauth://x", EVIL), "secret": EVIL, "uri": "otpauth://x"},
    "factors": {"has_totp": False, "may_add": True},
    "account": {
        "title": EVIL,
        "identifier": EVIL,
        "profession": EVIL,
        "rpps": "10101010105",
        "holders": [EVIL],
        "has_totp": False,
        "opened_at": AT,
        "proofs": [("code", AT)],
        "agent": EVIL,
        "network": EVIL,
    },
    "events": {
        "alert": alert(Reason.MALFORMED_REQUEST, "fr"),
        "lines": [LINE],
        "groups": [("look-ups", "Consultations")],
        "group": "look-ups",
        "first": EVIL,
        "last": "",
        "older": "/.herse/account/events?before=3",
        "newest": "",
    },
    "sessions": {"sessions": [OPEN, OPEN | {"current": True}]},
    "card_start": {"to": "abc"},
    "card_wait": {"to": "abc", "href": EVIL, "alert": alert(Reason.CARD_HANDSHAKE_FAILED, "fr")},
    "card_choose": {"accounts": [{"identifier": EVIL, "title": EVIL}] * 2},
    "sign_out": {},
    "signed_out": {},
    "refusal": {"alert": alert(Reason.BUDGET_EXHAUSTED, "fr"), "way": None, "instance": EVIL},
}


SCRIPTED = {(name, address("passkey.js")) for name in ("passkey", "passkeys")}
"""The pages that run a script, and which."""


class Reading(HTMLParser):
    """What a page holds, as a browser would see it."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.open = []
        self.faults = []
        self.feed(text)
        self.faults += [f"<{tag}> left open" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if len(values) != len(attrs):
            self.faults.append(f"<{tag}> names an attribute twice")
        self.tags.append((tag, values))
        if tag not in {"meta", "link", "img", "input", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def all(self, tag):
        return [values for name, values in self.tags if name == tag]


def rendered(template, language):
    return page(template, language, account="750012346", form="f" * 43, **VALUES[template]).decode()


def test_every_template_is_tried_here():
    names = {file.name.removesuffix(".html") for file in (files("gateway.pages") / "templates").iterdir()}
    assert names - {"base", "forms", "passkey_form"} == set(VALUES)


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
            assert ours or template in {"continue", "card_wait"}
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
    assert "36\u00a008" in rendered(template, "fr").replace("&nbsp;", "\u00a0")


@pytest.mark.parametrize("template", VALUES)
def test_the_two_languages_say_the_same_page_differently(template):
    french, english = rendered(template, "fr"), rendered(template, "en")
    assert french != english
    assert [tag for tag, _ in Reading(french).tags] == [tag for tag, _ in Reading(english).tags]


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


def test_a_value_that_is_missing_is_an_error_not_an_empty_place():
    with pytest.raises(UndefinedError):
        page("enrol_totp", "fr", alert=None, qr="", uri="otpauth://x")  # no `secret`


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_page(reason, language):
    reading = Reading(refusal_page(reason, language, to="ref", instance="5f", retry_after_seconds=3).decode())
    assert reading.faults == []
    links = [values["href"] for values in reading.all("a") if values.get("class") == "button"]
    assert all(link.startswith("/") for link in links)
    if reason is Reason.SECOND_FACTOR_REQUIRED:
        assert links == ["/.herse/step-up?to=ref"]


def test_the_QR_code_is_an_element_without_style_or_size():
    markup = str(qr("otpauth://totp/x?secret=ABC", "<b>"))
    assert markup.startswith("<svg ")
    assert "style=" not in markup
    assert "<b>" not in markup


def test_static_files_come_from_a_closed_list():
    content, content_type = static("herse.css")
    assert content_type == "text/css; charset=utf-8"
    assert content
    assert address("herse.css").startswith("/.herse/static/herse.css?")
    for name in ("../render.py", "..", "", "nothing.css"):
        with pytest.raises(KeyError):
            static(name)


def test_own_pages_carry_their_guards():
    headers = dict(SECURITY_HEADERS)
    assert headers[b"content-security-policy"].decode() == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "data:" not in CONTENT_SECURITY_POLICY
    for part in ("default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in CONTENT_SECURITY_POLICY.split("; ")
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"same-origin"
    assert set(headers) == set(dict(STATIC_HEADERS))
