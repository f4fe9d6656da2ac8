# SPDX-License-Identifier: EUPL-1.2
"""How many sign-in attempts are taken at all, right or wrong: per network, in all, and per account. In memory only.

Moving windows of `limits`, by `hit()` alone: a `test()` before it would let parallel attempts through. The account
part of a key is a digest, since `limits` joins parts with `/`. What must outlive a restart is counted in `failures`.
"""

from __future__ import annotations

import hashlib
import time
from math import ceil

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from gateway.errors import Refused
from gateway.identity.network import network_prefix
from gateway.model import Reason

PER_ACCOUNT = 30
PER_NETWORK = 60
PER_MINUTE_IN_ALL = 2000
WINDOW_MINUTES = 15
_TIDY_EVERY = 1000


class Throttle:
    """`per_account` and `per_network` attempts in 15 minutes, `per_minute_in_all` in one minute."""

    def __init__(
        self,
        per_account: int = PER_ACCOUNT,
        per_network: int = PER_NETWORK,
        per_minute_in_all: int = PER_MINUTE_IN_ALL,
    ) -> None:
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._per_account = RateLimitItemPerMinute(per_account, WINDOW_MINUTES, "account")
        self._per_network = RateLimitItemPerMinute(per_network, WINDOW_MINUTES, "network")
        self._in_all = RateLimitItemPerMinute(per_minute_in_all, 1, "all")
        self._hits = 0

    def hit(self, account: str, network: str) -> None:
        """Count one attempt, or Refused(THROTTLED, retry).

        The network is asked first: what one network has too many does not use up what everybody shares.
        """
        self._tidy()
        self._hit(self._per_network, network_prefix(network))
        self._hit(self._in_all, "all")
        self._hit(self._per_account, hashlib.blake2b(account.encode(), digest_size=16).hexdigest())

    def _hit(self, item: RateLimitItem, key: str) -> None:
        if not self._limiter.hit(item, key):
            free_at = self._limiter.get_window_stats(item, key).reset_time
            # The clock of `limits` itself, which takes no other.
            raise Refused(Reason.THROTTLED, retry_after_seconds=max(1, ceil(free_at - time.time())))

    def _tidy(self) -> None:
        """Forget the keys without attempts, which `limits` keeps for ever."""
        self._hits += 1
        if self._hits % _TIDY_EVERY == 0:
            for key in [key for key, entries in self._storage.events.items() if not entries]:
                self._storage.clear(key)
