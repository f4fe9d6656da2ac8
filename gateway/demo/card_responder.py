# SPDX-License-Identifier: EUPL-1.2
"""The test PKI's revocation: signs lists and OCSP answers, and serves both on loopback, as IGC-Santé does.

`/CRL/<authority>.crl` gives a list, `/ocsp` answers questions (POST). What is revoked is a set in memory; every list
and answer is signed anew when it is asked for.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    from gateway.demo.card_pki import Authority, CardPki

LIST_LIFE: Final = timedelta(days=7)
ANSWER_LIFE: Final = timedelta(hours=12)
_LOOPBACK: Final = "127.0.0.1"
_LARGEST_QUESTION: Final = 4096
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def make_list(
    authority: Authority,
    at: datetime,
    revoked: Iterable[int] = (),
    *,
    number: int | None = None,
    life: timedelta | None = LIST_LIFE,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    """A revocation list (DER) of this moment; its number grows with time unless one is given."""
    number = int((at - _EPOCH).total_seconds()) if number is None else number
    builder = x509.CertificateRevocationListBuilder(
        authority.certificate.subject, at, at + (LIST_LIFE if life is None else life)
    )
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    for value, critical in ((x509.CRLNumber(number), False), (above, False), *extensions):
        builder = builder.add_extension(value, critical=critical)
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder(serial, at, [])
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)


def make_answer(
    authority: Authority, certificate: x509.Certificate, at: datetime, *, revoked: bool, signer: Authority | None = None
) -> bytes:
    """An OCSP answer (DER) about one certificate of this authority, by itself or by a responder."""
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    builder = ocsp.OCSPResponseBuilder().add_response(
        certificate,
        authority.certificate,
        hashes.SHA1(),  # noqa: S303  # names the authority, as responders do
        status,
        at,
        at + ANSWER_LIFE,
        at if revoked else None,
        None,
    )
    by = signer or authority
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    if signer is not None:
        builder = builder.certificates([signer.certificate])
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


class CardResponder:
    """Serves lists and answers on loopback while it is entered. `revoke` takes a certificate back at once."""

    def __init__(self, pki: CardPki, clock: Callable[[], datetime], port: int = 0) -> None:
        self._authorities = list(pki.authorities.values())
        self._clock = clock
        self._revoked: dict[str, set[int]] = {one.file: set() for one in self._authorities}
        responder = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                _reply(self, responder.list_of(self.path), "application/pkix-crl")

            def do_POST(self) -> None:
                _reply(self, responder.answer(_question(self)), "application/ocsp-response")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
                """Nothing: the demo's own log is on the gateway's side."""

        self._server = ThreadingHTTPServer((_LOOPBACK, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.site = f"http://{_LOOPBACK}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def addresses(self) -> tuple[str, ...]:
        """The list of every authority."""
        return tuple(f"{self.site}/CRL/{one.file}.crl" for one in self._authorities)

    def revoke(self, certificate: x509.Certificate) -> None:
        """Take a certificate back: on the next list, and in the next answer."""
        self._revoked[self._issuer(certificate.issuer).file].add(certificate.serial_number)

    def list_of(self, path: str) -> bytes | None:
        """The list at this path; None if there is no such authority."""
        for one in self._authorities:
            if path == f"/CRL/{one.file}.crl":
                return make_list(one, self._clock(), sorted(self._revoked[one.file]))
        return None

    def answer(self, question: bytes) -> bytes | None:
        """The answer to an OCSP question; None if it cannot be read or asks about no authority of ours."""
        try:
            asked = ocsp.load_der_ocsp_request(question)
        except ValueError:
            return None
        for one in self._authorities:
            key = x509.SubjectKeyIdentifier.from_public_key(one.key.public_key())
            if asked.issuer_key_hash == key.digest:
                return self._signed_answer(one, asked)
        return None

    def _signed_answer(self, authority: Authority, asked: ocsp.OCSPRequest) -> bytes:
        at, revoked = self._clock(), asked.serial_number in self._revoked[authority.file]
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
            at,
            at + ANSWER_LIFE,
            at if revoked else None,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, authority.certificate)
        return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _issuer(self, name: x509.Name) -> Authority:
        return next(one for one in self._authorities if one.certificate.subject == name)


def _question(request: BaseHTTPRequestHandler) -> bytes:
    length = request.headers.get("content-length", "")
    if not length.isascii() or not length.isdecimal() or int(length) > _LARGEST_QUESTION:
        return b""
    return request.rfile.read(int(length))


def _reply(request: BaseHTTPRequestHandler, body: bytes | None, kind: str) -> None:
    request.send_response(404 if body is None else 200)
    request.send_header("content-type", kind if body else "text/plain")
    request.send_header("content-length", str(len(body or b"")))
    request.end_headers()
    request.wfile.write(body or b"")
