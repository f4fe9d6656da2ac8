# SPDX-License-Identifier: EUPL-1.2
"""OCSP answers: only the certificate's own authority, or its responder, is believed, about this certificate and now."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st
from identity.bad_cards import AT, DAY, make_world
from identity.test_card_profile import tlv

from gateway.demo.card_pki import STANDARD, STRONG, Authority, Draft, sign
from gateway.demo.card_responder import ANSWER_LIFE, make_answer
from gateway.errors import Refused
from gateway.identity.card import verify_card
from gateway.identity.card_profile import elements
from gateway.identity.ocsp import Answer, question, read_answer
from gateway.identity.revocation import RevocationError, RevocationLists, Standing

WORLD = make_world()
ISSUER = WORLD.pki.people(STRONG)
CARD = WORLD.good()
SECOND = timedelta(seconds=1)


def read(answer, at=AT, card=CARD):
    return read_answer(answer, card, ISSUER.certificate, at)


def answer(**more):
    return make_answer(ISSUER, CARD, AT, **{"revoked": False, **more})


def responder(purpose=ExtendedKeyUsageOID.OCSP_SIGNING, by=ISSUER, until=AT + DAY, key=WORLD.key) -> Authority:
    extensions = () if purpose is None else ((x509.ExtendedKeyUsage([purpose]), False),)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "OCSP")])
    return Authority("", sign(Draft(name, AT - DAY, until, extensions), by, key), key)


def single(status=ocsp.OCSPCertStatus.GOOD, ends=AT + ANSWER_LIFE, digest=None, begins=AT) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        CARD, ISSUER.certificate, hashes.SHA256(), status, begins, ends, None, None
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, ISSUER.certificate)
    return builder.sign(ISSUER.key, digest or hashes.SHA256()).public_bytes(Encoding.DER)


def borrowed(named, by=None) -> bytes:
    """An answer that carries the certificate of one key and the signature of another."""
    card = responder(key=named)
    signer = responder(key=by or ec.generate_private_key(ec.SECP256R1()))
    made = answer(signer=signer)
    old, new = (one.certificate.public_bytes(Encoding.DER) for one in (signer, card))
    outer = elements(elements(made)[0][1])
    content = elements(outer[1][1])[0][1]
    kind, basic = elements(content)
    body, algorithm, signature, _ = elements(elements(basic[1])[0][1])
    certificates = tlv(0xA0, tlv(0x30, new))
    assert old in basic[1]
    whole = tlv(0x30, b"".join(tlv(*one) for one in (body, algorithm, signature)) + certificates)
    inner = tlv(0x30, tlv(*kind) + tlv(0x04, whole))
    return tlv(0x30, tlv(*outer[0]) + tlv(0xA0, inner))


def test_a_question_names_the_card_and_its_authority():
    asked = ocsp.load_der_ocsp_request(question(CARD, ISSUER.certificate))
    assert asked.serial_number == CARD.serial_number
    assert asked.issuer_key_hash == x509.SubjectKeyIdentifier.from_public_key(ISSUER.key.public_key()).digest


@pytest.mark.parametrize("revoked", [True, False])
@pytest.mark.parametrize("signer", [None, responder(), responder(key=ec.generate_private_key(ec.SECP256R1()))])
def test_an_answer_of_the_authority_or_its_responder_is_read(revoked, signer):
    expected = Answer(ISSUER.certificate.subject.public_bytes(), CARD.serial_number, revoked, AT, AT + ANSWER_LIFE)
    assert read(answer(revoked=revoked, signer=signer)) == expected


@pytest.mark.parametrize(
    ("made", "fault"),
    {
        "not an answer": (b"hello", "malformed"),
        "cut short": (answer()[:-1], "malformed"),
        "try later": (
            ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER),
            "status-unknown",
        ),
        "status unknown": (single(ocsp.OCSPCertStatus.UNKNOWN), "status-unknown"),
        "about another card": (make_answer(ISSUER, WORLD.good(), AT, revoked=False), "other-certificate"),
        "of an authority of another range": (
            make_answer(WORLD.pki.people(STANDARD), CARD, AT, revoked=False),
            "signature-wrong",
        ),
        "signed by another key": (borrowed(WORLD.key), "signature-wrong"),
        "signature broken": (answer()[:-1] + bytes([answer()[-1] ^ 1]), "signature-wrong"),
        "signed over SHA-224": (single(digest=hashes.SHA224()), "weak-hash"),
        "by a certificate for sign-in": (
            answer(signer=responder(ExtendedKeyUsageOID.CLIENT_AUTH)),
            "signer-not-allowed",
        ),
        "by a certificate for anything": (answer(signer=responder(None)), "signer-not-allowed"),
        "by a card": (answer(signer=Authority("", CARD, WORLD.key)), "signer-not-allowed"),
        "by a responder of another authority": (
            answer(signer=responder(by=WORLD.pki.people(STANDARD))),
            "signer-not-allowed",
        ),
        "by a responder past its dates": (answer(signer=responder(until=AT - SECOND)), "signer-not-allowed"),
        "without an end": (single(ends=None), "end-missing"),
        "past its end": (single(begins=AT - DAY, ends=AT - SECOND), "expired"),
        "of tomorrow": (make_answer(ISSUER, CARD, AT + DAY, revoked=False), "from-the-future"),
    }.values(),
)
def test_any_other_answer_is_refused_with_its_reason(made, fault):
    with pytest.raises(RevocationError) as refused:
        read(made)
    assert refused.value.fault == fault


def test_a_key_of_another_kind_signs_nothing():
    with pytest.raises(RevocationError, match="signature-wrong"):
        read(borrowed(ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())))


def standing(lists, at=AT):
    return lists.standing(CARD, ISSUER.certificate, at)


def test_E5_a_fresh_answer_stands_in_for_a_list_that_is_stale_and_ages_too():
    lists = WORLD.lists(age=30 * DAY)
    assert standing(lists) is Standing.STALE
    lists.keep_answer(read(answer()))
    assert standing(lists) is Standing.GOOD
    assert standing(lists, AT + ANSWER_LIFE + SECOND) is Standing.STALE


def test_either_source_revokes_whatever_the_other_says():
    by_list = WORLD.lists(CARD)
    by_list.keep_answer(read(answer()))
    by_answer = WORLD.lists()
    by_answer.keep_answer(read(answer(revoked=True)))
    assert standing(by_list) is standing(by_answer) is Standing.REVOKED
    assert standing(by_answer, AT + 2 * ANSWER_LIFE) is Standing.REVOKED
    with pytest.raises(Refused, match="card-revoked"):
        verify_card(CARD.public_bytes(Encoding.DER), [], AT, WORLD.trust(), by_answer)


def test_E5_an_older_answer_never_takes_the_place_of_a_newer_one():
    lists = WORLD.lists()
    lists.keep_answer(read(answer(revoked=True)))
    with pytest.raises(RevocationError, match="older-than-kept"):
        lists.keep_answer(read(make_answer(ISSUER, CARD, AT - SECOND, revoked=False)))
    assert standing(lists) is Standing.REVOKED


def test_answers_are_kept_in_a_bounded_number():
    lists = RevocationLists(WORLD.trust())
    for serial in range(1, 5000):
        lists.keep_answer(Answer(b"x", serial, False, AT, AT + DAY))
    lists.keep_answer(read(answer()))
    assert standing(lists) is Standing.GOOD
    assert len(lists._answers) == 4096


GOOD = answer()


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_flipping_any_bits_of_an_answer_changes_nothing_it_says(place, mask):
    """The outer status and the certificates beside the signature may change; what is signed may not."""
    changed = bytearray(GOOD)
    changed[place] ^= mask
    with suppress(RevocationError):
        assert read(bytes(changed)) == read(GOOD)
