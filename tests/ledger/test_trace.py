# SPDX-License-Identifier: EUPL-1.2
"""trace: all of an account and all of a person, oldest first, in pages and by index, on both databases."""

from __future__ import annotations

import re
import tracemalloc
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.ledger.event import EPOCH, LedgerUnreadable
from gateway.ledger.store import create_ledger, open_ledger_at, prepare_days
from gateway.ledger.trace import PAGE, TraceReader, open_trace
from gateway.model import EventKind
from support.incident_rows import NOON, looked_up, mark
from support.plans import explained
from support.postgres import the_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.ledger.place import Place

ACCOUNTS = ("A12", "B12", "C12")
KINDS = (EventKind.LOOKUP, EventKind.LOOKUP, EventKind.LOOKUP_MISSED, EventKind.SIGN_IN, EventKind.LEDGER_READ)
EVENTS = [
    looked_up(place % 17, place % 7 * 20_000 + place, ACCOUNTS[place % 3], kind=KINDS[place % 5])
    for place in range(9_000)
]
EVER = (EPOCH, datetime(2200, 1, 1, tzinfo=EPOCH.tzinfo))


def filled(place: Place) -> Place:
    with closing(open_ledger_at(place)) as ledger:
        for first in range(0, len(EVENTS), 1_000):
            ledger.append_now(EVENTS[first : first + 1_000])
    return place


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("trace") / "ledger.db"
        create_ledger(path)
        return filled(path)
    made = the_server().database()
    prepare_days(made, NOON)
    filled(made)
    the_server().ask(made.database, "analyze")
    return made


@pytest.fixture
def reader(place: Place) -> Iterator[TraceReader]:
    with closing(open_trace(place)) as made:
        yield made


def expected(chosen, since=EVER[0], until=EVER[1]):
    found = [
        (event.at, sequence) for sequence, event in enumerate(EVENTS, 1) if chosen(event) and since <= event.at < until
    ]
    return sorted(found)


def places(found):
    return [(one.event.at, one.sequence) for one in found]


def test_every_event_of_an_account_comes_once_in_order(reader):
    due = expected(lambda event: event.account == "B12")
    assert len(due) > 2 * PAGE
    assert places(reader.of_account("B12", *EVER)) == due


@pytest.mark.parametrize("hours", [(0, 1), (5, 30), (-5, 0), (24, 24)])
def test_the_beginning_of_a_period_is_in_it_and_its_end_is_not(reader, hours):
    since, until = (NOON + timedelta(hours=one) for one in hours)
    due = expected(lambda event: event.account == "A12", since, until)
    assert places(reader.of_account("A12", since, until)) == due
    summary = reader.summary("A12", since, until)
    looks = [event for event in EVENTS if event.account == "A12" and since <= event.at < until]
    looks = [event for event in looks if event.kind is EventKind.LOOKUP]
    assert summary == (len(due), len(looks), len({event.pseudonym for event in looks}))


def test_every_event_of_a_person_comes_once_in_order_but_no_question_about_him(reader):
    told = []
    found = places(reader.of_person(mark(3), *EVER, told.append))
    assert found == expected(lambda event: event.pseudonym == mark(3) and event.kind is not EventKind.LEDGER_READ)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_of_nobody_there_is_nothing(reader):
    assert list(reader.of_account("NOBODY", *EVER)) == []
    assert list(reader.of_person(b"?" * 16, *EVER)) == []
    assert list(reader.of_person(mark(3), NOON + timedelta(days=9), EVER[1])) == []
    assert reader.summary("NOBODY", *EVER) == (0, 0, 0)


def test_each_question_of_an_account_is_a_range_of_its_index(reader):
    with explained(reader._database) as plans:
        list(reader.of_account("B12", NOON, NOON + timedelta(hours=3)))
        reader.summary("B12", NOON, NOON + timedelta(hours=3))
    assert len(plans) == 4
    for plan in plans:
        if reader._database.is_file:
            assert re.search(r"SEARCH event USING (COVERING )?INDEX event_of_account \(account=\? AND at", plan)
            assert "TEMP B-TREE FOR ORDER" not in plan
        else:
            assert "_account_at_" in plan
            assert "account)::text" in plan or "account = " in plan
            assert "Seq Scan on event_2026_11_20" not in plan
    if not reader._database.is_file:
        assert set(re.findall(r" on (event_2026_\d\d_\d\d)\b", plans[2])) == {"event_2026_11_20"}, "no other day"


def test_a_person_is_looked_for_among_the_look_ups_of_his_days_alone(reader):
    with explained(reader._database) as plans:
        list(reader.of_person(mark(3), NOON, NOON + timedelta(hours=3)))
    assert len(plans) == 3
    if reader._database.is_file:
        assert all("USING INDEX event_of_patient (at" in plan for plan in plans[2:])
        assert not [plan for plan in plans if "SCAN" in plan]
    else:
        assert set(re.findall(r" on (event_2026_\d\d_\d\d)\b", plans[2])) == {"event_2026_11_20"}


def test_memory_does_not_grow_with_the_trace(tmp_path):
    path = tmp_path / "ledger.db"
    create_ledger(path)
    peaks = []
    for _ in range(2):
        with closing(open_ledger_at(path)) as ledger:
            ledger.append_now([looked_up(n % 50, n / 100, "A12") for n in range(8_000)])
        with closing(open_trace(path)) as reader:
            tracemalloc.start()
            count = sum(1 for _ in reader.of_account("A12", *EVER))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert count == 16_000
    assert peaks[1] < 1.3 * peaks[0]


def test_a_slow_reader_keeps_nobody_from_writing_or_folding(tmp_path):
    path = tmp_path / "ledger.db"
    create_ledger(path)
    with closing(open_ledger_at(path)) as ledger:
        ledger.append_now(EVENTS[:3_000])
        with closing(open_trace(path)) as reader:
            found = reader.of_account("A12", *EVER)
            next(found)
            ledger.append_now(EVENTS[:10])
            (busy, _, _) = ledger._connection.execute("pragma wal_checkpoint(truncate)").fetchone()
            assert busy == 0
            assert len(list(found)) == 999


def test_a_ledger_that_is_not_there_or_is_none_is_told(tmp_path):
    with pytest.raises(LedgerUnreadable, match=r"no ledger at .*none\.db"):
        open_trace(tmp_path / "none.db")
    (tmp_path / "some.db").write_bytes(b"no database at all, but long enough to be taken for a header " * 20)
    with pytest.raises(LedgerUnreadable, match="not a database"):
        open_trace(tmp_path / "some.db")
