# SPDX-License-Identifier: EUPL-1.2
"""What a scanned answer works with: who reads its people, and the gate that lets them go. Words alone, nothing is done.

The readers are the metering room's, the gate is the hallway's: this room knows neither.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model.unread import Unread
    from gateway.pending import Pending

Read = tuple[tuple[str, ...], int]


class Records(Protocol):
    """Reads the people of an answer: of each complete record, and the place in the stream just behind it."""

    def feed(self, piece: bytes) -> Sequence[Read]:
        """The records that are complete by now. UnreadableError if there is no telling."""

    def finish(self) -> Sequence[Read]:
        """The rest, when the answer has ended."""


class Ending(StrEnum):
    """How an answer ended: all of it left, or it was cut by the gate, by the portal, or by who took it."""

    WHOLE = "whole"
    CUT = "cut"
    BROKEN = "broken"
    LEFT = "left"


class Gate(Protocol):
    """The hallway, as an answer sees it."""

    def release(self, people: Sequence[str]) -> Pending[int]:
        """Meter and record these people, none of whom this answer has named before; how many of them, from the first
        on, may leave. It is durable for those, and for no one else, when it resolves.
        """

    def unread(self, why: Unread) -> Pending[bool]:
        """Record that what follows cannot be read; whether it leaves all the same."""

    def ended(self, found: frozenset[str], ending: Ending, *, left: bool) -> None:
        """Hear, once, who was read in the answer, let go or not, how it ended, and whether a byte of it leaves."""
