# SPDX-License-Identifier: EUPL-1.2
"""Challenges of passkeys: each for one purpose, one browser or session, five minutes, and one use.

A challenge carries its own time and a seal over what it was given for, by a key of this process. So asking for one
costs no memory, and no flood of visitors can push out the challenge of a person who is reaching for his key. Only used
ones are kept until they expire; past `most_used` nothing is taken, since whatever is forgotten could be used twice.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from gateway.errors import Refused
from gateway.model import Reason

LIFETIME: Final = timedelta(minutes=5)
MOST_USED: Final = 50_000
_NONCE_BYTES: Final = 16
_TIME_BYTES: Final = 8
_SEAL_BYTES: Final = 32
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Purpose(StrEnum):
    """What a challenge was given for; good for nothing else."""

    ADD = "add"
    SIGN_IN = "sign-in"
    STEP_UP = "step-up"


class Challenges:
    """`bound_to` names the browser or the session that asked. Not thread-safe: for the event loop alone."""

    def __init__(self, most_used: int = MOST_USED) -> None:
        self._key = secrets.token_bytes(_SEAL_BYTES)
        self._most_used = most_used
        self._used: OrderedDict[bytes, datetime] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Challenges {len(self._used)} used>"

    def give(self, purpose: Purpose, bound_to: str, at: datetime) -> bytes:
        """A new challenge of 56 bytes."""
        head = secrets.token_bytes(_NONCE_BYTES) + ((at - _EPOCH) // _MICROSECOND).to_bytes(_TIME_BYTES)
        return head + self._seal(head, purpose, bound_to)

    def take(self, challenge: bytes, purpose: Purpose, bound_to: str, at: datetime) -> None:
        """Use it up, whatever then comes of it.

        Refused: PASSKEY_EXPIRED (not given by us for this, too old, or used), BUSY (too many were used just now).
        """
        head, seal = challenge[:-_SEAL_BYTES], challenge[-_SEAL_BYTES:]
        if len(head) != _NONCE_BYTES + _TIME_BYTES or not hmac.compare_digest(
            seal, self._seal(head, purpose, bound_to)
        ):
            raise Refused(Reason.PASSKEY_EXPIRED)
        given_at = _EPOCH + int.from_bytes(head[_NONCE_BYTES:]) * _MICROSECOND
        self._forget(at)
        if not timedelta(0) <= at - given_at < LIFETIME or challenge in self._used:
            raise Refused(Reason.PASSKEY_EXPIRED)
        if len(self._used) >= self._most_used:
            raise Refused(Reason.BUSY)
        self._used[challenge] = at

    def _seal(self, head: bytes, purpose: Purpose, bound_to: str) -> bytes:
        return hmac.digest(self._key, head + f"{purpose}\0{bound_to}".encode(), sha256)

    def _forget(self, at: datetime) -> None:
        """Drop what is too old to be taken again: a challenge was given before it was used."""
        while self._used and at - next(iter(self._used.values())) >= LIFETIME:
            self._used.popitem(last=False)
