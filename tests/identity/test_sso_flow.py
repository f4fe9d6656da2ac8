# SPDX-License-Identifier: EUPL-1.2
"""Signing in through a provider over real HTTP: the honest walk, and every hostile answer that the wire can carry."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.errors import Refused
from gateway.identity.sso_callback import read_callback
from gateway.identity.sso_pending import PendingSignIns, new_value
from gateway.model import Method, Reason
from support.practice import CABINET, CENTRE, working_in
from support.provider import (
    CALLBACK,
    CLIENT_ID,
    DROP,
    NATIONAL_ID,
    SUBJECT,
    TOKEN,
    USERINFO,
    StandInProvider,
    rsa_key,
    sign,
)
from support.provider_server import Answer
from support.signing_on import now, sign_in, signing_on, visited

HOUR = timedelta(hours=1)


@pytest.fixture
def provider():
    with StandInProvider() as provider:
        yield provider
    assert provider.faults == []


def test_a_person_signs_in_with_the_card(provider):
    provider.person = {"SubjectRefPro": working_in(CABINET, CENTRE)}
    identity = sign_in(provider)
    assert (identity.issuer, identity.subject, identity.sid) == (provider.issuer, SUBJECT, "6fd1a9c6")
    assert (identity.national_id, identity.rpps, identity.acr) == (NATIONAL_ID, NATIONAL_ID[1:], "eidas3")
    assert identity.proof.method is Method.SSO_CARD
    assert now() - timedelta(seconds=20) < identity.proof.at < now()
    assert identity.ends_at == identity.proof.at + timedelta(hours=4)
    assert [one.structure for one in identity.activities] == ["CABINET M DOC0042788", "CENTRE DE SANTE"]
    assert (identity.activities[0].profession, identity.activities[1].mode) == ("10", "S")
    assert "eyJ" not in repr(identity)


def test_what_is_sent_to_the_browser(provider):
    async def walk():
        async with signing_on(provider) as sso:
            return await sso.begin(None, now(), HOUR), await sso.begin(None, now())

    first, second = asyncio.run(walk())
    assert first.url.startswith(provider.wallet + "/auth?")
    asked = parse_qs(urlsplit(first.url).query)
    assert all(len(values) == 1 for values in asked.values())
    fixed = {name: asked[name][0] for name in ("scope", "acr_values", "response_type", "redirect_uri", "client_id")}
    assert fixed == {
        "scope": "openid scope_all",
        "acr_values": "eidas1",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "client_id": CLIENT_ID,
    }
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["max_age"] == ["3600"]
    again = parse_qs(urlsplit(second.url).query)
    assert "max_age" not in again
    assert not {asked[name][0] for name in ("state", "nonce", "code_challenge")} & {
        again[name][0] for name in ("state", "nonce", "code_challenge")
    }
    assert first.browser != second.browser
    assert first.browser not in repr(first)


def test_two_tabs_share_the_value_of_the_browser_and_both_end(provider):
    async def walk():
        async with signing_on(provider) as sso:
            first = await sso.begin(None, now())
            second = await sso.begin(first.browser, now())
            foreign = await sso.begin("planted", now())
            queries = [await asyncio.to_thread(provider.visit, one.url) for one in (first, second)]
            return first, second, foreign, [await sso.finish(query, first.browser, now()) for query in queries]

    first, second, foreign, identities = asyncio.run(walk())
    assert first.browser == second.browser
    assert foreign.browser not in {"planted", first.browser}
    assert [one.subject for one in identities] == [SUBJECT, SUBJECT]


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({"authMode": "CARD"}, Method.SSO_CARD),
        ({"authMode": "MOBILE"}, Method.SSO),
        ({"authMode": "card"}, Method.SSO),
        ({"authMode": DROP}, Method.SSO),
        ({"authMode": DROP, "amr": ["CARD"]}, Method.SSO_CARD),
        ({"authMode": "CARD", "amr": ["MOBILE"]}, Method.SSO),
        ({"authMode": ["CARD", 1]}, Method.SSO),
        ({"authMode": {"CARD": 1}}, Method.SSO),
        ({"authMode": DROP, "amr": []}, Method.SSO),
        ({"authMode": "CARD", "amr": None}, Method.SSO_CARD),
    ],
)
def test_card_only_where_a_card_is_told(provider, changes, method):
    provider.claims = changes
    assert sign_in(provider).proof.method is method


def test_signed_userinfo_is_read_and_checked(provider):
    provider.signs_userinfo = True
    assert sign_in(provider).family_name == "DOC0042788"
    provider.person = {"aud": "somebody-else"}
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID
    provider.person = {"exp": int(now().timestamp()) - 60}
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


def test_userinfo_signed_by_nobody_we_know_is_refused(provider):
    claims = {"iss": provider.issuer, "aud": CLIENT_ID, **provider.userinfo()}
    token = sign(claims, rsa_key("other"), {"kid": "first"})
    provider.answers[USERINFO] = Answer(body=token.encode(), header={"Content-Type": "application/jwt"})
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


@pytest.mark.parametrize("subject", [SUBJECT + "0", "", 7, None, DROP])
def test_userinfo_of_somebody_else_is_refused(provider, subject):
    provider.person = {"sub": subject}
    assert sign_in(provider) is Reason.SSO_IDENTITY_INVALID


@pytest.mark.parametrize(
    ("max_age", "proved_ago", "expected"),
    [
        (None, 3 * 3600, None),
        (None, 4 * 3600 + 60, Reason.SSO_TOO_OLD),
        (HOUR, 3500, None),
        (HOUR, 3700, Reason.SSO_TOO_OLD),
        (timedelta(0), 5, None),
        (timedelta(0), 3600, Reason.SSO_TOO_OLD),
        (timedelta(days=9), 4 * 3600 + 60, Reason.SSO_TOO_OLD),
    ],
)
def test_how_old_the_proof_is_we_see_ourselves(provider, max_age, proved_ago, expected):
    provider.proved_seconds_ago = proved_ago
    found = sign_in(provider, asked={} if max_age is None else {"max_age": max_age})
    assert found is expected or (expected is None and found.subject == SUBJECT)


def drop(name):
    return lambda pairs: [pair for pair in pairs if pair[0] != name]


def put(name, value):
    return lambda pairs: [(one, value if one == name else old) for one, old in pairs]


def twice(name):
    return lambda pairs: [*pairs, next(pair for pair in pairs if pair[0] == name)]


@pytest.mark.parametrize(
    ("back", "reason"),
    [
        (twice("state"), Reason.SSO_ANSWER_INVALID),
        (twice("code"), Reason.SSO_ANSWER_INVALID),
        (twice("iss"), Reason.SSO_ANSWER_INVALID),
        (lambda pairs: [*pairs, ("iss", "https://other.example")], Reason.SSO_ANSWER_INVALID),
        (drop("iss"), Reason.SSO_ANSWER_INVALID),
        (put("iss", "https://other.example"), Reason.SSO_ANSWER_INVALID),
        (put("iss", ""), Reason.SSO_ANSWER_INVALID),
        (drop("state"), Reason.SSO_STATE_WRONG),
        (put("state", "x" * 43), Reason.SSO_STATE_WRONG),
        (put("state", ""), Reason.SSO_STATE_WRONG),
        (drop("code"), Reason.SSO_ANSWER_INVALID),
        (put("code", ""), Reason.SSO_ANSWER_INVALID),
        (put("code", "x" * 9000), Reason.SSO_ANSWER_INVALID),
        (put("code", "not-the-code"), Reason.SSO_REFUSED),
        (lambda pairs: [*drop("code")(pairs), ("error", "access_denied")], Reason.SSO_REFUSED),
        (lambda pairs: [*pairs, ("error", "access_denied")], Reason.SSO_ANSWER_INVALID),
        (lambda pairs: [*drop("iss")(pairs), ("error", "access_denied")], Reason.SSO_ANSWER_INVALID),
        (lambda pairs: [*pairs, *((f"n{one}", "") for one in range(20))], Reason.SSO_ANSWER_INVALID),
    ],
)
def test_a_wrong_answer_in_the_browser_is_refused(provider, back, reason):
    provider.back = back
    assert sign_in(provider) is reason


def test_where_the_provider_does_not_name_itself_a_wrong_name_is_still_refused(provider):
    provider.metadata = {"authorization_response_iss_parameter_supported": DROP}
    provider.back = drop("iss")
    assert sign_in(provider).subject == SUBJECT
    provider.back = put("iss", provider.issuer + "/")
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


@pytest.mark.parametrize("query", ["state", "a=1&&b=2", "state=%ff", "state=\ud800", "a=1;a=2&a=3"])
def test_a_query_that_cannot_be_read_is_refused(query):
    with pytest.raises(Refused) as refusal:
        read_callback(query)
    assert refusal.value.reason is Reason.SSO_ANSWER_INVALID


def finish_with(provider, browser_of, later=timedelta(0)):
    """Finish with another browser's value than the one that began."""

    async def walk():
        async with signing_on(provider) as sso:
            query, browser = await visited(sso, provider)
            with pytest.raises(Refused) as refusal:
                await sso.finish(query, browser_of(browser), now() + later)
            return refusal.value.reason

    return asyncio.run(walk())


