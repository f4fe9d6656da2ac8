# SPDX-License-Identifier: EUPL-1.2
"""A test PKI that looks like IGC-Santé: three ranges, a root and two authorities each, and cards with the real profile.

Never a production authority: every name says TEST, every card has the test bit. Whoever holds it can make any card
that its own sandbox accepts, and nothing else: no gateway in production takes its fingerprints, no browser its roots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from gateway.demo.cast import CAST, PHARMACY
from gateway.identity.card import CARD_NUMBER, CARD_TYPE, CATEGORY, PRINCIPAL_NAME
from gateway.identity.trust import CardTrust

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

ELEMENTARY: Final = "ELEMENTAIRE"
STANDARD: Final = "STANDARD"
STRONG: Final = "FORT"
RANGES: Final = {ELEMENTARY: "EL", STANDARD: "ST", STRONG: "FO"}
ROOT: Final = "RACINE"
ORGANISATIONS: Final = "ORGANISATIONS"
PEOPLE: Final = "PERSONNES"
_BRANCHES: Final = {ORGANISATIONS: "ORG", PEOPLE: "PP"}
STAFF: Final = f"3{PHARMACY.identifier}/EMP0001"
"""The number of the employee's card of the demo."""
_KEY_BITS: Final = 2048
_AUTHORITY_LIFE: Final = timedelta(days=3650)
_CARD_LIFE: Final = timedelta(days=3 * 365)
_BEFORE: Final = timedelta(days=1)
_POLICY: Final = ObjectIdentifier("1.2.250.1.213.1.7.2.1.1.1.1")
_SITE: Final = "http://127.0.0.1"
_TYPES: Final = {"CPS": 0, "CPF": 1, "CPE": 2, "CPA": 3}


def new_key() -> rsa.RSAPrivateKey:
    """A key as cards have: RSA, 2048 bits."""
    return rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority with its key. `file` is its short name at IGC-Santé: `ACR-FO-TEST`, `ACI-FO-PP-TEST`."""

    file: str
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a card is made for. `common_name` is the idNat; `organisation`: (name, FINESS) on the cards of staff."""

    given_name: str
    family_name: str
    title: str
    common_name: str
    kind: str = "CPS"
    organisation: tuple[str, str] | None = None
    number: str = "2600000001"


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a certificate will say; change a field with `dataclasses.replace` to make a bad one."""

    subject: x509.Name
    not_before: datetime
    not_after: datetime
    extensions: tuple[tuple[x509.ExtensionType, bool], ...]

    def with_extension(
        self, value: x509.ExtensionType, *, critical: bool = False
    ) -> tuple[tuple[x509.ExtensionType, bool], ...]:
        """The extensions with this one in the place of the one of its kind, or at the end."""
        kept = tuple((one, flag) for one, flag in self.extensions if one.oid != value.oid)
        return (*kept, (value, critical))

    def without_extension(self, kind: ObjectIdentifier) -> tuple[tuple[x509.ExtensionType, bool], ...]:
        """The extensions but for the one of this kind."""
        return tuple((one, flag) for one, flag in self.extensions if one.oid != kind)


@dataclass(frozen=True, slots=True)
class Card:
    """One certificate of a card, and its key."""

    bearer: Bearer
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardPki:
    """The nine authorities, by (range, branch); `site` is where their lists and the OCSP responder are served."""

    authorities: Mapping[tuple[str, str], Authority]
    site: str

    def root(self, level: str) -> Authority:
        """The root of a range."""
        return self.authorities[level, ROOT]

    def people(self, level: str) -> Authority:
        """The authority of a range that issues people's cards."""
        return self.authorities[level, PEOPLE]

    def issuer_of(self, kind: str) -> Authority:
        """Who issues such a card: FORT the professionals' own, STANDARD those of staff."""
        return self.people(STRONG if kind in {"CPS", "CPF"} else STANDARD)

    def trust(self, *, sandbox: bool = True, levels: tuple[str, ...] = (STANDARD, STRONG)) -> CardTrust:
        """The trust store that a gateway holds for the cards of these ranges."""
        roots = tuple(self.root(level).certificate for level in levels)
        return CardTrust(roots, tuple(self.people(level).certificate for level in levels), sandbox)

    def draft(self, bearer: Bearer, at: datetime, *, test: bool = True) -> Draft:
        """An authentication certificate with the real profile (domain 2.2)."""
        issuer = self.issuer_of(bearer.kind)
        category = b"\x04\x01" + (b"\x80" if test else b"\x00")
        principal = f"{bearer.common_name}@carte-cps.fr".encode()
        extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (
            (x509.BasicConstraints(ca=False, path_length=None), False),
            (usage(digital_signature=True), True),
            (_policy(_POLICY), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SMARTCARD_LOGON]), False),
            (x509.SubjectAlternativeName([x509.OtherName(PRINCIPAL_NAME, b"\x0c" + _sized(principal))]), False),
            (x509.CRLDistributionPoints([_point(f"{self.site}/CRL/{issuer.file}.crl")]), False),
            (x509.AuthorityInformationAccess([x509.AccessDescription(
                AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(f"{self.site}/ocsp"))]), False),
            (x509.UnrecognizedExtension(CATEGORY, category), False),
            (x509.UnrecognizedExtension(CARD_TYPE, b"\x02\x01" + bytes([_TYPES[bearer.kind]])), False),
            (x509.UnrecognizedExtension(CARD_NUMBER, b"\x13" + _sized(f"8025000001/{bearer.number}".encode())), False),
        )  # fmt: skip
        return Draft(subject_of(bearer), at - _BEFORE, at + _CARD_LIFE, extensions)

    def issue(self, bearer: Bearer, at: datetime, *, key: Callable[[], rsa.RSAPrivateKey] = new_key) -> Card:
        """A card's authentication certificate."""
        private = key()
        return Card(bearer, sign(self.draft(bearer, at), self.issuer_of(bearer.kind), private), private)


