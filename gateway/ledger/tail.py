# SPDX-License-Identifier: EUPL-1.2
"""How long ago the ledger was signed: what is not under a signature yet could still be changed unseen.

When that is too long ago nothing more is disclosed, whoever is at fault. Each process watches by its own clock that
only goes forward.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Tail:
    """The unsealed end of the ledger, `limit_seconds` old at most."""

    def __init__(self, limit_seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """As if it had just been signed: whoever starts has that long to hear of a signature."""
        self._limit = limit_seconds
        self._monotonic = monotonic
        self._signed = monotonic()

    def signed(self) -> None:
        """It was signed a moment ago."""
        self._signed = self._monotonic()

    @property
    def old(self) -> bool:
        """Whether the last signature is too long ago."""
        return self._monotonic() - self._signed > self._limit
