# SPDX-License-Identifier: EUPL-1.2
"""Signing in on the phone (CIBA, poll): the two digits, the pace of asking, and every way it may end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import Refused
from gateway.identity.sso_ciba import Channel, Ciba
from gateway.identity.sso_pending import new_value
from gateway.model import Reason
from support.provider import CIBA, DROP, NATIONAL_ID, SUBJECT, TOKEN, StandInProvider
from support.provider_server import Answer
from support.signing_on import now, signing_on

SECOND = timedelta(seconds=1)


@pytest.fixture
def provider():
    with StandInProvider() as provider:
        yield provider


def asked(provider, *steps, hint=NATIONAL_ID):
    """Ask, then take steps: (seconds later, what the person says). What each poll came to."""

    async def walk():
        found = []
        async with signing_on(provider) as sso:
            ciba, at = Ciba(sso), now()
            begun = await ciba.start(hint, Channel.MOBILE, None, at)
            for seconds, provider.ciba_says in steps:
                try:
                    person = await ciba.poll(begun.reference, begun.browser, at + seconds * SECOND)
                    found.append(person and person.subject)
                except Refused as refusal:
                    found.append(refusal.reason)
        return found

    return asyncio.run(walk())


def test_a_person_says_yes_on_the_phone(provider):
    provider.claims = {"authMode": "MOBILE"}

    async def walk():
        async with signing_on(provider) as sso:
            ciba, at = Ciba(sso), now()
            begun = await ciba.start(NATIONAL_ID, Channel.MOBILE, None, at)
            provider.ciba_says = "yes"
            return begun, await ciba.poll(begun.reference, begun.browser, at + 5 * SECOND)

    begun, person = asyncio.run(walk())
    [sent] = [one.fields for one in provider.seen if one.path == CIBA]
    assert sent == {
        "scope": "openid scope_all",
        "acr_values": "eidas1",
        "login_hint": NATIONAL_ID,
        "binding_message": begun.digits,
        "channel": "MOBILE",
    }
    assert len(begun.digits) == 2
    assert begun.digits.isdigit()
    assert begun.reference not in repr(begun)
    assert (person.subject, person.proof.method) == (SUBJECT, "psc")


def test_it_is_asked_at_the_providers_pace(provider):
    pending = "authorization_pending"
    steps = [(0, pending), (4, pending), (5, pending), (9, pending), (10, "slow_down"), (16, pending), (20, "yes")]
    assert asked(provider, *steps, (22, "yes")) == [*[None] * 6, SUBJECT, Reason.SSO_STATE_WRONG]
    assert provider.count(TOKEN) == 3


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("access_denied", Reason.SSO_REFUSED),
        ("expired_token", Reason.SSO_STATE_WRONG),
        ("invalid_grant", Reason.SSO_REFUSED),
        ("server_says_so", Reason.SSO_REFUSED),
    ],
)
def test_a_no_ends_it(provider, says, reason):
    assert asked(provider, (5, says), (30, "yes")) == [reason, Reason.SSO_STATE_WRONG]


def test_a_provider_that_is_down_for_a_moment_ends_nothing(provider):
    provider.answers[TOKEN] = Answer(503)

    async def walk():
        async with signing_on(provider) as sso:
            ciba, at = Ciba(sso), now()
            begun = await ciba.start(NATIONAL_ID, Channel.CARD, None, at)
            with pytest.raises(Refused) as refusal:
                await ciba.poll(begun.reference, begun.browser, at + 5 * SECOND)
            del provider.answers[TOKEN]
            provider.ciba_says = "yes"
            return refusal.value.reason, await ciba.poll(begun.reference, begun.browser, at + 10 * SECOND)

    reason, person = asyncio.run(walk())
    assert (reason, person.subject) == (Reason.SSO_UNREACHABLE, SUBJECT)


def test_the_proof_must_be_the_one_that_was_asked_for(provider):
    provider.proved_seconds_ago = 60
    assert asked(provider, (5, "yes"), (10, "yes")) == [Reason.SSO_TOO_OLD, Reason.SSO_STATE_WRONG]
    provider.proved_seconds_ago = 0
    provider.person = {"SubjectNameID": "810101010105", "preferred_username": DROP}
    provider.claims = {"preferred_username": DROP}
    assert asked(provider, (5, "yes")) == [Reason.SSO_IDENTITY_INVALID]


def test_it_belongs_to_one_browser_and_ends_with_its_time(provider):
    async def walk():
        found = []
        async with signing_on(provider) as sso:
            ciba, at = Ciba(sso), now()
            begun = await ciba.start(NATIONAL_ID, Channel.MOBILE, None, at)
            provider.ciba_says = "yes"
            tries = [(new_value(), 5), (None, 5), (begun.browser, 120), (begun.browser, 20)]
            for browser, seconds in tries:
                try:
                    found.append(await ciba.poll(begun.reference, browser, at + seconds * SECOND))
                except Refused as refusal:
                    found.append(refusal.reason)
        return found

    assert asyncio.run(walk()) == [Reason.SSO_STATE_WRONG] * 4
    assert provider.count(TOKEN) == 0


def test_fifty_polls_at_once_are_one_question_and_one_identity(provider):
    async def walk():
        async with signing_on(provider) as sso:
            ciba, at = Ciba(sso), now()
            begun = await ciba.start(NATIONAL_ID, Channel.MOBILE, None, at)
            provider.ciba_says = "yes"
            polls = (ciba.poll(begun.reference, begun.browser, at + 6 * SECOND) for _ in range(50))
            return await asyncio.gather(*polls)

    found = [one for one in asyncio.run(walk()) if one is not None]
    assert [one.subject for one in found] == [SUBJECT]
    assert provider.count(TOKEN) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"auth_req_id": DROP}, Reason.SSO_ANSWER_INVALID),
        ({"auth_req_id": ""}, Reason.SSO_ANSWER_INVALID),
        ({"auth_req_id": 7}, Reason.SSO_ANSWER_INVALID),
        ({"auth_req_id": "x" * 3000}, Reason.SSO_ANSWER_INVALID),
        ({"auth_req_id": "a\nb"}, Reason.SSO_ANSWER_INVALID),
        ({"expires_in": DROP}, Reason.SSO_ANSWER_INVALID),
        ({"expires_in": "120"}, Reason.SSO_ANSWER_INVALID),
        ({"expires_in": 0}, Reason.SSO_ANSWER_INVALID),
        ({"expires_in": True}, Reason.SSO_ANSWER_INVALID),
        ({"interval": -1}, Reason.SSO_ANSWER_INVALID),
        ({"interval": 3600}, Reason.SSO_ANSWER_INVALID),
        ({"interval": 1.5}, Reason.SSO_ANSWER_INVALID),
        ({"error": "x"}, Reason.SSO_ANSWER_INVALID),
    ],
)
def test_an_odd_answer_to_the_question_is_refused(provider, answer, reason):
    provider.tokens = answer
    with pytest.raises(Refused) as refusal:
        asked(provider)
    assert refusal.value.reason is reason


def test_the_question_itself_may_be_refused(provider):
    provider.answers[CIBA] = Answer(400, b'{"error":"unknown_user_id"}')
    with pytest.raises(Refused) as refusal:
        asked(provider)
    assert refusal.value.reason is Reason.SSO_REFUSED
    provider.metadata = {"backchannel_authentication_endpoint": DROP}
    with pytest.raises(Refused) as refusal:
        asked(provider)
    assert refusal.value.reason is Reason.SSO_REFUSED


@pytest.mark.parametrize("hint", ["", "é", "me@example.org", "8 99700427885", "x" * 60])
def test_only_a_national_id_is_asked_for(provider, hint):
    with pytest.raises(Refused) as refusal:
        asked(provider, hint=hint)
    assert refusal.value.reason is Reason.SSO_IDENTITY_INVALID
    assert provider.seen == []


def test_without_an_interval_it_is_five_seconds_and_a_huge_lifetime_is_cut(provider):
    provider.tokens = {"interval": DROP, "expires_in": 10**12}
    assert asked(provider, (4, "yes"), (301, "yes")) == [None, Reason.SSO_STATE_WRONG]
