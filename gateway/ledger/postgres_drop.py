# SPDX-License-Identifier: EUPL-1.2
"""A whole day of events taken away from PostgreSQL: its table is detached and dropped, which gives the room back.

The few rows that stay (deletion events, what an open incident holds) move to `event_other`. All of it is one
transaction with the marks in the tiles. As when a day is made, nobody may be half-way: for the last step, which takes
milliseconds, the table of events is locked; where somebody reads for long it is given up and tried again, and appends
wait no longer than that.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from psycopg.errors import LockNotAvailable

from gateway.ledger.deleting import demand_all
from gateway.ledger.deletion import NotDeleted
from gateway.ledger.event import COLUMNS, EPOCH, MICROSECOND, microseconds
from gateway.ledger.postgres_engine import MAKING
from gateway.ledger.tables import event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.ledger.deletion import Batch

_DAYS: Final = sa.text(
    "select relname from pg_inherits join pg_class on oid = inhrelid "
    r"where inhparent = 'event'::regclass and relname ~ '^event_\d{4}_\d{2}_\d{2}$' order by relname"
)
_ENDS: Final = sa.select(
    sa.func.coalesce(sa.func.min(event.c.sequence), 0), sa.func.coalesce(sa.func.max(event.c.sequence), 0)
).where(event.c.at >= sa.bindparam("begin"), event.c.at < sa.bindparam("end"))
_ALL: Final = ", ".join(("sequence", *COLUMNS))
_LOCKS: Final = (
    "set local lock_timeout = '100ms'",
    f"select pg_advisory_xact_lock({MAKING})",
    "lock table only event in access exclusive mode",
)
_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.25


def ended_days(connection: sa.Connection, until: int) -> list[tuple[int, int, int, int]]:
    """See TreeStore.whole_days."""
    found = []
    for (name,) in connection.execute(_DAYS):
        day = datetime.strptime(name, "event_%Y_%m_%d").replace(tzinfo=UTC)
        begin, end = microseconds(day), microseconds(day + timedelta(days=1))
        if end <= until:
            first, last = connection.execute(_ENDS, {"begin": begin, "end": end}).one()
            found.append((begin, end, int(first), int(last)))
    return found


def drop_day(connection: sa.Connection, batch: Batch, day: tuple[int, int], staying: Sequence[int]) -> None:
    """Drop the table of a day, once it holds the rows of the batch and those that stay, and no others.

    The numbers of rows that stay are looked for in it alone. NotDeleted: it holds others.
    """
    name = f"event_{EPOCH + day[0] * MICROSECOND:%Y_%m_%d}"
    _lock(connection)
    held, kept = _counted(connection, name, staying)
    if kept != len(staying):
        raise NotDeleted(f"{kept} of {len(staying)} events that stay of {name} are there: verify the ledger")
    demand_all(held - kept, batch)
    connection.exec_driver_sql(f"alter table event detach partition {name}")
    if staying:
        connection.execute(
            sa.text(f"insert into event ({_ALL}) select {_ALL} from {name} where sequence = any(:staying)"),  # noqa: S608
            {"staying": list(staying)},
        )
    connection.exec_driver_sql(f"drop table {name}")


def _lock(connection: sa.Connection) -> None:
    for tried in range(1, _TRIES + 1):
        step = connection.begin_nested()
        try:
            for words in _LOCKS:
                connection.exec_driver_sql(words)
        except sa.exc.OperationalError as error:
            step.rollback()
            if tried == _TRIES or not isinstance(error.orig, LockNotAvailable):
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            step.commit()
            return


def _counted(connection: sa.Connection, name: str, staying: Sequence[int]) -> tuple[int, int]:
    """How many rows a day holds, and how many of them are of those that stay."""
    question = sa.text(
        f"select count(*), count(*) filter (where sequence = any(:staying)) from {name}"  # noqa: S608  # our own names
    )
    found: Any = connection.execute(question, {"staying": list(staying)}).one()
    return int(found[0]), int(found[1])
