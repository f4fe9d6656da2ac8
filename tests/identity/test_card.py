# SPDX-License-Identifier: EUPL-1.2
"""Cards: the real profile passes, each bad one is refused with its own reason, and no changed byte ever verifies."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st
from identity.bad_cards import AT, CPE, CPS, DAY, SUBJECTS, bad_cards, der, make_world
from identity.test_card_profile import tlv

from gateway.demo.card_pki import STRONG
from gateway.demo.card_responder import LIST_LIFE
from gateway.errors import Refused
from gateway.identity.card import CardType, verify_card
from gateway.identity.card_profile import elements
from gateway.model import Reason

WORLD = make_world()
TABLE = bad_cards(WORLD)
GOOD = der(WORLD.good())
TRUST, LISTS = WORLD.trust(), WORLD.lists()


def verify(certificate, chain=(), at=AT, trust=TRUST, lists=LISTS):
    return verify_card(certificate, chain, at, trust, lists)


@pytest.mark.parametrize("name", TABLE)
def test_E1_E2_E3_E5_each_bad_card_is_refused_with_its_own_reason(name):
    bad = TABLE[name]
    with pytest.raises(Refused) as refused:
        verify_card(bad.certificate, bad.chain, AT, bad.trust, bad.lists)
    assert refused.value.reason is bad.reason


def test_every_reason_of_a_card_is_met_in_the_table():
    due = {one for one in Reason if one.startswith("card-")} - {
        Reason.CARD_REQUIRED,
        Reason.CARD_UNKNOWN,
        Reason.CARD_OF_ANOTHER,
        Reason.CARD_TICKET_WRONG,
        Reason.CARD_MISSING,
        Reason.CARD_HANDSHAKE_FAILED,
        Reason.CARD_NOT_SET_UP,
    }
    assert {bad.reason for bad in TABLE.values()} == due
    assert len(SUBJECTS) > 20


def test_a_professional_is_read_from_the_card():
    certificate = WORLD.good()
    holder = verify(der(certificate))
    assert (holder.national_id, holder.rpps) == ("899700075122", "99700075122")
    assert (holder.given_name, holder.family_name, holder.title) == ("CAROLE", "PHARMACH0007512", "Pharmacien")
    assert holder.card_type is CardType.CPS
    assert holder.card_number == "8025000001/2600000001"
    assert holder.certificate == hashlib.sha256(der(certificate)).hexdigest()
    assert holder.not_after == certificate.not_valid_after_utc


def test_an_employee_is_read_from_the_card():
    card = WORLD.pki.issue(CPE, AT, key=lambda: WORLD.key)
    holder = verify(der(card.certificate))
    assert (holder.national_id, holder.rpps, holder.card_type) == ("30B0057881/CPET0002", None, CardType.CPE)
    assert holder.title == "Personnel santé ou social"


@pytest.mark.parametrize(
    ("kind", "number", "rpps"),
    [
        ("CPS", "810101010105", "10101010105"),
        ("CPF", "899700000005", "99700000005"),
        ("CPE", "3750012346/EMP0001", None),
        ("CPA", "375001234600012/A1", None),
        ("CPS", "0751123456", None),
    ],
)
def test_a_production_card_passes_in_production(kind, number, rpps):
    trust = WORLD.trust(sandbox=False)
    bearer = replace(CPS, kind=kind, common_name=number)
    certificate = WORLD.sign(WORLD.pki.draft(bearer, AT, test=False), WORLD.pki.issuer_of(kind))
    holder = verify(der(certificate), trust=trust, lists=WORLD.lists(trust=trust))
    assert (holder.card_type, holder.national_id, holder.rpps) == (kind, number, rpps)


def test_the_chain_may_come_along_and_may_be_missing():
    above = (der(WORLD.pki.people(STRONG).certificate), der(WORLD.pki.root(STRONG).certificate))
    assert verify(GOOD, above) == verify(GOOD, above[::-1]) == verify(GOOD)


def test_what_one_source_says_of_some_cards_is_allowed():
    draft = WORLD.pki.draft(CPS, AT)
    enciphering = x509.KeyUsage(True, False, True, False, False, False, False, False, False)
    both = replace(draft, extensions=draft.with_extension(enciphering, critical=True))
    without_names = replace(draft, extensions=draft.without_extension(x509.SubjectAlternativeName.oid))
    mail = x509.SubjectAlternativeName([x509.RFC822Name("carole@cabinet.example")])
    by_mail = replace(draft, extensions=draft.with_extension(mail))
    for one in (both, without_names, by_mail):
        assert verify(der(WORLD.sign(one))).rpps == "99700075122"


def test_the_ends_of_validity_are_exact():
    certificate = WORLD.good()
    lists = WORLD.lists()
    verify(der(certificate), at=certificate.not_valid_before_utc + DAY)
    for at, reason in (
        (certificate.not_valid_before_utc - timedelta(seconds=1), Reason.CARD_NOT_YET_VALID),
        (certificate.not_valid_after_utc + timedelta(seconds=1), Reason.CARD_EXPIRED),
    ):
        with pytest.raises(Refused) as refused:
            verify(der(certificate), at=at, lists=lists)
        assert refused.value.reason is reason


def test_E5_the_clock_moved_past_the_list_refuses_and_the_grace_is_bounded():
    past = AT + LIST_LIFE + timedelta(seconds=1)
    with pytest.raises(Refused, match="card-revocation-stale"):
        verify(der(WORLD.good()), at=past)
    assert verify(der(WORLD.good()), at=past, lists=WORLD.lists(grace=DAY)).rpps


def test_extensions_that_cannot_be_read_are_malformed():
    draft = WORLD.pki.draft(CPS, AT)
    broken = x509.UnrecognizedExtension(x509.KeyUsage.oid, b"\x05\x00")
    with pytest.raises(Refused, match="card-malformed"):
        verify(der(WORLD.sign(replace(draft, extensions=draft.with_extension(broken, critical=True)))))


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_no_byte_may_change(mask):
    for place in range(len(GOOD)):
        changed = bytearray(GOOD)
        changed[place] ^= mask
        with pytest.raises(Refused):
            verify(bytes(changed))


def test_the_unused_bits_of_a_signature_are_none():
    """A signature that ends in a 0 bit reads the same with or without it, in most libraries."""
    even = next(one for one in iter(lambda: der(WORLD.good()), None) if one[-1] % 2 == 0)
    assert verify(even)
    place = len(even) - 256 - 1  # RSA, 2048 bits: the byte before the signature says how many bits are unused
    assert even[place] == 0
    with pytest.raises(Refused, match="card-malformed"):
        verify(even[:place] + b"\x01" + even[place + 1 :])


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.parametrize("serial", [b"\x00", b"\x80" + b"\x01" * 15])
def test_a_serial_number_is_positive(serial):
    """Made by hand, since no builder makes one; signed by the authority, so that nothing else is wrong with it."""
    (_, body), (_, algorithm), _ = elements(elements(GOOD)[0][1])
    version, _, *rest = elements(body)
    fields = b"".join(tlv(*one) for one in (version, (0x02, serial), *rest))
    signed = tlv(0x30, fields)
    signature = WORLD.pki.people(STRONG).key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(Refused, match="card-malformed"):
        verify(tlv(0x30, signed + tlv(0x30, algorithm) + tlv(0x03, b"\0" + signature)))


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_flipping_any_bits_of_a_byte_never_verifies(place, mask):
    changed = bytearray(GOOD)
    changed[place] ^= mask
    with pytest.raises(Refused):
        verify(bytes(changed))


@given(st.data())
def test_cutting_doubling_and_moving_pieces_never_verifies(data):
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, len(GOOD)))
    target = data.draw(st.integers(0, len(GOOD)))
    changed = GOOD[:target] + GOOD[start:end] + GOOD[data.draw(st.integers(target, len(GOOD))) :]
    if changed != GOOD:
        with pytest.raises(Refused):
            verify(changed)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data):
    with pytest.raises(Refused):
        verify(data)
