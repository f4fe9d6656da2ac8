# SPDX-License-Identifier: EUPL-1.2
"""ID tokens and logout tokens that lie: headers, signatures, claims. Most through the whole flow, over real HTTP."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from gateway.errors import Refused
from gateway.identity.sso_tokens import LOGOUT_EVENT, SUBJECT_CHARACTERS
from gateway.model import Reason
from support.provider import (
    CLIENT_ID,
    DROP,
    SUBJECT,
    StandInProvider,
    base64url,
    forge,
    rsa_key,
    sign,
)
from support.signing_on import now, sign_in, signing_on

INVALID = Reason.SSO_ANSWER_INVALID
HONEST = {"alg": "RS256", "typ": "JWT", "kid": "first"}
PUBLIC = rsa_key("first").as_dict(private=False)


@pytest.fixture
def provider():
    with StandInProvider() as provider:
        yield provider
    assert provider.faults == []


def headed(**changes):
    """An ID token that is right but for its header."""
    head = {name: value for name, value in {**HONEST, **changes}.items() if value is not DROP}
    return lambda claims, key: forge(head, json.dumps(claims).encode(), key)


def unsigned(algorithm):
    def make(claims, _key):
        head = json.dumps({**HONEST, "alg": algorithm}).encode()
        return f"{base64url(head)}.{base64url(json.dumps(claims).encode())}."

    return make


def with_the_public_key_as_secret(form):
    """HS256, keyed with what everybody can read (CVE-2024-37568)."""

    def make(claims, key):
        secret = {"pem": key.as_pem(private=False), "n": base64.urlsafe_b64decode(PUBLIC["n"] + "==")}[form]
        head, payload = (
            base64url(json.dumps({**HONEST, "alg": "HS256"}).encode()),
            base64url(json.dumps(claims).encode()),
        )
        text = f"{head}.{payload}"
        signature = jws.JWSRegistry.algorithms["HS256"].sign(text.encode(), OctKey.import_key(secret))
        return f"{text}.{base64url(signature)}"

    return make


def own_key(**changes):
    """Signed by the attacker's key; the header tells where to find it."""
    head = {**HONEST, **changes}
    return lambda claims, _key: forge(head, json.dumps(claims).encode(), rsa_key("attacker"))


ATTACKER = rsa_key("attacker").as_dict(private=False)
FORGED = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg empty": unsigned(""),
    "HS256 with the PEM": with_the_public_key_as_secret("pem"),
    "HS256 with the modulus": with_the_public_key_as_secret("n"),
    "unknown alg": headed(alg="RS999"),
    "another good alg": headed(alg="RS512"),
    "alg of another case": headed(alg="rs256"),
    "no alg": headed(alg=DROP),
    "alg a list": headed(alg=["RS256"]),
    "alg a number": headed(alg=256),
    "signed by another": own_key(),
    "jwk": own_key(jwk=ATTACKER, kid="attacker"),
    "jwk, no kid": lambda claims, _: forge(
        {"alg": "RS256", "jwk": ATTACKER}, json.dumps(claims).encode(), rsa_key("attacker")
    ),
    "jku": own_key(jku="https://evil.example/keys"),
    "x5u": own_key(x5u="https://evil.example/cert"),
    "x5c": own_key(x5c=["MIIB"]),
    "right, but with jwk": headed(jwk=PUBLIC),
    "right, but with x5c": headed(x5c=["MIIB"]),
    "right, but with crit": headed(crit=["exp"]),
    "right, but with unknown crit": headed(crit=["urn:x"], **{"urn:x": 1}),
    "right, but with empty crit": headed(crit=[]),
    "right, but unencoded (b64)": headed(b64=False),
    "right, but zipped": headed(zip="DEF"),
    "unknown kid": headed(kid="other"),
    "empty kid": headed(kid=""),
    "kid a number": headed(kid=1),
    "kid a path": headed(kid="../../first"),
    "typ a logout token's": headed(typ="logout+jwt"),
    "typ an access token's": headed(typ="at+jwt"),
    "typ a number": headed(typ=1),
    "alg twice": lambda claims, key: forge(
        b'{"alg":"RS256","alg":"RS256","kid":"first"}', json.dumps(claims).encode(), key
    ),
    "header no object": lambda claims, key: forge(b'["RS256"]', json.dumps(claims).encode(), key),
    "claims no object": lambda _, key: forge(HONEST, b"[]", key),
    "claims no JSON": lambda _, key: forge(HONEST, b"\xff", key),
    "claims with NaN": lambda claims, key: forge(HONEST, json.dumps({**claims, "x": float("nan")}).encode(), key),
    "a claim twice": lambda claims, key: forge(
        HONEST, json.dumps(claims).replace('"sub"', '"sub": "other", "sub"').encode(), key
    ),
    "nested without end": lambda claims, key: forge(
        HONEST, json.dumps(claims).replace("{", '{"x":' + "[" * 5000 + "]" * 5000 + ",", 1).encode(), key
    ),
    "too long": lambda claims, key: forge(HONEST, json.dumps({**claims, "x": "y" * 17_000}).encode(), key),
    "two signatures": lambda claims, key: sign(claims, key) + "." + sign(claims, key).split(".")[2],
    "signature cut": lambda claims, key: sign(claims, key)[:-4],
    "padded": lambda claims, key: sign(claims, key) + "=",
    "with a blank": lambda claims, key: " " + sign(claims, key),
    "encrypted": lambda _, __: "e30.e30.e30.e30.e30",
    "base64 of no length": lambda claims, key: "A." + sign(claims, key).partition(".")[2],
    "payload of another": lambda claims, key: ".".join(
        [*sign({**claims, "sub": "x"}, key).split(".")[:2], sign(claims, key).split(".")[2]]
    ),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_id_token_is_refused(provider, forged):
    provider.make_id_token = FORGED[forged]
    assert sign_in(provider) is INVALID


@pytest.mark.parametrize(
    "header", [{}, {"typ": DROP}, {"typ": "jwt"}, {"kid": DROP}, {"x5t": "abc", "x5t#S256": "abc"}]
)
def test_an_honest_header_is_taken(provider, header):
    provider.make_id_token = headed(**header)
    assert sign_in(provider).subject == SUBJECT


def test_other_algorithms_are_taken_where_they_are_set(provider):
    key = ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"})
    provider.published = [key.as_dict(private=False), rsa_key("first").as_dict(private=False)]
    provider.metadata = {"id_token_signing_alg_values_supported": DROP}
    provider.make_id_token = lambda claims, _: sign(claims, key, algorithm="ES256")
    assert sign_in(provider) is INVALID
    assert sign_in(provider, algorithms=frozenset({"ES256"})).subject == SUBJECT
    provider.published = [{**PUBLIC, "alg": "PS256"}]
    probabilistic = RSAKey.import_key(rsa_key("first").as_dict(private=True) | {"alg": "PS256"})
    provider.make_id_token = lambda claims, _: sign(claims, probabilistic, algorithm="PS256")
    assert sign_in(provider) is INVALID
    assert sign_in(provider, algorithms=frozenset({"PS256", "RS256"})).subject == SUBJECT
    # The same key, which says that it is for PS256 alone.
    provider.make_id_token = sign
    assert sign_in(provider, algorithms=frozenset({"PS256", "RS256"})) is INVALID


def at(seconds):
    """A time from now, as a claim; taken when the token is made."""
    return lambda: int(now().timestamp()) + seconds


CLAIMS = {
    "iss": [DROP, "", None, 7, "https://other.example", ["I"], "I/", "I "],
    "aud": [DROP, "", None, 7, [], "other", [CLIENT_ID, 7], {CLIENT_ID: 1}, CLIENT_ID + " ", ["other"]],
    "azp": ["other", "", None, [CLIENT_ID]],
    "exp": [DROP, None, "1", True, -1, 0, 1e300, 10**30, 1.5, at(-31), at(25 * 3600), lambda: now().timestamp() + 60],
    "iat": [DROP, None, "1", True, -1, 0, 1e300, 10**30, at(60), at(-3600), lambda: now().timestamp() - 1],
    "nbf": [None, "1", -1, 1.5, at(60)],
    "auth_time": [None, "1", True, -1, 0, 10**30, at(60), lambda: now().timestamp() - 1],
    "typ": ["Logout", "Bearer", "Refresh", None, 7],
    "sid": [7, None, ["x"]],
    "events": [{}, None, {LOGOUT_EVENT: {}}],
}


