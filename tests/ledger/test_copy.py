# SPDX-License-Identifier: EUPL-1.2
"""copy: the ledger's file as it was at one moment, whole, while others write; and a sentence where it cannot be."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from gateway.errors import StartError
from gateway.ledger.copy import copy_ledger
from gateway.ledger.read import LedgerReader
from gateway.ledger.sealer import Sealer
from gateway.ledger.store import create_ledger, open_ledger
from gateway.ledger.tree_rows import open_tree_store
from gateway.whole_file import appearing
from support.incident_rows import fill_ledger, looked_up
from support.sealing import HEARTBEAT, checked
from support.small_ledger import BEGUN, KEY

BEFORE = 4_000


def copied(path, target, **told):
    with appearing(target) as draft:
        copy_ledger(path, draft, **told)
    return target


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def sequences(path):
    with closing(sqlite3.connect(path)) as ledger:
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
        return [number for (number,) in ledger.execute("select sequence from event order by sequence")]


@pytest.fixture
def path(tmp_path):
    fill_ledger(tmp_path / "ledger.db", [looked_up(place % 50, place) for place in range(BEFORE)])
    with closing(open_tree_store(tmp_path / "ledger.db")) as store:
        Sealer(store, KEY).seal(BEGUN, HEARTBEAT)
    return tmp_path / "ledger.db"


def test_a_copy_is_of_one_moment_however_much_is_written_meanwhile(path, tmp_path):
    stop, heard, wrote = threading.Event(), [], []
    with closing(open_ledger(path)) as ledger:

        def write():
            while not stop.is_set():
                wrote.append(ledger.append_now([looked_up(1, len(wrote))] * 20).sequence)

        def passed(share):
            assert not heard or share >= heard[-1], "begun anew: it would never end"
            heard.append(share)
            if len(heard) == 2:
                writing.start()
            elif len(heard) % 50 == 0:  # between two steps something is written for sure
                before = len(wrote)
                while len(wrote) == before:
                    stop.wait(0.001)

        writing = threading.Thread(target=write)
        try:
            copy = copied(path, tmp_path / "copy.db", passed=passed, pages=1)
        finally:
            stop.set()
            writing.join()
    assert wrote
    assert sequences(copy) == list(range(1, BEFORE + 1)), "as it was when the copy began"
    assert heard[-1] == 1.0
    assert sequences(path)[-1] == wrote[-1]


def test_a_copy_is_one_file_for_its_owner_and_is_what_was_signed(path, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    copy = copied(path, folder / "copy.db")
    assert names(folder) == ["copy.db"]
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(open_tree_store(copy, writes=False)) as store:
        assert checked(store).size == BEFORE
    assert names(folder) == ["copy.db"], "no log beside it"


def test_a_copy_put_in_place_is_written_on(path, tmp_path):
    copy = copied(path, tmp_path / "copy.db")
    with closing(open_ledger(copy)) as ledger:
        assert ledger.append_now([looked_up(1)]).sequence == BEFORE + 1
    with closing(LedgerReader(copy)) as reader:
        assert len(reader.events("A12", limit=1)) == 1


def test_what_is_no_ledger_is_told_and_nothing_is_left(path, tmp_path):
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as made:
        made.execute("create table head (one)")
    for source, said in ((other, "is no ledger of Herse"), (tmp_path / "none.db", "could not be copied")):
        with pytest.raises(StartError, match=said):
            copied(source, tmp_path / "copy.db")
    assert names(tmp_path) == ["ledger.db", "other.db"]


def test_a_full_disk_is_told_and_nothing_is_left(path, tmp_path):
    create_ledger(tmp_path / "small.db")

    def full(share):
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StartError, match=r"disk is full.*room for as much again"):
        copied(path, tmp_path / "copy.db", passed=full, pages=1)
    assert not (tmp_path / "copy.db").exists()
    assert not list(tmp_path.glob(".copy*"))
