# SPDX-License-Identifier: EUPL-1.2
"""From a patient number to what is counted and recorded: a keyed hash that joins, and tells nothing without the key.

Keyed BLAKE2b (RFC 7693), 16 bytes: numbers are few enough to be tried one by one, so the key is what protects them,
and it lives outside the database. Never here: a number kept, logged or shown.
"""

from __future__ import annotations

import hashlib
from typing import Final

PSEUDONYM_BYTES: Final = 16
KEY_BYTES_AT_LEAST: Final = 32
_KEY_BYTES_AT_MOST: Final = 64
_PERSON: Final = b"herse-patient"


class Pseudonymizer:
    """Pseudonyms under one key; equal numbers give equal pseudonyms."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        if not KEY_BYTES_AT_LEAST <= len(key) <= _KEY_BYTES_AT_MOST:
            raise ValueError(
                f"the pseudonym key has {len(key)} bytes; expected {KEY_BYTES_AT_LEAST} to {_KEY_BYTES_AT_MOST} "
                "random bytes: make a new key file"
            )
        self._keyed = hashlib.blake2b(digest_size=PSEUDONYM_BYTES, key=key, person=_PERSON)

    def __call__(self, canonical: str) -> bytes:
        """The pseudonym of a canonical number (`patient.parse_patient_number`)."""
        hashing = self._keyed.copy()
        hashing.update(canonical.encode("ascii"))
        return hashing.digest()
