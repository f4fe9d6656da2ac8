# SPDX-License-Identifier: EUPL-1.2
"""The data-protection officer's key pair: what patient numbers are sealed to, and what alone opens them.

HPKE (RFC 9180) with the hybrid of ML-KEM-768 and X25519: whoever copies the ledger today cannot read it with a quantum
computer either. The public half goes into the gateway's key folder as `officer.pub`; the private one never comes near
the gateway. The library has no container for such a pair, so here is one: text with the armour lines of PEM and, in
base64, a version byte and then

- public: the ML-KEM-768 key (1,184 bytes), the X25519 key (32);
- private: Argon2id's memory in KiB and passes (4 bytes each, big-endian), lanes (1), salt (16), nonce (12), and both
  secret parts (ML-KEM seed 64, X25519 32) by AES-256-GCM under the password's key; what stands before is authenticated.

Never here: a file, a terminal.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.errors import HerseError

OFFICER_ID_BYTES: Final = 8
SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
MEMORY_KIB: Final = 262_144
PASSES: Final = 3
_VERSION: Final = b"\x01"
_MLKEM_PUBLIC, _X25519, _SEED, _SALT, _NONCE, _TAG = 1_184, 32, 64, 16, 12, 16
_COST: Final = struct.Struct(">IIB")
_MEMORY_AT_LEAST_KIB, _MEMORY_AT_MOST_KIB, _PASSES_AT_MOST, _LANES_AT_MOST = 8, 4 * 1_048_576, 64, 1
_PUBLIC_LABEL: Final = "HERSE OFFICER PUBLIC KEY"
_PRIVATE_LABEL: Final = "HERSE ENCRYPTED OFFICER KEY"
_HEAD: Final = 1 + _COST.size + _SALT + _NONCE


class OfficerKeyError(HerseError):
    """What should be an officer's key is none, or the password does not open it. The message says what is expected."""


@dataclass(frozen=True)
class OfficerPublicKey:
    """The half that seals; `raw` is ML-KEM-768 (1,184 bytes), then X25519 (32)."""

    raw: bytes

    @cached_property
    def id(self) -> bytes:
        """Eight bytes by which a data key names whose it is."""
        return hashlib.sha256(self.raw).digest()[:OFFICER_ID_BYTES]

    def seal(self, secret: bytes, info: bytes) -> bytes:
        """The HPKE message (1,120 bytes of encapsulation, the ciphertext, 16 of tag)."""
        return SUITE.encrypt(secret, self._hybrid, info)

    def text(self) -> str:
        """The public key file."""
        return _armoured(_PUBLIC_LABEL, _VERSION + self.raw)

    @cached_property
    def _hybrid(self) -> MLKEM768X25519PublicKey:
        lattice, curve = self.raw[:_MLKEM_PUBLIC], self.raw[_MLKEM_PUBLIC:]
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(lattice), X25519PublicKey.from_public_bytes(curve)
        )


