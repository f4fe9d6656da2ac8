# SPDX-License-Identifier: EUPL-1.2
"""Passwords: argon2id in a bounded pool of threads, and the rule a new password must meet. Nothing is stored here.

Parameters are the second recommendation of RFC 9106 (64 MiB, three passes) with one lane, so that `workers` also
bounds the processor cores that hashing may take from everybody else. An unknown account costs one verification like
a known one.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, TypeVar

import argon2
from argon2.exceptions import VerifyMismatchError

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SHORTEST = 12
LONGEST = 128
_FEWEST_DIFFERENT = 5


class PasswordHasher:
    """`workers` threads hash, at most `waiting` more requests queue; past that Refused(BUSY).

    `test_cost` makes hashes cheap and worthless: only for tests and throw-away demos.
    """

    def __init__(self, workers: int, waiting: int, *, test_cost: bool = False) -> None:
        passes, memory_kib = (1, 64) if test_cost else (3, 65_536)
        self._argon2 = argon2.PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._nobody = self._argon2.hash(secrets.token_bytes(16))
        self._places = BoundedSemaphore(workers + waiting)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="password")

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash, with its salt and parameters."""
        return await self._run(lambda: self._argon2.hash(_as_bytes(password)))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password is the one hashed. `None` (no such account) costs the same and is never right."""
        return await self._run(lambda: self._verify(encoded, password))

    def close(self) -> None:
        """Wait for the running hashes and end the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _verify(self, encoded: str | None, password: str) -> bool:
        too_long = len(password) > LONGEST
        candidate = b"" if too_long else _as_bytes(password)
        try:
            self._argon2.verify(encoded or self._nobody, candidate)
        except VerifyMismatchError:
            return False
        return encoded is not None and not too_long

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise Refused(Reason.BUSY, retry_after_seconds=2)
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: self._places.release())  # when the thread is done, not when its caller left
        return await asyncio.wrap_future(future)


def check_strength(password: str, identifier: str = "") -> None:
    """Refused(PASSWORD_TOO_WEAK) unless it meets the rule.

    The rule: 12 to 128 characters, not digits alone, five different ones at least, without the account's identifier.
    """
    text = unicodedata.normalize("NFKC", password)
    weak = (
        not SHORTEST <= len(text) <= LONGEST
        or len(password) > LONGEST
        or text.replace(" ", "").isdigit()
        or len(set(text.lower())) < _FEWEST_DIFFERENT
        or (identifier != "" and identifier.lower() in text.lower())
    )
    if weak:
        raise Refused(Reason.PASSWORD_TOO_WEAK)


def _as_bytes(password: str) -> bytes:
    """The same bytes for the same characters, whichever keyboard typed them."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
