# SPDX-License-Identifier: EUPL-1.2
"""Secrets in the database are sealed: AES-256-GCM under a key kept outside it, each bound to the row it belongs to.

A sealed value is one version byte, a random nonce of 12 bytes, then ciphertext and tag. Whoever moves a sealed
value to another row, or flips one bit, gets the same single error. Where the key lies is not known here.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import HerseError, StartError

_VERSION = b"\x01"
_NONCE = 12
_TAG = 16
_KEY = 32


class SealError(HerseError):
    """A sealed value does not open. One message for every cause: it tells an attacker nothing."""

    def __init__(self) -> None:
        super().__init__(
            "a sealed value of the database does not open; expected one sealed with this key for this row. "
            "Check that the key at rest belongs to this database."
        )


class AtRest:
    """Seals and opens with one key of 32 bytes; `bound_to` names the row and must be the same both times."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY:
            raise StartError(f"the key at rest has {len(key)} bytes; expected {_KEY} random bytes.")
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """Version byte, nonce, ciphertext with tag."""
        nonce = secrets.token_bytes(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, _VERSION + bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """The plain bytes, or SealError."""
        if len(sealed) < 1 + _NONCE + _TAG or sealed[:1] != _VERSION:
            raise SealError
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, body, _VERSION + bound_to.encode())
        except InvalidTag:
            raise SealError from None
