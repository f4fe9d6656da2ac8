# SPDX-License-Identifier: EUPL-1.2
"""One timer for all connections: each carries a moment it must not outlive, and a sweep looks at all of them.

A timer per request would cost more than the request's own bookkeeping; a number per connection costs nothing. The
price is precision: a deadline fires up to `EVERY_SECONDS` late.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

EVERY_SECONDS = 0.25
NEVER = float("inf")


class Mortal(Protocol):
    """Something with a deadline, in the loop's own time."""

    deadline: float

    def expired(self) -> None:
        """Act on a deadline that has passed."""


class Deadlines:
    """The connections of one process and the sweep over them. Cost grows with open connections: about 50 ns each."""

    def __init__(self) -> None:
        self._members: set[Mortal] = set()
        self._handle: asyncio.TimerHandle | None = None

    def add(self, member: Mortal) -> None:
        """Watch over one more."""
        self._members.add(member)
        if self._handle is None:
            self._handle = asyncio.get_running_loop().call_later(EVERY_SECONDS, self._sweep)

    def discard(self, member: Mortal) -> None:
        """Watch over one less."""
        self._members.discard(member)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for member in [one for one in self._members if one.deadline <= now]:
            member.deadline = NEVER
            member.expired()
        self._handle = loop.call_later(EVERY_SECONDS, self._sweep) if self._members else None
