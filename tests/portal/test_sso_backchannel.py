# SPDX-License-Identifier: EUPL-1.2
"""The provider says that somebody signed out: his sessions end, nobody else's do, and no other word ends any."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.identity.accounts import Holder
from gateway.identity.at_rest import AtRest
from gateway.identity.sso import SingleSignOn
from gateway.identity.sso_identity import SsoIdentity
from gateway.identity.sso_links import SsoLinks
from gateway.identity.sso_sessions import SsoSessions
from gateway.identity.throttle import Throttle
from gateway.model import EventKind, Method, Proof
from gateway.portal.app import build_portal
from gateway.portal.doors import SsoDesk
from gateway.portal.sso_backchannel import LARGEST_BODY
from support.provider import DROP, JWKS, SUBJECT, StandInProvider, settings_for, sign
from support.provider_server import Answer

PATH = "/.herse/sso/backchannel-logout"
FORM = "application/x-www-form-urlencoded"
PRACTICE = "759900001"
SID = "6fd1a9c6"


@pytest.fixture
def provider():
    with StandInProvider() as provider:
        yield provider


def desk_of(world, provider, **more):
    sso = SingleSignOn(settings_for(provider))
    sessions = SsoSessions(world.engine, AtRest(bytes(range(32))))
    rest = {"links": SsoLinks(world.engine), "sessions": sessions, "ciba": None, "name": "P", "throttle": Throttle()}
    world.doors = replace(world.doors, sso=SsoDesk(sso=sso, **rest, **more))
    world.app = build_portal(world.doors)
    return sso


@pytest.fixture
def away(world, provider):
    """The world with a provider, and a practice that somebody is signed in to through it."""
    world.now = datetime.now(UTC)
    sso = desk_of(world, provider)
    world.accounts.create(PRACTICE, "Cabinet K", "physician", None, [Holder("Kit Doc")], world.now)
    yield world
    world.run(sso.close())


def opened(world, provider, sid=SID, subject=SUBJECT):
    """One session that stands on the provider's."""
    account = world.accounts.find(PRACTICE)
    proof = Proof(Method.SSO, world.now)
    _, session = world.sessions.open(account, [proof], world.now, "192.0.2.14", "")
    names = {"given_name": "KIT", "family_name": "DOC", "acr": "eidas1", "activities": (), "id_token": "x.y.z"}
    rest = {"national_id": None, "rpps": None, "ends_at": world.now + timedelta(hours=4)}
    identity = SsoIdentity(issuer=provider.issuer, subject=subject, sid=sid, proof=proof, **names, **rest)
    world.doors.sso.sessions.note(session.reference, identity)
    return session


def told(world, token, **more):
    """The provider's POST: no cookie, no Origin."""
    return raw(world, f"logout_token={token}".encode(), **more)


def raw(world, body, kind=FORM, network="203.0.113.5", **headers):
    browser = world.browser(network)
    sent = {"content-type": kind} | headers
    return world.run(browser.client.post(PATH, content=body, headers=sent))


def test_the_session_ends_at_once_and_is_on_record(away, provider):
    session, of_another_sid = opened(away, provider), opened(away, provider, sid="other")
    of_another = opened(away, provider, subject="somebody-else")
    answer = told(away, provider.logout_token())
    assert (answer.status_code, answer.content) == (200, b"")
    assert "no-store" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers
    assert [one.ended for one in (session, of_another_sid, of_another)] == [True, False, False]
    [event] = [one for one in away.events(PRACTICE) if one.kind is EventKind.SIGN_OUT]
    assert (event.session, event.method, event.network, event.device) == (session.reference, Method.SSO, None, None)


def test_a_word_without_a_session_ends_all_of_the_person(away, provider):
    sessions = [opened(away, provider), opened(away, provider, sid="other"), opened(away, provider, sid=None)]
    stays = opened(away, provider, subject="somebody-else")
    assert told(away, provider.logout_token(sid=DROP)).status_code == 200
    assert [one.ended for one in (*sessions, stays)] == [True, True, True, False]


def test_nobody_signed_in_is_no_fault(away, provider):
    assert told(away, provider.logout_token()).status_code == 200
    assert away.events(PRACTICE) == []


