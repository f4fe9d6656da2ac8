# SPDX-License-Identifier: EUPL-1.2
"""Which certificates were taken back: revocation lists (RFC 5280) and OCSP answers (RFC 6960), verified and kept.

A list counts by its own times, never by when it was fetched: a fetch that fails, or that brings the same list again,
makes nothing younger. An older list never replaces a newer one. What is revoked by any source stays refused; what is
not needs one source that is fresh. A list that names distribution points speaks for the certificates that name one of
them, and for no others (RFC 5280 6.3.3). No socket, no clock: fetching is `revocation_source`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from gateway.errors import HerseError, StartError
from gateway.identity.card_profile import check_signature_form
from gateway.identity.trust import UNREADABLE

if TYPE_CHECKING:
    from gateway.identity.ocsp import Answer
    from gateway.identity.trust import CardTrust

log = logging.getLogger("gateway.revocation")

LONGEST_GRACE: Final = timedelta(hours=48)
CLOCK_SLACK: Final = timedelta(minutes=5)
_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_MOST_ANSWERS: Final = 4096


class ListFault(StrEnum):
    """Why a list or an answer was not kept."""

    MALFORMED = "malformed"
    ISSUER_UNKNOWN = "issuer-unknown"
    SIGNATURE_WRONG = "signature-wrong"
    SIGNER_NOT_ALLOWED = "signer-not-allowed"
    WEAK_HASH = "weak-hash"
    DELTA = "delta"
    INDIRECT = "indirect"
    PARTITIONED = "partitioned"
    EXTENSION_UNKNOWN = "extension-unknown"
    NUMBER_MISSING = "number-missing"
    END_MISSING = "end-missing"
    FROM_THE_FUTURE = "from-the-future"
    OLDER_THAN_KEPT = "older-than-kept"
    OTHER_CERTIFICATE = "other-certificate"
    STATUS_UNKNOWN = "status-unknown"
    EXPIRED = "expired"


class RevocationError(HerseError):
    """A revocation list or an OCSP answer that must not be used; what was kept before stays."""

    def __init__(self, fault: ListFault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class Standing(Enum):
    """What the sources say of one certificate. GRACE: not revoked by a list that is past its end, within the grace."""

    GOOD = "good"
    GRACE = "grace"
    STALE = "stale"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A verified list. `issuer`: the DER of the authority's name; `revoked`: serial numbers; `der`: as it came.

    `points`: the distribution points that it speaks for; empty: for all that the authority signed.
    """

    issuer: bytes
    number: int
    this_update: datetime
    next_update: datetime
    revoked: frozenset[int]
    der: bytes
    points: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Status:
    """Of one authority, for pages, metrics and the log: what is kept of it and how it stands."""

    authority: str
    number: int | None
    this_update: datetime | None
    next_update: datetime | None
    standing: Standing


