# SPDX-License-Identifier: EUPL-1.2
"""The ledger's file: how it is made, and what is checked before one may append to it.

SQLite in WAL mode with synchronous=FULL: each commit is one fsync of the write-ahead log. Creating and opening are two
acts: an opener that creates would hide a lost ledger behind an empty one. Every fault here is a StartError.

Which tables and indexes it has stands in `tables`, how they came to be in `migrations`; an older file is brought up to
date here, by whoever opens it alone.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from gateway.errors import StartError
from gateway.ledger.event import COLUMNS, LedgerUnreadable, event_from_row
from gateway.ledger.holes import went
from gateway.ledger.migration import NEWEST, NOTHING, demand_newest, found_version, migrate
from gateway.whole_file import appearing, sync

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

APPLICATION_ID: Final = 0x48455253
"""`HERS` in the header of the file: tells a ledger from any other database."""
WHOLE_CHECK_PAGES: Final = 131_072
"""Up to this size (512 MiB, two million events) opening checks every page: 0.35 s a million events, plus reading them
from disk. Past it only the tail, since the cost grows with the rows; checking it whole is the business of a command."""
TAIL_ROWS: Final = 1_000
FREE_BYTES_AT_LEAST: Final = 1 << 20
"""Room there must be at a start. On a full disk the shared memory beside the log could not be backed, and the kernel
would kill the process (SIGBUS) where an error is due."""
OPENING_SECONDS: Final = 1.0
"""How long a check at start waits for another program to let go of the file; afterwards BUSY_MILLISECONDS."""
BUSY_MILLISECONDS: Final = 5_000
_SYNCHRONOUS: Final = {"OFF": 0, "NORMAL": 1, "FULL": 2}


def create_database(path: Path) -> None:
    """Make an empty ledger where there is no file yet, durable when this returns."""
    try:
        with appearing(path) as draft:
            _demand_room(path)
            with closing(connect(draft, "rw")) as connection:
                _demand(connection, "journal_mode=wal", "wal", path)
                with _transaction(connection) as tables:
                    connection.execute(f"pragma application_id={APPLICATION_ID}")
                    migrate(tables, NOTHING)
    except FileExistsError:
        raise StartError(
            f"{path} exists already; expected no file there: open it, or choose another place for a new ledger"
        ) from None
    except (sqlite3.Error, sa.exc.SQLAlchemyError, OSError, StartError) as error:
        raise StartError(
            f"{path} cannot be created ({error}); expected a folder that Herse may write to, on a disk with room: mend "
            "it and try again"
        ) from error


def open_database(path: Path, synchronous: str, *, beside: bool = False) -> tuple[sqlite3.Connection, int]:
    """A connection that appends, checked, and the sequence of the last event (0 for none).

    `beside`: other processes append already; the first of them has looked at the whole file.
    """
    if not path.is_file():
        raise StartError(
            f"no ledger at {path}; expected the file made at set-up: create it, or restore it from a backup"
        )
    try:
        _demand_room(path)
        connection = connect(path, "rw")
        try:
            last = _checked(connection, path, synchronous, beside=beside)
        except BaseException:
            connection.close()
            raise
        # The log was made by the checks above if it was not there: its name must outlive a power cut too.
        sync(path.parent)
    except (sqlite3.Error, sa.exc.SQLAlchemyError, OSError) as error:
        raise StartError(
            f"{path} cannot be opened as a ledger ({error}); expected an undamaged ledger of Herse that this user may "
            "write to and no other program holds: set the file aside, and restore a copy"
        ) from error
    return connection, last


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection in `mode` (ro or rw, never one that creates), without Python's own transactions."""
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=OPENING_SECONDS,
    )


