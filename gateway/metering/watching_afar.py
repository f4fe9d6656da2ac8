# SPDX-License-Identifier: EUPL-1.2
"""The watch in a process that does not have it: what was looked up here is gathered to be told, and what was found
comes back. Pure: whoever has the line to the watch (`desk.link`) calls `take`, `answered` and `went`.

A robot that spreads its look-ups over all processes is seen as one. What waits is bounded: where the watch is away for
long, the oldest is lost; the budgets hold without it, and a risk that stood goes on standing.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.risks import Rest, Risks
from gateway.metering.tally import microseconds
from gateway.metering.watching import note_of
from gateway.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gateway.metering.look import Look
    from gateway.metering.watching import Note, Raised
    from gateway.model import Risk

WAITING_AT_MOST: Final = 10_000


class Told(NamedTuple):
    """What is told at once: a look-up, or the people whom one answer showed `together`."""

    notes: tuple[Note, ...]
    together: bool


class WatchingAfar:
    """As Watching, but that what was raised is known later."""

    def __init__(self) -> None:
        self.risks = Risks()
        self._rest = Rest()
        self._waiting: deque[tuple[Told, Pending[Raised | None]]] = deque()
        self._asked: deque[list[Pending[Raised | None]]] = deque()

    def risk(self, account: str, at: int, proved: int | None = None) -> Risk:
        """See Risks."""
        return self.risks.of(account, at, proved)

    def resting(self, account: str, at: int) -> bool:
        """See Rest."""
        return self._rest(account, at)

    def seen(self, look: Look, *, new: bool, missed: bool) -> Pending[Raised | None] | None:
        """See Watching; None if nothing is told."""
        account, at = look.subject.account or "", microseconds(look.at)
        if self._rest(account, at):
            return None
        self._rest.begin(account, at)
        return self._tell(Told((note_of(look, new=new, missed=missed),), together=False))

    def showed(self, looks: Sequence[tuple[Look, bool]]) -> Pending[Raised | None]:
        """See Watching."""
        return self._tell(Told(tuple(note_of(look, new=new, missed=False) for look, new in looks), together=True))

    def alarm(self, account: str, at: datetime) -> None:
        """See Watching; here it holds at once."""
        self.risks.alarm(account, microseconds(at))

    def take(self) -> list[Told]:
        """What is to be told now; `answered` is due for it, in its turn."""
        told = [one for one, _ in self._waiting]
        if told:
            self._asked.append([pending for _, pending in self._waiting])
            self._waiting.clear()
        return told

    def answered(self, found: Mapping[int, Raised]) -> None:
        """What was raised by the oldest `take` without an answer, by place."""
        for place, pending in enumerate(self._asked.popleft()):
            pending.resolve(found.get(place))

    def went(self) -> None:
        """The watch is away: nobody answers what it was told."""
        while self._asked:
            self.answered({})

    def sweep(self, at: datetime) -> None:
        """Forget what is over."""
        self.risks.sweep(microseconds(at))
        self._rest.sweep(microseconds(at))

    def _tell(self, told: Told) -> Pending[Raised | None]:
        if len(self._waiting) >= WAITING_AT_MOST:
            self._waiting.popleft()[1].resolve(None)
        pending: Pending[Raised | None] = Pending()
        self._waiting.append((told, pending))
        return pending
