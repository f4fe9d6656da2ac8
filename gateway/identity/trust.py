# SPDX-License-Identifier: EUPL-1.2
"""The authorities that may issue cards: IGC-Santé's, each pinned by its fingerprint, or a test PKI's in the sandbox.

Production and test authorities never meet in one store: each file is held to the one list that its mode allows, and a
file that is not on it keeps Herse from starting. Nothing here ever comes from a visitor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from gateway.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

IGC_SANTE: Final[Mapping[str, str]] = {
    "4b23d44dc5cbda230fc052dff52407edaf373c69": "AC RACINE IGC-SANTE ELEMENTAIRE",
    "b6ba1d6d5224bceda95a67f6f37b86896edd0006": "AC RACINE IGC-SANTE STANDARD",
    "bbe751c8b107acd29f7d12e0fcdd717e00138764": "AC RACINE IGC-SANTE FORT",
    "2cbfa991750af778348b3156c21609a1ab45a848": "AC IGC-SANTE ELEMENTAIRE ORGANISATIONS",
    "86a0de3d866e2db5095f6785a57fd5cc53b2f049": "AC IGC-SANTE ELEMENTAIRE PERSONNES",
    "ea8752036e115ee8aa1653672289074a24b23994": "AC IGC-SANTE STANDARD ORGANISATIONS",
    "e0d6e1d8481fed62c65c53ed9dfcda949c3d1d81": "AC IGC-SANTE STANDARD PERSONNES",
    "7c3af35b76fe34699fbc72c6a340bc7f1ac4d854": "AC IGC-SANTE FORT ORGANISATIONS",
    "aa6131e760b95622c0f4c2aa9d985002c21f3a0c": "AC IGC-SANTE FORT PERSONNES",
}
"""SHA-1 of the DER, as IGC-Santé publishes them (Cryptolib CPS, annex C): names of fixed files of 2013."""

UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    CryptographyDeprecationWarning,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for DER that it cannot read, at once or when a field is asked for."""

FINGERPRINTS: Final = "fingerprints.txt"
_CERTIFICATES: Final = frozenset({".cer", ".crt", ".der", ".pem"})
_BUNDLE: Final = ".p7b"
_NOTES: Final = frozenset({".md", ".txt"})
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_REMEDY: Final = "certs/README.md says which files belong there"


@dataclass(frozen=True, slots=True)
class CardTrust:
    """Roots, and the authorities below them that issue people's cards. `sandbox`: a test PKI, with test identities."""

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...]
    sandbox: bool

    def ssl_context_anchors(self) -> list[bytes]:
        """DER of what a TLS trust store needs to build a card's path by itself: authorities of people, and roots."""
        return [one.public_bytes(Encoding.DER) for one in (*self.intermediates, *self.roots)]

    def authorities(self) -> tuple[x509.Certificate, ...]:
        """All of them: each signs a revocation list."""
        return (*self.roots, *self.intermediates)


def load_trust(
    folder: Path, *, sandbox: bool, fingerprints: frozenset[str] = frozenset(), at: datetime | None = None
) -> CardTrust:
    """The authorities of `folder` (DER, PEM, or IGC-Santé's .p7b), each one checked; StartError at the first fault.

    In the sandbox, `fingerprints` (SHA-256, hex) and the folder's own `fingerprints.txt` say which files are meant.
    """
    at = at or datetime.now(UTC)
    allowed = fingerprints | _listed(folder / FINGERPRINTS) if sandbox else frozenset(IGC_SANTE)
    found = {one.fingerprint(hashes.SHA256()): (path, one) for path, one in _certificates(folder)}
    for path, one in found.values():
        check_pinned(path, one, allowed, sandbox=sandbox)
        _check_time(path, one, at)
    return assemble(folder, [one for _, one in found.values()], sandbox=sandbox)