def _checked(connection: sqlite3.Connection, path: Path, synchronous: str, *, beside: bool) -> int:
    if beside:
        connection.execute(f"pragma busy_timeout={BUSY_MILLISECONDS}")
    _check_kind(connection, path)
    _demand(connection, "journal_mode=wal", "wal", path)
    connection.execute(f"pragma synchronous={synchronous}")
    _demand(connection, "synchronous", _SYNCHRONOUS[synchronous], path)
    # The writer folds the log back itself: SQLite's own checkpoint would keep a failed fsync to itself.
    _demand(connection, "wal_autocheckpoint=0", 0, path)
    # A file that may only be read must fail here, not at the first look-up; BEGIN IMMEDIATE alone would let it pass.
    _check_version(connection, path, beside=beside)
    connection.execute("begin immediate")
    connection.execute("update alembic_version set version_num = version_num")
    connection.execute("rollback")
    last = _check_rows(connection, path, 0 if beside else WHOLE_CHECK_PAGES)
    # If an fsync failed in the life before this one, the kernel may show pages of the log that never reached the disk.
    # Written anew into the file and synced there, they cannot tear what is appended from now on.
    (busy, _, _) = connection.execute(f"pragma wal_checkpoint({'full' if beside else 'truncate'})").fetchone()
    if busy and not beside:
        raise StartError(
            f"{path} is being read by another program; expected none while Herse starts: end it, then start again"
        )
    connection.execute(f"pragma busy_timeout={BUSY_MILLISECONDS}")
    return last


def _check_kind(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("pragma application_id").fetchone()
    if found != APPLICATION_ID:
        raise StartError(
            f"{path} is a database, but not a ledger of Herse (application id {found:#x}, not {APPLICATION_ID:#x}): "
            "move it away, and restore a copy of the ledger"
        )


def _check_version(connection: sqlite3.Connection, path: Path, *, beside: bool) -> None:
    """Whether the tables are those of this version; older ones are changed, once every page was looked at."""
    with _tables(connection) as tables:
        found = found_version(tables, str(path))
    if found == NEWEST:
        return
    if beside or found == NOTHING:
        demand_newest(found, str(path))
    _check_pages(connection, path)
    with _transaction(connection) as tables:
        migrate(tables, found)


def _check_rows(connection: sqlite3.Connection, path: Path, whole_up_to: int) -> int:
    (pages,) = connection.execute("pragma page_count").fetchone()
    if pages <= whole_up_to:
        _check_pages(connection, path)
    tail = connection.execute(
        f"select sequence, {', '.join(COLUMNS)} from event order by sequence desc limit ?",  # noqa: S608  # our own names
        (TAIL_ROWS,),
    ).fetchall()
    for place, found in enumerate(tail):
        above = tail[place - 1][0] if place else found[0] + 1
        if not all(went(connection, number) for number in {found[0] + 1, above - 1} if above > found[0] + 1):
            raise StartError(f"{path} has a hole after event {found[0]}; set the file aside, and restore a copy")
        try:
            event_from_row(found[1:])
        except LedgerUnreadable as error:
            raise StartError(f"{path}: event {found[0]}: {error}") from error
    return tail[0][0] if tail else 0


def _check_pages(connection: sqlite3.Connection, path: Path) -> None:
    (verdict,) = connection.execute("pragma quick_check(1)").fetchone()
    if verdict != "ok":
        raise StartError(f"{path} is damaged ({verdict}); set the file aside, and restore a copy")


@contextmanager
def _tables(connection: sqlite3.Connection) -> Generator[sa.Connection]:
    """The same connection as SQLAlchemy and Alembic speak to it."""
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool, pool_reset_on_return=None)
    with engine.connect() as tables:
        yield tables


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[sa.Connection]:
    """One transaction over it, from its start to the commit."""
    with _tables(connection) as tables, tables.begin():
        connection.execute("begin immediate")
        yield tables


def _demand_room(path: Path) -> None:
    disk = os.statvfs(path.parent)
    free = disk.f_bavail * disk.f_frsize
    if free < FREE_BYTES_AT_LEAST:
        raise StartError(
            f"the disk of {path} has {free} bytes left; expected at least {FREE_BYTES_AT_LEAST}, better thousands of "
            "times that: make room, then start again"
        )


def _demand(connection: sqlite3.Connection, pragma: str, expected: object, path: Path) -> None:
    (found,) = connection.execute(f"pragma {pragma}").fetchone()
    if found != expected:
        raise StartError(
            f"{path}: SQLite answers {found} to pragma {pragma}; expected {expected}: a local disk with shared memory "
            "is needed (no network file system)"
        )