@pytest.mark.parametrize("browser_of", [lambda _: None, lambda _: "", lambda _: new_value(), lambda one: one[:-1]])
def test_what_was_begun_elsewhere_does_not_end_here(provider, browser_of):
    assert finish_with(provider, browser_of) is Reason.SSO_STATE_WRONG
    assert provider.count(TOKEN) == 0


@pytest.mark.parametrize("later", [timedelta(minutes=10), timedelta(minutes=-1)])
def test_a_sign_in_begun_long_ago_or_in_the_future_does_not_end(provider, later):
    assert finish_with(provider, lambda one: one, later) is Reason.SSO_STATE_WRONG


def test_fifty_callbacks_at_once_are_one_identity(provider):
    async def walk():
        async with signing_on(provider) as sso:
            query, browser = await visited(sso, provider)
            finishing = (sso.finish(query, browser, now()) for _ in range(50))
            return await asyncio.gather(*finishing, return_exceptions=True)

    found = asyncio.run(walk())
    refused = [one.reason for one in found if isinstance(one, Refused)]
    assert (len(found) - len(refused), refused) == (1, [Reason.SSO_STATE_WRONG] * 49)
    assert provider.count(TOKEN) == 1


def test_a_code_of_another_sign_in_is_refused_by_its_challenge(provider):
    """Mix of two answers in one browser: the code of one with the state of the other."""

    async def walk():
        async with signing_on(provider) as sso:
            one, browser = await visited(sso, provider)
            begun = await sso.begin(browser, now())
            other = await asyncio.to_thread(provider.visit, begun.url)
            mixed = one.replace(parse_qs(one)["code"][0], parse_qs(other)["code"][0])
            return await sso.finish(mixed, browser, now())

    with pytest.raises(Refused) as refusal:
        asyncio.run(walk())
    assert refusal.value.reason is Reason.SSO_REFUSED


def test_only_the_newest_sign_ins_are_kept():
    pending, at, browser = PendingSignIns(most=3), now(), new_value()
    references = [pending.keep(number, browser, at) for number in range(5)]
    assert len(pending) == 3
    assert [pending.take(one, browser, at) for one in references[2:]] == [2, 3, 4]
    with pytest.raises(Refused):
        pending.find(references[0], browser, at)
    pending.keep(6, browser, at - HOUR)
    pending.keep(7, browser, at)
    assert len(pending) == 1
    assert browser not in repr(pending)