def make_card_pki(at: datetime, *, site: str = _SITE, key: Callable[[], rsa.RSAPrivateKey] = new_key) -> CardPki:
    """A new PKI, good for ten years from `at`."""
    authorities = {}
    for level, short in RANGES.items():
        private = key()
        name = _authority_name(f"TEST AC {ROOT} IGC-SANTE {level}")
        root = Authority(f"ACR-{short}-TEST", _authority(name, None, private, at), private)
        authorities[level, ROOT] = root
        for branch, letters in _BRANCHES.items():
            private = key()
            name = _authority_name(f"TEST AC IGC-SANTE {level} {branch}")
            certificate = _authority(name, root, private, at)
            authorities[level, branch] = Authority(f"ACI-{short}-{letters}-TEST", certificate, private)
    return CardPki(authorities, site)


def cast_bearers() -> list[Bearer]:
    """Who has a card in the demo: each holder of the cast, and an employee of the pharmacy."""
    titles = {"pharmacist": "Pharmacien", "physician": "Médecin"}
    people = [(holder, titles[player.profession]) for player in CAST for holder in player.holders]
    bearers = []
    for place, (holder, title) in enumerate(people):
        given, _, family = holder.name.partition(" ")
        bearers.append(Bearer(given.upper(), family.upper(), title, f"8{holder.rpps}", number=f"26000000{place:02d}"))
    site = (PHARMACY.title.upper(), PHARMACY.identifier)
    return [*bearers, Bearer("LOU", "MARTIN", "Personnel santé ou social", STAFF, "CPE", site, "2600000099")]


def sign(draft: Draft, authority: Authority, key: rsa.RSAPrivateKey) -> x509.Certificate:
    """The certificate that a draft describes, for this key, signed by this authority."""
    builder = x509.CertificateBuilder(
        issuer_name=authority.certificate.subject,
        subject_name=draft.subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=draft.not_before,
        not_valid_after=draft.not_after,
    )
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = builder.add_extension(above, critical=False)
    for value, critical in draft.extensions:
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(authority.key, hashes.SHA256())


def subject_of(bearer: Bearer) -> x509.Name:
    """`C`, then what the card says of the place of work, the profession, and one RDN of three values."""
    rdns = [_rdn((NameOID.COUNTRY_NAME, "FR"))]
    if bearer.organisation is not None:
        name, finess = bearer.organisation
        rdns += [_rdn((NameOID.ORGANIZATION_NAME, name)), _rdn((NameOID.ORGANIZATIONAL_UNIT_NAME, f"1{finess}"))]
    rdns += [_rdn((NameOID.TITLE, bearer.title))]
    names = (NameOID.COMMON_NAME, bearer.common_name), (NameOID.SURNAME, bearer.family_name)
    return x509.Name([*rdns, _rdn(*names, (NameOID.GIVEN_NAME, bearer.given_name))])


def usage(
    *, digital_signature: bool = False, content_commitment: bool = False, authority: bool = False
) -> x509.KeyUsage:
    """A keyUsage: of a card's sign-in key, of its signature key, or of an authority."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(name: x509.Name, root: Authority | None, key: rsa.RSAPrivateKey, at: datetime) -> x509.Certificate:
    constraints = x509.BasicConstraints(ca=True, path_length=None if root is None else 0)
    policy = _policy(x509.ObjectIdentifier("2.5.29.32.0"))
    extensions = ((constraints, True), (usage(authority=True), True), (policy, False))
    draft = Draft(name, at - _BEFORE, at + _AUTHORITY_LIFE, extensions)
    if root is not None:
        return sign(draft, root, key)
    # Self-signed: it needs an issuer of its own name, which is all that `sign` reads of the certificate.
    blank = x509.CertificateBuilder(name, name, key.public_key(), 1, draft.not_before, draft.not_after)
    return sign(draft, Authority("", blank.sign(key, hashes.SHA256()), key), key)


def _authority_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            _rdn((NameOID.COUNTRY_NAME, "FR")),
            _rdn((NameOID.ORGANIZATION_NAME, "ASIP-SANTE")),
            _rdn((NameOID.ORGANIZATIONAL_UNIT_NAME, "0002 187512751")),
            _rdn((NameOID.ORGANIZATIONAL_UNIT_NAME, "IGC-SANTE TEST")),
            _rdn((NameOID.COMMON_NAME, common_name)),
        ]
    )


def _rdn(*values: tuple[ObjectIdentifier, str]) -> x509.RelativeDistinguishedName:
    return x509.RelativeDistinguishedName([x509.NameAttribute(kind, text) for kind, text in values])


def _policy(kind: ObjectIdentifier) -> x509.CertificatePolicies:
    page = "http://igc-sante.esante.gouv.fr/PC%20TEST"
    return x509.CertificatePolicies([x509.PolicyInformation(kind, [page])])


def _point(url: str) -> x509.DistributionPoint:
    return x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)


def _sized(content: bytes) -> bytes:
    """The length and content of a short DER element."""
    return bytes([len(content)]) + content
