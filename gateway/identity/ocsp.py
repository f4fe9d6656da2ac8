# SPDX-License-Identifier: EUPL-1.2
"""OCSP answers (RFC 6960): a question about one certificate, and the answer verified. The second source of revocation.

No socket and no clock. An answer counts only if the certificate's own authority signed it, or a responder that this
authority certified for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.identity.revocation import CLOCK_SLACK, ListFault, RevocationError, check_hash
from gateway.identity.trust import UNREADABLE

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer about one certificate. `issuer`: the DER of its authority's name."""

    issuer: bytes
    serial: int
    revoked: bool
    this_update: datetime
    next_update: datetime


def question(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """The request (DER) about one certificate. SHA-1 only names the authority, as responders expect."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
    return builder.build().public_bytes(Encoding.DER)


def read_answer(answer: bytes, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Answer:
    """Verify an answer (DER) about this certificate; RevocationError says what is wrong."""
    try:
        read = ocsp.load_der_ocsp_response(answer)
        if read.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise RevocationError(ListFault.STATUS_UNKNOWN)
        _check_signature(read, issuer, at)
        return _read_one(read, certificate, issuer, at)
    except UNREADABLE:
        raise RevocationError(ListFault.MALFORMED) from None


def _read_one(read: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Answer:
    # As our own question would name it, with the hash that the answer chose: name, key and number of one certificate.
    asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, read.hash_algorithm).build()
    names = (asked.issuer_name_hash, asked.issuer_key_hash, asked.serial_number)
    if names != (read.issuer_name_hash, read.issuer_key_hash, read.serial_number):
        raise RevocationError(ListFault.OTHER_CERTIFICATE)
    if read.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
        raise RevocationError(ListFault.STATUS_UNKNOWN)
    if read.next_update_utc is None:
        raise RevocationError(ListFault.END_MISSING)
    if read.this_update_utc > at + CLOCK_SLACK:
        raise RevocationError(ListFault.FROM_THE_FUTURE)
    if read.next_update_utc < at:
        raise RevocationError(ListFault.EXPIRED)
    revoked = read.certificate_status is ocsp.OCSPCertStatus.REVOKED
    return Answer(
        issuer.subject.public_bytes(), read.serial_number, revoked, read.this_update_utc, read.next_update_utc
    )


def _check_signature(read: ocsp.OCSPResponse, issuer: x509.Certificate, at: datetime) -> None:
    check_hash(read.signature_hash_algorithm)
    if _signed_by(read, issuer):
        return
    signers = [one for one in read.certificates if _signed_by(read, one)]
    if not signers:
        raise RevocationError(ListFault.SIGNATURE_WRONG)
    if not any(_is_responder(one, issuer, at) for one in signers):
        raise RevocationError(ListFault.SIGNER_NOT_ALLOWED)


def _signed_by(read: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), read.signature_hash_algorithm
    if algorithm is None:
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(read.signature, read.tbs_response_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(read.signature, read.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _is_responder(one: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    """Certified by this very authority to answer for it, and valid now (RFC 6960 4.2.2.2)."""
    try:
        one.verify_directly_issued_by(issuer)
        purposes = one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, x509.ExtensionNotFound, *UNREADABLE):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in purposes and one.not_valid_before_utc <= at <= one.not_valid_after_utc
