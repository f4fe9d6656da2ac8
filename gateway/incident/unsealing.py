# SPDX-License-Identifier: EUPL-1.2
"""From sealed numbers to numbers, with one or several of the officer's keys: those of before a rotation open what was
sealed before it. Numbers pass through here and are kept nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.errors import HerseError
from gateway.incident.incident import IncidentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gateway.incident.people import Person


class Opener(Protocol):
    """One officer's key at work (`ledger.seal.Unsealer`); what does not open raises HerseError with a sentence."""

    def learn(self, sealed: bytes) -> bool:
        """Learn a data key from what its row has; False if it is another officer's."""
        ...

    def open(self, sealed: bytes, request: bytes, pseudonym: bytes) -> str:
        """The number of a row."""
        ...


class Unsealing:
    """Counts who stays without number: `unsealed` (nothing was sealed), `unopened` (and the first reason why)."""

    def __init__(self, openers: Sequence[Opener]) -> None:
        self._openers = openers
        self.unsealed = 0
        self.unopened = 0
        self.why = ""

    def learn(self, data_keys: Iterable[bytes], told: Callable[[int], None] | None = None) -> None:
        """Learn the data keys; IncidentError if there are some and none is sealed to any of the officer's keys."""
        done = learnt = 0
        damaged = ""
        for key in data_keys:
            done += 1
            try:
                learnt += any(opener.learn(key) for opener in self._openers)
            except HerseError as error:  # one damaged row; whoever needs it is told below
                damaged = damaged or str(error)
            if told is not None:
                told(done)
        if done and not learnt:
            raise IncidentError(
                f"none of the {done} data keys of this interval opens with the officer's key given"
                f"{f' ({damaged})' if damaged else ''}; expected the key that was in use then: compare it with the "
                "gateway's officer.pub, or take the one from before the rotation"
            )

    def number(self, person: Person) -> str | None:
        """The number of a person; None, counted, if it cannot be told."""
        why = ""
        for one in person.seals:
            for opener in self._openers:
                try:
                    return opener.open(one.number, one.request, person.pseudonym)
                except HerseError as error:
                    why = str(error)
        if not person.seals:
            self.unsealed += 1
        else:
            self.unopened += 1
            self.why = self.why or why
        return None

    def check_whole(self) -> None:
        """IncidentError if somebody's sealed number did not open: the list would be taken for whole."""
        if self.unopened:
            raise IncidentError(
                f"the numbers of {self.unopened:,} people do not open ({self.why}); expected all to: give each of the "
                "officer's keys that were in use (--key once for each), or --incomplete to have these people in the "
                "list without their number. Nothing is written."
            )