def check_pinned(path: Path, one: x509.Certificate, allowed: frozenset[str], *, sandbox: bool) -> None:
    """StartError unless the certificate is on the list of its mode, and of no other."""
    published, digest = one.fingerprint(hashes.SHA1()).hex(), one.fingerprint(hashes.SHA256()).hex()  # noqa: S303  # a published name, no signature
    name = one.subject.rfc4514_string()
    if sandbox and published in IGC_SANTE:
        raise StartError(
            f"{path}: found the production authority {name}; expected test authorities alone in the sandbox. "
            "Move it to the folder of a production gateway"
        )
    if not sandbox and "TEST" in name.upper():
        raise StartError(
            f"{path}: found the test authority {name}; expected IGC-Santé's production authorities. Remove it"
        )
    if (digest if sandbox else published) not in allowed:
        raise StartError(
            f"{path}: found {name} with SHA-1 {published} and SHA-256 {digest}; expected one of the known "
            f"fingerprints. {_REMEDY}"
        )


def assemble(folder: Path, certificates: list[x509.Certificate], *, sandbox: bool) -> CardTrust:
    """Sort pinned certificates into roots and authorities of people; StartError if a card could not be verified."""
    roots = tuple(one for one in certificates if one.subject == one.issuer)
    below = [one for one in certificates if one.subject != one.issuer]
    for one in certificates:
        if not any(_signed(one, root) for root in roots):
            raise StartError(
                f"{folder}: found {one.subject.rfc4514_string()} without a root that signed it; "
                f"expected its root beside it. {_REMEDY}"
            )
    people = tuple(one for one in below if _issues_people(one))
    if not people:
        raise StartError(f"{folder}: found no authority of people (PERSONNES); expected at least one. {_REMEDY}")
    return CardTrust(roots, people, sandbox)


def _issues_people(authority: x509.Certificate) -> bool:
    """Whether it is one of the authorities PERSONNES; ORGANISATIONS, which may lie beside them, issue no cards."""
    names = authority.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return any(str(name.value).endswith(" PERSONNES") for name in names)


def _certificates(folder: Path) -> Iterator[tuple[Path, x509.Certificate]]:
    try:
        files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as fault:
        raise StartError(f"{folder}: {fault.strerror}; expected the folder of the cards' authorities") from None
    for path in files:
        if path.suffix.lower() not in _NOTES:
            for one in _read(path):
                yield path, one


def _read(path: Path) -> list[x509.Certificate]:
    expected = f"expected certificates (DER, PEM or .p7b). {_REMEDY}"
    suffix = path.suffix.lower()
    if suffix != _BUNDLE and suffix not in _CERTIFICATES:
        raise StartError(f"{path}: found a file of another kind; {expected}")
    try:
        data = path.read_bytes()
        pem = data.lstrip().startswith(b"-----BEGIN")
        if suffix == _BUNDLE:
            found = (pkcs7.load_pem_pkcs7_certificates if pem else pkcs7.load_der_pkcs7_certificates)(data)
        else:
            found = x509.load_pem_x509_certificates(data) if pem else [x509.load_der_x509_certificate(data)]
    except (OSError, *UNREADABLE) as fault:
        what = fault.strerror if isinstance(fault, OSError) else "bytes that are no certificate"
        raise StartError(f"{path}: found {what}; {expected}") from None
    return found


def _listed(path: Path) -> frozenset[str]:
    """`<sha256 hex>  <name>` on each line; an empty set without the file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    except (OSError, UnicodeDecodeError):
        raise StartError(f"{path}: cannot be read; expected a SHA-256 and a name on each line") from None
    words = [line.split()[0] for line in lines if line.strip()]
    for word in words:
        if not _FINGERPRINT.fullmatch(word):
            raise StartError(f"{path}: found {word!a}; expected a SHA-256 of 64 hexadecimal digits, then a name")
    return frozenset(words)


def _check_time(path: Path, one: x509.Certificate, at: datetime) -> None:
    if not one.not_valid_before_utc <= at <= one.not_valid_after_utc:
        raise StartError(
            f"{path}: found an authority valid from {one.not_valid_before_utc:%Y-%m-%d} to "
            f"{one.not_valid_after_utc:%Y-%m-%d}; expected one valid on {at:%Y-%m-%d}. Check the clock, then the file"
        )


def _signed(one: x509.Certificate, root: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(root)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True
