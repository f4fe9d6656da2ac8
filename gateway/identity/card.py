# SPDX-License-Identifier: EUPL-1.2
"""A health professional's card: certificate bytes, time, trust and revocation lists in, `CardHolder` out. Pure.

It returns a proof or raises Refused; there is no flag to forget. The same walk serves every entry (TLS, header), since
what another process says of a certificate is worth nothing. What is learned before the path is validated may only
refuse, never admit.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from gateway.errors import Refused
from gateway.identity.card_profile import (
    CardType,
    ProfileError,
    check_signature_form,
    read_card_number,
    read_card_type,
    read_category,
    read_person,
    read_principal,
    read_rpps,
    subject_of,
)
from gateway.identity.revocation import Standing
from gateway.identity.trust import UNREADABLE
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.identity.revocation import RevocationLists
    from gateway.identity.trust import CardTrust

__all__ = ["CardHolder", "CardType", "verify_card"]

CATEGORY: Final = ObjectIdentifier("1.2.250.1.71.1.2.5")
CARD_TYPE: Final = ObjectIdentifier("1.2.250.1.71.1.2.2")
CARD_NUMBER: Final = ObjectIdentifier("1.2.250.1.71.1.2.3")
PRINCIPAL_NAME: Final = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_TEST_BIT: Final = 0x80
_CARD_CATEGORY: Final = 0x00
# The agency's own arcs (ANS, and GIP-CPS before it); the policy of production cards is not published.
_POLICY_ARCS: Final = ("1.2.250.1.213.", "1.2.250.1.71.")
_OTHER_PURPOSES: Final = frozenset(
    {
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    }
)
_LARGEST_BYTES: Final = 16_384
_LONGEST_CHAIN: Final = 8
_BITS: Final = 2048

# A card has no dNSName, a UPN instead, and an empty basicConstraints that is not critical: not the web's profile.
_CARD_EXTENSIONS: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.KeyUsage, Criticality.CRITICAL, None)
    .require_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None)
    .require_present(x509.AuthorityKeyIdentifier, Criticality.NON_CRITICAL, None)
)
_AUTHORITY_EXTENSIONS: Final = ExtensionPolicy.webpki_defaults_ca()


@dataclass(frozen=True, slots=True)
class CardHolder:
    """Who a verified card belongs to.

    `national_id` is the idNat (`8` and the RPPS number for a CPS), `title` the profession in clear, `card_number` is
    `<issuer>/<number on the card>`, `certificate` the SHA-256 of its DER in hex.
    """

    national_id: str
    rpps: str | None
    given_name: str
    family_name: str
    title: str
    card_type: CardType
    card_number: str
    certificate: str
    not_after: datetime


def verify_card(
    certificate: bytes, chain: Sequence[bytes], at: datetime, trust: CardTrust, revocation: RevocationLists
) -> CardHolder:
    """The holder of this card (DER), or Refused with the reason.

    `chain` is what came with it: it must be readable, but no authority is taken from it, only those of `trust`, which
    are pinned one by one.
    """
    card = _read(certificate)
    if len(chain) > _LONGEST_CHAIN:
        raise Refused(Reason.CARD_MALFORMED)
    for one in chain:
        _read(one)
    extensions = _extensions(card)
    _check_purpose(extensions)
    _check_test_bit(extensions, trust)
    _check_time(card, at)
    issuers = _authorities_above(card, at, trust)
    holder = _holder(card, extensions, certificate, trust)
    _check_revocation(card, issuers, at, revocation)
    return holder


def _read(der: bytes) -> x509.Certificate:
    if len(der) > _LARGEST_BYTES:
        raise Refused(Reason.CARD_MALFORMED)
    try:
        certificate = x509.load_der_x509_certificate(der)
        check_signature_form(der)
    except UNREADABLE:
        raise Refused(Reason.CARD_MALFORMED) from None
    if certificate.serial_number <= 0:  # RFC 5280 4.1.2.2; the library only warns
        raise Refused(Reason.CARD_MALFORMED)
    return certificate


def _extensions(card: x509.Certificate) -> x509.Extensions:
    try:
        return card.extensions
    except UNREADABLE:
        raise Refused(Reason.CARD_MALFORMED) from None


def _check_purpose(extensions: x509.Extensions) -> None:
    """Made to sign people in: not to sign documents (the card's other key), serve, or issue."""
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
    except x509.ExtensionNotFound:
        raise Refused(Reason.CARD_NOT_FOR_SIGN_IN) from None
    # One source says that some cards have keyEncipherment beside digitalSignature; it signs nothing.
    signs_more = usage.content_commitment or usage.key_cert_sign or usage.crl_sign
    if not usage.digital_signature or signs_more or usage.data_encipherment or usage.key_agreement:
        raise Refused(Reason.CARD_NOT_FOR_SIGN_IN)
    if ExtendedKeyUsageOID.CLIENT_AUTH not in purposes or purposes & _OTHER_PURPOSES:
        raise Refused(Reason.CARD_NOT_FOR_SIGN_IN)
    if not any(policy.policy_identifier.dotted_string.startswith(_POLICY_ARCS) for policy in policies):
        raise Refused(Reason.CARD_NOT_FOR_SIGN_IN)
    if any(isinstance(name, (x509.DNSName, x509.IPAddress)) for name in _names(extensions)):
        raise Refused(Reason.CARD_NOT_FOR_SIGN_IN)
    if any(isinstance(one.value, x509.BasicConstraints) and one.value.ca for one in extensions):
        raise Refused(Reason.CARD_NOT_FOR_SIGN_IN)


def _names(extensions: x509.Extensions) -> list[x509.GeneralName]:
    found = [one.value for one in extensions if isinstance(one.value, x509.SubjectAlternativeName)]
    return [name for names in found for name in names]


def _private(extensions: x509.Extensions, kind: ObjectIdentifier) -> bytes:
    """The value of one of the profile's private extensions."""
    for one in extensions:
        if one.oid == kind and isinstance(one.value, x509.UnrecognizedExtension):
            return one.value.value
    raise ProfileError("an extension of the real profile is missing")


def _check_test_bit(extensions: x509.Extensions, trust: CardTrust) -> None:
    """Said before the path is judged: a test card's authority is never trusted here, but its holder should know why."""
    try:
        category = read_category(_private(extensions, CATEGORY))
    except ProfileError:
        return  # judged in `_holder`, once the path is known
    if category & _TEST_BIT and not trust.sandbox:
        raise Refused(Reason.CARD_TEST_NOT_ALLOWED)


def _check_time(card: x509.Certificate, at: datetime) -> None:
    if at < card.not_valid_before_utc:
        raise Refused(Reason.CARD_NOT_YET_VALID)
    if at > card.not_valid_after_utc:
        raise Refused(Reason.CARD_EXPIRED)


def _authorities_above(card: x509.Certificate, at: datetime, trust: CardTrust) -> list[x509.Certificate]:
    """The validated path above the card: the authority that signed it, then the root."""
    try:
        verifier = (
            PolicyBuilder()
            .store(Store(list(trust.roots)))
            .time(at)
            .max_chain_depth(1)
            .extension_policies(ca_policy=_AUTHORITY_EXTENSIONS, ee_policy=_CARD_EXTENSIONS)
            .build_client_verifier()
        )
        path = verifier.verify(card, list(trust.intermediates)).chain
        key = card.public_key()
    except (VerificationError, *UNREADABLE):
        raise Refused(Reason.CARD_NOT_TRUSTED) from None
    # The verifier weighs the keys of authorities, not the card's own.
    strong = isinstance(key, ec.EllipticCurvePublicKey) or (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _BITS)
    if not strong or len(path) != 3:  # noqa: PLR2004  # card, authority, root: a root signs no card
        raise Refused(Reason.CARD_NOT_TRUSTED)
    return path[1:]


def _holder(card: x509.Certificate, extensions: x509.Extensions, der: bytes, trust: CardTrust) -> CardHolder:
    try:
        category = read_category(_private(extensions, CATEGORY))
        card_type = read_card_type(_private(extensions, CARD_TYPE))
        number = read_card_number(_private(extensions, CARD_NUMBER))
    except ProfileError:
        raise Refused(Reason.CARD_MALFORMED) from None
    if category & ~_TEST_BIT != _CARD_CATEGORY:  # a software certificate, or a module's
        raise Refused(Reason.CARD_NOT_FOR_SIGN_IN)
    try:
        person = read_person(subject_of(card.tbs_certificate_bytes))
        rpps = read_rpps(person.common_name, card_type, sandbox=trust.sandbox)
        _check_principal(extensions, person.common_name)
    except ProfileError:
        raise Refused(Reason.CARD_IDENTITY_INVALID) from None
    return CardHolder(
        national_id=person.common_name,
        rpps=rpps,
        given_name=person.given_name,
        family_name=person.family_name,
        title=person.title,
        card_type=card_type,
        card_number=number,
        certificate=hashlib.sha256(der).hexdigest(),
        not_after=card.not_valid_after_utc,
    )


def _check_principal(extensions: x509.Extensions, common_name: str) -> None:
    """A UPN, if there is one, names the same person as the subject."""
    others = [name for name in _names(extensions) if isinstance(name, x509.OtherName)]
    principals = [name.value for name in others if name.type_id == PRINCIPAL_NAME]
    if any(read_principal(value) != f"{common_name}@carte-cps.fr" for value in principals):
        raise ProfileError("the principal name is another's")


def _check_revocation(
    card: x509.Certificate, issuers: list[x509.Certificate], at: datetime, revocation: RevocationLists
) -> None:
    """Both lists count: the authority's, of its cards, and its root's, of the authority."""
    authority, root = issuers
    above, own = revocation.standing(authority, root, at), revocation.standing(card, authority, at)
    if above is Standing.REVOKED:
        raise Refused(Reason.CARD_NOT_TRUSTED)
    if own is Standing.REVOKED:
        raise Refused(Reason.CARD_REVOKED)
    if Standing.STALE in {above, own}:
        raise Refused(Reason.CARD_REVOCATION_STALE)
