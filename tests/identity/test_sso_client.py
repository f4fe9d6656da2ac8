# SPDX-License-Identifier: EUPL-1.2
"""The calls to the provider that carry our credential: each way to prove the client, and whatever may be answered."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey

from gateway.errors import Refused, StartError
from gateway.identity.sso_client import Client
from gateway.identity.sso_settings import ClientAuth
from gateway.identity.sso_tokens import half_hash
from gateway.identity.sso_wire import Transport
from gateway.model import Reason
from support.provider import (
    CLIENT_SECRET,
    DISCOVERY,
    DROP,
    SUBJECT,
    TOKEN,
    USERINFO,
    StandInProvider,
    rsa_key,
    settings_for,
)
from support.provider_server import Answer
from support.signing_on import now, sign_in, signing_on
from support.tls import Authority


@pytest.fixture
def provider():
    with StandInProvider() as provider:
        yield provider
    assert provider.faults == []


def of_token(provider):
    """The last request to the token endpoint."""
    return [one for one in provider.seen if one.path == TOKEN][-1]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(500), Reason.SSO_UNREACHABLE),
        (Answer(503, b"down"), Reason.SSO_UNREACHABLE),
        (Answer(429), Reason.SSO_UNREACHABLE),
        (Answer(302, b"{}", {"Location": "/elsewhere"}), Reason.SSO_ANSWER_INVALID),
        (Answer(404), Reason.SSO_ANSWER_INVALID),
        (Answer(400, b'{"error":"invalid_grant"}'), Reason.SSO_REFUSED),
        (Answer(401, b'{"error":"invalid_client"}'), Reason.SSO_REFUSED),
        (Answer(400, b'{"error":["x"]}'), Reason.SSO_ANSWER_INVALID),
        (Answer(400, b"{}"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b'{"error":"invalid_grant"}'), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"[]"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"null"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"\xff{}"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"{}"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b'{"a":' * 100_000), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b'{"expires_in":1e999}'), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b'{"expires_in":[1]}'), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"{" + b" " * 300_000 + b"}"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"{}", {"Content-Encoding": "gzip"}), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"{}", pause=3), Reason.SSO_UNREACHABLE),
        (Answer(200, b"{" + b" " * 98 + b"}", pause=0.1, pieces=100), Reason.SSO_UNREACHABLE),
    ],
)
@pytest.mark.parametrize("path", [TOKEN, USERINFO])
def test_what_the_provider_may_answer_instead(provider, path, answer, reason):
    provider.answers[path] = answer
    found = sign_in(provider, answer_within=timedelta(seconds=1))
    if path == USERINFO and found is not reason:
        # Userinfo has no errors of its own: any refusal there is an answer that we cannot use, or somebody else's.
        assert found in {Reason.SSO_ANSWER_INVALID, Reason.SSO_IDENTITY_INVALID}
        assert reason in {Reason.SSO_REFUSED, Reason.SSO_ANSWER_INVALID}
    else:
        assert found is reason


@pytest.mark.parametrize(
    "tokens",
    [
        {"access_token": DROP},
        {"access_token": 7},
        {"access_token": "a\r\nX: b"},
        {"access_token": "é"},
        {"token_type": "mac"},
        {"token_type": DROP},
        {"token_type": ["Bearer"]},
        {"id_token": DROP},
        {"id_token": None},
        {"id_token": {"payload": "e30", "signatures": [{}, {}]}},
        {"id_token": json.dumps({"payload": "e30", "signatures": [{}, {}]})},
    ],
)
def test_tokens_that_are_none_are_refused(provider, tokens):
    provider.tokens = tokens
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


def test_a_name_that_stands_twice_is_refused(provider):
    token = provider.make_id_token(provider.id_claims("n", "a"), provider.key)
    body = f'{{"token_type":"Bearer","access_token":"a","id_token":"x","id_token":"{token}"}}'
    provider.answers[TOKEN] = Answer(body=body.encode())
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": DROP},
        {"nonce": 5},
        {"nonce": "\ud800"},
        {"nonce_supported": False, "nonce": DROP},
        {"at_hash": half_hash("another")},
        {"at_hash": 5},
        {"at_hash": ""},
        {"c_hash": half_hash("another")},
        {"iss": "https://other.example"},
        {"aud": "somebody-else"},
        {"events": {}},
    ],
)
def test_an_id_token_of_another_sign_in_is_refused(provider, changes):
    """The other cases of claims are in test_sso_tokens: here, that the flow hands in what it must."""
    provider.claims = changes
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


@pytest.mark.parametrize("acr", ["eidas0", "EIDAS1", ["eidas1"], 1, "", None, DROP, " eidas1"])
def test_a_level_that_is_not_one_of_those_we_take_is_refused(provider, acr):
    provider.claims = {"acr": acr}
    assert sign_in(provider) is Reason.SSO_ACR_TOO_LOW


def test_each_way_to_prove_the_client(provider):
    assert sign_in(provider).subject == SUBJECT  # client_secret_basic, with odd characters in both parts
    assert of_token(provider).header["authorization"].startswith("Basic ")
    assert sign_in(provider, client_auth=ClientAuth.SECRET_POST).subject == SUBJECT
    assert "authorization" not in of_token(provider).header
    assert sign_in(provider, client_secret="wrong") is Reason.SSO_REFUSED
    for key in (rsa_key("client"), ECKey.generate_key("P-256")):
        provider.client_key = key
        pem = key.as_pem(private=True)
        assert sign_in(provider, client_auth=ClientAuth.PRIVATE_KEY, private_key=pem, client_secret=None).subject
        assert CLIENT_SECRET not in str(of_token(provider).fields)
    provider.client_key = rsa_key("not this one")
    other = rsa_key("client").as_pem(private=True)
    # The stand-in dies of the bad signature, as a server may.
    provider.answers[TOKEN] = Answer(401, b'{"error":"invalid_client"}')
    assert sign_in(provider, client_auth=ClientAuth.PRIVATE_KEY, private_key=other) is Reason.SSO_REFUSED


def test_the_tls_certificate_proves_the_client(tmp_path):
    authority, stranger = Authority(tmp_path / "ours"), Authority(tmp_path / "other", "Other")
    server, client = authority.issue("127.0.0.1"), authority.issue("client.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    files = {"certificate": client[0], "certificate_key": client[1], "authority": authority.certificate}
    ours = {"client_auth": ClientAuth.TLS, "client_secret": None, "sandbox": False, **files}
    with StandInProvider(tls=context) as provider:

        async def start(**changes):
            async with signing_on(provider, **(ours | changes)) as sso:
                metadata = await sso.provider.metadata(now())
                return await sso.client.tokens(metadata, "client_credentials", now())

        with pytest.raises(Exception, match="invalid_grant"):  # known as the client; the grant is none of its
            asyncio.run(start())
        with pytest.raises(Refused) as refusal:
            asyncio.run(start(authority=stranger.certificate))
        assert refusal.value.reason is Reason.SSO_UNREACHABLE
        with pytest.raises(StartError, match="cannot be used"):
            asyncio.run(start(certificate_key=server[1]))


def test_a_private_key_that_is_none_stops_the_start(provider):
    settings = settings_for(provider, client_auth=ClientAuth.PRIVATE_KEY, private_key=b"-----BEGIN NOTHING-----")
    with pytest.raises(StartError, match="no private RSA or P-256 key"):
        Client(settings, Transport(settings))


def test_signing_out_there_too(provider):
    async def walk(**metadata):
        provider.metadata = metadata
        async with signing_on(provider) as sso:
            return await sso.logout_url("the-id-token", now())

    url, state = asyncio.run(walk())
    asked = parse_qs(urlsplit(url).query)
    assert url.startswith(provider.origin)
    assert asked["id_token_hint"] == ["the-id-token"]
    assert asked["state"] == [state]
    assert asked["post_logout_redirect_uri"] == ["https://portail.example/.herse/signed-out"]
    assert asyncio.run(walk(end_session_endpoint=DROP)) is None


def test_a_provider_that_is_gone(provider):
    gone = f"{provider.origin}/gone"
    changes = {"discovery": gone.replace(urlsplit(gone).netloc, "127.0.0.1:9")}
    changes["origins"] = frozenset({provider.origin, "http://127.0.0.1:9"})
    assert sign_in(provider, **changes) is Reason.SSO_UNREACHABLE


def test_an_honest_answer_that_is_huge_or_compressed_is_refused_too(provider):
    """So that it is the limit that refuses, and not what lies in the answer."""
    honest = json.dumps(provider.document()).encode()
    provider.answers[DISCOVERY] = Answer(200, honest + b" " * 200_000)
    assert sign_in(provider).subject == SUBJECT
    provider.answers[DISCOVERY] = Answer(200, honest + b" " * 300_000)
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID
    bomb = gzip.compress(honest + b" " * 100_000)
    provider.answers[DISCOVERY] = Answer(200, bomb, {"Content-Encoding": "gzip"})
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID
