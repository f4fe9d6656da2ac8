# SPDX-License-Identifier: EUPL-1.2
"""The signed assertion: what it says, how long it is reused, and who can check it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from gateway.cli.certs import make_keys
from gateway.errors import StartError
from gateway.model import Activity, Assurance, Delegation, Method, Proof, Subject
from gateway.upstream.assertion import LIVES_SECONDS, REUSED_SECONDS, Assertions, load_assertion_key

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SUBJECT = Subject(
    account="750012346",
    title="Dr Essai",
    profession="pharmacist",
    rpps="10001234567",
    assurance=Assurance((Proof(Method.PASSWORD, AT), Proof(Method.TOTP, AT))),
    session="s1",
)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder / "assertion.pem"


@pytest.fixture
def assertions(key_file):
    return Assertions(load_assertion_key(key_file), "https://portail.example", "https://portal.internal")


def read(assertions, value: bytes):
    return jwt.decode(value, KeySet.import_key_set(assertions.jwks()), algorithms=["ES256"])


def test_it_says_who_asks_and_how_that_was_proved(assertions):
    token = read(assertions, assertions.of(SUBJECT, AT))
    now = int(AT.timestamp())
    assert token.claims == {
        "iss": "https://portail.example",
        "aud": "https://portal.internal",
        "sub": "750012346",
        "name": "Dr Essai",
        "profession": "pharmacist",
        "rpps": "10001234567",
        "acr": "mfa",
        "amr": ["pwd", "otp"],
        "sid": "s1",
        "iat": now,
        "exp": now + LIVES_SECONDS,
    }
    assert token.header["kid"] == assertions.jwks()["keys"][0]["kid"]


def test_it_is_reused_for_a_minute_and_fresh_for_another(assertions):
    first = assertions.of(SUBJECT, AT)
    assert assertions.of(SUBJECT, AT + timedelta(seconds=REUSED_SECONDS - 1)) == first
    later = AT + timedelta(seconds=REUSED_SECONDS)
    assert assertions.of(SUBJECT, later) != first
    assert read(assertions, first).claims["exp"] >= later.timestamp() + LIVES_SECONDS - REUSED_SECONDS


def test_a_clock_that_steps_back_reuses_nothing(assertions):
    first = assertions.of(SUBJECT, AT)
    assert assertions.of(SUBJECT, AT - timedelta(seconds=1)) != first


def test_another_session_or_assurance_never_gets_it(assertions):
    mine = assertions.of(SUBJECT, AT)
    other = replace(SUBJECT, account="750012353", session="s2")
    assert read(assertions, assertions.of(other, AT)).claims["sub"] == "750012353"
    stronger = replace(SUBJECT, assurance=SUBJECT.assurance.with_proof(Proof(Method.SMART_CARD, AT)))
    assert read(assertions, assertions.of(stronger, AT)).claims["acr"] == "card"
    assert read(assertions, mine).claims["acr"] == "mfa"


def test_the_store_is_bounded(assertions):
    assertions._minted = {str(number): (SUBJECT.assurance, 0.0, b"") for number in range(100_000)}
    assertions.of(SUBJECT, AT)
    assert len(assertions._minted) == 1


def test_the_public_keys_hold_no_secret_and_check_nothing_forged(assertions, key_file):
    public = assertions.jwks()["keys"][0]
    assert set(public) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    forger = Assertions(ECKey.generate_key("P-256"), "https://portail.example", "https://portal.internal")
    with pytest.raises((JoseError, ValueError)):
        read(assertions, forger.of(SUBJECT, AT))


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"rubbish", "not a private key"), ("public", "private key"), ("P-384", "P-256")],
)
def test_D3_a_key_that_cannot_sign_stops_the_start(tmp_path, key_file, content, said):
    path = tmp_path / "key.pem"
    if content == "public":
        content = load_assertion_key(key_file).as_pem(private=False)
    elif content == "P-384":
        content = ECKey.generate_key("P-384").as_pem(private=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StartError, match=said) as caught:
        load_assertion_key(path)
    assert str(path) in str(caught.value)


def test_it_names_the_holder_of_a_shared_account_or_who_acts_for_him(assertions):
    named = replace(SUBJECT, holder="Claire Fontaine", session="s2")
    claims = read(assertions, assertions.of(named, AT)).claims
    assert claims["holder"] == "Claire Fontaine"
    assert "act" not in claims
    delegation = Delegation("d-1", "Lou Martin", frozenset(), AT + timedelta(days=1))
    acting = replace(SUBJECT, holder="Lou Martin", session="s3", delegation=delegation)
    claims = read(assertions, assertions.of(acting, AT)).claims
    assert claims["act"] == {"sub": "d-1", "name": "Lou Martin"}
    assert "holder" not in claims
    assert claims["sub"] == "750012346"


def test_it_tells_the_activity_that_was_chosen_never_an_earlier_one(assertions):
    here, there = Activity(structure="PHARMACIE A", finess="750012346"), Activity(structure="PHARMACIE B")
    first = replace(SUBJECT, activity=here)
    assert "activity" not in read(assertions, assertions.of(SUBJECT, AT)).claims
    for subject, told in ((first, here.told), (replace(first, activity=there), there.told)):
        assert read(assertions, assertions.of(subject, AT)).claims["activity"] == told
    assert "activity" not in read(assertions, assertions.of(replace(first, activity=None), AT)).claims
    delegation = Delegation("d-1", "Lou Martin", frozenset(), AT + timedelta(days=1))
    acting = replace(first, holder="Lou Martin", delegation=delegation)
    assert "activity" not in read(assertions, assertions.of(acting, AT)).claims
