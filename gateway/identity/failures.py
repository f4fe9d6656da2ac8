# SPDX-License-Identifier: EUPL-1.2
"""Failures per account and factor, durable: they outlive sessions, restarts and changes of address.

An attempt is counted before its secret is looked at, in one transaction with the check, and taken back if it was
right: so any number of parallel attempts gets no more tries than a row of them. Within 24 hours: five failures are
free, then the wait doubles from one minute, and after ten nothing is tried until the oldest is a day old or an
operator unlocks. A success clears the wait, but 25 failures in 24 hours, whatever came between, stop too (RIE EXI 25).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Connection, Engine

    from gateway.model import Method

DAY = timedelta(hours=24)
FREE = 5
MOST_IN_A_ROW = 10
MOST_IN_A_DAY = 25
_FIRST_WAIT = timedelta(minutes=1)
_FAILURE = schema.failure.c


def wait_until(in_a_row: Sequence[datetime], all_of_the_day: Sequence[datetime]) -> datetime | None:
    """When the next attempt is allowed, from the failures of the last 24 hours, newest first; None: no wait.

    `in_a_row` are those since the last success.
    """
    ends = []
    if len(all_of_the_day) >= MOST_IN_A_DAY:
        ends.append(all_of_the_day[MOST_IN_A_DAY - 1] + DAY)
    if len(in_a_row) >= MOST_IN_A_ROW:
        ends.append(in_a_row[MOST_IN_A_ROW - 1] + DAY)
    elif len(in_a_row) >= FREE:
        ends.append(in_a_row[0] + _FIRST_WAIT * 2 ** (len(in_a_row) - FREE))
    return max(ends, default=None)


class Failures:
    """The durable counters. Identifiers are canonical; unknown ones are counted like known ones."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def check(self, identifier: str, factor: Method, at: datetime) -> None:
        """Refused(THROTTLED, retry) while a wait runs. Counts nothing: to decide on it, use `attempt`."""
        with reading(self._engine) as connection:
            _check(connection, identifier, factor, at)

    def attempt(self, identifier: str, factor: Method, at: datetime) -> int:
        """Check, and count one failure in the same transaction; returns its number, for `succeeded` or `withdraw`."""
        with writing(self._engine) as connection:
            _check(connection, identifier, factor, at)
            connection.execute(schema.failure.delete().where(_FAILURE.at <= at - DAY))
            row = schema.failure.insert().values(account=identifier, factor=str(factor), at=at, forgiven=0)
            number = connection.execute(row).lastrowid
        return int(number)

    def failed(self, identifier: str, factor: Method, at: datetime) -> None:
        """Count a failure that was found without `attempt`."""
        self.attempt(identifier, factor, at)

    def succeeded(self, identifier: str, factor: Method, attempt: int) -> None:
        """The attempt was right: take it back, and forgive the ones before it."""
        with writing(self._engine) as connection:
            connection.execute(schema.failure.delete().where(_FAILURE.id == attempt))
            connection.execute(
                schema.failure.update()
                .where(_FAILURE.account == identifier, _FAILURE.factor == str(factor), _FAILURE.id < attempt)
                .values(forgiven=1)
            )

    def withdraw(self, attempt: int) -> None:
        """The attempt was never judged (we were busy): take it back."""
        with writing(self._engine) as connection:
            connection.execute(schema.failure.delete().where(_FAILURE.id == attempt))


def _check(connection: Connection, identifier: str, factor: Method, at: datetime) -> None:
    query = (
        sa.select(_FAILURE.at, _FAILURE.forgiven)
        .where(_FAILURE.account == identifier, _FAILURE.factor == str(factor), _FAILURE.at > at - DAY)
        .order_by(_FAILURE.at.desc(), _FAILURE.id.desc())
    )
    rows = connection.execute(query).all()
    end = wait_until([row.at for row in rows if not row.forgiven], [row.at for row in rows])
    if end is not None and end > at:
        raise Refused(Reason.THROTTLED, retry_after_seconds=ceil((end - at).total_seconds()))
