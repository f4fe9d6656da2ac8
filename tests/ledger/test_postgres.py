# SPDX-License-Identifier: EUPL-1.2
"""PostgreSQL as the ledger's database: made and opened as a file is, and refused where it is not safe."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gateway.errors import LedgerError, StartError
from gateway.ledger.engine import open_place
from gateway.ledger.postgres import ROWS_AT_ONCE, open_postgres_ledger
from gateway.ledger.postgres_engine import APPENDING, connect
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import LedgerBusy, create_ledger, open_ledger_at
from gateway.ledger.tables import metadata
from gateway.ledger.tree_rows import open_tree_store
from support.postgres import AT, a_look_up, the_server

if TYPE_CHECKING:
    from gateway.ledger.place import PostgresAddress
    from support.ledger_doors import PostgresDoor

pytestmark = pytest.mark.system


def refusal(place: PostgresAddress, *, beside: bool = False) -> str:
    with pytest.raises(StartError) as refused:
        open_ledger_at(place, beside=beside)
    assert str(place.password) not in str(refused.value)
    return str(refused.value)


# ---- made and opened


def test_creating_is_not_opening():
    place = the_server().database(ledger=False)
    assert "no ledger in postgresql://" in refusal(place)
    create_ledger(place)
    open_ledger_at(place).close()
    with pytest.raises(StartError, match="holds a ledger already; expected an empty database"):
        create_ledger(place)


def test_what_is_made_is_what_queries_name(place: PostgresAddress):
    database = open_place(place)
    with database.reading() as connection:
        opts = {"compare_type": True, "include_name": lambda name, *_: not str(name).startswith("event_other")}
        found = compare_metadata(MigrationContext.configure(connection, opts=opts), metadata)
        where = connection.execute(
            sa.text("select indexname, split_part(indexdef, ' WHERE ', 2) from pg_indexes where tablename = 'event'")
        )
        assert dict(where.all()) == {
            "event_pkey": "",
            "event_of_account": "",
            "event_of_patient": "(pseudonym IS NOT NULL)",
            "event_of_key": "(kind = 'data-key'::text)",
        }
    database.close()
    assert found == []


def test_an_address_that_leads_nowhere_says_so_without_the_password():
    place = the_server().address("none")
    assert '"none" does not exist' in refusal(place)
    assert "password authentication failed" in refusal(replace(place, password="geheim"))
    assert "cannot be opened" in refusal(replace(place, port=1))
    with pytest.raises(StartError, match="no ledger was made"):
        create_ledger(place)
    assert "only for this" not in repr(place)


def test_a_socket_needs_no_password():
    place = the_server().address("postgres", socket=True)
    assert "no ledger in" in refusal(place)


def test_over_tls_a_server_without_it_is_refused(place: PostgresAddress):
    assert "server does not support SSL" in refusal(replace(place, tls=True))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("synchronous_commit = off", "off to synchronous_commit; expected on or remote_apply"),
        ("synchronous_commit = local", "local to synchronous_commit"),
        ("default_transaction_read_only = on", "on to transaction_read_only; expected off"),
    ],
)
def test_L4_a_server_that_does_not_keep_what_it_acknowledges_is_refused(place: PostgresAddress, setting, told):
    the_server().ask("postgres", f"alter database {place.database} set {setting}")
    assert told in refusal(place)


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_L4_a_server_that_does_not_write_through_is_refused(place: PostgresAddress, name):
    def switch(word: str) -> None:
        the_server().ask("postgres", f"alter system set {name} = {word}")
        the_server().ask("postgres", "select pg_reload_conf(), pg_sleep(0.3)")

    switch("off")
    try:
        assert f"off to {name}; expected on" in refusal(place)
    finally:
        switch("on")
    open_ledger_at(place).close()


def test_another_encoding_or_version_of_the_tables_is_refused(place: PostgresAddress):
    the_server().ask("postgres", "create database latin template template0 encoding 'LATIN1'")
    assert "LATIN1 to server_encoding; expected UTF8" in refusal(the_server().address("latin"))
    the_server().ask(place.database, "update alembic_version set version_num = '9999'")
    assert "has schema version 9999; this Herse knows versions 0001 to 0002" in refusal(place)


def test_an_older_version_is_brought_up_by_who_is_alone():
    place = the_server().database()
    for words in ("drop table tile, head", "drop index event_of_account, event_of_patient, event_of_key"):
        the_server().ask(place.database, words)
    the_server().ask(place.database, "update alembic_version set version_num = '0001'")
    assert "has schema version 0001; expected 0002" in refusal(place, beside=True)
    with closing(open_ledger_at(place)) as ledger:
        ledger.append_now([a_look_up()])
    with closing(open_tree_store(place)) as tree:
        assert tree.head() is None


def test_a_kind_nobody_knows_is_found(place: PostgresAddress):
    the_server().ask(place.database, "insert into event (at, kind, account) values (0, 'teleported', 'a')")
    assert "event 1: a ledger row is not an event" in refusal(place)


# ---- appended


@pytest.mark.parametrize("count", [1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 5 * ROWS_AT_ONCE])
def test_a_group_is_stored_whole_in_its_order_with_all_its_columns(postgres: PostgresDoor, count: int):
    full = {"session": "s", "network": "2001:db8::1", "device": "é\U0001f600", "method": "GET", "request": b"\x00\xff"}
    full |= {"reason": "r", "status": 200, "categories": ("identité", "x"), "holder": "Zoë", "delegate": "d"}
    full |= {"details": "told", "sealed": bytes(range(256))}
    events = [
        a_look_up(**full) if number % 2 else a_look_up(AT - timedelta(microseconds=number)) for number in range(count)
    ]
    receipt = postgres.ledger.append_now(events)
    assert receipt.sequence == count
    with closing(open_tree_store(postgres.place)) as tree, closing(LedgerReader(postgres.place)) as reader:
        assert [sequence for sequence, _ in tree.rows(0, count, count, 0)] == list(range(1, count + 1))
        found = {one.sequence: one.event for one in reader.events("a", limit=1000)}
    assert [found[number] for number in range(1, count + 1)] == events


def test_two_appenders_give_every_event_one_number(postgres: PostgresDoor):
    numbers: list[int] = []

    def append() -> None:
        with closing(open_ledger_at(postgres.place, beside=True)) as ledger:
            numbers.extend(ledger.append_now([a_look_up()] * 3).sequence for _ in range(50))

    threads = [threading.Thread(target=append) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 100
    assert postgres.ask("select count(*), count(distinct sequence), max(sequence) from event") == [(300, 300, 300)]


def test_too_many_waiting_is_busy_and_passes(postgres: PostgresDoor):
    with closing(open_postgres_ledger(postgres.place, waiting_at_most=2)) as ledger:
        with pytest.raises(LedgerBusy):
            ledger.append_now([a_look_up()] * 3)
        assert ledger.append_now([a_look_up()] * 2).sequence == 2


@pytest.mark.parametrize("count", [1, 2 * ROWS_AT_ONCE])
def test_L4_a_row_that_the_server_refuses_ends_the_ledger_and_stores_nothing(place: PostgresAddress, count: int):
    the_server().ask(place.database, "alter table event add check (account <> 'b')")
    with closing(open_ledger_at(place)) as ledger:
        with pytest.raises(LedgerError, match=r"could not be written .*check constraint.*look at the database server"):
            ledger.append_now([*[a_look_up()] * (count - 1), a_look_up()._replace(account="b")])
        assert ledger.failed
        with pytest.raises(LedgerError) as said:
            ledger.append_now([a_look_up()])
        assert "DETAIL" not in str(said.value), "it holds the values of the row"
    assert the_server().ask(place.database, "select count(*) from event") == [(0,)]


def test_a_commit_that_was_undone_is_not_taken_for_one(postgres: PostgresDoor):
    """A transaction that failed answers ROLLBACK to a commit, as if all were well."""
    server = postgres.ledger._connection.pgconn
    server.exec_(b"begin")
    server.exec_(b"select 1/0")
    with pytest.raises(LedgerError, match="ROLLBACK"):
        postgres.ledger._command(b"commit")


# ---- what is settled


def test_nothing_is_settled_while_a_number_is_under_way(postgres: PostgresDoor):
    """A number that was given, and is not committed: sealing past it would leave its row out for ever."""
    postgres.ledger.append_now([a_look_up()])
    tree = postgres.tree()
    with connect(postgres.place, autocommit=False) as other:
        other.execute(f"select pg_advisory_xact_lock_shared({APPENDING})")
        other.execute("insert into event (at, kind, account) values (1, 'sign-in', 'a')")
        postgres.ask("select 1")
        asked: list[int] = []
        asking = threading.Thread(target=lambda: asked.append(tree.settled()))
        asking.start()
        asking.join(0.3)
        assert asked == []
        other.commit()
        asking.join(10)
    assert asked == [2]
    assert [sequence for sequence, _ in tree.rows(0, 2, 10, 0)] == [1, 2]


def test_a_number_that_was_given_in_vain_is_settled(postgres: PostgresDoor):
    postgres.ask("select nextval('event_sequence')")
    assert postgres.ledger.append_now([a_look_up()]).sequence == 2
    tree = postgres.tree()
    assert tree.settled() == 2
    assert [sequence for sequence, _ in tree.rows(0, 2, 10, 0)] == [2]


# ---- who seals


def test_L3_one_store_is_elected_and_another_when_it_ends(postgres: PostgresDoor):
    one, two = postgres.tree(), postgres.tree()
    assert [one.elected(), two.elected(), one.elected(), two.elected()] == [True, False, True, False]
    one.close()
    assert two.elected()


def test_L3_who_lost_his_connection_is_not_elected_any_more(postgres: PostgresDoor):
    one, two = postgres.tree(), postgres.tree()
    assert one.elected()
    postgres.fail()
    assert not one.elected()
    assert two.elected()
    assert not one.elected()
