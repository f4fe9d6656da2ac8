# SPDX-License-Identifier: EUPL-1.2
"""A bar on a terminal, in one line that is drawn over and at last cleared; nothing elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_BAR: Final = 30


class Progress:
    """Of work in parts of the same weight."""

    def __init__(self, shown: bool) -> None:
        self.parts = 1
        self._shown = shown
        self._done = -1

    def part(self, name: str, lasts: float) -> Callable[[float], None] | None:
        """Begin the next part, which ends at that measure; what is given hears how far it is."""
        self._done += 1
        if not self._shown:
            return None
        done = self._done

        def passed(now: float) -> None:
            self._draw((done + min(1.0, max(0.0, now / max(lasts, 1e-9)))) / self.parts, name)

        passed(0.0)
        return passed

    def end(self) -> None:
        """Clear the bar away."""
        if self._shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _draw(self, share: float, name: str) -> None:
        filled = int(share * _BAR)
        bar = "#" * filled + "." * (_BAR - filled)
        print(f"\r\x1b[K[{bar}] {share:4.0%} {name}", end="", file=sys.stderr, flush=True)
