# SPDX-License-Identifier: EUPL-1.2
"""postgres_days: every event is kept, in its day or in none yet, and nobody's append fails because a day appears."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.errors import LedgerError
from gateway.ledger.store import open_ledger_at, prepare_days
from gateway.ledger.tree_rows import open_tree_store
from support.ledger_doors import PostgresDoor
from support.postgres import AT, a_look_up, the_server

if TYPE_CHECKING:
    from gateway.ledger.place import PostgresAddress

pytestmark = pytest.mark.system


def days(postgres: PostgresDoor | PostgresAddress) -> dict[str, int]:
    place = postgres.place if isinstance(postgres, PostgresDoor) else postgres
    found = the_server().ask(place.database, "select tableoid::regclass::text, count(*) from event group by 1")
    return dict(found)


def test_events_go_to_their_day_and_what_has_none_is_kept_too(postgres: PostgresDoor):
    times = [AT, AT + timedelta(hours=23.9), AT + timedelta(days=1), AT - timedelta(days=400), AT + timedelta(days=400)]
    postgres.ledger.append_now([a_look_up(at) for at in times])
    assert days(postgres) == {"event_2026_11_22": 2, "event_2026_11_23": 1, "event_other": 2}
    assert len(postgres.stored()) == 5


def test_what_came_before_its_day_was_made_moves_there(place: PostgresAddress):
    with closing(open_ledger_at(place)) as ledger:
        ledger.append_now([a_look_up(AT + timedelta(hours=number)) for number in range(-30, 30)])
        before = the_server().ask(place.database, "select * from event order by sequence")
        assert days(place) == {"event_other": 60}
        prepare_days(place, AT)
        prepare_days(place, AT + timedelta(days=1))
        assert days(place) == {
            "event_other": 6,
            "event_2026_11_21": 24,
            "event_2026_11_22": 24,
            "event_2026_11_23": 6,
        }
        assert the_server().ask(place.database, "select * from event order by sequence") == before
        assert ledger.append_now([a_look_up(AT + timedelta(days=9))]).sequence == 61
    assert days(place)["event_2026_12_01"] == 1


def test_days_are_those_of_UTC_whatever_the_clock_says(place: PostgresAddress):
    prepare_days(place, datetime.fromisoformat("2026-03-01T00:30:00+02:00"))
    names = the_server().ask(place.database, "select relname from pg_class where relname ~ '^event_20[0-9_]*$'")
    assert min(name for (name,) in names) == "event_2026_02_27"


def test_days_are_made_while_others_append_and_prepare(place: PostgresAddress):
    now = datetime.now(UTC)
    with closing(open_ledger_at(place)) as ledger:
        making = [threading.Thread(target=prepare_days, args=(place, now)) for _ in range(2)]
        for thread in making:
            thread.start()
        count = 0
        while count < 100 or any(thread.is_alive() for thread in making):
            ledger.append_now([a_look_up(now)])
            count += 1
    assert sum(days(place).values()) == count
    assert f"event_{now:%Y_%m_%d}" in days(place)


def test_whoever_reads_while_a_day_is_made_finds_every_event(place: PostgresAddress):
    """Planned before its events move and asked after it, a question would find none, and the sealer blame the disk."""
    times = [AT + timedelta(days=number) for number in range(60)]
    with closing(open_ledger_at(place)) as ledger:
        ledger.append_now([a_look_up(at) for at in times])
    found, made = set[int](), threading.Event()

    def read() -> None:
        with closing(open_tree_store(place, writes=False)) as store:
            while not made.is_set():
                found.add(len(store.rows(0, 60, 100, 0)))

    reading = [threading.Thread(target=read) for _ in range(4)]
    for thread in reading:
        thread.start()
    try:
        for at in times[1::10]:
            prepare_days(place, at)
    finally:
        made.set()
        for thread in reading:
            thread.join()
    assert found == {60}
    assert days(place)["event_2027_01_20"] == 1


def test_days_that_cannot_be_made_are_told(place: PostgresAddress):
    the_server().ask(place.database, "drop table event cascade")
    with pytest.raises(LedgerError, match="no days could be made"):
        prepare_days(place, AT)
