# SPDX-License-Identifier: EUPL-1.2
"""One-time codes given out of band, for a first password or a lost one: their form and their digest. No storage here.

120 random bits: enough that a plain SHA-256 keeps them, and that no one guesses one. The code is bound to its account.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b32encode

_BYTES = 15  # 120 bits, 24 base32 characters without padding
_GROUP = 4
# What a person may read instead of the letters; base32 has none of these digits.
_MISREAD = str.maketrans("018", "OIB")


def new_code() -> str:
    """A fresh code such as `ABCD-EFGH-…`, six groups of four."""
    letters = b32encode(secrets.token_bytes(_BYTES)).decode()
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def code_digest(account: str, code: str) -> bytes:
    """What is stored: SHA-256 over account and code, however the code was typed (case, hyphens, spaces, 0 for O)."""
    typed = code.replace("-", "").replace(" ", "")
    letters = typed.upper().translate(_MISREAD) if typed.isascii() else typed
    return hashlib.sha256(f"{account}\n{letters}".encode(errors="surrogatepass")).digest()
