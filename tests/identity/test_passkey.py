# SPDX-License-Identifier: EUPL-1.2
"""Passkeys against a soft authenticator that lies in one thing at a time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest

from gateway.errors import Refused
from gateway.identity.failures import Failures
from gateway.identity.passkey import Passkeys
from gateway.identity.passkey_challenge import LIFETIME
from gateway.identity.throttle import Throttle
from gateway.model import Method, Reason
from support.authenticator import UP, data, new_key, text
from support.passkey_house import BROWSER, DOCTOR, LIES, NETWORK, ORIGIN, PHARMACY, SESSION, refused


@pytest.mark.parametrize("algorithm", [-7, -8, -257])
def test_a_key_of_each_algorithm_opens_its_account(house, algorithm):
    key = house.key(algorithm=algorithm)
    house.add(key)
    account, proof = house.sign_in(key)
    assert (account, proof.method, proof.at) == (PHARMACY, Method.PASSKEY, house.at)
    assert house.step_up(key).method is Method.PASSKEY
    (kept,) = house.passkeys.table.of_account(PHARMACY)
    assert kept.last_used_at == house.at
    assert house.failed() == []


def test_what_the_browser_is_asked(house, mine):
    adding = house.passkeys.adding(PHARMACY, "Pharmacie", SESSION, house.at)
    assert adding["rp"]["id"] == "portail.example"
    assert [one["alg"] for one in adding["pubKeyCredParams"]] == [-7, -8, -257]
    assert adding["attestation"] == "none"
    assert adding["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert [data(one["id"]) for one in adding["excludeCredentials"]] == [mine.id]
    assert data(adding["user"]["id"]) == mine.handle
    assert PHARMACY.encode() not in mine.handle
    signing_in = house.passkeys.signing_in(BROWSER, house.at)
    assert (signing_in["allowCredentials"], signing_in["userVerification"]) == ([], "required")
    stepping_up = house.passkeys.stepping_up(PHARMACY, SESSION, house.at)
    assert [data(one["id"]) for one in stepping_up["allowCredentials"]] == [mine.id]
    assert house.passkeys.stepping_up(DOCTOR, SESSION, house.at)["allowCredentials"] == []


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_I9_an_assertion_that_lies_is_refused(house, mine, lie):
    assert refused(house.sign_in, mine, **lie) is Reason.PASSKEY_WRONG
    assert refused(house.step_up, mine, **lie) is Reason.PASSKEY_WRONG
    told = [] if "cross_origin" in lie else [PHARMACY]  # what cannot be an answer is none: nobody's try
    assert house.failed()[-1:] == told
    assert house.sign_in(mine)[0] == PHARMACY


def test_I9_a_signature_that_was_tampered_with_is_refused(house, mine):
    options = house.passkeys.signing_in(BROWSER, house.at)
    right = data(json.loads(mine.get(options))["response"]["signature"])
    for wrong in (right[:-1] + bytes([right[-1] ^ 1]), b"", right + b"\0"):
        assert refused(house.sign_in, mine, signature=wrong) is Reason.PASSKEY_WRONG
    assert refused(house.sign_in, mine, signed_by=new_key(-7)) is Reason.PASSKEY_WRONG
    head = mine._head("portail.example", {})
    assert refused(house.sign_in, mine, sent=head[:-1] + b"\x99") is Reason.PASSKEY_WRONG, "the counter is signed too"


def test_I9_a_counter_that_does_not_go_up_is_told(house, mine):
    house.sign_in(mine)
    assert mine.counter == 4
    assert refused(house.sign_in, mine, count=4) is Reason.PASSKEY_CLONED
    assert refused(house.step_up, mine, count=0) is Reason.PASSKEY_CLONED
    assert house.failed() == [PHARMACY, PHARMACY]
    assert refused(house.sign_in, mine, count=2, signed_by=new_key(-7)) is Reason.PASSKEY_WRONG, (
        "told only to its holder"
    )
    assert house.sign_in(mine, count=100)[0] == PHARMACY


def test_I9_a_challenge_works_once_for_one_purpose_in_one_place_and_five_minutes(house, mine):
    options = house.passkeys.signing_in(BROWSER, house.at)
    house.sign_in(mine, options)
    assert refused(house.sign_in, mine, options) is Reason.PASSKEY_EXPIRED
    spoilt = house.passkeys.signing_in(BROWSER, house.at)
    assert refused(house.sign_in, mine, spoilt, flags=UP) is Reason.PASSKEY_WRONG
    assert refused(house.sign_in, mine, spoilt) is Reason.PASSKEY_EXPIRED, "a wrong answer uses it up as well"
    assert refused(house.step_up, mine, options=house.passkeys.signing_in(BROWSER, house.at)) is Reason.PASSKEY_EXPIRED
    for other in (
        house.passkeys.signing_in("c" * 43, house.at),
        house.passkeys.stepping_up(PHARMACY, SESSION, house.at),
        {"rpId": "portail.example", "challenge": text(b"chosen by the attacker")},
        {"rpId": "portail.example", "challenge": ""},
    ):
        assert refused(house.sign_in, mine, other) is Reason.PASSKEY_EXPIRED
    for other in (
        house.passkeys.stepping_up(PHARMACY, "s2", house.at),
        house.passkeys.stepping_up(DOCTOR, SESSION, house.at),
    ):
        assert refused(house.step_up, mine, options=other) is Reason.PASSKEY_EXPIRED
    old = house.passkeys.signing_in(BROWSER, house.at)
    house.at += LIFETIME
    assert refused(house.sign_in, mine, old) is Reason.PASSKEY_EXPIRED
    assert house.failed() == [PHARMACY], "what answers no request of ours is no try"


def test_I9_the_key_of_another_account_proves_nothing(house, mine):
    theirs = house.key()
    house.add(theirs, DOCTOR)
    assert refused(house.step_up, theirs) is Reason.PASSKEY_WRONG
    assert refused(house.step_up, theirs, handle=mine.handle) is Reason.PASSKEY_WRONG
    assert house.step_up(mine, handle=None).method is Method.PASSKEY, "a security key may leave it out"
    assert refused(house.sign_in, mine, handle=theirs.handle) is Reason.PASSKEY_WRONG
    assert refused(house.sign_in, mine, handle=None) is Reason.PASSKEY_WRONG
    assert refused(house.step_up, mine, handle=theirs.handle) is Reason.PASSKEY_WRONG
    assert refused(house.sign_in, mine, id=theirs.id) is Reason.PASSKEY_WRONG
    assert house.passkeys.table.remove(DOCTOR, house.passkeys.table.of_account(PHARMACY)[0].reference) is False
    assert house.passkeys.table.rename(DOCTOR, house.passkeys.table.of_account(PHARMACY)[0].reference, "x") is False


def test_the_owner_of_an_answer_is_known_even_if_it_is_wrong(house, mine):
    options = house.passkeys.signing_in(BROWSER, house.at)
    assert house.passkeys.owner(mine.get(options, flags=UP)) == PHARMACY
    mine.id = b"somebody else's"
    assert house.passkeys.owner(mine.get(options)) is None


def test_I2_100_uses_of_one_assertion_are_one_success(house):
    key = house.key()  # without a counter: the challenge alone holds
    house.add(key)
    answer = key.get(house.passkeys.signing_in(BROWSER, house.at))

    async def rush():
        tries = (house.passkeys.sign_in(answer, BROWSER, NETWORK, house.at) for _ in range(100))
        return await asyncio.gather(*tries, return_exceptions=True)

    found = Counter(str(one.reason) if isinstance(one, Refused) else "in" for one in asyncio.run(rush()))
    assert found == {"in": 1, "passkey-expired": 99}


def test_I2_100_assertions_with_one_count_are_one_success(house, mine):
    throttle = Throttle(per_account=1000, per_network=10_000)
    passkeys = Passkeys(house.engine, ORIGIN, throttle, Unlimited(house.engine))
    answers = [mine.get(passkeys.signing_in(BROWSER, house.at), count=50) for _ in range(100)]

    async def rush():
        tries = (passkeys.sign_in(answer, BROWSER, NETWORK, house.at) for answer in answers)
        return await asyncio.gather(*tries, return_exceptions=True)

    found = Counter(str(getattr(one, "reason", "in")) for one in asyncio.run(rush()))
    assert found == {"in": 1, "passkey-cloned": 99}


class Unlimited(Failures):
    """Counts, and lets everybody try: for a race that is not decided by the limit."""

    def attempt(self, identifier, factor, at):
        return 0


def test_I3_failures_count_per_account_and_stop_the_tries(house, mine):
    for _ in range(5):
        assert refused(house.step_up, mine, flags=UP) is Reason.PASSKEY_WRONG
    assert refused(house.step_up, mine) is Reason.THROTTLED
    assert refused(house.sign_in, mine) is Reason.THROTTLED, "another way in, the same counter"
    house.at += timedelta(minutes=1, seconds=1)
    assert house.sign_in(mine)[0] == PHARMACY
    assert house.failed() == []


def test_I10_unknown_keys_are_counted_like_known_ones(house):
    stranger = house.key()
    stranger.create(house.passkeys.adding(PHARMACY, "", SESSION, house.at))
    reasons = [refused(house.sign_in, stranger) for _ in range(6)]
    assert reasons == [*[Reason.PASSKEY_WRONG] * 5, Reason.THROTTLED]
    other = house.key()
    other.create(house.passkeys.adding(PHARMACY, "", SESSION, house.at))
    assert refused(house.sign_in, other) is Reason.PASSKEY_WRONG, "each has its own counter"


def test_I5_the_throttle_counts_before_anything_is_used_up(house, mine):
    house.passkeys = Passkeys(house.engine, ORIGIN, Throttle(per_account=2, per_network=100), house.failures)
    house.sign_in(mine)
    house.sign_in(mine)
    options = house.passkeys.signing_in(BROWSER, house.at)
    assert refused(house.sign_in, mine, options) is Reason.THROTTLED
    house.passkeys._throttle = house.throttle
    assert house.sign_in(mine, options)[0] == PHARMACY


def test_a_lock_stops_a_key_and_is_told_to_its_holder_alone(house, mine):
    house.accounts.lock(PHARMACY, house.at)
    assert refused(house.sign_in, mine) is Reason.ACCOUNT_LOCKED
    assert refused(house.step_up, mine) is Reason.ACCOUNT_LOCKED
    assert refused(house.sign_in, mine, signed_by=new_key(-7)) is Reason.PASSKEY_WRONG
    assert house.failed() == [PHARMACY]
    house.accounts.unlock(PHARMACY, house.at)
    assert house.sign_in(mine)[0] == PHARMACY
