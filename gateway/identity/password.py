# SPDX-License-Identifier: EUPL-1.2
"""Passwords: argon2id in a bounded pool of threads, which also judges new ones. Nothing is stored here.

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
from gateway.identity.strength import LONGEST, weaknesses
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.identity.strength import Weakness

T = TypeVar("T")


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
        return await self.run(lambda: self._argon2.hash(_as_bytes(password)))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password is the one hashed. `None` (no such account) costs the same and is never right."""
        return await self.run(lambda: self._verify(encoded, password))

    async def run(self, work: Callable[[], T]) -> T:
        """Other slow work on a password, within the same bounds; Refused(BUSY) past them."""
        if not self._places.acquire(blocking=False):
            raise Refused(Reason.BUSY, retry_after_seconds=2)
        future = self._pool.submit(work)
        future.add_done_callback(lambda _: self._places.release())  # when the thread is done, not when its caller left
        return await asyncio.wrap_future(future)

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


class TooWeak(Refused):
    """Refused(PASSWORD_TOO_WEAK) that knows what is wrong, so that the page can say it."""

    def __init__(self, weaknesses: tuple[Weakness, ...]) -> None:
        super().__init__(Reason.PASSWORD_TOO_WEAK)
        self.weaknesses = weaknesses


def check_strength(password: str, identifier: str = "", names: Iterable[str] = ()) -> None:
    """TooWeak unless the password meets the rule of `strength`. Takes up to 0.1 s: off the event loop."""
    if found := weaknesses(password, identifier, names):
        raise TooWeak(found)


def _as_bytes(password: str) -> bytes:
    """The same bytes for the same characters, whichever keyboard typed them."""
    return unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
