# SPDX-License-Identifier: EUPL-1.2
"""The outbox on disk: durable, sealed, bounded, and never mistaken for another file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import pytest

from gateway.errors import HerseError, StartError
from gateway.identity.at_rest import AtRest
from gateway.mail.letter import Letter
from gateway.mail.memory import MemoryOutbox
from gateway.mail.outbox import Outbox, OutboxError
from gateway.mail.outbox_file import create_outbox

from .conftest import LETTER, T0

PUT_AND_DIE = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.identity.at_rest import AtRest
from gateway.mail.letter import Letter
from gateway.mail.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]), AtRest(bytes(32)))
outbox.put(Letter("anne@exemple.fr", "Bonjour", "texte"), datetime(2026, 11, 22, 8, tzinfo=UTC))
os.kill(os.getpid(), 9)
"""


def test_what_was_put_is_there_after_a_crash(path):
    killed = subprocess.run([sys.executable, "-c", PUT_AND_DIE, str(path)], check=False)
    assert killed.returncode == -9
    with closing(Outbox(path, AtRest(bytes(32)))) as outbox:
        waiting = outbox.due(T0)
        assert outbox.open(waiting) == Letter("anne@exemple.fr", "Bonjour", "texte")
        assert (waiting.put_at, waiting.tries) == (T0, 0)


def test_the_file_is_for_its_owner_and_holds_no_plain_text(path, outbox):
    outbox.put(LETTER, T0)
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600, file
        content = file.read_bytes()
        for part in (LETTER.to, "exemple.example", "Un nouveau mot de passe", "Bonjour", "changé"):
            assert part.encode() not in content
            assert part.encode("unicode-escape") not in content
    assert LETTER.to not in repr(outbox.due(T0))


def test_a_letter_of_another_row_or_key_does_not_open(path, outbox):
    outbox.put(LETTER, T0)
    outbox.put(Letter("b@exemple.fr", "b", "b"), T0)
    with closing(sqlite3.connect(path)) as connection, connection:
        first, second = connection.execute("select reference, sealed from letter").fetchall()
        connection.execute("update letter set sealed = ? where reference = ?", (first[1], second[0]))
        connection.execute("delete from letter where reference = ?", (first[0],))
    with pytest.raises(HerseError):
        outbox.open(outbox.due(T0))
    with closing(Outbox(path, AtRest(bytes(range(32))))) as other, pytest.raises(HerseError):
        other.open(other.due(T0))


def test_turns_are_taken_by_time(outbox):
    outbox.put(LETTER, T0)
    outbox.put(Letter("b@exemple.fr", "second", "b"), T0 + timedelta(seconds=1))
    assert outbox.due(T0 - timedelta(seconds=1)) is None
    first = outbox.due(T0 + timedelta(minutes=1))
    assert outbox.open(first) == LETTER
    outbox.put_off(first, T0 + timedelta(minutes=5))
    second = outbox.due(T0 + timedelta(minutes=1))
    assert outbox.open(second).subject == "second"
    outbox.remove(second)
    assert outbox.due(T0 + timedelta(minutes=4)) is None
    assert outbox.due(T0 + timedelta(minutes=5)).tries == 1
    assert outbox.count() == 1


def test_a_full_outbox_refuses_and_drops_nothing(path, caplog):
    with closing(Outbox(path, AtRest(bytes(32)), most=2)) as outbox:
        outbox.put(LETTER, T0)
        outbox.put(LETTER, T0)
        with pytest.raises(OutboxError, match="2 wait already"):
            outbox.put(Letter("b@exemple.fr", "b", "b"), T0)
        assert outbox.count() == 2
        outbox.remove(outbox.due(T0))
        outbox.put(LETTER, T0)
    assert [record.message for record in caplog.records] == ["outbox-full"]
    assert "exemple" not in str([vars(record) for record in caplog.records])


def test_a_disk_that_fails_is_said_without_what_was_written(path, outbox, caplog):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create trigger full before insert on letter begin select raise(abort, 'disk'); end")
    with pytest.raises(OutboxError) as caught:
        outbox.put(LETTER, T0)
    assert "exemple" not in str(caught.value) + str([vars(record) for record in caplog.records])
    assert [record.message for record in caplog.records] == ["letter-not-kept"]


def test_deleted_letters_leave_nothing_sealed_behind(path, outbox):
    for _ in range(3):
        outbox.put(LETTER, T0)
    waiting = outbox.due(T0)
    outbox.close()  # the letters are in the file itself now, not in its log
    assert waiting.sealed in path.read_bytes()
    with closing(Outbox(path, AtRest(bytes(32)))) as again:
        again.remove(waiting)
    assert waiting.sealed not in path.read_bytes()


def test_an_outbox_is_created_once(path):
    with pytest.raises(StartError, match="exists already"):
        create_outbox(path)
    assert sorted(one.name for one in path.parent.iterdir()) == ["mail.db"]
    with pytest.raises(StartError, match="cannot be created"):
        create_outbox(path.parent / "nowhere" / "mail.db")


def change(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update meta set schema_version = 2", "schema version 2; this Herse expects 1"),
        ("delete from meta", "schema version none"),
        ("pragma application_id = 7", "no outbox of Herse"),
        ("drop table meta", "cannot be opened as an outbox"),
    ],
)
def test_another_file_is_refused(path, statement, told):
    change(path, statement)
    with pytest.raises(StartError, match=told):
        Outbox(path, AtRest(bytes(32)))


def test_no_file_and_no_database_are_refused(tmp_path):
    with pytest.raises(StartError, match="no outbox at"):
        Outbox(tmp_path / "mail.db", AtRest(bytes(32)))
    (tmp_path / "mail.db").write_bytes(b"these bytes are no database at all" * 100)
    with pytest.raises(StartError, match="cannot be opened as an outbox"):
        Outbox(tmp_path / "mail.db", AtRest(bytes(32)))


def test_its_twin_refuses_alike():
    twin = MemoryOutbox(most=1)
    twin.put(LETTER, T0)
    with pytest.raises(OutboxError):
        twin.put(LETTER, T0)
    assert twin.to(LETTER.to) == [LETTER]
    twin = MemoryOutbox()
    twin.fail()
    with pytest.raises(OutboxError):
        twin.put(LETTER, T0)
    twin.mend()
    twin.put(LETTER, T0)
    assert twin.letters == [LETTER]
