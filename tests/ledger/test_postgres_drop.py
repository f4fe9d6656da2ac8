# SPDX-License-Identifier: EUPL-1.2
"""postgres_drop: a day whose time is over goes as a whole, beside those who append and read; what stays is moved."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from gateway.ledger.deletion import NotDeleted
from gateway.ledger.postgres_engine import connect
from gateway.ledger.read import LedgerReader
from gateway.ledger.retention import Periods, rules_at
from gateway.ledger.span import Span
from gateway.ledger.store import open_ledger_at, prepare_days
from gateway.ledger.sweep import STAYING_AT_MOST, Sweep
from gateway.ledger.writer import LedgerBusy
from gateway.model import EventKind
from support.keeping_rows import DAY, NOW, Years, an_event, years
from support.ledger_doors import PostgresDoor
from support.postgres import the_server
from support.sealing import Between, checked

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

TODAY = NOW.replace(hour=0, minute=0)
THREE_YEARS_AGO = TODAY.replace(year=2023)
FIRST = THREE_YEARS_AGO - 3 * DAY


class OwnDoor(PostgresDoor):
    """In a database of its own, which loses days."""

    def __init__(self) -> None:
        self.place = the_server().database()
        self.ledger = open_ledger_at(self.place)
        self._trees = []


@pytest.fixture
def ledger() -> Iterator[Years]:
    """Three days whose time is over, and three that are kept."""
    door = OwnDoor()
    prepare_days(door.place, FIRST)
    made = Years(door)
    made.append(years(FIRST, 6))
    yield made
    door.close()


def days(ledger: Years) -> dict[str, int]:
    found = ledger.door.ask("select tableoid::regclass::text, count(*) from event group by 1 order by 1")
    return {name.removeprefix("event_"): count for name, count in found}


def tables(ledger: Years) -> set[str]:
    found = ledger.door.ask("select relname from pg_class where relname like 'event_20%' and relkind = 'r'")
    return {name.removeprefix("event_") for (name,) in found}


def test_a_day_whose_time_is_over_is_dropped_and_not_emptied(ledger: Years):
    before, kept = tables(ledger), ledger.store.head().note
    assert before >= {"2023_11_20", "2023_11_21", "2023_11_22", "2023_11_23"}
    assert ledger.delete() == {"day": 72, "security": 18}
    assert before - tables(ledger) == {"2023_11_20", "2023_11_21", "2023_11_22"}
    assert days(ledger) == {"2023_11_23": 18, "2023_11_24": 18, "2023_11_25": 18, "other": 4}
    found = checked(ledger.store, kept)
    assert (found.deleted, found.deletions, found.kept) == (90, 4, 1)
    assert ledger.delete() == {}


def test_what_stays_of_a_day_moves_and_is_found_as_before(ledger: Years):
    ledger.append([an_event(EventKind.EVENTS_DELETED, FIRST, "", reason="security", details=TOLD)])
    ledger.holds = [Span(("b",), FIRST + DAY, FIRST + 2 * DAY)]
    # Of the keys, 13 are held; others wait in a day that holds some numbers until these alone are left.
    assert ledger.delete() == {"day": 41, "security": 18, "proof": 5}
    assert days(ledger)["other"] == 5 + 1 + 13 + 13
    stays = [one for one in ledger.rows() if one[3] < THREE_YEARS_AGO]
    assert {kind for _, kind, _, _ in stays} == {"lookup", "data-key", "events-deleted"}
    assert {account for _, kind, account, _ in stays if kind == "lookup"} == {"b"}
    with closing(LedgerReader(ledger.door.place)) as reader:
        assert len(reader.events("b", None, None, THREE_YEARS_AGO)) == 13
    assert checked(ledger.store).deleted == 41 + 18 + 5
    ledger.holds = ()
    assert ledger.delete() == {"disclosures": 13, "proof": 13}
    assert days(ledger)["other"] == 5 + 1 + 2
    assert checked(ledger.store).deleted == 90


TOLD = f"before 2023-01-01; leaves 0 to 0; count 1; digest {'ab' * 32}; next 0"


def test_a_day_that_keeps_much_goes_row_by_row(ledger: Years):
    many = [an_event(EventKind.LOOKUP, FIRST, "c") for _ in range(STAYING_AT_MOST + 1)]
    ledger.append(many)
    ledger.holds = [Span(("c",), FIRST, FIRST + DAY)]
    gone = ledger.delete()
    assert gone["day"] == 24 + 18  # the third day, and of the second all but its keys
    assert {"2023_11_20"} == tables(ledger) & {"2023_11_20", "2023_11_21", "2023_11_22"}
    assert days(ledger)["2023_11_20"] >= STAYING_AT_MOST
    assert checked(ledger.store).deleted == sum(gone.values())


@pytest.mark.parametrize("stopped", ["before", "after"])
def test_a_drop_that_was_told_and_not_done_is_taken_up(ledger: Years, stopped: str):
    class Stopped(Exception):
        pass

    def hand(original):
        def drop(*told):
            if stopped == "after":
                original(*told)
            raise Stopped

        return drop

    whole = ledger.store
    ledger.store = Between(whole, drop=hand)
    with pytest.raises(Stopped):
        ledger.delete()
    found = checked(whole)
    assert (found.deletions, found.waiting) == ((0, 1) if stopped == "before" else (1, 0))
    ledger.store = whole
    ledger.delete()
    found = checked(whole)
    assert (found.deleted, found.deletions, found.waiting) == (90, 4, 0)


def test_a_row_that_no_leaf_holds_keeps_its_day(ledger: Years):
    sweep = Sweep(ledger.store, ledger.store.head(), rules_at(NOW, Periods()))
    first = next(sweep.days())
    with closing(open_ledger_at(ledger.door.place)) as other:
        other.append_now([an_event(EventKind.SIGN_IN, FIRST)])
    assert next(one.day[0] for one in sweep.days()) > first.day[0]
    with pytest.raises(NotDeleted, match="25 rows are there; expected 24"):
        first.carry_out(ledger.store, 200)
    assert days(ledger)["2023_11_20"] == 25
    assert checked(ledger.store).deleted == 0


def test_nobody_s_append_or_question_fails_while_days_go(ledger: Years):
    faults: list[BaseException] = []
    over = threading.Event()

    def appends() -> None:
        try:
            with closing(open_ledger_at(ledger.door.place, beside=True)) as other:
                while not over.is_set():
                    other.append_now([an_event(EventKind.SIGN_IN, NOW, "z")])
        except BaseException as error:  # noqa: BLE001  # told below
            faults.append(error)

    def asks() -> None:
        try:
            with closing(LedgerReader(ledger.door.place)) as reader:
                while not over.is_set():
                    assert reader.events("b", limit=10)
                    list(reader.lookups_since(FIRST))
        except BaseException as error:  # noqa: BLE001  # as above
            faults.append(error)

    threads = [threading.Thread(target=one) for one in (appends, asks)]
    for one in threads:
        one.start()
    try:
        assert ledger.delete()["day"] == 72
    finally:
        over.set()
        for one in threads:
            one.join()
    assert faults == []
    ledger.sealer.seal(NOW, DAY)
    assert checked(ledger.store).deleted == 90


def test_somebody_who_reads_for_long_only_puts_it_off(ledger: Years):
    planned = next(Sweep(ledger.store, ledger.store.head(), rules_at(NOW, Periods())).days())
    reading = connect(ledger.door.place, reads_only=True, autocommit=False)
    reading.execute("select count(*) from event")
    begun = time.monotonic()
    with pytest.raises(LedgerBusy):
        planned.carry_out(ledger.store, 200)
    assert time.monotonic() - begun < 30
    assert checked(ledger.store).deleted == 0
    reading.rollback()
    assert ledger.delete()["day"] == 72
    with pytest.raises(psycopg.errors.UndefinedTable):
        reading.execute("select 1 from event_2023_11_20")
    reading.close()
