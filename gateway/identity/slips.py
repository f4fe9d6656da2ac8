# SPDX-License-Identifier: EUPL-1.2
"""A slip: what the hallway gives a browser along to the page of a proof, so that it can say which budget asked for it.

It goes in the address, sealed for one session: nobody writes one himself, reads it, or uses another's. A slip that does
not open, or is as old as a kept target may not be, says nothing. Never here: a patient, or how many others looked up.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.identity.at_rest import SealError
from gateway.identity.returns import LIFETIME
from gateway.model import Budget, Counts, Level, Method, Past, Quota, Risk, Scope, Spent

if TYPE_CHECKING:
    from gateway.identity.at_rest import AtRest

_LONGEST: Final = 1024
_Plain: TypeAlias = "tuple[int, int, str, str, str, int | None, int, int | None]"


class Slips:
    """Writes and reads slips under one key."""

    def __init__(self, sealing: AtRest) -> None:
        self._sealing = sealing

    def write(self, spent: Spent, session: str, at: datetime) -> str:
        """The slip for a session (its reference): letters, digits, `-` and `_`."""
        near = None if spent.near is None else [_plain(spent.near.budget), spent.near.left]
        told = [int(at.timestamp()), spent.seconds, _plain(spent.budget), list(spent.methods), near]
        sealed = self._sealing.seal(json.dumps(told, separators=(",", ":")).encode("ascii"), _bound_to(session))
        return urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def read(self, slip: str, session: str, at: datetime) -> Spent | None:
        """What was written, with the wait as it is now; None if it was not, or not for this session, or long ago."""
        if not slip.isascii() or len(slip) > _LONGEST:
            return None
        try:
            plain = self._sealing.open(urlsafe_b64decode(slip + "=" * (-len(slip) % 4)), _bound_to(session))
        except (ValueError, SealError):
            return None
        written_at, seconds, budget, methods, near = json.loads(plain)
        age = at - datetime.fromtimestamp(written_at, UTC)
        if age >= LIFETIME:
            return None
        return Spent(
            _budget(budget),
            max(0, seconds - max(0, int(age.total_seconds()))),
            tuple(Method(one) for one in methods),
            None if near is None else Quota(_budget(near[0]), near[1], 0),
        )


def _bound_to(session: str) -> str:
    return f"slip of {session}"


def _plain(budget: Budget) -> _Plain:
    """What pages say of a budget."""
    lasts = None if budget.lasts is None else _seconds(budget.lasts)
    words = str(budget.past), str(budget.counts), str(budget.per)
    under = None if budget.under is None else int(budget.under)
    return (budget.people, _seconds(budget.window), *words, under, int(budget.risk), lasts)


def _budget(plain: _Plain) -> Budget:
    people, window, past, counts, per, under, risk, lasts = plain
    return Budget(
        people,
        timedelta(seconds=window),
        Past(past),
        Counts(counts),
        Scope(per),
        None if under is None else Level(under),
        Risk(risk),
        lasts=None if lasts is None else timedelta(seconds=lasts),
    )


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
