# SPDX-License-Identifier: EUPL-1.2
"""The file of the accounts' database: made, opened, read and written. Its tables are in `schema`.

Every writing transaction takes SQLite's write lock at its start (`BEGIN IMMEDIATE`), so that what it read is still true
when it writes, in any number of processes.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from gateway.errors import StartError
from gateway.identity.schema import SCHEMA_VERSION, meta, metadata
from gateway.whole_file import appearing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine

DATABASE_FILE = "accounts.db"  # its name in state.folder
_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",  # first: switching to WAL may itself meet a lock
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)


def _engine(path: Path) -> Engine:
    engine = sa.create_engine(sa.URL.create("sqlite", database=str(path)))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must open no transaction of its own: `begin` below does
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the database."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that owns the write lock from its start; durable once this block is left."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def create_database(path: Path) -> Engine:
    """Make a new, empty database and open it. StartError if something is already there."""
    try:
        with appearing(path) as draft:
            engine = _engine(draft)
            with writing(engine) as connection:
                metadata.create_all(connection)
                connection.execute(meta.insert().values(schema_version=SCHEMA_VERSION))
            engine.dispose()
    except FileExistsError as error:
        raise StartError(f"{path} exists already; expected no file there. Open it, or move it away first.") from error
    return open_database(path)


def open_database(path: Path) -> Engine:
    """Open an existing database. StartError if it is missing, is something else, or has another schema version."""
    if not path.is_file():
        raise StartError(
            f"no database of accounts at {path}; expected the file made at the first start. "
            "Check that state.folder is right and mounted."
        )
    engine = _engine(path)
    try:
        with reading(engine) as connection:
            versions = list(connection.scalars(sa.select(meta.c.schema_version)))
    except sa.exc.DatabaseError as error:
        engine.dispose()
        raise StartError(
            f"{path} cannot be read as a database of accounts ({error.orig}); expected one made by Herse. "
            "Restore it from a backup, or check state.folder and the rights on the file."
        ) from error
    if versions != [SCHEMA_VERSION]:
        engine.dispose()
        found = ", ".join(map(str, versions)) or "none"
        raise StartError(
            f"{path} has schema version {found}; this Herse expects {SCHEMA_VERSION}. "
            "Run the version of Herse that wrote it, or a newer one."
        )
    return engine