@pytest.mark.parametrize(("claim", "value"), [(name, value) for name, values in CLAIMS.items() for value in values])
def test_a_lying_claim_is_refused(provider, claim, value):
    value = value() if callable(value) else value
    if isinstance(value, str) and value.startswith("I"):
        value = value.replace("I", provider.issuer)
    if value == ["I"]:
        value = [provider.issuer]
    provider.claims = {claim: value}
    assert sign_in(provider) is INVALID


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT_ID], "azp": DROP},
        {"azp": DROP},
        {"aud": [CLIENT_ID, "other"]},
        {"at_hash": DROP},
        {"sid": DROP, "typ": DROP},
    ],
)
def test_an_honest_variant_is_taken(provider, claims):
    provider.claims = claims
    assert sign_in(provider).subject == SUBJECT


def test_several_audiences_need_azp(provider):
    provider.claims = {"aud": [CLIENT_ID, "other"], "azp": DROP}
    assert sign_in(provider) is INVALID
    provider.claims = {"aud": [CLIENT_ID, CLIENT_ID], "azp": DROP}
    assert sign_in(provider) is INVALID


@pytest.mark.parametrize("subject", [DROP, "", 7, None, ["x"], "é", "a\nb", "a\u0000", "x" * (SUBJECT_CHARACTERS + 1)])
def test_a_subject_that_is_none_is_refused(provider, subject):
    provider.claims = {"sub": subject}
    provider.person = {"sub": subject}
    assert sign_in(provider) is Reason.SSO_IDENTITY_INVALID


def test_without_auth_time_the_proof_has_no_age(provider):
    provider.claims = {"auth_time": DROP}
    assert sign_in(provider) is Reason.SSO_TOO_OLD


def logged_out(provider, *tokens):
    """What each logout token comes to: who is signed out, or why not."""

    async def walk():
        found = []
        async with signing_on(provider) as sso:
            for token in tokens:
                try:
                    found.append(await sso.logged_out(token, now()))
                except Refused as refusal:
                    found.append(refusal.reason)
        return found

    return asyncio.run(walk())


def test_the_provider_signs_somebody_out_once(provider):
    token = provider.logout_token()
    first, again = logged_out(provider, token, token)
    assert (first.issuer, first.subject, first.sid) == (provider.issuer, SUBJECT, "6fd1a9c6")
    assert again is INVALID
    [by_sid, by_subject] = logged_out(
        provider, provider.logout_token(sub=DROP), provider.logout_token(sid=DROP, exp=DROP, typ="Logout")
    )
    assert (by_sid.subject, by_sid.sid) == (None, "6fd1a9c6")
    assert (by_subject.subject, by_subject.sid) == (SUBJECT, None)


LOGOUT = {
    "nonce": ["x", "", None],
    "events": [DROP, {}, None, [], {LOGOUT_EVENT: None}, {LOGOUT_EVENT: "x"}, {"http://other": {}}, LOGOUT_EVENT],
    "jti": [DROP, "", 7, "x" * 300],
    "iss": [DROP, "https://other.example"],
    "aud": [DROP, "other", ["other"], [CLIENT_ID, "other"]],
    "iat": [DROP, 0, 1.5, at(-3600), at(60)],
    "exp": [None, -1, 1.5, at(-60)],
    "sub": [7, "", None],
    "sid": [7, ""],
    "typ": ["ID", 7],
}


@pytest.mark.parametrize(("claim", "value"), [(name, value) for name, values in LOGOUT.items() for value in values])
def test_a_lying_logout_token_is_refused(provider, claim, value):
    value = value() if callable(value) else value
    assert logged_out(provider, provider.logout_token(**{claim: value})) == [INVALID]


def test_a_logout_token_names_somebody(provider):
    assert logged_out(provider, provider.logout_token(sub=DROP, sid=DROP)) == [INVALID]


def test_one_kind_of_token_is_never_taken_for_the_other(provider):
    id_token = sign(provider.id_claims(None, "a"), provider.key)
    forged = sign(provider.id_claims(None, "a"), rsa_key("attacker"), {"kid": "first"})
    assert logged_out(provider, id_token, forged, "", "x") == [INVALID] * 4
    provider.make_id_token = lambda claims, key: sign(
        {**claims, "events": {LOGOUT_EVENT: {}}}, key, {"typ": "logout+jwt"}
    )
    assert sign_in(provider) is INVALID
    provider.make_id_token = lambda claims, _: provider.logout_token(nonce=claims["nonce"])
    assert sign_in(provider) is INVALID
