# SPDX-License-Identifier: EUPL-1.2
"""An authenticator of WebAuthn and its browser, in software, that can be told to lie. No assertions here.

It makes the JSON that a browser's `navigator.credentials` gives, byte by byte (WebAuthn level 2, 6.1 and 5.8.1).
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

UP, UV, AT = 0x01, 0x04, 0x40
HASHES: dict[int, hashes.HashAlgorithm] = {
    -7: hashes.SHA256(),
    -36: hashes.SHA512(),
    -257: hashes.SHA256(),
    -65535: hashes.SHA1(),  # to be refused
}
ZERO_AAGUID = bytes(16)


def text(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def data(encoded: str) -> bytes:
    """Back from `text`."""
    return urlsafe_b64decode(encoded + "==")


def _number(value: int, size: int | None = None) -> bytes:
    return value.to_bytes(size or (value.bit_length() + 7) // 8)


def new_key(algorithm: int, *, bits: int = 2048, curve: ec.EllipticCurve | None = None) -> PrivateKeyTypes:
    """A private key for a COSE algorithm: ES256, ES512, EdDSA, RS256, RS1."""
    if algorithm == -8:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm in {-7, -36}:
        return ec.generate_private_key(curve or (ec.SECP256R1() if algorithm == -7 else ec.SECP521R1()))
    return rsa.generate_private_key(65_537, bits)


def cose(key: PrivateKeyTypes, algorithm: int) -> dict[int, Any]:
    """The public key as a COSE map (RFC 9053)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {1: 1, 3: algorithm, -1: 6, -2: key.public_key().public_bytes_raw()}
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers, size = key.public_key().public_numbers(), (key.curve.key_size + 7) // 8
        curve = {"secp256r1": 1, "secp384r1": 2, "secp521r1": 3}[key.curve.name]
        return {1: 2, 3: algorithm, -1: curve, -2: _number(numbers.x, size), -3: _number(numbers.y, size)}
    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_numbers()
        return {1: 3, 3: algorithm, -1: _number(public.n), -2: _number(public.e)}
    raise TypeError(type(key))


def sign(key: PrivateKeyTypes, algorithm: int, message: bytes) -> bytes:
    """What the key makes of a message."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(HASHES[algorithm]))
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), HASHES[algorithm])
    raise TypeError(type(key))


@dataclass
class Authenticator:
    """One credential. `counter` None: it does not count (always 0). Keyword arguments of both acts are its lies."""

    origin: str
    algorithm: int = -7
    counter: int | None = None
    key: PrivateKeyTypes | None = field(default=None, repr=False)
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""

    def create(self, options: dict[str, Any], **lies: Any) -> str:
        """The answer to creation options."""
        self.key = self.key or new_key(self.algorithm)
        self.handle = data(options["user"]["id"])
        public = lies.get("public_key") or cbor2.dumps(cose(self.key, self.algorithm))
        attested = lies.get("aaguid", ZERO_AAGUID) + len(self.id).to_bytes(2) + self.id + public
        client = self._client("webauthn.create", options, lies)
        head = self._head(options["rp"]["id"], {"flags": UP | UV | AT, **lies})
        statement = lies.get("statement", lambda _: {})(head + attested + sha256(client).digest())
        attestation = {"fmt": lies.get("format", "none"), "attStmt": statement, "authData": head + attested}
        return self._json({"clientDataJSON": text(client), "attestationObject": text(cbor2.dumps(attestation))}, lies)

    def get(self, options: dict[str, Any], **lies: Any) -> str:
        """The answer to request options."""
        if self.key is None:
            raise LookupError("create first")
        if self.counter is not None:
            self.counter += 1
        client = self._client("webauthn.get", options, lies)
        head = self._head(options["rpId"], lies)
        signature = sign(lies.get("signed_by", self.key), self.algorithm, head + sha256(client).digest())
        handle = lies.get("handle", self.handle)
        response = {
            "clientDataJSON": text(client),
            "authenticatorData": text(lies.get("sent", head)),
            "signature": text(lies.get("signature", signature)),
        }
        return self._json(response | ({"userHandle": text(handle)} if handle is not None else {}), lies)

    def _client(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> bytes:
        found = {"type": lies.get("kind", kind), "challenge": lies.get("challenge", options["challenge"])}
        found |= {"origin": lies.get("origin", self.origin), "crossOrigin": lies.get("cross_origin", False)}
        return json.dumps(found).encode()

    def _head(self, rp_id: str, lies: dict[str, Any]) -> bytes:
        count = lies.get("count", self.counter or 0)
        hashed = sha256(lies.get("rp_id", rp_id).encode()).digest()
        return hashed + bytes([lies.get("flags", UP | UV)]) + int(count).to_bytes(4)

    def _json(self, response: dict[str, str], lies: dict[str, Any]) -> str:
        identifier = lies.get("id", self.id)
        named = {"id": text(identifier), "rawId": text(lies.get("raw_id", identifier)), "type": "public-key"}
        return json.dumps({**named, "response": response})
