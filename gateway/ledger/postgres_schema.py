# SPDX-License-Identifier: EUPL-1.2
"""The ledger's tables in a PostgreSQL database: made, checked and brought up to date, and what its server must promise.

Creating and opening are two acts, as for a file. A server that does not write through to its disk is refused: what it
acknowledges is not durable. Every fault here is a StartError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gateway.errors import LedgerError, StartError
from gateway.ledger.engine import first_line
from gateway.ledger.event import LedgerUnreadable, event_from_row
from gateway.ledger.migration import NEWEST, NOTHING, demand_newest, found_version, migrate
from gateway.ledger.postgres_engine import FAULTS, MAKING, connect, open_postgres_database
from gateway.ledger.queries import ROW
from gateway.ledger.tables import event

if TYPE_CHECKING:
    import psycopg

    from gateway.ledger.place import PostgresAddress

VERSION_AT_LEAST: Final = 150_000
TAIL_ROWS: Final = 1_000

_DEMANDED: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
    "server_encoding": ("UTF8",),
    "transaction_read_only": ("off",),
}
_LOCK: Final = sa.select(sa.func.pg_advisory_xact_lock(MAKING))


def create_postgres(address: PostgresAddress) -> None:
    """Make the tables of an empty ledger in a database that has none; StartError if there is one, or it cannot be."""
    database = open_postgres_database(address, writes=True)
    try:
        with database.writing() as tables:
            tables.execute(_LOCK)
            found = found_version(tables, str(address))
            if found != NOTHING:
                raise StartError(
                    f"{address} holds a ledger already; expected an empty database: open it, or choose another for a "
                    "new ledger"
                )
            migrate(tables, found)
    except LedgerError as error:
        raise StartError(f"no ledger was made: {error}") from error
    finally:
        database.close()


def open_postgres(address: PostgresAddress, *, beside: bool = False) -> psycopg.Connection:
    """A connection that appends, checked. `beside`: other processes append already, and the tables are not changed."""
    try:
        connection = connect(address, appends=True)
        try:
            _check_server(connection, address)
            _check_tables(address, beside=beside)
        except BaseException:
            connection.close()
            raise
    except (*FAULTS, LedgerError, LedgerUnreadable) as error:
        raise StartError(
            f"{address} cannot be opened as a ledger ({first_line(error)}); expected a PostgreSQL server that lets us "
            "in and a ledger made there: look at the section [ledger] of the settings, and at the server"
        ) from error
    return connection


def _check_server(connection: psycopg.Connection, address: PostgresAddress) -> None:
    version = connection.info.server_version
    if version < VERSION_AT_LEAST:
        raise StartError(
            f"{address} is PostgreSQL {version // 10_000}; expected {VERSION_AT_LEAST // 10_000} or newer: move the "
            "ledger to a newer server"
        )
    for name, expected in _DEMANDED.items():
        (found,) = connection.execute("select current_setting(%s)", (name,)).fetchone() or (None,)
        if found not in expected:
            raise StartError(
                f"{address}: the server says {found} to {name}; expected {' or '.join(expected)}, without which what "
                "it acknowledges may be lost: mend the server's settings, then start again"
            )


def _check_tables(address: PostgresAddress, *, beside: bool) -> None:
    database = open_postgres_database(address, writes=True)
    try:
        with database.writing() as tables:
            tables.execute(_LOCK)
            found = found_version(tables, str(address))
            if found == NOTHING:
                raise StartError(
                    f"no ledger in {address}; expected the tables made at set-up: create them, or restore a backup"
                )
            if found != NEWEST:
                if beside:
                    demand_newest(found, str(address))
                migrate(tables, found)
            _check_tail(tables, address)
    finally:
        database.close()


def _check_tail(tables: sa.Connection, address: PostgresAddress) -> None:
    """Whether the newest events are of kinds that this version knows. Numbers may have holes: an append that failed."""
    newest = sa.select(event.c.sequence, *ROW).order_by(event.c.sequence.desc()).limit(TAIL_ROWS)
    found: list[Any] = list(tables.execute(newest))
    for one in found:
        try:
            event_from_row(one[1:])
        except LedgerUnreadable as error:
            raise StartError(f"{address}: event {one[0]}: {error}") from error
