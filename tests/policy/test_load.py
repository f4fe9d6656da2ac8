# SPDX-License-Identifier: EUPL-1.2
"""A whole policy file: what it becomes, and that all its faults come at once (faults 0.10)."""

import contextlib
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigurationError, Fault
from gateway.model import Effect
from gateway.policy.load import MAX_ROUTES, load_policy

HEAD = "version: 1\nportal: house\ntitle: House\n"
ONE = "teleservices:\n  a:\n    title: A\n    routes: [GET /a]\n    assurance: password\n"


def faults(text: str) -> list[Fault]:
    with pytest.raises(ConfigurationError) as error:
        load_policy(text, "house.yaml")
    return error.value.faults


def test_a_policy() -> None:
    text = HEAD + ONE
    policy = load_policy(text, "house.yaml")
    assert (policy.name, policy.title, policy.default) == ("house", "House", Effect.DENY)
    assert [rule.name for rule in policy.rules] == ["a"]
    assert policy.digest == sha256(text.encode()).hexdigest()[:16]


def test_the_default_is_what_the_file_says() -> None:
    assert load_policy(HEAD + "default: permit\n" + ONE, "p").default is Effect.PERMIT
    assert load_policy(HEAD + "default: deny\n" + ONE, "p").default is Effect.DENY


@pytest.mark.parametrize(
    ("text", "line", "key", "found"),
    [
        ("", 1, "file", "nothing"),
        ("version: 1\n", 1, "file", "no such key"),
        (HEAD.replace("1", "2", 1) + ONE, 1, "version", "`2`, which YAML reads as int"),
        (HEAD.replace("house", "on") + ONE, 2, "portal", "`on`, which YAML reads as bool"),
        (HEAD.replace("House", "1") + ONE, 3, "title", "`1`, which YAML reads as int"),
        (HEAD + "default: no\n" + ONE, 4, "default", "`no`, which YAML reads as bool"),
        (HEAD + "default: challenge\n" + ONE, 4, "default", "`challenge`"),
        (HEAD + "teleservices: {}\n", 4, "teleservices", "a mapping with nothing in it"),
        (HEAD + ONE + "rules: []\n", 9, "rules", "the unknown key `rules`"),
        (HEAD + ONE + "title: House\n", 9, "title", "the key again, first on line 3"),
        (HEAD + ONE + "    assurance: card\n", 9, "teleservices.a.assurance", "the key again, first on line 8"),
    ],
)
def test_0_10_a_fault_tells_file_line_and_key(text: str, line: int, key: str, found: str) -> None:
    told = faults(text)
    assert {fault.file for fault in told} == {"house.yaml"}
    assert (line, key, found) in [(fault.line, fault.key, fault.found) for fault in told], told


def test_all_faults_come_at_once() -> None:
    told = faults(
        HEAD
        + """\
default: maybe
teleservices:
  a:
    title: no
    routes: [GET /a, get /b]
    assurance: strong
    fresh_for: 22:30
  b:
    title: B
    routes: [GET /A]
    assurance: mfa
    surprise: 1
"""
    )
    assert [(fault.line, fault.key) for fault in told] == [
        (4, "default"),
        (7, "teleservices.a.title"),
        (8, "teleservices.a.routes[1]"),
        (9, "teleservices.a.assurance"),
        (10, "teleservices.a.fresh_for"),
        (11, "teleservices.b"),
        (15, "teleservices.b.surprise"),
    ]


OTHER = "  b: {title: B, routes: ['GET /{x}'], assurance: card}\n"


def test_overlapping_teleservices_need_an_order() -> None:
    told = faults(HEAD + ONE + OTHER)
    assert [(fault.line, fault.key, fault.found) for fault in told] == [(9, "teleservices.b", "the route `GET /{x}`")]
    assert "a distinct `order` here or in `a`, whose `GET /a` fits some of the same requests" in told[0].expected
    assert "it is 0 in both" in told[0].expected
    load_policy(HEAD + ONE + OTHER.replace("title: B", "title: B, order: 1"), "p")


def test_a_route_twice_is_a_fault() -> None:
    told = faults(HEAD + ONE.replace("[GET /a]", "[GET /a, 'GET,POST /A']"))
    assert "one route for these requests: `GET /a` fits them too" in told[0].expected


COUNTED = """\
  {name}:
    title: T
    routes: ["GET /{name}/{{nir}}"]
    assurance: card
    patient: {{path: nir}}
    budgets: [{{people: 5, window: 1h, past: deny, for: 24h, closes: [{closes}]}}]
    discloses: [identity]
"""


def test_a_denial_closes_what_is_there_and_counts() -> None:
    both = COUNTED.format(name="x", closes="y") + COUNTED.format(name="y", closes="x, y")
    assert [rule.budgets[0].closes for rule in load_policy(HEAD + ONE + both, "p").rules[1:]] == [("y",), ("x", "y")]
    told = faults(HEAD + ONE + COUNTED.format(name="x", closes="y, a"))
    assert [(fault.line, fault.key, fault.found, fault.expected) for fault in told] == [
        (9, "teleservices.x", "`y`", "in `closes` one of x, since people are counted there"),
        (9, "teleservices.x", "`a`", "in `closes` one of x, since people are counted there"),
    ]


def test_M6_the_number_of_routes_is_bounded() -> None:
    def routes(count: int) -> str:
        return HEAD + ONE.replace("[GET /a]", "[" + ", ".join(f"GET /a{number}" for number in range(count)) + "]")

    assert len(load_policy(routes(MAX_ROUTES), "p").rules[0].routes) == MAX_ROUTES
    assert faults(routes(MAX_ROUTES + 1))[0].found == f"{MAX_ROUTES + 1} routes"


@given(st.text(max_size=60) | st.text("{}[]:-,'\"&*!|>%#?a1\n ", max_size=60))
def test_no_text_breaks_the_loader(text: str) -> None:
    for whole in (text, HEAD + text, HEAD + ONE + "    " + text):
        with contextlib.suppress(ConfigurationError):
            load_policy(whole, "p")
