# SPDX-License-Identifier: EUPL-1.2
"""What is asked of the budgets, and what they say: Look and Outcome. Pure values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.model import Risk

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.model import Budget, Effect, Meter, Quota, Subject


class Look(NamedTuple):
    """One person whom somebody wants to see.

    `pseudonym` is 16 bytes; `neighbours` are the pseudonyms of the numbers just before and after, which tell a list
    that is worked through in order; `departement` is where the number was given (two or three characters), or None.
    `network` is the network as sessions are bound to it, `client` likewise. `moved`: the session was opened elsewhere.
    `risk` is that of the account (metering.watching).
    """

    subject: Subject
    teleservice: str
    meter: Meter
    pseudonym: bytes
    at: datetime
    network: str
    client: str = ""
    moved: bool = False
    neighbours: tuple[bytes, ...] = ()
    departement: str | None = None
    risk: Risk = Risk.CALM


class Outcome(NamedTuple):
    """What the budgets say: PERMIT, CHALLENGE or DENY.

    `budget` is the one that refuses; of several, a DENY, and the one with the longest wait. None with a CHALLENGE: the
    session has moved, and the person is new. `quotas` is what is left after this hit of each budget of the account and
    of the holder that can refuse; `retry_after_seconds` tells when a place comes back by waiting. `alerts` are budgets
    passed that only tell, once a window; `observed` those that would have refused but for `observe`.
    `reserved` is for `settle` alone.
    """

    effect: Effect
    budget: Budget | None
    quotas: tuple[Quota, ...]
    retry_after_seconds: int | None
    delay_seconds: float = 0.0
    alerts: tuple[Budget, ...] = ()
    observed: tuple[Budget, ...] = ()
    new: bool = False
    reserved: object = None