class RevocationLists:
    """All lists and answers of the authorities of one trust store. `grace` (0 to 48 hours) follows a list's end."""

    def __init__(self, trust: CardTrust, *, grace: timedelta = timedelta()) -> None:
        if not timedelta() <= grace <= LONGEST_GRACE:
            raise StartError(
                f"found a grace of {grace} for stale revocation lists; expected 0 to 48 hours. Without it, cards "
                "are refused as soon as a list is past its end"
            )
        self.trust = trust
        self._grace = grace
        self._lists: dict[bytes, RevocationList] = {}
        self._answers: dict[tuple[bytes, int], Answer] = {}

    def accept(self, crl: bytes, at: datetime) -> RevocationList:
        """Verify a list (DER) and keep it; RevocationError says why not, and what was kept stays."""
        read = read_list(crl, self.trust, at)
        self.keep(read)
        return read

    def keep(self, read: RevocationList) -> None:
        """Keep a list that `read_list` verified, unless it is older than the one that stands (a rollback)."""
        kept = self._lists.get(read.issuer)
        if kept is not None and (read.number < kept.number or read.this_update < kept.this_update):
            raise RevocationError(ListFault.OLDER_THAN_KEPT)
        self._lists[read.issuer] = read

    def keep_answer(self, answer: Answer) -> None:
        """Keep an OCSP answer that `ocsp.read_answer` verified, unless it is older than the one that stands."""
        key = (answer.issuer, answer.serial)
        kept = self._answers.pop(key, None)
        if kept is not None and answer.this_update < kept.this_update:
            self._answers[key] = kept
            raise RevocationError(ListFault.OLDER_THAN_KEPT)
        if len(self._answers) >= _MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = answer

    def standing(self, certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> Standing:
        """How a certificate of `issuer` stands; the path between them is validated already."""
        name, serial = issuer.subject.public_bytes(), certificate.serial_number
        kept, answer = self._lists.get(name), self._answers.get((name, serial))
        if (kept is not None and serial in kept.revoked) or (answer is not None and answer.revoked):
            return Standing.REVOKED
        if answer is not None and answer.this_update - CLOCK_SLACK <= at <= answer.next_update:
            return Standing.GOOD
        aged = self._age(kept if kept is not None and _speaks_for(kept, certificate) else None, at)
        if aged is Standing.GRACE:
            log.warning("card-revocation-grace", extra={"authority": issuer.subject.rfc4514_string()})
        return aged

    def status(self, at: datetime) -> list[Status]:
        """One line for each authority of the trust store."""
        lines = []
        for authority in self.trust.authorities():
            kept = self._lists.get(authority.subject.public_bytes())
            name, age = authority.subject.rfc4514_string(), self._age(kept, at)
            if kept is None:
                lines.append(Status(name, None, None, None, age))
            else:
                lines.append(Status(name, kept.number, kept.this_update, kept.next_update, age))
        return lines

    def _age(self, kept: RevocationList | None, at: datetime) -> Standing:
        # A clock set back before the list was made proves nothing about its age either.
        if kept is None or at + CLOCK_SLACK < kept.this_update or at > kept.next_update + self._grace:
            return Standing.STALE
        return Standing.GOOD if at <= kept.next_update else Standing.GRACE


def read_list(crl: bytes, trust: CardTrust, at: datetime) -> RevocationList:
    """Verify a complete list of one authority (DER): signature, issuer, cRLSign, scope, times, number.

    A list past its end is read too: what it revokes is revoked. RevocationError says what is wrong.
    """
    try:
        read = x509.load_der_x509_crl(crl)
        extensions, issuer = read.extensions, read.issuer
        check_signature_form(crl)
    except UNREADABLE:
        raise RevocationError(ListFault.MALFORMED) from None
    _check_signature(read, trust)
    number, points = _scope(extensions)
    if read.next_update_utc is None:
        raise RevocationError(ListFault.END_MISSING)
    if read.last_update_utc > at + CLOCK_SLACK:
        raise RevocationError(ListFault.FROM_THE_FUTURE)
    revoked = frozenset(entry.serial_number for entry in read)
    times = (read.last_update_utc, read.next_update_utc)
    return RevocationList(issuer.public_bytes(), number, *times, revoked, crl, points)


def check_hash(algorithm: hashes.HashAlgorithm | None) -> None:
    """SHA-2 alone: what signs a revocation must not be forged more easily than the card."""
    if not isinstance(algorithm, _HASHES):
        raise RevocationError(ListFault.WEAK_HASH)


def _check_signature(crl: x509.CertificateRevocationList, trust: CardTrust) -> None:
    """Signed by an authority of the trust store that bears the issuer's name and may sign lists."""
    named = [one for one in trust.authorities() if one.subject == crl.issuer]
    if not named:
        raise RevocationError(ListFault.ISSUER_UNKNOWN)
    try:
        check_hash(crl.signature_hash_algorithm)
        signers = [one for one in named if crl.is_signature_valid(one.public_key())]  # type: ignore[arg-type]  # a wrong kind of key: TypeError
    except UNREADABLE:
        raise RevocationError(ListFault.SIGNATURE_WRONG) from None
    if not signers:
        raise RevocationError(ListFault.SIGNATURE_WRONG)
    if not all(_may_sign_lists(one) for one in signers):
        raise RevocationError(ListFault.SIGNER_NOT_ALLOWED)


def _may_sign_lists(authority: x509.Certificate) -> bool:
    try:
        return authority.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return False


def _scope(extensions: x509.Extensions) -> tuple[int, frozenset[str]]:
    """The number of a list, and the points it speaks for; deltas, shares and lists for others are refused."""
    number, points = None, frozenset[str]()
    for one in extensions:
        if isinstance(one.value, x509.DeltaCRLIndicator):
            raise RevocationError(ListFault.DELTA)
        if isinstance(one.value, x509.IssuingDistributionPoint):
            points = _points_of_list(one.value)
        elif isinstance(one.value, x509.CRLNumber):
            number = one.value.crl_number
        elif one.critical:
            raise RevocationError(ListFault.EXTENSION_UNKNOWN)
    if number is None:
        raise RevocationError(ListFault.NUMBER_MISSING)
    return number, points


def _points_of_list(scope: x509.IssuingDistributionPoint) -> frozenset[str]:
    """The addresses under which a list is published, if that is all that its scope says."""
    if scope.indirect_crl:
        raise RevocationError(ListFault.INDIRECT)
    only = scope.only_contains_user_certs or scope.only_contains_ca_certs or scope.only_contains_attribute_certs
    points = _addresses(scope.full_name)
    if only or scope.only_some_reasons or not points:
        raise RevocationError(ListFault.PARTITIONED)
    return points


def _speaks_for(kept: RevocationList, certificate: x509.Certificate) -> bool:
    """Whether the certificate names a point of the list, of the authority itself and for all reasons."""
    if not kept.points:
        return True
    try:
        named = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    own = [one for one in named if one.crl_issuer is None and one.reasons is None]
    return any(_addresses(one.full_name) & kept.points for one in own)


def _addresses(names: list[x509.GeneralName] | None) -> frozenset[str]:
    return frozenset(one.value for one in names or [] if isinstance(one, x509.UniformResourceIdentifier))
