# SPDX-License-Identifier: EUPL-1.2
"""Our client against a certified provider that nobody here wrote: npm's oidc-provider, run by node."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from gateway.errors import Refused
from gateway.identity.sso import SingleSignOn
from gateway.identity.sso_ciba import Channel, Ciba
from gateway.identity.sso_settings import SsoSettings
from gateway.model import Method, Reason
from support.node_provider import issuer, node_provider
from support.provider import CALLBACK, NATIONAL_ID
from support.servers import free_port

pytestmark = pytest.mark.system

PERSON = {"SubjectNameID": NATIONAL_ID, "given_name": "KIT", "family_name": "DOC0042788"}
CLIENT = {
    "client_id": "herse",
    "client_secret": "of%these: tests+alone/in:the:lab",
    "redirect_uris": [CALLBACK],
    "response_types": ["code"],
    "grant_types": ["authorization_code", "urn:openid:params:grant-type:ciba"],
    "backchannel_token_delivery_mode": "poll",
    "require_auth_time": True,
}


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    port = free_port()
    with node_provider(tmp_path_factory.mktemp("node"), port, CLIENT, PERSON):
        yield port


@asynccontextmanager
async def client(port, **changes):
    usual = {
        "discovery": f"{issuer(port)}/.well-known/openid-configuration",
        "issuer": issuer(port),
        "origins": frozenset({issuer(port)}),
        "client_id": CLIENT["client_id"],
        "client_secret": CLIENT["client_secret"],
        "redirect_uri": CALLBACK,
        "signed_out_uri": "https://portail.example/.herse/signed-out",
        "scope": "openid person",
        "sandbox": True,
    }
    sso = SingleSignOn(SsoSettings(**(usual | changes)))
    try:
        yield sso
    finally:
        await sso.close()


def now():
    return datetime.now(UTC)


async def visit(browser, url):
    """Follow the provider's redirects until it sends us home; the query that comes with it."""
    for _ in range(10):
        answer = await browser.get(url)
        url = str(answer.url.join(answer.headers["location"]))
        if url.startswith(CALLBACK):
            return url.partition("?")[2]
    raise AssertionError("the provider never came back")


def test_a_person_signs_in_with_the_level_that_was_asked_for_and_once(port):
    async def walk():
        async with client(port, acr_values="eidas2") as sso, httpx.AsyncClient() as browser:
            await sso.start(now())
            begun = await sso.begin(None, now())
            query = await visit(browser, begun.url)
            identity = await sso.finish(query, begun.browser, now())
            with pytest.raises(Refused) as refusal:
                await sso.finish(query, begun.browser, now())
        return identity, refusal.value.reason

    identity, again = asyncio.run(walk())
    assert (identity.issuer, identity.subject, identity.national_id) == (issuer(port), "person", NATIONAL_ID)
    assert (identity.acr, identity.proof.method) == ("eidas2", Method.SSO_CARD)
    assert again is Reason.SSO_STATE_WRONG


def test_an_old_session_there_is_proved_anew_where_that_is_asked_for(port):
    async def walk():
        found = []
        async with client(port) as sso, httpx.AsyncClient() as browser:
            for max_age in (None, None, timedelta(seconds=1)):
                begun = await sso.begin(None, now(), max_age)
                found.append(await sso.finish(await visit(browser, begun.url), begun.browser, now()))
                await asyncio.sleep(2.1)
        return [one.proof.at for one in found]

    first, same, renewed = asyncio.run(walk())
    assert first == same < renewed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"acr_values": "eidas1", "acr_accepted": frozenset({"eidas2"})}, Reason.SSO_ACR_TOO_LOW),
        ({"acr_values": ""}, Reason.SSO_ACR_TOO_LOW),
        ({"client_secret": "wrong"}, Reason.SSO_REFUSED),
        ({"algorithms": frozenset({"ES256"})}, Reason.SSO_ANSWER_INVALID),
        ({"national_id_claim": "no_such"}, Reason.SSO_IDENTITY_INVALID),
    ],
)
def test_what_does_not_fit_is_refused_here_too(port, changes, reason):
    async def walk():
        async with client(port, **changes) as sso, httpx.AsyncClient() as browser:
            begun = await sso.begin(None, now())
            return await sso.finish(await visit(browser, begun.url), begun.browser, now())

    with pytest.raises(Refused) as refusal:
        asyncio.run(walk())
    assert refusal.value.reason is reason


def test_a_person_says_yes_on_the_phone(port):
    async def walk():
        async with client(port) as sso:
            ciba, at, person = Ciba(sso), now(), None
            begun = await ciba.start(NATIONAL_ID, Channel.MOBILE, None, at)
            for times in range(1, 10):
                if person is None:
                    await asyncio.sleep(0.5)
                    person = await ciba.poll(begun.reference, begun.browser, at + times * begun.interval)
        return person

    person = asyncio.run(walk())
    assert (person.subject, person.national_id, person.acr) == ("person", NATIONAL_ID, "eidas1")
