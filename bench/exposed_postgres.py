# SPDX-License-Identifier: EUPL-1.2
"""A ledger of many events in PostgreSQL for `make exposed`: the stolen look-ups sealed, the others by SQL.

Honest look-ups are made by SQL, a day at a time, with people and sealed numbers of the right length that nobody can
open: no question of the bench opens them. Every so many places of the ten days is a stolen one, and a hole in what the
server makes.
"""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Final

from gateway.ledger.event import COLUMNS, microseconds, row
from gateway.ledger.postgres_engine import connect
from gateway.ledger.store import prepare_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from gateway.ledger.place import PostgresAddress
    from gateway.model import Event

OPTIONS: Final = (
    "shared_buffers = 1GB",
    "max_wal_size = 4GB",
    "maintenance_work_mem = 256MB",
    "checkpoint_timeout = 30min",
)
"""Of the server while it is filled and asked: what an operator gives a ledger of this size, or less."""
_ALL: Final = ", ".join(("sequence", *COLUMNS))
_HONEST: Final = """
insert into event (sequence, request, at, kind, account, session, network, device, method, teleservice, pseudonym,
  status, categories, sealed)
select place + 1, substr(mark, 1, 16), %(begin)s + (place - %(first)s) * %(step)s, 'lookup',
  case when thief then '1300000' || lpad((place / 133 %% 19)::text, 2, '0')
    else '7500' || lpad((place %% 1999)::text, 5, '0') end,
  's' || place %% 5000, '198.51.100.' || place %% 250,
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0', 'GET', 'infopatient',
  substr(mark, 1, %(bytes)s), 200, '["identity","birth","rights"]', mark || substr(mark, 1, 16)
from (select place, %(thief)s and place %% 133 = 0 as thief, sha256((place * 7919 %% 60000000)::text::bytea) as mark
  from generate_series(%(first)s::bigint, %(last)s::bigint - 1) place) made
where not (%(stolen)s and place %% %(every)s = 0)
"""


def fill_postgres(  # noqa: PLR0917  # how much of what
    address: PostgresAddress,
    begin: datetime,
    days: int,
    per_day: int,
    stolen_days: range,
    every: int,
    stolen: Callable[[Iterator[datetime]], Iterator[Event]],
    passed: Callable[[float], None] | None,
) -> None:
    """Fill an empty ledger. `stolen` makes the events of the moments that it is given, data keys before them."""
    step = int(timedelta(days=1).total_seconds() * 1_000_000) // per_day
    with closing(connect(address)) as connection:
        connection.execute("set synchronous_commit = off")
        for day in range(days):
            at = begin + timedelta(days=day)
            prepare_days(address, at)
            first = day * per_day
            told = {
                "begin": microseconds(at),
                "first": first,
                "last": first + per_day,
                "step": step,
                "bytes": 16,
                "thief": day not in stolen_days,
                "stolen": day in stolen_days,
                "every": every,
            }
            connection.execute(_HONEST, told)
            if passed is not None:
                passed(first + per_day)
        moments = (
            begin + timedelta(days=place // per_day, microseconds=place % per_day * step)
            for place in range(stolen_days.start * per_day, stolen_days.stop * per_day)
            if place % every == 0
        )
        numbers = count(days * per_day + 1)
        with connection.cursor() as cursor, cursor.copy(f"copy event ({_ALL}) from stdin".encode()) as copy:
            for event in stolen(moments):
                copy.write_row((next(numbers), *row(event)))
        connection.execute("select setval('event_sequence', %s)", (next(numbers),))
        connection.execute("vacuum (analyze) event")
