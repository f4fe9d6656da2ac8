# SPDX-License-Identifier: EUPL-1.2
"""The file of accounts: created once, opened only if it is the right one, written under its lock."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import StartError
from gateway.identity import schema
from gateway.identity.database import create_database, open_database, reading, writing
from gateway.identity.instant import Instant


def pragma(engine, name):
    with reading(engine) as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_the_file_is_durable_private_and_strict(engine, database):
    assert database.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in database.parent.iterdir() if "new" in path.name] == []
    assert pragma(engine, "journal_mode") == "wal"
    assert pragma(engine, "synchronous") == 2
    assert pragma(engine, "foreign_keys") == 1
    with pytest.raises(sa.exc.IntegrityError), writing(engine) as connection:
        connection.exec_driver_sql(
            "INSERT INTO account (identifier, title, profession, created_at) VALUES ('A', 'T', 'p', 'soon')"
        )


def test_creating_is_not_opening(tmp_path, engine, database):
    with pytest.raises(StartError, match="exists already"):
        create_database(database)
    with pytest.raises(StartError, match="no database of accounts"):
        open_database(tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()


def test_another_version_or_another_file_is_refused(tmp_path, engine, database):
    engine.dispose()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE meta SET schema_version = 9")
        connection.commit()
    with pytest.raises(StartError, match=f"schema version 9; this Herse expects {schema.SCHEMA_VERSION}"):
        open_database(database)
    (tmp_path / "text.db").write_text("not a database " * 100)
    with pytest.raises(StartError, match="cannot be read as a database of accounts"):
        open_database(tmp_path / "text.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(StartError, match="cannot be read as a database of accounts"):
        open_database(tmp_path / "empty.db")


def test_a_writer_holds_the_lock_from_its_start(engine, database):
    with writing(engine), closing(sqlite3.connect(database, timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT schema_version FROM meta").fetchone() == (schema.SCHEMA_VERSION,)


def test_a_failed_block_leaves_nothing(engine):
    def fails():
        with writing(engine) as connection:
            connection.execute(schema.meta.insert().values(schema_version=7))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with reading(engine) as connection:
        assert connection.scalars(sa.select(schema.meta.c.schema_version)).all() == [schema.SCHEMA_VERSION]


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-10)), timezone(timedelta(hours=12))])))
def test_times_come_back_exactly(at):
    instant = Instant()
    assert instant.process_result_value(instant.process_bind_param(at, None), None) == at


def test_a_naive_time_is_refused():
    with pytest.raises(TypeError):
        Instant().process_bind_param(datetime(2026, 1, 1), None)  # noqa: DTZ001  # the fault under test
    assert Instant().process_bind_param(None, None) is None
    assert Instant().process_result_value(None, None) is None
