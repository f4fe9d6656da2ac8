# SPDX-License-Identifier: EUPL-1.2
"""What all pages stand on: the page of each reason, missing values, the QR code, static files, the guards."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from pages.page_values import Reading

from gateway.model import Reason
from gateway.pages.headers import CONTENT_SECURITY_POLICY, SECURITY_HEADERS, STATIC_HEADERS
from gateway.pages.language import LANGUAGES
from gateway.pages.qr import qr
from gateway.pages.render import page, refusal_page
from gateway.pages.static_files import address, static


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
