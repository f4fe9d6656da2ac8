# SPDX-License-Identifier: EUPL-1.2
"""migration: what older versions wrote is brought up to date whole or not at all, and never by who is not alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gateway.errors import StartError
from gateway.ledger import migration
from gateway.ledger.event import COLUMNS, row
from gateway.ledger.migrations.versions import r0001_event
from gateway.ledger.read import LedgerReader
from gateway.ledger.schema import APPLICATION_ID
from gateway.ledger.shared import open_shared_ledger
from gateway.ledger.store import create_ledger, open_ledger
from gateway.ledger.tables import event, metadata
from gateway.model import Event, EventKind

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVENTS = [Event(EventKind.LOOKUP, "a", NOON, teleservice="t", pseudonym=bytes([n])) for n in range(200)]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file as it was before Alembic: schema version 4."""
    path = tmp_path / "ledger %.db"
    places = ", ".join("?" * (1 + len(COLUMNS)))
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("pragma journal_mode=wal")
        made.execute(f"pragma application_id={APPLICATION_ID}")
        made.execute("create table meta (schema_version integer not null) strict")
        made.execute("insert into meta values (4)")
        for statement in r0001_event._FILE:
            made.execute(statement)
        rows = ((number, *row(one)) for number, one in enumerate(EVENTS, 1))
        made.executemany(f"insert into event (sequence, {', '.join(COLUMNS)}) values ({places})", rows)
    return path


def made_of(path: Path) -> list[tuple[str, str | None]]:
    with closing(sqlite3.connect(path)) as reading:
        return reading.execute("select name, sql from sqlite_master order by type, name").fetchall()


def test_an_older_ledger_keeps_its_events_and_is_as_a_new_one(old: Path, tmp_path: Path):
    with closing(open_ledger(old)) as ledger:
        assert ledger.append_now(EVENTS[:1]).sequence == 201
    with closing(LedgerReader(old)) as reader:
        assert [one.event for one in reversed(reader.events("a", limit=1000))] == [*EVENTS, EVENTS[0]]
    create_ledger(tmp_path / "new.db")
    assert made_of(old) == made_of(tmp_path / "new.db")
    open_ledger(old).close()


def test_who_is_not_alone_changes_nothing(old: Path):
    before = made_of(old)
    with pytest.raises(StartError, match="has schema version 0001; expected 0002"):
        open_shared_ledger(old)
    assert made_of(old) == before


def test_a_change_that_fails_half_way_leaves_what_was_there(old: Path):
    with closing(sqlite3.connect(old)) as changing, changing:
        changing.execute("create table tile (of_somebody_else)")
    before = made_of(old)
    with pytest.raises(StartError, match="tile already exists"):
        open_ledger(old)
    assert made_of(old) == before


def test_a_damaged_older_ledger_is_not_touched(old: Path):
    with old.open("r+b") as file:
        file.seek(old.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    before = old.read_bytes()
    with pytest.raises(StartError, match=r"damaged|malformed"):
        open_ledger(old)
    assert old.read_bytes() == before


@pytest.mark.parametrize("found", ["3", "5", ""])
def test_what_was_never_released_is_refused(old: Path, found: str):
    with closing(sqlite3.connect(old)) as changing, changing:
        changing.execute(f"update meta set schema_version = {found}" if found else "delete from meta")
    with pytest.raises(StartError, match=f"has schema version {found or 'none'}; this Herse knows"):
        open_ledger(old)


def test_a_ledger_without_any_version_is_refused(old: Path):
    with closing(sqlite3.connect(old)) as changing, changing:
        changing.execute("drop table meta")
    with pytest.raises(StartError, match="has schema version unnamed"):
        open_ledger(old)
    with closing(sqlite3.connect(old)) as changing, changing:
        changing.execute("drop table event")
    with pytest.raises(StartError, match="has schema version none; expected 0002"):
        open_ledger(old)


def test_the_versions_are_those_of_the_files():
    folder = Path(migration.__file__).parent / "migrations" / "versions"
    assert tuple(path.name[1:5] for path in sorted(folder.glob("r*.py"))) == migration.VERSIONS


def test_the_tables_that_queries_name_are_those_that_are_made(tmp_path: Path):
    create_ledger(tmp_path / "l.db")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'l.db'}")
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    engine.dispose()
    # SQLite says of an `integer primary key`, which is never null, that it may be.
    assert [one[0][:4] for one in found] == [("modify_nullable", None, "event", "sequence")]
    assert tuple(event.c.keys()) == ("sequence", *COLUMNS)