class OfficerKey:
    """The half that opens."""

    def __init__(self, lattice: MLKEM768PrivateKey, curve: X25519PrivateKey) -> None:
        self._lattice = lattice
        self._curve = curve
        self._hybrid = MLKEM768X25519PrivateKey(lattice, curve)
        public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        self.public = OfficerPublicKey(public)

    def __repr__(self) -> str:
        return f"<officer's key {self.public.id.hex()}>"

    def open(self, message: bytes, info: bytes) -> bytes:
        """What was sealed to the public half; OfficerKeyError if it was to another, or has been changed."""
        try:
            return SUITE.decrypt(message, self._hybrid, info)
        except (InvalidTag, ValueError):
            raise OfficerKeyError(
                f"the officer's key {self.public.id.hex()} does not open this data key; expected one sealed to it, and "
                "unchanged"
            ) from None

    def text(self, password: str, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> str:
        """The private key file, under a password."""
        salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
        head = _VERSION + _COST.pack(memory_kib, passes, 1) + salt + nonce
        parts = self._lattice.private_bytes_raw() + self._curve.private_bytes_raw()
        key = AESGCM(_key_of(password, head))
        return _armoured(_PRIVATE_LABEL, head + key.encrypt(nonce, parts, head))


def new_officer_key() -> OfficerKey:
    """Make a pair."""
    return OfficerKey(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())


def load_public(text: str) -> OfficerPublicKey:
    """Read a public key file; OfficerKeyError if it is none."""
    content = _content(text, _PUBLIC_LABEL, "the public key file that `herse ledger keygen` made (officer.pub)")
    if len(content) != 1 + _MLKEM_PUBLIC + _X25519:
        raise _damaged("public", len(content), 1 + _MLKEM_PUBLIC + _X25519)
    key = OfficerPublicKey(content[1:])
    try:
        key.seal(b"", b"")  # a key that seals nothing must be known before it is relied on
    except ValueError as error:
        raise OfficerKeyError(
            f"the officer's public key is damaged ({error}); copy it again from the officer"
        ) from None
    return key


def load_private(text: str, password: str) -> OfficerKey:
    """Read a private key file; OfficerKeyError for another file, a damaged one, or another password."""
    content = _content(text, _PRIVATE_LABEL, "the private key file that `herse ledger keygen` made (officer.key)")
    expected = _HEAD + _SEED + _X25519 + _TAG
    if len(content) != expected:
        raise _damaged("private", len(content), expected)
    head = content[:_HEAD]
    memory, passes, lanes = _COST.unpack_from(head, 1)
    bearable = _MEMORY_AT_LEAST_KIB <= memory <= _MEMORY_AT_MOST_KIB
    if not (bearable and 1 <= passes <= _PASSES_AT_MOST and 1 <= lanes <= _LANES_AT_MOST):
        raise OfficerKeyError(
            f"the officer's private key asks for {memory} KiB, {passes} passes and {lanes} lanes of Argon2id; expected "
            f"at most {_MEMORY_AT_MOST_KIB}, {_PASSES_AT_MOST} and {_LANES_AT_MOST}: take its backup"
        )
    try:
        parts = AESGCM(_key_of(password, head)).decrypt(head[-_NONCE:], content[_HEAD:], head)
    except InvalidTag:
        raise OfficerKeyError(
            "the password does not open the officer's private key, or the file is damaged; expected the password given "
            "when it was made: try again, or take the file's backup"
        ) from None
    return OfficerKey(
        MLKEM768PrivateKey.from_seed_bytes(parts[:_SEED]), X25519PrivateKey.from_private_bytes(parts[_SEED:])
    )


def _key_of(password: str, head: bytes) -> bytes:
    memory, passes, lanes = _COST.unpack_from(head, 1)
    salt = head[1 + _COST.size : -_NONCE]
    deriving = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
    return deriving.derive(password.encode("utf-8", "surrogateescape"))


def _armoured(label: str, content: bytes) -> str:
    coded = base64.b64encode(content).decode("ascii")
    lines = [coded[start : start + 64] for start in range(0, len(coded), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _content(text: str, label: str, expected: str) -> bytes:
    """What stands between the armour lines; what stands around them is left to people."""
    found = re.search(rf"^-----BEGIN {label}-----$(.*?)^-----END {label}-----$", text, re.MULTILINE | re.DOTALL)
    if found is None:
        other = re.search(r"^-----BEGIN ([A-Z0-9 ]{1,64})-----$", text, re.MULTILINE)
        told = "no key" if other is None else f"a file with {other[1]}"
        raise OfficerKeyError(f"found {told}; expected {expected}")
    try:
        content = base64.b64decode("".join(found[1].split()), validate=True)
    except (binascii.Error, ValueError):
        raise OfficerKeyError(f"found a file whose text is damaged; expected {expected}: take its backup") from None
    if content[:1] != _VERSION:
        told = content[:1].hex() or "none"
        raise OfficerKeyError(
            f"found a key file of version {told}; expected {_VERSION.hex()}: take the Herse that made it"
        )
    return content


def _damaged(which: str, found: int, expected: int) -> OfficerKeyError:
    return OfficerKeyError(
        f"the officer's {which} key has {found} bytes; expected {expected}: the file is cut or damaged, take its backup"
    )
