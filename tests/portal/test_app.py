# SPDX-License-Identifier: EUPL-1.2
"""What holds for every path: guards on each answer, no page by accident, failures that tell nothing, own paths only."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages.headers import SECURITY_HEADERS
from gateway.portal.answers import redirect

PATHS = [
    "/.herse/sign-in",
    "/.herse/step-up",
    "/.herse/continue",
    "/.herse/sign-out",
    "/.herse/enrol",
    "/.herse/account",
    "/.herse/account/events",
    "/.herse/account/factors",
    "/.herse/account/sessions",
    "/.herse/jwks.json",
    "/.herse/static/herse.css",
    "/.herse/nothing",
    "/.herse/",
    "/.herse/account/",
]
GUARDS = [name.decode() for name, _ in SECURITY_HEADERS]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "get"])
@pytest.mark.parametrize("path", PATHS)
def test_V34_every_answer_carries_its_guards(world, signed_in, path, method):
    for browser in (world.browser(), signed_in):
        answer = world.run(browser.client.request(method, path))
        for name in GUARDS:
            assert len(answer.headers.get_list(name)) == 1, name
        assert answer.headers["cache-control"].startswith("no-store" if "css" not in path else ("public", "no-store"))
        assert answer.status_code < 500 or answer.status_code == 501
        for cookie in answer.headers.get_list("set-cookie"):
            assert re.match(r"__Host-herse(-form)?=[\w-]*; Path=/; Secure; HttpOnly; SameSite=(Lax|Strict)", cookie)
            assert len(cookie) < 4096


@pytest.mark.parametrize("path", ["/.herse/nothing", "/.herse/", "/.herse/account/", "/.herse/static/x", "/other"])
def test_no_page_is_404_as_page_and_as_problem(browser, path):
    assert browser.get(path).status_code == 404
    problem = browser.get(path, accept="application/json").json()
    assert (problem["status"], problem["type"]) == (404, "urn:herse:reason:no-teleservice")


def test_another_method_is_405_and_names_those_allowed(world, browser):
    answer = world.run(browser.client.delete("/.herse/sign-in"))
    assert answer.status_code == 405
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    assert world.run(browser.client.post("/.herse/account")).status_code == 405


def test_static_files_may_be_kept_and_never_leave_their_list(browser):
    page = browser.get("/.herse/sign-in").text
    for address in re.findall(r'(?:href|src)="(/\.herse/static/[^"]+)"', page):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    for name in ("..%2f__init__.py", "%2e%2e/render.py", "herse.css%00"):
        assert browser.get(f"/.herse/static/{name}").status_code == 404


def test_the_keys_are_public(browser):
    answer = browser.get("/.herse/jwks.json")
    assert answer.json() == {"keys": [{"kty": "EC"}]}


def test_an_unforeseen_failure_is_a_page_that_tells_nothing(world, signed_in, caplog):
    world.engine.dispose()
    with world.engine.begin() as connection:
        connection.exec_driver_sql("drop table session")
        connection.exec_driver_sql("alter table account rename to account_gone")
    answer = signed_in.get("/.herse/account")
    assert answer.status_code == 500
    assert "account_gone" not in answer.text
    assert "sqlite" not in answer.text.lower()
    assert "a page failed: /.herse/account" in caplog.text
    assert signed_in.token not in caplog.text


def test_a_language_is_chosen_and_named(browser):
    french, english = browser.get("/.herse/sign-in"), browser.get("/.herse/sign-in", accept_language="en")
    assert (french.headers["content-language"], english.headers["content-language"]) == ("fr", "en")
    assert "Accept-Language" in french.headers["vary"]


@given(st.text(max_size=30) | st.from_regex(r"[/\\\t:#?.a-z]{1,12}", fullmatch=True))
def test_G1_whatever_we_redirect_to_stays_on_our_origin(path):
    location = dict(redirect(path).raw_headers)[b"location"].decode()
    assert re.fullmatch(r"/(?![/\\])[!-~]*", location)
    assert "\\" not in location
    assert urlsplit(urljoin("https://ours.example/x", location))[:2] == ("https", "ours.example")


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nx: y", "", "a"])
def test_G1_a_foreign_or_broken_target_becomes_home(path):
    assert dict(redirect(path).raw_headers)[b"location"] == b"/"


def test_our_own_paths_are_kept_whole():
    path = "/infopatient/%2e?q=a%20b&c=[1]'"
    assert dict(redirect(path).raw_headers)[b"location"].decode() == path