def test_other_fields_are_passed_over_and_a_cookie_and_an_origin_say_nothing(away, provider):
    session = opened(away, provider)
    body = f"x=1&logout_token={provider.logout_token()}".encode()
    cookies = "__Host-herse=a; __Host-herse=b; __Host-herse-sso=c; __Host-herse-sso=d"
    assert raw(away, body, cookie=cookies, origin="https://evil.example").status_code == 200
    assert session.ended


def test_H7_each_word_counts_once(away, provider):
    token = provider.logout_token()
    assert told(away, token).status_code == 200
    session = opened(away, provider)
    again = told(away, token)
    assert (again.status_code, session.ended) == (400, False)
    assert again.headers["content-type"] == "application/json"
    assert json.loads(again.content) == {"error": "invalid_request", "error_description": "sso-answer-invalid"}
    assert "no-store" in again.headers["cache-control"]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another"},
        {"iat": 1},
        {"jti": DROP},
        {"events": DROP},
        {"events": {"http://schemas.openid.net/event/other": {}}},
        {"nonce": "x"},
        {"sub": DROP, "sid": DROP},
        {"sub": 7},
    ],
)
def test_H7_a_word_that_is_none_ends_nothing(away, provider, changes):
    session = opened(away, provider)
    answer = told(away, provider.logout_token(**changes))
    assert (answer.status_code, session.ended) == (400, False)


def test_H7_an_id_token_is_no_logout_token(away, provider):
    session = opened(away, provider)
    token = sign(provider.id_claims(None, "x"), provider.key)
    assert (told(away, token).status_code, session.ended) == (400, False)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (b"logout_token=", FORM),
        (b"other=1", FORM),
        (b"logout_token=a&logout_token=b", FORM),
        (b"logout_token=TOKEN&logout_token=TOKEN", FORM),
        (b"logout_token=TOKEN", "application/json"),
        (b"logout_token=TOKEN", "multipart/form-data; boundary=x"),
        (b"logout_token", FORM),
        (b"logout_token=%ff", FORM),
        ("logout_token=é".encode(), FORM),
        (b"&".join(b"f%d=1" % number for number in range(20)) + b"&logout_token=TOKEN", FORM),
        (b"logout_token=TOKEN&fill=" + b"x" * LARGEST_BODY, FORM),
    ],
)
def test_what_is_no_such_form_ends_nothing(away, provider, body, kind):
    session = opened(away, provider)
    answer = raw(away, body.replace(b"TOKEN", provider.logout_token().encode()), kind)
    assert (answer.status_code, session.ended) == (400, False)
    assert json.loads(answer.content)["error"] == "invalid_request"


def test_it_is_posted_and_nothing_else(away):
    browser = away.browser()
    assert browser.get(PATH).status_code == 405
    assert away.run(browser.client.put(PATH)).status_code == 405


def test_a_provider_that_shows_no_keys_ends_nothing_and_may_say_it_again(away, provider):
    session, token = opened(away, provider), provider.logout_token()
    provider.answers[JWKS] = Answer(503)
    assert (told(away, token).status_code, session.ended) == (400, False)
    del provider.answers[JWKS]
    away.later(seconds=31)
    assert (told(away, token).status_code, session.ended) == (200, True)


def test_a_flood_is_refused_before_anything_is_read(away, provider):
    away.run(away.doors.sso.sso.close())
    sso = desk_of(away, provider, logouts=Throttle(100, 2, 3))
    assert [told(away, "x").status_code for _ in range(3)] == [400, 400, 400]
    session, token = opened(away, provider), provider.logout_token()
    turned_away = told(away, token)
    assert json.loads(turned_away.content)["error_description"] == "throttled"
    assert int(turned_away.headers["retry-after"]) > 0
    assert not session.ended
    assert told(away, token, network="198.51.100.1").status_code == 200
    assert session.ended
    assert json.loads(told(away, "x", network="198.51.101.1").content)["error_description"] == "throttled"
    away.run(sso.close())


def test_a_ledger_that_fails_keeps_nobody_signed_in(failing, provider):
    failing.now = datetime.now(UTC)
    sso = desk_of(failing, provider)
    failing.accounts.create(PRACTICE, "Cabinet K", "physician", None, [], failing.now)
    session = opened(failing, provider)
    failing.ledger.fail()
    assert told(failing, provider.logout_token()).status_code == 200
    assert session.ended
    failing.run(sso.close())


def test_without_a_provider_there_is_no_such_address(world, provider):
    assert told(world, provider.logout_token()).status_code == 404
