# SPDX-License-Identifier: EUPL-1.2
"""The token of a session, as the browser holds it, and the key under which the session is kept: its SHA-256."""

from __future__ import annotations

import secrets
from hashlib import sha256

_TOKEN_BYTES = 32
_TOKEN_LENGTH = 43  # of base64url without padding


def new_token() -> tuple[str, bytes]:
    """A token nobody can guess (256 bits), to be given to the browser once, and its key."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    return token, sha256(token.encode()).digest()


def session_key(token: bytes) -> bytes | None:
    """What the session of a token is kept under. None for what cannot be a token."""
    return sha256(token).digest() if len(token) == _TOKEN_LENGTH else None
