# SPDX-License-Identifier: EUPL-1.2
"""One ledger file under several writers: no number twice, none left out, and waiting that ends."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from gateway.errors import LedgerError, StartError
from gateway.ledger.shared import open_shared_ledger
from gateway.ledger.store import LedgerBusy, create_ledger, open_ledger
from gateway.model import Event, EventKind

AT = datetime(2026, 3, 1, tzinfo=UTC)

WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from gateway.ledger.shared import open_shared_ledger
from gateway.model import Event, EventKind

async def write(ledger, name):
    for group in range(60):
        events = [Event(EventKind.LOOKUP, name, datetime.now(UTC), details=f"{group}") for _ in range(1 + group % 7)]
        receipts = await asyncio.gather(*(ledger.append(events).wait() for _ in range(3)))
        assert len({receipt.sequence for receipt in receipts}) == 3

ledger = open_shared_ledger(Path(sys.argv[1]))
asyncio.run(write(ledger, sys.argv[2]))
ledger.close()
"""


def event(details="one"):
    return Event(EventKind.LOOKUP, "750012346", AT, details=details)


def rows(path):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute("select sequence, account from event order by sequence").fetchall()


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "ledger.db"
    create_ledger(file)
    return file


@pytest.mark.system
def test_four_processes_write_one_after_the_other_and_lose_nothing(path):
    names = ["1", "2", "3", "4"]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in names]
    assert [writer.wait(120) for writer in writers] == [0] * 4
    each = sum(3 * (1 + group % 7) for group in range(60))
    found = rows(path)
    assert [sequence for sequence, _ in found] == list(range(1, 4 * each + 1))
    assert {name: sum(1 for _, one in found if one == name) for name in names} == dict.fromkeys(names, each)
    open_ledger(path).close()


def test_two_writers_of_one_process_take_turns(path):
    first, second = open_shared_ledger(path), open_shared_ledger(path)
    with closing(first), closing(second):
        sequences = [ledger.append_now([event(), event()]).sequence for ledger in (first, second, second, first)]
    assert sequences == [2, 4, 6, 8]


def test_a_group_of_more_rows_than_one_statement_is_one_transaction(path):
    with closing(open_shared_ledger(path)) as ledger:
        assert ledger.append_now([event(str(number)) for number in range(150)]).sequence == 150
    assert len(rows(path)) == 150


def test_who_waits_for_too_long_is_refused_and_the_ledger_goes_on(path):
    with closing(open_shared_ledger(path, writer_seconds=0.2)) as ledger:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("begin immediate")
            with pytest.raises(LedgerBusy, match="expected a few milliseconds"):
                ledger.append_now([event()])
            assert not ledger.failed
            other.execute("rollback")
        assert ledger.append_now([event()]).sequence == 1

        async def both():
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("begin immediate")
                with pytest.raises(LedgerBusy):
                    await ledger.append([event()]).wait()
                other.execute("rollback")
            return await ledger.append([event()]).wait()

        assert asyncio.run(both()).sequence == 2


def test_what_is_no_wait_is_final(path):
    with closing(open_shared_ledger(path)) as ledger:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("drop table event")
        with pytest.raises(LedgerError, match="could not be written"):
            ledger.append_now([event()])
        assert ledger.failed


def test_a_lock_that_cannot_be_asked_for_is_final_at_once(path):
    ledger = open_shared_ledger(path)
    ledger._connection.execute("begin")
    with pytest.raises(LedgerError, match="within a transaction"):
        ledger.append_now([event()])
    assert ledger.failed
    ledger.close()


def test_a_writer_beside_others_opens_a_file_that_they_read_and_write(path):
    with closing(open_shared_ledger(path)) as first, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        first.append_now([event()])
        reader.execute("begin")
        reader.execute("select * from event").fetchall()
        first.append_now([event()])
        with closing(open_shared_ledger(path)) as second:
            assert second.append_now([event()]).sequence == 3
        with pytest.raises(StartError, match="being read by another program"):
            open_ledger(path)
