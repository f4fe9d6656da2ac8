# SPDX-License-Identifier: EUPL-1.2
"""Promise 8 when events are durable and the tree does not grow: one that cannot be written stops disclosure at once,
one that is signed by nobody, or not as it was, when its last signature is too old. Who has PostgreSQL's disk full, too.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from gateway.ledger.postgres_engine import SEALING
from support.crew import Crew
from support.lookups import Demo
from support.postgres import PostgresServer
from support.servers import wait_until
from support.small_disk import SmallDisk
from support.worst_day import WorstDay, taken_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

ACCOUNTS = ["750012346", "750012353"]
LIMIT_SECONDS = 6.0
UNWRITABLE = "create trigger full_disk before insert on tile begin select raise(abort, 'the disk is full'); end"
SEALER = f"pid in (select pid from pg_locks where locktype = 'advisory' and objid = {SEALING & 0xFFFFFFFF})"


@pytest.fixture(scope="module")
def disk() -> Iterator[SmallDisk]:
    with SmallDisk("24m", "nobody") as small:
        yield small


@pytest.fixture(scope="module")
def server(disk: SmallDisk) -> Iterator[PostgresServer]:
    """Some of its databases lie on a small disk."""
    with PostgresServer(prefix=disk.prefix) as made:
        made.ask("postgres", f"create tablespace small location '{disk.path}'")
        yield made


@contextmanager
def served(
    folder: Path, server: PostgresServer | None = None, space: str = "", limit: float = 60.0
) -> Iterator[tuple[WorstDay, Crew, str]]:
    """A gateway that serves, with some on record, and the database of its ledger, if it has one."""
    ledger: dict[str, object] = {"unsealed_seconds": limit}
    place = None if server is None else server.database(space=space or "pg_default")
    if server is not None and place is not None:
        ledger |= server.section(place, folder)
    demo = Demo(folder, settings={"ledger": ledger})
    kept = demo.shown_on_record if server is None or place is None else lambda: server.shown(place)
    day = WorstDay(demo, kept, ACCOUNTS)
    with demo.portal, Crew(demo.house, 1) as crew:
        with day.load(20):
            pass
        yield day, crew, "" if place is None else place.database


def statement(day: WorstDay, words: str) -> int:
    """One statement of another hand; the first value, or 0."""
    with closing(sqlite3.connect(day.demo.house.ledger_file, isolation_level=None, timeout=20)) as hand:
        return (hand.execute(words).fetchone() or (0,))[0]


def refused_within(day: WorstDay, seconds: float) -> float:
    """How long it took."""
    begun = time.monotonic()
    wait_until("refused", lambda: not day.shows(), seconds)
    return time.monotonic() - begun


def test_L4_a_tree_that_cannot_be_written_stops_disclosure_at_once_though_events_can_be(tmp_path):
    with served(tmp_path) as (day, crew, _):
        statement(day, UNWRITABLE)
        assert refused_within(day, 50) < 50, "and not once the last signature is a minute old"
        assert day.refusing(crew) == []
        statement(day, "drop trigger full_disk")
        time.sleep(1.5)
        assert day.refusing(crew) == [], "a write that failed is not tried again"
        assert "the disk is full" in crew.tells("ledger-failed")[0]["error"]
    assert day.faults() == []
    assert day.verified()[0] == 0


def test_promise_8_a_tree_that_is_not_as_it_was_signed_stops_disclosure_when_its_signature_is_old(tmp_path):
    with served(tmp_path, limit=LIMIT_SECONDS) as (day, crew, _):
        wait_until("something is signed", lambda: statement(day, "select size from head") > 0, 60)
        statement(day, "update head set last_sequence = last_sequence - 1")
        refused_within(day, 60)
        assert day.refusing(crew) == []
        assert crew.tells("ledger-not-sealed")
        assert not crew.told("ledger-failed")
    assert day.faults() == []
    code, said = day.demo.house.fails_to_start()
    assert code == 2
    assert "the ledger cannot be sealed" in said


def test_promise_8_disclosure_waits_for_whoever_seals_and_goes_on_with_him(server, tmp_path):
    """Nothing failed: another hand has the election, and signs nothing."""
    with served(tmp_path, server, limit=LIMIT_SECONDS) as (day, crew, database):
        with psycopg.connect(**server._login(database), autocommit=True) as hand:
            wait_until("the election is ours", lambda: _taken(hand), 30)
            refused_within(day, 60)
            assert day.refusing(crew) == []
            assert "nobody has signed" in crew.tells("ledger-not-sealed")[0]["error"]
        wait_until("signed again, and shown", day.shows, 60)
        assert not crew.told("ledger-failed")
    assert day.faults() == []


def _taken(hand: psycopg.Connection) -> bool:
    hand.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {SEALER} and pid <> pg_backend_pid()")
    return hand.execute(f"select pg_try_advisory_lock({SEALING})").fetchone() == (True,)


def test_L4_postgresql_s_disk_is_full(server, disk, tmp_path):
    """A tablespace without room: the server goes on, and answers each write with an error."""
    with served(tmp_path, server, "small") as (day, crew, _):
        with day.load() as load:
            disk.fill()
            wait_until("refused", lambda: load.statuses[503] > 10, 60)
        assert day.refusing(crew) == []
        disk.empty()
        assert day.refusing(crew) == [], "room again: but what was lost meanwhile nobody knows"
        assert "No space left" in crew.tells("ledger-failed")[0]["error"]
    assert day.faults() == []
    with day.demo.portal, Crew(day.demo.house, 1) as crew:
        assert "nothing that was signed is lost" in taken_up(crew)[0]
        assert day.shows()
    assert day.faults() == []
    assert day.verified()[0] == 0
