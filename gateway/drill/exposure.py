# SPDX-License-Identifier: EUPL-1.2
"""Who was shown to a robot: different people, when the first and the last of them, and how their number grew.

People are indexes of the list (`people`). Whole pages of a list are kept as pages: twenty million people need no set of
twenty million.
"""

from __future__ import annotations

from typing import Final

PER_PAGE: Final = 50
_STEP_SECONDS: Final = 10.0
_STEP_SHARE: Final = 0.01
"""The growth is noted no finer than this, and no finer than a hundredth of the time that has passed."""


class Exposure:
    """The different people that one side was shown. Times are seconds since the drill began."""

    def __init__(self, began: float = 0.0) -> None:
        self.began = began
        self.count = 0
        self.last_at: float | None = None
        self.grown: list[tuple[float, int]] = [(0.0, 0)]
        self.seen: dict[int, float] = {}
        self._pages: set[int] = set()

    def show(self, index: int, at: float) -> None:
        """One person was shown."""
        if index in self.seen or index // PER_PAGE in self._pages:
            return
        self.seen[index] = at
        self._grow(1, at)

    def show_page(self, page: int, people: int, at: float) -> None:
        """A whole page was shown: those from `page * PER_PAGE` on."""
        if page in self._pages:
            return
        self._pages.add(page)
        first = page * PER_PAGE
        known = sum(index in self.seen for index in range(first, first + people)) if self.seen else 0
        self._grow(people - known, at)

    def _grow(self, people: int, at: float) -> None:
        if not people:
            return
        self.count += people
        self.last_at = at
        since = at - self.began
        if since - self.grown[-1][0] >= max(_STEP_SECONDS, _STEP_SHARE * since):
            self.grown.append((since, self.count))

    def line(self, until: float) -> list[tuple[float, int]]:
        """(seconds since the attack began, people), up to the end."""
        return [
            *self.grown,
            *([] if self.last_at is None else [(self.last_at - self.began, self.count)]),
            (until, self.count),
        ]
