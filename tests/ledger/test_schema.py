# SPDX-License-Identifier: EUPL-1.2
"""schema: creating is not opening, and a file that must not be trusted is refused with a sentence that helps."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import StartError
from gateway.ledger import schema
from gateway.ledger.migration import NEWEST
from gateway.ledger.store import create_ledger, open_ledger
from gateway.model import Event, EventKind

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "ledger ?#%.db"
    create_ledger(made)
    return made


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def fill(path: Path, count: int) -> None:
    ledger = open_ledger(path)
    ledger.append_now([Event(EventKind.SIGN_IN, f"account-{number}", NOON) for number in range(count)])
    ledger.close()


def refusal(path: Path) -> str:
    with pytest.raises(StartError) as refused:
        open_ledger(path)
    return str(refused.value)


def test_a_new_ledger_is_private_and_in_wal_mode(path: Path):
    assert path.stat().st_mode & 0o777 == 0o600
    ledger = open_ledger(path)
    ask = ledger._connection.execute
    assert ask("pragma journal_mode").fetchone() == ("wal",)
    assert ask("pragma synchronous").fetchone() == (2,)
    assert ask("pragma application_id").fetchone() == (schema.APPLICATION_ID,)
    ledger.close()


def test_create_never_touches_what_is_there(path: Path):
    fill(path, 1)
    before = path.read_bytes()
    with pytest.raises(StartError, match="exists already"):
        create_ledger(path)
    assert path.read_bytes() == before


def test_create_needs_a_folder(tmp_path: Path):
    with pytest.raises(StartError, match="cannot be created"):
        create_ledger(tmp_path / "none" / "ledger.db")


def test_open_never_creates(tmp_path: Path):
    assert "no ledger at" in refusal(tmp_path / "ledger.db")
    assert "no ledger at" in refusal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_refused(tmp_path: Path):
    (tmp_path / "l.db").write_bytes(b"not a database at all, " * 100)
    assert "file is not a database" in refusal(tmp_path / "l.db")


def test_an_empty_or_foreign_database_is_refused(tmp_path: Path):
    (tmp_path / "empty.db").touch()
    assert "not a ledger of Herse" in refusal(tmp_path / "empty.db")
    change(tmp_path / "other.db", "create table event (x)")
    assert "not a ledger of Herse" in refusal(tmp_path / "other.db")


def test_a_newer_schema_is_refused(path: Path):
    change(path, "update alembic_version set version_num = '9999'")
    assert f"has schema version 9999; this Herse knows versions 0001 to {NEWEST}" in refusal(path)
    change(path, "delete from alembic_version")
    assert "has schema version none" in refusal(path)


def test_a_damaged_page_is_found(path: Path):
    fill(path, 3000)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(os.urandom(4096))
    assert "damaged" in refusal(path) or "malformed" in refusal(path)


def test_a_hole_in_the_tail_is_found(path: Path):
    fill(path, 10)
    change(path, "delete from event where sequence = 6")
    assert "has a hole after event 5" in refusal(path)


def test_of_a_large_ledger_only_the_tail_is_checked(path: Path):
    fill(path, 3000)
    connection = schema.connect(path, "rw")
    assert schema._check_rows(connection, path, whole_up_to=1) == 3000
    connection.execute("update event set kind = 'teleported' where sequence = 2001")
    with pytest.raises(StartError, match="event 2001"):
        schema._check_rows(connection, path, whole_up_to=1)
    connection.close()


def test_a_kind_nobody_knows_is_found(path: Path):
    fill(path, 10)
    change(path, "update event set kind = 'teleported' where sequence = 7")
    assert "event 7: a ledger row is not an event" in refusal(path)


def test_a_ledger_that_another_program_reads_or_writes_is_refused(path: Path):
    fill(path, 1)
    kept = open_ledger(path)
    kept.append_now([Event(EventKind.SIGN_IN, "a", NOON)])
    other = schema.connect(path, "ro")
    held = other.execute("select * from event")
    held.fetchone()
    kept.append_now([Event(EventKind.SIGN_IN, "a", NOON)])
    assert "read by another program" in refusal(path)
    other.close()
    kept._connection.execute("begin immediate")
    assert "database is locked" in refusal(path)
    kept._connection.execute("rollback")
    kept.close()


def test_a_demand_that_did_not_take_is_refused(path: Path):
    connection = schema.connect(path, "rw")
    with pytest.raises(StartError, match="SQLite answers 2 to pragma synchronous; expected 1"):
        schema._demand(connection, "synchronous", 1, path)
    connection.close()


OPEN_AS_NOBODY = """
import os, pathlib, sys
from gateway.errors import StartError
from gateway.ledger.store import open_ledger
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    open_ledger(pathlib.Path(sys.argv[1]))
except StartError as error:
    print(error)
"""


@pytest.mark.system
def test_a_file_that_may_only_be_read_is_refused():
    """By an ordinary user: root may write everywhere, so the child gives the privilege up first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        create_ledger(path)
        path.parent.chmod(0o777)
        path.chmod(0o444)
        done = subprocess.run(
            [sys.executable, "-c", OPEN_AS_NOBODY, str(path)], capture_output=True, text=True, check=True, timeout=30
        )
    assert "attempt to write a readonly database" in done.stdout, done


def test_a_copy_taken_while_it_runs_opens(path: Path, tmp_path: Path):
    fill(path, 5)
    ledger = open_ledger(path)
    ledger.append_now([Event(EventKind.SIGN_OUT, "a", NOON)])
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in (path.name, path.name + "-wal"):
        shutil.copy(path.parent / name, copy / name)
    ledger.close()
    opened = open_ledger(copy / path.name)
    assert opened._next == 7
    assert (copy / (path.name + "-wal")).stat().st_size == 0, "the log of the life before is folded at once"
    opened.close()
