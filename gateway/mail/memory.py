# SPDX-License-Identifier: EUPL-1.2
"""The outbox's twin without a disk, for tests of the rooms above: same door, same refusals, nothing is ever sent.

It can be told to break (`fail`), as a disk would, and to work again (`mend`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.mail.outbox import MOST_WAITING, OutboxError

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.mail.letter import Letter


class MemoryOutbox:
    """Keeps every letter in `letters`, oldest first."""

    def __init__(self, *, most: int = MOST_WAITING) -> None:
        self.letters: list[Letter] = []
        self._most = most
        self._broken = False

    def put(self, letter: Letter, at: datetime) -> None:  # noqa: ARG002  # the shape of Outbox
        """See outbox.Outbox."""
        if self._broken or len(self.letters) >= self._most:
            raise OutboxError("a letter could not be kept: this outbox is broken or full")
        self.letters.append(letter)

    def to(self, address: str) -> list[Letter]:
        """The letters to one address, oldest first."""
        return [letter for letter in self.letters if letter.to == address]

    def fail(self) -> None:
        """The disk breaks: nothing is kept from now on."""
        self._broken = True

    def mend(self) -> None:
        """The disk works again."""
        self._broken = False
