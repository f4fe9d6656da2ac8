# SPDX-License-Identifier: EUPL-1.2
"""New keys: which are taken, and what a browser may send that is none."""

from __future__ import annotations

import asyncio

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.model import Reason
from support.authenticator import AT, UP, UV, cose, new_key, sign
from support.passkey_house import BROWSER, DOCTOR, LIES, NETWORK, PHARMACY, SESSION, refused


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_I9_a_registration_that_lies_is_refused(house, lie):
    lie = lie if "flags" not in lie else {"flags": lie["flags"] | AT}
    if "raw_id" in lie:
        lie = {"id": b"x" * 32, "raw_id": b"y" * 32}
    assert refused(house.add, house.key(), **lie) is Reason.PASSKEY_WRONG
    assert house.passkeys.table.of_account(PHARMACY) == []


def test_I9_a_registration_needs_a_challenge_of_its_session(house):
    adding = house.passkeys.adding(PHARMACY, "", SESSION, house.at)
    answer = house.key().create(adding)
    assert refused(house.passkeys.check_new, PHARMACY, answer, "s2", house.at) is Reason.PASSKEY_EXPIRED
    assert refused(house.passkeys.check_new, DOCTOR, answer, SESSION, house.at) is Reason.PASSKEY_EXPIRED
    house.passkeys.check_new(PHARMACY, answer, SESSION, house.at)
    assert refused(house.passkeys.check_new, PHARMACY, answer, SESSION, house.at) is Reason.PASSKEY_EXPIRED


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        (-36, new_key(-36)),
        (-65535, new_key(-65535)),
        (-7, new_key(-7, curve=ec.SECP384R1())),
        (-257, new_key(-257, bits=1024)),
    ],
    ids=["ES512", "RS1", "ES256 on P-384", "RSA of 1024 bits"],
)
def test_I9_another_algorithm_is_refused_whatever_the_browser_did(house, algorithm, key):
    assert refused(house.add, house.key(algorithm=algorithm, key=key)) is Reason.PASSKEY_WRONG


def test_I9_a_key_that_is_none_is_refused(house):
    point = cose(new_key(-7), -7)
    huge = {1: 3, 3: -257, -1: b"\xff" * 520, -2: b"\1\0\1"}
    slow = cose(new_key(-257), -257) | {-2: b"\xff" * 16}
    wrong_curve = cose(new_key(-8), -8) | {-1: 7}
    for public in ({**point, -3: bytes(32)}, huge, slow, wrong_curve, {1: 2, 3: -7}, [], {}, 4):
        assert refused(house.add, house.key(), public_key=cbor2.dumps(public)) is Reason.PASSKEY_WRONG, public


def test_only_an_attestation_that_says_nothing_is_taken(house):
    own = house.key()

    def by_itself(message):
        return {"alg": -7, "sig": sign(own.key, -7, message)}

    house.add(own, format="packed", statement=by_itself)
    chain = {"format": "packed", "statement": lambda _: {"alg": -7, "sig": b"x", "x5c": [b"y"]}}
    wrong = {"format": "packed", "statement": lambda _: {"alg": -7, "sig": b"x"}}
    for lie in (chain, wrong, {"format": "fido-u2f"}, {"format": "tpm"}, {"format": 7}, {"flags": UP | UV}):
        assert refused(house.add, house.key(), **lie) is Reason.PASSKEY_WRONG
    assert refused(house.add, house.key(id=b"x" * 1024)) is Reason.PASSKEY_WRONG
    assert refused(house.add, house.key(id=b"")) is Reason.PASSKEY_WRONG


@pytest.mark.parametrize(
    "answer",
    [
        *("", "{", "[]", "null", "7", "{}", '{"id": 1}', "[" * 5000, "\ud800"),
        '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "AA", "signature": "AA"}}',
        '{"id": "AA", "rawId": "AA", "type": "x", "response": {}}',
    ],
)
def test_what_is_no_answer_is_refused(house, answer):
    sign_in = house.passkeys.sign_in(answer, BROWSER, NETWORK, house.at)
    assert refused(asyncio.run, sign_in) is Reason.PASSKEY_WRONG
    assert refused(house.passkeys.check_new, PHARMACY, answer, SESSION, house.at) is Reason.PASSKEY_WRONG
    assert house.passkeys.owner(answer) is None
