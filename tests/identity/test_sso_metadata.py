# SPDX-License-Identifier: EUPL-1.2
"""The provider's discovery document and keys: only as pinned, only from where they were set, and never a flood."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey

from gateway.errors import Refused, StartError
from gateway.identity.sso_metadata import parse_keys, parse_metadata
from gateway.identity.sso_settings import ClientAuth
from gateway.model import Reason
from support.provider import DISCOVERY, DROP, JWKS, SUBJECT, StandInProvider, base64url, rsa_key, settings_for, sign
from support.provider_server import Answer
from support.signing_on import now, sign_in, signing_on

SECOND = timedelta(seconds=1)
PUBLIC = rsa_key("first").as_dict(private=False)
RS256 = frozenset({"RS256"})


@pytest.fixture
def provider():
    with StandInProvider() as provider:
        yield provider
    assert provider.faults == []


def started(provider, **changes):
    """Start: nothing, or what stopped it."""

    async def walk():
        async with signing_on(provider, **changes) as sso:
            await sso.start(now())

    try:
        asyncio.run(walk())
    except (StartError, Refused) as error:
        return str(error)
    return None


def test_it_starts_with_an_honest_provider_and_asks_once(provider):
    assert started(provider) is None
    assert provider.count(DISCOVERY) == 1
    assert sign_in(provider).subject == SUBJECT


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"issuer": "https://other.example"}, "issuer: found 'https://other.example'; expected http://127"),
        ({"issuer": DROP}, "issuer: found nothing"),
        ({"issuer": ["x"]}, "issuer: found"),
        ({"code_challenge_methods_supported": ["plain"]}, "code_challenge_methods_supported: found"),
        ({"code_challenge_methods_supported": DROP}, "code_challenge_methods_supported: found nothing; expected S256"),
        ({"code_challenge_methods_supported": "S256"}, "code_challenge_methods_supported: found 'S256'"),
        ({"id_token_signing_alg_values_supported": ["HS256", "none"]}, "expected RS256"),
        ({"token_endpoint": DROP}, "token_endpoint: found nothing"),
        ({"token_endpoint": 7}, "token_endpoint: found 7"),
        ({"token_endpoint": "https://evil.example/token"}, "token_endpoint: found 'https://evil.example/token'"),
        ({"jwks_uri": "file:///etc/passwd"}, "jwks_uri: found"),
        ({"jwks_uri": "https://evil.example\\@ORIGIN/keys"}, "jwks_uri: found"),
        ({"jwks_uri": "ORIGIN@evil.example/keys"}, "jwks_uri: found"),
        ({"jwks_uri": "ORIGIN.evil.example/keys"}, "jwks_uri: found"),
        ({"jwks_uri": "ORIGIN /keys"}, "jwks_uri: found"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint: found"),
        ({"authorization_endpoint": "//evil.example/auth"}, "authorization_endpoint: found"),
        ({"authorization_endpoint": "ORIGIN/auth#part"}, "authorization_endpoint: found"),
        ({"userinfo_endpoint": DROP}, "userinfo_endpoint: found nothing"),
        ({"end_session_endpoint": "https://evil.example/"}, "end_session_endpoint: found"),
        ({"backchannel_authentication_endpoint": "http://evil.example/"}, "backchannel_authentication_endpoint: found"),
    ],
)
def test_it_does_not_start_with_another_provider_than_pinned(provider, metadata, told):
    at_origin = {k: v.replace("ORIGIN", provider.origin) if isinstance(v, str) else v for k, v in metadata.items()}
    provider.metadata = at_origin
    assert told in started(provider)
    # And if it becomes so while we run: refused, nobody is sent anywhere.
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


def test_the_addresses_for_a_tls_client_are_used_by_one_and_checked_like_the_others(provider, tmp_path):
    provider.metadata = {"mtls_endpoint_aliases": {"token_endpoint": "https://evil.example/token"}}
    assert started(provider) is None
    settings = settings_for(provider)
    document = provider.document()
    tls = settings_for(provider, client_auth=ClientAuth.TLS, certificate=tmp_path, certificate_key=tmp_path)
    with pytest.raises(StartError, match="token_endpoint: found 'https://evil"):
        parse_metadata(document, tls)
    document["mtls_endpoint_aliases"] = {"token_endpoint": provider.wallet + "/token"}
    assert parse_metadata(document, tls).token == provider.wallet + "/token"
    assert parse_metadata(document, settings).token == document["token_endpoint"]
    document["mtls_endpoint_aliases"] = []
    with pytest.raises(StartError, match="mtls_endpoint_aliases"):
        parse_metadata(document, tls)


def elsewhere(path):
    return Answer(302, b"", {"Location": path})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (elsewhere("/moved"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"{" + b" " * 300_000 + b"}"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"no"), Reason.SSO_ANSWER_INVALID),
        (Answer(200, b"[]"), Reason.SSO_ANSWER_INVALID),
        (Answer(404), Reason.SSO_ANSWER_INVALID),
        (Answer(500), Reason.SSO_UNREACHABLE),
        (Answer(200, b"{}", pause=2), Reason.SSO_UNREACHABLE),
    ],
)
@pytest.mark.parametrize("path", [DISCOVERY, JWKS])
def test_what_may_come_instead_of_the_document_or_the_keys(provider, path, answer, reason):
    provider.answers[path] = answer
    provider.answers["/moved"] = Answer(200, b"{}")
    assert sign_in(provider, answer_within=SECOND) is reason
    assert provider.count("/moved") == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"discovery": "http://provider.example/x", "origins": frozenset({"http://provider.example"})}, "an https://"),
        ({"sandbox": False}, "http on loopback only in the sandbox"),
        ({"discovery": "https://unlisted.example/x"}, "expected an address at"),
        ({"issuer": "ftp://x"}, "issuer"),
        ({"redirect_uri": "//x"}, "redirect_uri"),
        ({"origins": frozenset({"https://a.example/path"})}, "no path"),
        ({"algorithms": frozenset({"RS256", "none"})}, "algorithms"),
        ({"algorithms": frozenset({"HS256"})}, "algorithms"),
        ({"algorithms": frozenset()}, "found none"),
        ({"acr_accepted": frozenset()}, "acr_accepted"),
        ({"scope": "scope_all"}, "scope"),
        ({"client_secret": None}, "client_secret_basic without its"),
        ({"client_auth": ClientAuth.PRIVATE_KEY}, "private_key_jwt without its"),
        ({"client_auth": ClientAuth.TLS}, "tls_client_auth without its"),
    ],
)
def test_settings_that_are_not_safe_stop_the_start(provider, changes, told):
    with pytest.raises(StartError) as error:
        settings_for(provider, **changes)
    assert told in str(error.value)


def test_settings_print_no_secret(provider):
    assert "s:cret" not in repr(settings_for(provider, private_key=b"secret-key"))
    assert "secret-key" not in repr(settings_for(provider, private_key=b"secret-key"))


def kids(*keys):
    return {kid: sorted(by_name) for kid, by_name in parse_keys({"keys": list(keys)}, RS256).items()}


@pytest.mark.parametrize(
    "odd",
    [
        {},
        7,
        {"kty": "RSA", "kid": "x"},
        {"kty": ["RSA"], "kid": "x"},
        {**PUBLIC, "kid": "x", "n": "!"},
        {**PUBLIC, "kid": "x", "n": 7},
        {**PUBLIC, "kid": "x", "n": "A" * 1500},
        {**PUBLIC, "kid": "x", "e": "A" * 90},
        {**PUBLIC, "kid": "x", "e": "Ag"},
        {**PUBLIC, "kid": ["x"]},
        {**PUBLIC, "kid": None},
        {**PUBLIC, "kid": "x", "use": "enc"},
        {**PUBLIC, "kid": "x", "key_ops": ["encrypt"]},
        {**PUBLIC, "kid": "x", "key_ops": 7},
        {"kty": "oct", "kid": "x", "k": "c2VjcmV0"},
        {"kty": "AKP", "kid": "x", "alg": "ML-DSA-44"},
        rsa_key("first").as_dict(private=True) | {"kid": "x"},
        {**PUBLIC, "kid": "x", "n": base64url(b"\xff" * 128)},
        ECKey.generate_key("P-256", {"kid": "x"}).as_dict(private=False),
    ],
)
def test_a_key_that_is_not_for_us_is_passed_over(odd):
    assert kids(odd, PUBLIC) == {"first": ["RS256"]}


def test_only_keys_of_the_right_curve_and_algorithm_count():
    curves = [ECKey.generate_key(one, {"kid": one}).as_dict(private=False) for one in ("P-256", "P-384")]
    document = {"keys": [*curves, {**PUBLIC, "alg": "PS256"}, {"kty": "EC", "crv": "P-256", "kid": "cut", "x": "AA"}]}
    found = parse_keys(document, frozenset({"RS256", "ES256", "PS256"}))
    assert {kid: list(by_name) for kid, by_name in found.items()} == {"P-256": ["ES256"], "first": ["PS256"]}


def test_a_kid_that_two_keys_share_names_none(provider):
    assert kids(PUBLIC, rsa_key("second").as_dict(private=False) | {"kid": "first"}) == {}
    provider.published = [rsa_key("attacker").as_dict(private=False) | {"kid": "first"}, PUBLIC]
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


@pytest.mark.parametrize("document", [{}, {"keys": None}, {"keys": {}}, {"keys": [PUBLIC] * 65}])
def test_a_set_that_is_none_is_refused(document):
    with pytest.raises(Refused) as refusal:
        parse_keys(document, RS256)
    assert refusal.value.reason is Reason.SSO_ANSWER_INVALID


def test_without_a_kid_only_a_key_alone_will_do(provider):
    provider.make_id_token = lambda claims, key: sign(claims, key, {"kid": DROP})
    assert sign_in(provider).subject == SUBJECT
    provider.published = [PUBLIC, rsa_key("second").as_dict(private=False)]
    assert sign_in(provider) is Reason.SSO_ANSWER_INVALID


async def attempt(sso, provider, at):
    """One sign-in at a time of the test's choice (the tokens are of now)."""
    begun = await sso.begin(None, at)
    query = await asyncio.to_thread(provider.visit, begun.url)
    try:
        return (await sso.finish(query, begun.browser, at)).subject
    except Refused as refusal:
        return refusal.reason


