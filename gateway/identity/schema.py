# SPDX-License-Identifier: EUPL-1.2
"""The database of accounts: its tables, how it is created, opened, read and written. No rule about people lives here.

Times are integer microseconds since 1970 (UTC) in the file and aware `datetime` in the code. Every writing transaction
takes SQLite's write lock at its start (`BEGIN IMMEDIATE`), so that what it read is still true when it writes, in any
number of processes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event

from gateway.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Dialect, Engine

DATABASE_FILE = "accounts.db"  # its name in state.folder
SCHEMA_VERSION = 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PRAGMAS = (
    "PRAGMA busy_timeout = 5000",  # first: switching to WAL may itself meet a lock
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since 1970 UTC: exact, sortable, no time zone to misread."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # fixed by SQLAlchemy
        """To the database; a naive datetime raises TypeError."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # fixed by SQLAlchemy
        """From the database."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = sa.MetaData()


def _table(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *columns, sqlite_strict=True)


def _account_key(*, primary: bool = False) -> sa.Column[str]:
    return sa.Column("account", sa.ForeignKey("account.identifier"), primary_key=primary, nullable=False)


meta = _table("meta", sa.Column("schema_version", sa.Integer, primary_key=True))
account = _table(
    "account",
    sa.Column("identifier", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("profession", sa.Text, nullable=False),
    sa.Column("rpps", sa.Text),
    sa.Column("password", sa.LargeBinary),  # the argon2id hash, sealed
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("locked_at", Instant),
    sa.Column("mail", sa.Text),  # the one address that is written to
    sa.Column("used_at", Instant),  # when somebody last signed in
    sa.Column("quarantined_at", Instant),  # since a password was set through the mailbox, until the holder is proved
)
holder = _table(
    "holder",
    sa.Column("id", sa.Integer, primary_key=True),
    _account_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("rpps", sa.Text),
)
factor = _table(
    "factor",
    sa.Column("id", sa.Text, primary_key=True),
    _account_key(),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),  # sealed, bound to account and id
    sa.Column("last_step", sa.Integer, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.UniqueConstraint("account", "type"),
)
passkey = _table(
    "passkey",
    sa.Column("id", sa.LargeBinary, primary_key=True),  # the credential id that the authenticator chose
    _account_key(),
    sa.Column("reference", sa.Text, nullable=False, unique=True),  # its short name in forms
    sa.Column("public_key", sa.LargeBinary, nullable=False),  # COSE
    sa.Column("sign_count", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("added_at", Instant, nullable=False),
    sa.Column("last_used_at", Instant),
    sa.Index("passkey_by_account", "account"),
)
passkey_user = _table(
    "passkey_user",
    _account_key(primary=True),
    sa.Column("handle", sa.LargeBinary, nullable=False, unique=True),  # what authenticators know the account by
)
invitation = _table(
    "invitation",
    _account_key(primary=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)
password_change = _table(
    "password_change",
    _account_key(primary=True),
    sa.Column("why", sa.Text, nullable=False),  # a Reason
    sa.Column("note", sa.Text),  # the operator's reason
    sa.Column("asked_at", Instant, nullable=False),
    sa.Column("done_at", Instant),
)
session = _table(
    "session",
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    _account_key(),
    sa.Column("proofs", sa.Text, nullable=False),  # JSON: [[method, microseconds], ...]
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("network", sa.Text),
    sa.Column("device", sa.Text),
)
# No foreign key: tries on unknown identifiers are counted the same, or the difference would tell which ones exist.
failure = _table(
    "failure",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("factor", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("forgiven", sa.Integer, nullable=False),
    sa.Index("failure_by_account", "account", "factor", "at"),
    sa.Index("failure_by_time", "at"),
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
    if path.exists():
        raise StartError(f"{path} exists already; expected no file there. Open it, or move it away first.")
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        engine = _engine(draft)
        with writing(engine) as connection:
            metadata.create_all(connection)
            connection.execute(meta.insert().values(schema_version=SCHEMA_VERSION))
        engine.dispose()
        os.link(draft, path)  # appears whole or not at all, and never over another file
    except FileExistsError as error:
        raise StartError(f"{path} was created by another process meanwhile; open it instead.") from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{draft}{suffix}").unlink(missing_ok=True)
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
