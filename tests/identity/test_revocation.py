# SPDX-License-Identifier: EUPL-1.2
"""E2, E5: which revocation lists are kept, that none takes the place of a newer one, and how they age."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from identity.bad_cards import AT, DAY, Keys, make_world

from gateway.demo.card_pki import ELEMENTARY, STRONG, Authority, Draft, make_card_pki, sign, usage
from gateway.demo.card_responder import ANSWER_LIFE, LIST_LIFE, make_answer, make_list
from gateway.errors import StartError
from gateway.identity.ocsp import read_answer
from gateway.identity.revocation import RevocationError, RevocationLists, Standing, read_list
from gateway.identity.trust import CardTrust

WORLD = make_world()
PKI = WORLD.pki
ISSUER, ROOT = PKI.people(STRONG), PKI.root(STRONG)
CARD = WORLD.good()
SECOND = timedelta(seconds=1)


def standing(lists, at=AT, card=CARD):
    return lists.standing(card, ISSUER.certificate, at)


def raw_list(*, after=LIST_LIFE, number: int | None = 7, hash_=None) -> bytes:
    builder = x509.CertificateRevocationListBuilder(ISSUER.certificate.subject, AT, AT + after)
    if number is not None:
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
    return builder.sign(ISSUER.key, hash_ or hashes.SHA256()).public_bytes(Encoding.DER)


def may_not_sign() -> CardTrust:
    """The same authority and key, by a certificate without cRLSign."""
    draft = Draft(ISSUER.certificate.subject, AT - DAY, AT + DAY, ((usage(digital_signature=True), True),))
    return CardTrust((ROOT.certificate,), (sign(draft, ROOT, ISSUER.key),), sandbox=True)


def without_usage() -> CardTrust:
    draft = Draft(ISSUER.certificate.subject, AT - DAY, AT + DAY, ())
    return CardTrust((ROOT.certificate,), (sign(draft, ROOT, ISSUER.key),), sandbox=True)


def scope(**what) -> tuple[x509.ExtensionType, bool]:
    usual = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**{**usual, **what}), True


PLACE = [x509.UniformResourceIdentifier("http://crl.example/1.crl")]
OWN = [x509.UniformResourceIdentifier(f"{PKI.site}/CRL/{ISSUER.file}.crl")]
STRANGER = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
FORGER = Authority("", ISSUER.certificate, WORLD.key)
OTHER = make_card_pki(AT, key=Keys(24))
BAD_LISTS = {
    "not a list": (b"hello", "malformed"),
    "empty": (b"", "malformed"),
    "cut short": (raw_list()[:-1], "malformed"),
    "followed by a byte": (raw_list() + b"\0", "malformed"),
    "a certificate": (CARD.public_bytes(Encoding.DER), "malformed"),
    "of an authority that is not ours": (make_list(PKI.people(ELEMENTARY), AT), "issuer-unknown"),
    "signed by another key in the issuer's name": (make_list(FORGER, AT), "signature-wrong"),
    "signed by an authority of the same name": (make_list(OTHER.people(STRONG), AT), "signature-wrong"),
    "signature broken": (raw_list()[:-1] + bytes([raw_list()[-1] ^ 1]), "signature-wrong"),
    "signed over SHA-1": (raw_list(hash_=hashes.SHA224()), "weak-hash"),
    "a delta": (make_list(ISSUER, AT, extensions=[(x509.DeltaCRLIndicator(1), True)]), "delta"),
    "indirect": (make_list(ISSUER, AT, extensions=[scope(indirect_crl=True)]), "indirect"),
    "of a relative name": (
        make_list(
            ISSUER, AT, extensions=[scope(relative_name=x509.RelativeDistinguishedName(ISSUER.certificate.subject))]
        ),
        "partitioned",
    ),
    "of a point and people alone": (
        make_list(ISSUER, AT, extensions=[scope(full_name=OWN, only_contains_user_certs=True)]),
        "partitioned",
    ),
    "of a point and authorities alone": (
        make_list(ISSUER, AT, extensions=[scope(full_name=OWN, only_contains_ca_certs=True)]),
        "partitioned",
    ),
    "of a point that has no address": (
        make_list(ISSUER, AT, extensions=[scope(full_name=[x509.DirectoryName(ISSUER.certificate.subject)])]),
        "partitioned",
    ),
    "indirect, of a point": (
        make_list(ISSUER, AT, extensions=[scope(full_name=OWN, indirect_crl=True)]),
        "indirect",
    ),
    "of people alone": (make_list(ISSUER, AT, extensions=[scope(only_contains_user_certs=True)]), "partitioned"),
    "of one reason": (
        make_list(ISSUER, AT, extensions=[scope(only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))]),
        "partitioned",
    ),
    "unknown critical extension": (make_list(ISSUER, AT, extensions=[(STRANGER, True)]), "extension-unknown"),
    "without a number": (raw_list(number=None), "number-missing"),
    "of tomorrow": (make_list(ISSUER, AT + DAY), "from-the-future"),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_E2_a_bad_list_is_refused_with_its_reason_and_changes_nothing(name):
    crl, fault = BAD_LISTS[name]
    lists = RevocationLists(WORLD.trust())
    with pytest.raises(RevocationError) as refused:
        lists.accept(crl, AT)
    assert refused.value.fault == fault
    assert standing(lists) is Standing.STALE


def test_E2_only_who_may_sign_lists_may_sign_this_one():
    for trust in (may_not_sign(), without_usage()):
        with pytest.raises(RevocationError, match="signer-not-allowed"):
            read_list(raw_list(), trust, AT)


def test_E2_a_list_without_an_end_never_ages_and_is_refused():
    """The builder cannot leave nextUpdate out, so the list is put together by hand."""
    with pytest.raises(RevocationError, match="end-missing"):
        read_list(without_end(), WORLD.trust(), AT)


def without_end() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import padding
    from identity.test_card_profile import tlv

    from gateway.identity.card_profile import elements

    whole = elements(raw_list())[0][1]
    (_, body), (_, algorithm), _ = elements(whole)
    parts = elements(body)
    ends = next(place for place, (tag, _) in enumerate(parts) if tag == 0x17) + 1
    shorter = tlv(0x30, b"".join(tlv(tag, content) for place, (tag, content) in enumerate(parts) if place != ends))
    signature = ISSUER.key.sign(shorter, padding.PKCS1v15(), hashes.SHA256())
    return tlv(0x30, shorter + tlv(0x30, algorithm) + tlv(0x03, b"\0" + signature))


def test_what_a_list_names_is_revoked_and_nothing_else():
    lists = WORLD.lists(CARD)
    assert standing(lists) is Standing.REVOKED
    assert standing(lists, card=WORLD.good()) is Standing.GOOD
    assert lists.standing(ISSUER.certificate, ROOT.certificate, AT) is Standing.GOOD


def test_the_same_number_of_another_authority_is_not_revoked():
    lists = WORLD.lists()
    lists.accept(make_list(ROOT, AT, [CARD.serial_number]), AT)
    assert standing(lists) is Standing.GOOD


def test_E5_an_older_list_never_takes_the_place_of_a_newer_one():
    lists = RevocationLists(WORLD.trust())
    lists.accept(make_list(ISSUER, AT, [CARD.serial_number], number=9), AT)
    for crl in (
        make_list(ISSUER, AT - DAY, number=8),
        make_list(ISSUER, AT, number=8),
        make_list(ISSUER, AT - SECOND, number=9),
        make_list(ISSUER, AT - DAY, number=10),
    ):
        with pytest.raises(RevocationError, match="older-than-kept"):
            lists.accept(crl, AT)
        assert standing(lists) is Standing.REVOKED
    lists.accept(make_list(ISSUER, AT, number=9), AT)
    lists.accept(make_list(ISSUER, AT + SECOND, number=10), AT + SECOND)
    assert standing(lists, AT + SECOND) is Standing.GOOD


def test_E5_a_list_ages_by_its_own_end_whenever_it_was_fetched():
    crl = make_list(ISSUER, AT)
    lists = RevocationLists(WORLD.trust())
    lists.accept(crl, AT)
    assert standing(lists, AT + LIST_LIFE) is Standing.GOOD
    assert standing(lists, AT + LIST_LIFE + SECOND) is Standing.STALE
    lists.accept(crl, AT + LIST_LIFE)
    assert standing(lists, AT + LIST_LIFE + SECOND) is Standing.STALE


def test_E5_a_clock_set_back_proves_no_freshness():
    lists = WORLD.lists()
    assert standing(lists, AT - timedelta(minutes=4)) is Standing.GOOD
    assert standing(lists, AT - timedelta(minutes=6)) is Standing.STALE


def test_E5_an_answer_proves_no_freshness_to_a_clock_set_back():
    lists = RevocationLists(WORLD.trust())
    answer = make_answer(ISSUER, CARD, AT, revoked=False)
    lists.keep_answer(read_answer(answer, CARD, ISSUER.certificate, AT))
    assert standing(lists, AT - timedelta(minutes=4)) is Standing.GOOD
    assert standing(lists, AT - timedelta(minutes=6)) is Standing.STALE
    assert standing(lists, AT + ANSWER_LIFE + SECOND) is Standing.STALE


def test_a_list_past_its_end_still_revokes():
    lists = RevocationLists(WORLD.trust())
    lists.accept(make_list(ISSUER, AT - 2 * LIST_LIFE, [CARD.serial_number]), AT)
    assert standing(lists) is Standing.REVOKED
    assert standing(lists, card=WORLD.good()) is Standing.STALE


def test_the_grace_is_bounded_and_logged(caplog):
    lists = WORLD.lists(grace=DAY)
    with caplog.at_level(logging.WARNING, "gateway.revocation"):
        assert standing(lists, AT + LIST_LIFE) is Standing.GOOD
        assert caplog.messages == []
        assert standing(lists, AT + LIST_LIFE + DAY) is Standing.GRACE
    assert caplog.messages == ["card-revocation-grace"]
    assert standing(lists, AT + LIST_LIFE + DAY + SECOND) is Standing.STALE
    assert standing(WORLD.lists(CARD, grace=DAY), AT + LIST_LIFE + DAY) is Standing.REVOKED


@pytest.mark.parametrize("grace", [timedelta(hours=48, seconds=1), -SECOND])
def test_a_grace_out_of_its_bounds_stops_the_start(grace):
    with pytest.raises(StartError, match="0 to 48 hours"):
        RevocationLists(WORLD.trust(), grace=grace)


def test_the_status_tells_each_authority():
    lists = RevocationLists(WORLD.trust())
    lists.accept(make_list(ISSUER, AT, number=5), AT)
    lines = {one.authority.split(",")[0].removeprefix("CN=TEST "): one for one in lists.status(AT)}
    assert len(lines) == 4
    told = lines["AC IGC-SANTE FORT PERSONNES"]
    assert (told.number, told.this_update, told.next_update) == (5, AT, AT + LIST_LIFE)
    assert told.standing is Standing.GOOD
    assert lines["AC RACINE IGC-SANTE FORT"].standing is Standing.STALE
    assert lines["AC RACINE IGC-SANTE FORT"].number is None


GOOD_LIST = make_list(ISSUER, AT, [CARD.serial_number])


@given(st.integers(0, len(GOOD_LIST) - 1), st.integers(1, 255))
def test_flipping_any_bits_of_a_list_never_verifies(place, mask):
    changed = bytearray(GOOD_LIST)
    changed[place] ^= mask
    with pytest.raises(RevocationError):
        read_list(bytes(changed), WORLD.trust(), AT)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=8))
def test_E5_in_any_order_of_arrival_the_newest_kept_list_rules(arrivals):
    lists, kept = RevocationLists(WORLD.trust()), None
    for number, minute, revoked in arrivals:
        made = AT - timedelta(minutes=minute)
        crl = make_list(ISSUER, made, [CARD.serial_number] if revoked else [], number=number)
        try:
            lists.accept(crl, AT)
        except RevocationError:
            assert kept is not None
            assert number < kept[0] or made < kept[1]
        else:
            assert kept is None or (number >= kept[0] and made >= kept[1])
            kept = (number, made, revoked)
    if kept is not None:
        assert standing(lists) is (Standing.REVOKED if kept[2] else Standing.GOOD)
