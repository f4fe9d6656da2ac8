# SPDX-License-Identifier: EUPL-1.2
"""Which authorities are taken up: those pinned for their mode, whole and in force; anything else stops the start."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID
from identity.bad_cards import AT, DAY, Keys, der, make_world

from gateway.demo.card_pki import ELEMENTARY, ORGANISATIONS, PEOPLE, RANGES, ROOT, STANDARD, STRONG, make_card_pki
from gateway.errors import StartError
from gateway.identity.trust import IGC_SANTE, assemble, check_pinned, load_trust

WORLD = make_world()
PKI = WORLD.pki


def pin(authority) -> str:
    return authority.certificate.fingerprint(hashes.SHA256()).hex()


PINS = frozenset(pin(one) for one in PKI.authorities.values())


@pytest.fixture
def folder(tmp_path):
    """The three ranges' authorities of people with their roots, as DER files, beside a page to read."""
    for level in (ELEMENTARY, STANDARD, STRONG):
        for branch in (ROOT, PEOPLE):
            put(tmp_path, PKI.authorities[level, branch])
    (tmp_path / "README.md").write_text("Where these come from.")
    (tmp_path / ".gitignore").write_text("*")
    return tmp_path


def put(folder, authority):
    (folder / f"{authority.file}.cer").write_bytes(der(authority.certificate))


def load(folder, **more):
    return load_trust(folder, **{"sandbox": True, "fingerprints": PINS, "at": AT, **more})


def names(certificates) -> set[str]:
    return {one.subject.rfc4514_string().split(",")[0] for one in certificates}


def test_roots_and_authorities_of_people_are_taken_up(folder):
    trust = load(folder)
    assert len(trust.roots) == len(trust.intermediates) == 3
    assert names(trust.intermediates) == {f"CN=TEST AC IGC-SANTE {one} PERSONNES" for one in RANGES}
    assert trust.sandbox
    assert len(trust.authorities()) == 6