def test_new_keys_are_followed_and_a_flood_of_unknown_ones_is_not(provider):
    async def walk():
        async with signing_on(provider, fetch_interval=5 * SECOND) as sso:
            began, found = now(), []
            found.append(await attempt(sso, provider, began))
            provider.key = rsa_key("second")  # it rotates
            found.append(await attempt(sso, provider, began + 6 * SECOND))
            provider.make_id_token = lambda claims, key: sign(claims, key, {"kid": "nobody's"})
            found += [await attempt(sso, provider, began + 7 * SECOND) for _ in range(20)]
            before = provider.count(JWKS)
            flood = (attempt(sso, provider, began + 12 * SECOND) for _ in range(20))
            found += await asyncio.gather(*flood)
            return found, before

    found, before = asyncio.run(walk())
    assert found[:2] == [SUBJECT, SUBJECT]
    assert set(found[2:]) == {Reason.SSO_ANSWER_INVALID}
    assert (before, provider.count(JWKS)) == (2, 3)


def test_keys_swapped_under_the_same_name_are_refused(provider):
    async def walk():
        async with signing_on(provider, fetch_interval=SECOND) as sso:
            began = now()
            first = await attempt(sso, provider, began)
            provider.key = rsa_key("attacker")
            provider.make_id_token = lambda claims, key: sign(claims, key, {"kid": "first"})
            return first, await attempt(sso, provider, began + 5 * SECOND)

    assert asyncio.run(walk()) == (SUBJECT, Reason.SSO_ANSWER_INVALID)


def test_keys_are_forgotten_after_their_time_and_a_dead_provider_is_asked_once_per_interval(provider):
    async def walk():
        async with signing_on(provider, fetch_interval=5 * SECOND, keys_lifetime=10 * SECOND) as sso:
            began, found = now(), []
            found.append(await attempt(sso, provider, began))
            provider.answers[JWKS] = Answer(500)
            found.append(await attempt(sso, provider, began + 9 * SECOND))
            found += [await attempt(sso, provider, began + 11 * SECOND) for _ in range(5)]
            asked = provider.count(JWKS)
            found.append(await attempt(sso, provider, began + 17 * SECOND))
            del provider.answers[JWKS]
            found.append(await attempt(sso, provider, began + 23 * SECOND))
            return found, asked

    found, asked = asyncio.run(walk())
    assert found == [SUBJECT, SUBJECT, *[Reason.SSO_UNREACHABLE] * 6, SUBJECT]
    assert (asked, provider.count(JWKS)) == (2, 4)
