# SPDX-License-Identifier: EUPL-1.2
"""A ledger's database as SQLAlchemy reaches it: to read events, and to read and write the tree.

Connections of its own: reading never waits for whoever appends, nor he for it. A connection is used by one thread at a
time, and kept for the next. Never here: appending (`writer`).
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from gateway.errors import LedgerError
from gateway.ledger.event import LedgerUnreadable
from gateway.ledger.queries import last_query
from gateway.ledger.schema import BUSY_MILLISECONDS, connect
from gateway.ledger.writer import LedgerBusy

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from gateway.ledger.place import Place

_FILE_FAULTS: Final = (sa.exc.SQLAlchemyError, sqlite3.Error)
_BUSY: Final = 5  # SQLITE_BUSY, below whatever it is refined by
_LOCK_NOT_AVAILABLE: Final = "55P03"
_SOUND_FILE: Final = (
    "an existing, undamaged ledger: look whether the file is there, the disk is sound, and the temporary folder "
    "(TMPDIR) has room for sorting"
)


class Database:
    """Made by `open_file` or `open_place`. Errors of the database are LedgerUnreadable, or LedgerError in a write."""

    def __init__(self, place: Place, engine: sa.Engine, faults: tuple[type[Exception], ...], sound: str) -> None:
        """`sound`: what is expected of the place, and what to look at when it is not so."""
        self.name = str(place)
        self.engine = engine
        self._faults = faults
        self._sound = sound

    @property
    def is_file(self) -> bool:
        """Whether it is SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """A connection for questions."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except self._faults as error:
            raise LedgerUnreadable(
                f"{self.name} cannot be read ({first_line(error)}); expected {self._sound}"
            ) from error

    @contextmanager
    def writing(self) -> Generator[sa.Connection]:
        """One transaction, durable once the block is left. LedgerBusy: it could not begin, and a later one may."""
        try:
            with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection
        except self._faults as error:
            said = first_line(error)
            if _is_busy(error):
                raise LedgerBusy(f"others have been writing to {self.name} for too long ({said}): try again") from error
            raise LedgerError(f"{self.name} could not be written ({said}); expected {self._sound}") from error

    def stretches(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The parts of a range of time in which to look for the newest first, in that order."""
        yield first, last

    def last_number(self) -> int:
        """A number up to which all events there will ever be are there to be read; 0 at first.

        Numbers of a file are given under its write lock.
        """
        with self.reading() as connection:
            return int(connection.execute(last_query()).scalar_one())

    def lately(self) -> int | None:
        """A time (microseconds) that all events of the last minutes have reached, where it helps to look no further."""
        return None

    def close(self) -> None:
        """Close all connections; none may be in use."""
        self.engine.dispose()


def open_place(place: Place, *, writes: bool = False) -> Database:
    """The database of a ledger that exists; nothing is asked of it yet. `writes`: the tree may be written."""
    if isinstance(place, Path):
        return open_file(place, writes=writes)
    from gateway.ledger.postgres_engine import open_postgres_database  # noqa: PLC0415  # its driver, where it is asked

    return open_postgres_database(place, writes=writes)


def open_file(path: Path, *, writes: bool = False) -> Database:
    """A ledger in a file."""

    def connected() -> sqlite3.Connection:
        connection = connect(path, "rw" if writes else "ro")
        connection.execute(f"pragma busy_timeout={BUSY_MILLISECONDS}")
        connection.execute("pragma synchronous=full")
        connection.execute("pragma wal_autocheckpoint=0")  # whoever appends folds the log
        connection.execute("pragma secure_delete=on")  # what is deleted leaves no trace in pages that are free
        return connection

    engine = sa.create_engine("sqlite://", creator=connected, poolclass=QueuePool, max_overflow=-1)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A question needs no transaction of more than itself; whoever writes takes the lock before he reads.
        if connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("begin immediate")

    return Database(
        path,
        engine,
        _FILE_FAULTS,
        _SOUND_FILE,
    )


def first_line(error: Exception) -> str:
    """What the database said, without the values that its further lines, and our own statements, may hold."""
    said = str(error.orig) if isinstance(error, sa.exc.DBAPIError) else str(error)
    return said.strip().partition("\n")[0]


def _is_busy(error: Exception) -> bool:
    """Whether a lock was waited for in vain: then nothing was written."""
    origin = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    code = getattr(origin, "sqlite_errorcode", None)
    return getattr(origin, "sqlstate", None) == _LOCK_NOT_AVAILABLE or (code is not None and code & 0xFF == _BUSY)
