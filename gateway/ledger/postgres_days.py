# SPDX-License-Identifier: EUPL-1.2
"""The days into which PostgreSQL cuts the events: each is a table of its own, made ahead of its time.

What comes while its day is missing goes to `event_other`, and moves to its day when that is made. A day is from
midnight to midnight UTC.

Appending goes on. But nobody may be half-way when a day appears: a row already on its way to `event_other` would be
refused there, and end the ledger of whoever sent it; and a question planned before it would not find what has moved. So
a day is made while nobody appends or reads, which takes milliseconds; where it would take longer, because somebody
reads for long, it is given up and tried again.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg

from gateway.errors import LedgerError
from gateway.ledger.engine import first_line
from gateway.ledger.event import COLUMNS, microseconds
from gateway.ledger.postgres_engine import FAULTS, MAKING, connect

if TYPE_CHECKING:
    from gateway.ledger.place import PostgresAddress

DAYS_AHEAD: Final = 8
_THERE: Final = "select relname from pg_inherits join pg_class on oid = inhrelid where inhparent = 'event'::regclass"
_PATIENCE: Final = "set local lock_timeout = '100ms'"
_TRIES: Final = 40
_PAUSE_SECONDS: Final = 0.25
_ALL: Final = ", ".join(("sequence", *COLUMNS))

_MOVE: Final = (
    f"with moved as (delete from event_other where at >= {{begin}} and at < {{end}} returning {_ALL}) "  # noqa: S608  # ours
    f"insert into {{name}} ({_ALL}) select {_ALL} from moved"
)


def prepare_postgres_days(address: PostgresAddress, now: datetime) -> None:
    """Make yesterday, today and the days ahead where they are missing. LedgerError: some still are missing."""
    midnight = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)
    days = [midnight + timedelta(days=number) for number in range(-1, DAYS_AHEAD + 1)]
    try:
        with connect(address) as connection:
            there = {name for (name,) in connection.execute(_THERE)}
            for day in days:
                if _name(day) not in there:
                    _insist(connection, day)
    except FAULTS as error:
        raise LedgerError(
            f"{address}: no days could be made for the events to come ({first_line(error)}); they are kept all the "
            "same, and found more slowly: look at the server"
        ) from error


def _name(day: datetime) -> str:
    return f"event_{day:%Y_%m_%d}"


def _insist(connection: psycopg.Connection, day: datetime) -> None:
    for tried in range(1, _TRIES + 1):
        try:
            _make(connection, day)
        except psycopg.errors.LockNotAvailable:
            if tried == _TRIES:
                raise
            time.sleep(_PAUSE_SECONDS)
        except psycopg.errors.DuplicateTable:  # another process was quicker
            return
        else:
            return


def _make(connection: psycopg.Connection, day: datetime) -> None:
    name, begin, end = _name(day), microseconds(day), microseconds(day + timedelta(days=1))
    steps: tuple[Any, ...] = (
        _PATIENCE,
        f"select pg_advisory_xact_lock({MAKING})",
        "lock table only event in access exclusive mode",
        f"create table {name} (like event including defaults including constraints)",
        _MOVE.format(name=name, begin=begin, end=end),
        f"alter table event attach partition {name} for values from ({begin}) to ({end})",
    )
    with connection.transaction():
        for step in steps:
            connection.execute(step)
