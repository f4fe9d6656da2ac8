# SPDX-License-Identifier: EUPL-1.2
"""The outbox's file: how it is made, and what is checked before letters are put in it.

SQLite in WAL mode with synchronous=FULL: a letter that was put is on disk. Deleted rows are overwritten, sealed as they
are. Every fault here is a StartError.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from gateway.errors import StartError
from gateway.whole_file import appearing

if TYPE_CHECKING:
    from pathlib import Path

OUTBOX_FILE: Final = "mail.db"  # its name in state.folder
SCHEMA_VERSION: Final = 1
APPLICATION_ID: Final = 0x4845524D
"""`HERM` in the header of the file: tells an outbox from any other database."""
_BUSY_SECONDS: Final = 5.0
_DDL: Final = (
    "create table meta (schema_version integer not null) strict",
    """create table letter (
         reference text primary key,
         sealed blob not null,
         put_at integer not null,
         next_at integer not null,
         tries integer not null
       ) strict""",
    "create index letter_by_turn on letter (next_at)",
)


def create_outbox(path: Path) -> None:
    """Make an empty outbox where there is no file yet; it appears whole or not at all."""
    try:
        with appearing(path) as draft, closing(_connect(draft)) as connection:
            connection.execute("pragma journal_mode=wal")
            connection.execute("begin immediate")
            connection.execute(f"pragma application_id={APPLICATION_ID}")
            for statement in _DDL:
                connection.execute(statement)
            connection.execute("insert into meta values (?)", (SCHEMA_VERSION,))
            connection.execute("commit")
    except FileExistsError:
        raise StartError(f"{path} exists already; expected no file there") from None
    except (sqlite3.Error, OSError) as error:
        raise StartError(f"{path} cannot be created ({error}); expected a folder with room to write to") from error


def open_outbox_file(path: Path) -> sqlite3.Connection:
    """The connection, checked. StartError if it is missing, damaged, something else, or of another version."""
    if not path.is_file():
        raise StartError(f"no outbox at {path}; expected the file made at the first start. Is state.folder right?")
    try:
        connection = _connect(path)
        try:
            _check(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise StartError(
            f"{path} cannot be opened as an outbox ({error}); expected one made by Herse that this user may write to. "
            "If it is damaged, move it away: a new one is made at the next start, and the letters in it are lost."
        ) from error
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    (found,) = connection.execute("pragma application_id").fetchone()
    if found != APPLICATION_ID:
        raise StartError(f"{path} is a database, but no outbox of Herse; expected one, or no file there. Move it away.")
    versions = connection.execute("select schema_version from meta").fetchall()
    if versions != [(SCHEMA_VERSION,)]:
        told = ", ".join(str(one) for (one,) in versions) or "none"
        raise StartError(
            f"{path} has schema version {told}; this Herse expects {SCHEMA_VERSION}. "
            "Run the version of Herse that wrote it, or a newer one."
        )
    for pragma in ("journal_mode=wal", "synchronous=full", "secure_delete=on", "trusted_schema=off"):
        connection.execute(f"pragma {pragma}")
    # A file that may only be read must fail here, not at the first letter.
    connection.execute("begin immediate")
    connection.execute("update meta set schema_version = schema_version")
    connection.execute("rollback")


def _connect(path: Path) -> sqlite3.Connection:
    """Of a file that is there, without Python's own transactions."""
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_SECONDS,
    )
