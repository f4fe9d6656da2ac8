# SPDX-License-Identifier: EUPL-1.2
"""The test PKI has the real profile; its cards pass our own check and OpenSSL's; and it says TEST everywhere."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from identity.bad_cards import AT, CPE, make_world

from gateway.demo.card_pki import PEOPLE, ROOT, STRONG, Authority, cast_bearers, new_key
from gateway.demo.card_responder import CardResponder, make_list
from gateway.demo.cast import CAST
from gateway.identity.card import CardType, verify_card
from gateway.identity.revocation import read_list

WORLD = make_world()
PKI = WORLD.pki


def issue(bearer):
    return PKI.issue(bearer, AT, key=lambda: WORLD.key)


def test_there_are_three_ranges_of_three_and_every_name_says_test():
    assert len(PKI.authorities) == 9
    assert {one.file for one in PKI.authorities.values()} >= {"ACR-FO-TEST", "ACI-FO-PP-TEST", "ACI-EL-ORG-TEST"}
    for (level, branch), one in PKI.authorities.items():
        name = one.certificate.subject.rfc4514_string()
        assert name.startswith("CN=TEST AC ")
        assert name.endswith(",OU=IGC-SANTE TEST,OU=0002 187512751,O=ASIP-SANTE,C=FR")
        constraints = one.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert constraints.critical
        assert constraints.value.path_length == (None if branch == ROOT else 0)
        one.certificate.verify_directly_issued_by(PKI.root(level).certificate)


def test_each_holder_of_the_cast_has_a_card_and_so_has_an_employee():
    trust, lists = WORLD.trust(), WORLD.lists()
    der = [issue(bearer).certificate.public_bytes(Encoding.DER) for bearer in cast_bearers()]
    holders = [verify_card(one, [], AT, trust, lists) for one in der]
    expected = [(holder.name.upper(), holder.rpps) for player in CAST for holder in player.holders]
    assert [(f"{one.given_name} {one.family_name}", one.rpps) for one in holders[:-1]] == expected
    assert holders[-1].card_type is CardType.CPE
    assert len({one.card_number for one in holders}) == len(holders)


def test_the_profile_is_the_real_one():
    """Field by field as in the real test card that domain 2.2 decodes."""
    card = issue(CPE).certificate
    found = {one.oid.dotted_string: one for one in card.extensions}
    assert [found[oid].value.value for oid in ("1.2.250.1.71.1.2.5", "1.2.250.1.71.1.2.2", "1.2.250.1.71.1.2.3")] == [
        b"\x04\x01\x80",
        b"\x02\x01\x02",
        b"\x13\x158025000001/2600301752",
    ]
    assert [oid for oid, one in found.items() if one.critical] == ["2.5.29.15"]
    purposes = {one.dotted_string for one in found["2.5.29.37"].value}
    assert purposes == {"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"}
    (name,) = found["2.5.29.17"].value
    assert name == x509.OtherName(
        x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x2030B0057881/CPET0002@carte-cps.fr"
    )
    assert [len(rdn) for rdn in card.subject.rdns] == [1, 1, 1, 1, 3]
    assert card.issuer.rfc4514_string().startswith("CN=TEST AC IGC-SANTE STANDARD PERSONNES")


@pytest.fixture
def files(tmp_path):
    def pem(name, *certificates):
        path = tmp_path / name
        path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
        return path

    return pem


def test_OpenSSL_reads_the_same_subject_and_validates_the_path_with_both_lists(files, tmp_path):
    card, root, issuer = issue(CPE).certificate, PKI.issuer_of("CPE"), PKI.authorities["STANDARD", ROOT]
    roots, above, leaf = (files(f"{n}.pem", c) for n, c in enumerate((issuer.certificate, root.certificate, card)))
    lists = tmp_path / "lists.pem"

    def write_lists(*revoked):
        made = [make_list(issuer, AT), make_list(root, AT, revoked)]
        lists.write_bytes(b"".join(x509.load_der_x509_crl(one).public_bytes(Encoding.PEM) for one in made))

    def openssl(*arguments):
        return subprocess.run(
            ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=20
        )

    check = ["verify", "-attime", int(AT.timestamp()), "-purpose", "sslclient", "-crl_check_all", "-x509_strict",
             "-CAfile", roots, "-untrusted", above, "-CRLfile", lists, leaf]  # fmt: skip
    write_lists()
    assert openssl(*check).returncode == 0, openssl(*check).stderr
    write_lists(card.serial_number)
    assert "certificate revoked" in openssl(*check).stderr
    told = openssl("x509", "-in", leaf, "-noout", "-subject", "-nameopt", "RFC2253,utf8").stdout
    assert "SN=ADMINISTRATIF-CH057880002" in told
    assert "+" in told


def test_keys_are_those_of_cards_and_never_print():
    key = new_key()
    assert (key.key_size, key.public_key().public_numbers().e) == (2048, 65537)
    assert "RSAPrivateKey" not in repr(Authority("x", PKI.root(STRONG).certificate, key)) + repr(issue(CPE))


def test_the_responder_serves_lists_and_answers_and_nothing_else():
    responder = CardResponder(PKI, lambda: AT)
    try:
        assert responder.site.startswith("http://127.0.0.1:")
        assert len(responder.addresses()) == 9
        assert responder.list_of("/CRL/../x") is None
        assert responder.answer(b"hello") is None
        crl = responder.list_of("/CRL/ACI-FO-PP-TEST.crl")
        kept = read_list(crl, WORLD.trust(), AT)
        assert kept.issuer == PKI.authorities[STRONG, PEOPLE].certificate.subject.public_bytes()
        assert kept.next_update - kept.this_update == timedelta(days=7)
    finally:
        responder._server.server_close()
