# SPDX-License-Identifier: EUPL-1.2
"""Connections to a ledger's PostgreSQL, and the locks that its users have between them. Loaded only where there is one.

Two keys are advisory locks of the database. Who appends shares APPENDING until he has committed; who has it alone, if
only for a moment, knows that every number given so far is in its row or will never be. Who holds SEALING seals.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from gateway.ledger.engine import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.ledger.place import PostgresAddress

APPENDING: Final = 0x4845525345_01
SEALING: Final = 0x4845525345_02
MAKING: Final = 0x4845525345_03
"""Who changes tables, or adds days."""

FAULTS: Final = (sa.exc.SQLAlchemyError, psycopg.Error)
_SOUND: Final = "a server that answers and an undamaged ledger in it: look at the server and at its log"
_CONNECT_SECONDS: Final = 5
_SILENT_MILLISECONDS: Final = 10_000
"""After so long without a sign of the server's machine the connection is lost."""
_DAY: Final = 86_400_000_000
_LAST: Final = sa.text(
    "with alone as materialized (select pg_advisory_xact_lock(:key)) "
    "select case when is_called then last_value else 0 end from event_sequence, alone"
).bindparams(key=APPENDING)
_STRETCHES: Final = (4 * _DAY, 32 * _DAY, 256 * _DAY)


def connect(
    address: PostgresAddress, *, appends: bool = False, reads_only: bool = False, autocommit: bool = True
) -> psycopg.Connection:
    """A connection of its own. psycopg.Error if there is none to be had.

    `appends`: it waits for a lock as long as it takes, for a failure would be its last.
    """
    # Nobody may stand still half-way in an append; who reads for long may pause.
    options = "-c timezone=UTC -c idle_in_transaction_session_timeout="
    options += "10s" if appends else "300s -c lock_timeout=2s"
    found = psycopg.connect(
        host=address.host,
        port=address.port,
        dbname=address.database,
        user=address.user,
        password=address.password,
        sslmode="verify-full" if address.tls else "disable",
        sslrootcert=_authority(address),
        ssl_min_protocol_version="TLSv1.2",
        gssencmode="disable",
        client_encoding="UTF8",
        application_name="herse",
        connect_timeout=_CONNECT_SECONDS,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=_SILENT_MILLISECONDS,
        options=f"{options} -c default_transaction_read_only=on" if reads_only else options,
        autocommit=autocommit,
    )
    found.prepare_threshold = None  # a plan made for no day in particular would look into every one
    return found


def _authority(address: PostgresAddress) -> str | None:
    """Who must have signed the server's certificate: libpq would take any authority for a name of none."""
    if address.authority is not None:
        return str(address.authority)
    return "system" if address.tls else None


class PostgresDatabase(Database):
    """Made by `open_postgres_database`."""

    def stretches(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Some days, then weeks, then months, then all that is left: what came lately is found without all the days.

        The clock only says where most of it is likely to be.
        """
        end, begin = last, min(last, time.time_ns() // 1000)
        for stretch in _STRETCHES:
            begin -= stretch
            if begin <= first:
                break
            yield begin, end
            end = begin
        yield first, end

    def last_number(self) -> int:
        """See Database. A number is given before its row is committed: one that is missing may still come.

        Once nobody is half-way, what was the last number given before is an end below which nothing appears any more.
        The lock is held for no longer than this one statement.
        """
        with self.reading() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            return int(alone.execute(_LAST).scalar_one())

    def lately(self) -> int | None:
        """See Database."""
        return time.time_ns() // 1000 - 2 * _DAY


def open_postgres_database(address: PostgresAddress, *, writes: bool = False) -> PostgresDatabase:
    """The database; nothing is asked of it yet."""
    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(address, reads_only=not writes, autocommit=False),
        poolclass=QueuePool,
        max_overflow=-1,
        pool_pre_ping=True,
        use_native_hstore=False,
    )
    return PostgresDatabase(address, engine, FAULTS, _SOUND)
