# SPDX-License-Identifier: EUPL-1.2
"""Forms: forged ones change nothing (R1), odd ones are refused, limits hold before anything is parsed."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.model import Reason
from gateway.portal.forms import KNOWN, LARGEST_BODY, MOST_FIELDS, from_our_origin, parse_fields

ORIGIN = "https://localhost:8443"
PHARMACY = "750012346"
GOOD = {"identifier": PHARMACY, "password": "cinq mots pour ouvrir la porte"}
FORM = b"application/x-www-form-urlencoded"

FORGED = [
    {"origin": "null"},
    {"origin": "http://localhost:8443"},
    {"origin": "https://localhost"},
    {"origin": "https://localhost:8444"},
    {"origin": "https://sub.localhost:8443"},
    {"origin": "https://localhost:8443.evil.example"},
    {"origin": "https://localhost:8443/"},
    {"origin": "HTTPS://LOCALHOST:8443"},
    {"origin": ""},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
    {"origin": "null", "sec-fetch-site": "same-origin"},
    {},
]
POSTS = [
    ("/.herse/sign-in", GOOD),
    ("/.herse/step-up", {"code": "000000"}),
    ("/.herse/sign-out", {}),
    ("/.herse/enrol", {"identifier": PHARMACY, "code": "A", "password": "une phrase neuve et longue"}),
    ("/.herse/account/factors", {}),
    ("/.herse/account/sessions", {"others": "1"}),
]


def send(world, browser, path, body, headers):
    """A POST with exactly these headers, as no browser of ours would send it."""
    request = browser.client.build_request("POST", path, content=body, headers=headers)
    return world.run(browser.client.send(request))


@pytest.mark.parametrize("headers", FORGED, ids=str)
@pytest.mark.parametrize(("path", "fields"), POSTS, ids=[path for path, _ in POSTS])
def test_R1_a_forged_form_changes_nothing(world, signed_in, path, fields, headers):
    token = signed_in.token
    before = world.kinds()
    body = urlencode({**fields, "form": signed_in.client.cookies.get("__Host-herse-form", "x")})
    answer = send(world, world_copy(world, token), path, body, headers | {"content-type": FORM.decode()})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers or "__Host-herse=" not in answer.headers["set-cookie"]
    assert world.sessions.find(token.encode(), world.now)
    assert world.kinds() == before


def world_copy(world, token):
    """The victim's browser as a forger uses it: the session's cookie goes along (at worst), the Strict one does not."""
    browser = world.browser()
    browser.client.cookies.set("__Host-herse", token)
    return browser


def test_R1_an_origin_given_twice_is_forged():
    for origins, sites in (([ORIGIN.encode()] * 2, []), ([], [b"same-origin"] * 2)):
        with pytest.raises(Refused) as refused:
            from_our_origin(origins, sites, ORIGIN)
        assert refused.value.reason is Reason.FORM_FORGED


@pytest.mark.parametrize(
    "headers",
    [{"origin": ORIGIN}, {"sec-fetch-site": "same-origin"}, {"origin": ORIGIN, "sec-fetch-site": "same-origin"}],
    ids=str,
)
def test_R1_a_form_of_our_own_page_is_taken(world, browser, headers):
    answer = send(world, browser, "/.herse/sign-in", urlencode(GOOD), headers | {"content-type": FORM.decode()})
    assert answer.status_code == 303


def test_R1_a_browser_that_says_nothing_needs_the_token_of_its_cookie(world, browser):
    page = browser.get("/.herse/sign-in")
    (cookie,) = page.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-herse-form=")
    assert cookie.endswith("; Path=/; Secure; HttpOnly; SameSite=Strict")
    token = browser.client.cookies["__Host-herse-form"]
    assert f'name="form" value="{token}"' in page.text
    headers = {"content-type": FORM.decode()}
    for wrong in ("", "x", token[:-1], token + "A", "é", "A" * 43):
        body = urlencode({**GOOD, "form": wrong})
        assert send(world, browser, "/.herse/sign-in", body, headers).status_code == 403
    body = urlencode({**GOOD, "form": token})
    assert send(world, browser, "/.herse/sign-in", body, headers).status_code == 303


def test_R1_an_empty_or_short_cookie_is_no_token(world, browser):
    headers = {"content-type": FORM.decode(), "cookie": "__Host-herse-form="}
    assert send(world, browser, "/.herse/sign-in", urlencode({**GOOD, "form": ""}), headers).status_code == 403


def test_the_token_stays_the_same_for_all_pages_of_a_browser(browser):
    browser.get("/.herse/sign-in")
    token = browser.client.cookies["__Host-herse-form"]
    again = browser.get("/.herse/enrol")
    assert "set-cookie" not in again.headers
    assert token in again.text


def test_R1_a_planted_form_cookie_in_double_is_no_token(world, browser):
    token = "A" * 43
    headers = {
        "content-type": FORM.decode(),
        "cookie": f"__Host-herse-form={token}; __Host-herse-form={token}",
    }
    body = urlencode({**GOOD, "form": token})
    assert send(world, browser, "/.herse/sign-in", body, headers).status_code == 403


@pytest.mark.parametrize(("path", "fields"), POSTS, ids=[path for path, _ in POSTS])
def test_R1_the_same_by_GET_changes_nothing(world, signed_in, path, fields):
    before = world.kinds()
    answer = signed_in.get(f"{path}?{urlencode(fields)}")
    assert answer.status_code in {200, 403}
    assert "__Host-herse=" not in answer.headers.get("set-cookie", "")
    assert len(world.sessions.of_account(PHARMACY)) == 1
    assert world.kinds() == before


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"identifier":"750012346"}'),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("text/plain", b"identifier=750012346"),
        (FORM.decode(), b"identifier=a&identifier=b"),
        (FORM.decode(), b"form=a&form=b"),
        (FORM.decode(), b"identifier=%ff"),
        (FORM.decode(), b"identifier=\xff"),
        (FORM.decode(), b"password=%00"),
        (FORM.decode(), b"identifier"),
        (FORM.decode(), b"&".join(b"x%d=1" % number for number in range(MOST_FIELDS + 1))),
    ],
)
def test_M1_an_odd_form_is_refused(world, browser, content_type, body):
    headers = {"origin": ORIGIN, "content-type": content_type}
    answer = send(world, browser, "/.herse/sign-in", body, headers)
    assert answer.status_code == 400
    assert world.events() == []


def test_M1_a_form_without_content_type_is_refused(world, browser):
    assert send(world, browser, "/.herse/sign-in", b"code=1", {"origin": ORIGIN}).status_code == 400


def test_M1_a_large_form_is_refused_before_it_is_read_whole(world, browser):
    sent = []

    async def endless():
        while True:
            sent.append(1)
            yield b"x" * 4096
            await asyncio.sleep(0)

    headers = {"origin": ORIGIN, "content-type": FORM.decode()}
    assert send(world, browser, "/.herse/sign-in", endless(), headers).status_code == 413
    assert len(sent) <= LARGEST_BODY // 4096 + 2


def test_unknown_fields_are_left_out():
    assert parse_fields(b"code=1&evil=2&evil=3", [FORM + b"; charset=UTF-8"]) == {"code": "1"}
    assert parse_fields(b"", []) == {}


@given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.text(st.characters(exclude_characters="\0")), min_size=1))
def test_what_a_browser_sends_is_read_back(fields):
    usable = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    assert parse_fields(urlencode(usable).encode(), [FORM]) == usable


@given(st.binary(max_size=300))
def test_any_body_is_read_or_refused(body):
    try:
        outcome = set(parse_fields(body, [FORM])) <= KNOWN
    except Refused as refused:
        outcome = refused.reason is Reason.MALFORMED_REQUEST
    assert outcome