def test_a_TLS_trust_store_takes_them(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_verify_locations(cadata=b"".join(load(folder).ssl_context_anchors()))
    assert context.cert_store_stats()["x509_ca"] == 6


def test_authorities_of_organisations_issue_no_cards(folder):
    before = load(folder)
    put(folder, PKI.authorities[ELEMENTARY, ORGANISATIONS])
    assert load(folder).intermediates == before.intermediates


def test_PEM_and_the_published_bundle_are_read_too(tmp_path):
    chain = [PKI.root(STRONG).certificate, PKI.people(STRONG).certificate]
    (tmp_path / "all.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    (tmp_path / "der.p7b").write_bytes(pkcs7.serialize_certificates(chain, Encoding.DER))
    (tmp_path / "pem.p7b").write_bytes(pkcs7.serialize_certificates(chain, Encoding.PEM))
    trust = load(tmp_path)
    assert (len(trust.roots), len(trust.intermediates)) == (1, 1)


def test_the_folder_may_list_its_own_fingerprints_in_the_sandbox(folder):
    lines = [f"{pin(one)}  {one.file}\n" for one in PKI.authorities.values()]
    (folder / "fingerprints.txt").write_text("\n".join(lines))
    assert load(folder, fingerprints=frozenset()).roots
    (folder / "fingerprints.txt").write_text("".join(lines[1:]))
    with pytest.raises(StartError, match=re.escape(pin(PKI.root(ELEMENTARY)))):
        load(folder, fingerprints=frozenset())


@pytest.mark.parametrize("content", [b"hello\n", b"\xff\n", b"ABCD  x\n"])
def test_a_list_of_fingerprints_that_is_none_stops_the_start(folder, content):
    (folder / "fingerprints.txt").write_bytes(content)
    with pytest.raises(StartError, match="SHA-256"):
        load(folder)


def test_D3_an_absent_or_empty_folder_stops_the_start(tmp_path):
    with pytest.raises(StartError, match="No such file"):
        load(tmp_path / "absent")
    with pytest.raises(StartError, match="PERSONNES"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.cer", b"hello", "no certificate"),
        ("x.cer", b"", "no certificate"),
        ("x.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"),
        ("x.p7b", b"hello", "no certificate"),
        ("x.cert", b"hello", "another kind"),
        ("x.key", b"hello", "another kind"),
    ],
)
def test_D3_a_file_that_cannot_be_read_stops_the_start(folder, name, content, told):
    (folder / name).write_bytes(content)
    with pytest.raises(StartError, match=told) as stopped:
        load(folder)
    assert name in str(stopped.value)
    assert "certs/README.md" in str(stopped.value)


def test_D3_a_folder_in_the_place_of_a_file_stops_the_start(folder):
    (folder / "x.cer").mkdir()
    with pytest.raises(StartError, match="directory"):
        load(folder)


@pytest.mark.parametrize("at", [AT - 2 * DAY, AT + timedelta(days=3651)])
def test_D3_an_authority_out_of_its_dates_stops_the_start(folder, at):
    with pytest.raises(StartError, match="expected one valid on"):
        load(folder, at=at)


def test_an_unknown_fingerprint_stops_the_start(folder):
    with pytest.raises(StartError, match="known fingerprints"):
        load(folder, fingerprints=PINS - {pin(PKI.people(STRONG))})


def test_an_authority_without_its_root_stops_the_start(folder):
    (folder / "ACR-FO-TEST.cer").unlink()
    with pytest.raises(StartError, match="without a root"):
        load(folder)


def test_a_root_that_signed_nothing_is_no_root(folder):
    """Same name, other key: the authority below is not its own."""
    other = make_card_pki(AT, key=Keys(24))
    put(folder, other.root(STRONG))
    pins = PINS | {pin(other.root(STRONG))}
    with pytest.raises(StartError, match="without a root"):
        load(folder, fingerprints=pins)


def test_test_authorities_never_stand_in_production(folder):
    with pytest.raises(StartError, match="test authority"):
        load_trust(folder, sandbox=False, fingerprints=PINS, at=AT)
    (folder / "fingerprints.txt").write_text("".join(f"{one}  x\n" for one in PINS))
    with pytest.raises(StartError, match="test authority"):
        load_trust(folder, sandbox=False, at=AT)


def production_like():
    """An authority under a production name. Its fingerprint is of course not the published one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "AC RACINE IGC-SANTE FORT")])
    builder = x509.CertificateBuilder(name, name, WORLD.key.public_key(), 7, AT - DAY, AT + DAY)
    return builder.sign(WORLD.key, hashes.SHA256())


def test_production_takes_the_published_fingerprints_alone(tmp_path):
    """Neither a list in the folder nor one in the settings adds to them."""
    one = production_like()
    (tmp_path / "ACR-FO.cer").write_bytes(der(one))
    digest = one.fingerprint(hashes.SHA256()).hex()
    (tmp_path / "fingerprints.txt").write_text(f"{digest}  x\n")
    published = one.fingerprint(hashes.SHA1()).hex()
    with pytest.raises(StartError, match="known fingerprints"):
        load_trust(tmp_path, sandbox=False, fingerprints=frozenset({digest, published}), at=AT)
    check_pinned(tmp_path, one, frozenset({published}), sandbox=False)


def test_the_table_of_production_is_that_of_the_published_annex():
    assert len(IGC_SANTE) == len(set(IGC_SANTE.values())) == 9
    assert all(re.fullmatch("[0-9a-f]{40}", one) for one in IGC_SANTE)
    assert IGC_SANTE["bbe751c8b107acd29f7d12e0fcdd717e00138764"] == "AC RACINE IGC-SANTE FORT"
    assert IGC_SANTE["aa6131e760b95622c0f4c2aa9d985002c21f3a0c"] == "AC IGC-SANTE FORT PERSONNES"
    assert not any("TEST" in name for name in IGC_SANTE.values())


def test_production_authorities_never_stand_in_the_sandbox(tmp_path, monkeypatch):
    one = production_like()
    monkeypatch.setitem(IGC_SANTE, one.fingerprint(hashes.SHA1()).hex(), "AC RACINE IGC-SANTE FORT")
    with pytest.raises(StartError, match="production authority"):
        check_pinned(tmp_path, one, frozenset({one.fingerprint(hashes.SHA256()).hex()}), sandbox=True)


def test_without_a_time_the_clock_is_read(tmp_path):
    past = make_card_pki(datetime(2010, 1, 1, tzinfo=UTC), key=Keys())
    put(tmp_path, past.root(STRONG))
    with pytest.raises(StartError, match="expected one valid on"):
        load_trust(tmp_path, sandbox=True, fingerprints=frozenset({pin(past.root(STRONG))}))


def test_sorting_alone_needs_an_authority_of_people(tmp_path):
    with pytest.raises(StartError, match="PERSONNES"):
        assemble(tmp_path, [PKI.root(STRONG).certificate], sandbox=True)
