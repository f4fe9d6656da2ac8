# SPDX-License-Identifier: EUPL-1.2
"""The door to what is counted: MeterDoor, obeyed by memory (in the process) and redis (shared by workers) alike.

One look-up is two acts. `hit` asks all budgets and reserves a place in all of them or in none, in one atomic act.
`settle` tells how the portal answered: a number that is nobody's gives its places back and counts as missed.
Before an answer that may show many, `room` asks whether so many would fit, and holds places that bear no name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from gateway.metering.look import Look, Outcome
    from gateway.pending import Pending


class MeterDoor(Protocol):
    """Budgets of different people."""

    def hit(self, look: Look) -> Outcome | Pending[Outcome]:
        """Ask and reserve in one act. Refused(METER_UNAVAILABLE) if nobody can tell: then nothing may leave."""

    def settle(self, look: Look, outcome: Outcome, *, missed: bool) -> None:
        """After a permitted hit: whether the number was somebody's. Never waits, never fails."""

    def room(self, look: Look, people: int) -> Outcome | Pending[Outcome]:
        """Hold places for so many new people, whoever they will be, or none. Nobody is counted, no denial begins."""

    def leave(self, room: Outcome, places: int | None) -> None:
        """Give back so many places of a permitted `room`, None is all that are left. Never waits, never fails."""

    def missed(self, look: Look) -> Outcome | Pending[Outcome]:
        """Count a number that is none, unless its budgets are full: `pseudonym` is any 16 bytes that name the try."""
