# SPDX-License-Identifier: EUPL-1.2
"""read and tree on PostgreSQL: answers lie in few days, each found by an index, whatever the ledger's length."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from gateway.errors import LedgerError
from gateway.ledger.engine import open_place
from gateway.ledger.event import LedgerUnreadable, microseconds
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import open_ledger_at, prepare_days
from gateway.ledger.tables import IS_DATA_KEY, event
from gateway.ledger.tree_rows import open_tree_store
from gateway.model import AlertReason, Event, EventKind
from support.plans import explained
from support.postgres import the_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.ledger.place import PostgresAddress

pytestmark = pytest.mark.system

NOW = datetime.now(UTC)
DAYS, A_DAY = 40, 3000
FILL = """
insert into event (at, kind, account, pseudonym, network, sealed)
select {begin} + n * {step}::bigint, (array['lookup', 'sign-in', 'refused', 'step-up', 'attempt'])[1 + n % 5],
       'a' || n % 60, case when n % 5 = 0 then decode(md5(n::text), 'hex') end, '192.0.2.1', 'sealed'::bytea
from generate_series(1, {count}) n
"""


def day(ago: int) -> datetime:
    return NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=ago)


def name(ago: int) -> str:
    return f"event_{day(ago):%Y_%m_%d}"


@pytest.fixture(scope="module")
def filled() -> PostgresAddress:
    """Forty days up to the end of today, and some rows that are in no day."""
    server = the_server()
    place = server.database()
    for ago in range(0, DAYS + 8, 8):
        prepare_days(place, NOW - timedelta(days=ago))
    step = 86_400_000_000 // A_DAY
    begin = microseconds(day(DAYS - 1))
    server.ask(place.database, FILL.format(begin=begin, step=step, count=DAYS * A_DAY - 1))
    server.ask(place.database, FILL.format(begin=microseconds(day(900)), step=step, count=600))
    server.ask(place.database, "analyze")
    return place


@pytest.fixture
def reader(filled: PostgresAddress) -> Iterator[LedgerReader]:
    with closing(LedgerReader(filled)) as made:
        yield made


def days_of(plan: str) -> set[str]:
    return set(re.findall(r" on (event_(?:[0-9]{4}_[0-9]{2}_[0-9]{2}|other))\b", plan))


def by_index(plan: str) -> bool:
    """In the days that hold anything: of an empty one it is all the same."""
    filled = {name(ago) for ago in range(DAYS)} | {"event_other"}
    return not any(f"Seq Scan on {one} " in plan for one in filled)


def in_order(plan: str) -> bool:
    """Read in the order of an index: a page is not sorted out of all there is."""
    return by_index(plan) and "Sort  (" not in plan


def test_the_newest_events_are_found_in_the_last_days(reader: LedgerReader):
    with explained(reader._database) as plans:
        found = reader.events("a7", limit=50)
    assert len(found) == 50
    assert len(plans) == 1, "the first stretch was enough"
    assert in_order(plans[0])
    assert days_of(plans[0]) <= {name(ago) for ago in range(-8, 5)} | {"event_other"}


def test_a_cursor_leads_to_its_day(reader: LedgerReader):
    last = reader.events("a7", None, day(30), day(29), limit=1)[0]
    with explained(reader._database) as plans:
        found = reader.events("a7", frozenset({EventKind.LOOKUP, EventKind.REFUSED}), before=last.cursor, limit=10)
    assert all(one.event.at <= last.event.at for one in found)
    assert len(plans) == 1
    assert in_order(plans[0])
    assert days_of(plans[0]) <= {name(ago) for ago in range(29, 35)} | {"event_other"}


def test_all_pages_together_are_all_events_also_those_of_no_day(reader: LedgerReader):
    found, before = [], None
    while page := reader.events("a7", before=before, limit=700):
        found += page
        before = page[-1].cursor
    assert len(found) == 2 * A_DAY * DAYS // 120 + 600 // 60
    places = [(one.event.at, one.sequence) for one in found]
    assert places == sorted(set(places), reverse=True)
    assert found[-1].event.at < day(899)


def test_an_account_of_nothing_is_looked_for_in_a_handful_of_questions(reader: LedgerReader):
    with explained(reader._database) as plans:
        assert reader.events("nobody") == []
    assert len(plans) == 4
    assert all(map(by_index, plans))


def test_a_range_is_all_that_is_looked_at(reader: LedgerReader):
    with explained(reader._database) as plans:
        reader.events("nobody", None, day(20), day(18))
    assert len(plans) == 1
    assert days_of(plans[0]) == {name(20), name(19)}


def test_look_ups_come_in_order_by_index(reader: LedgerReader):
    with explained(reader._database) as plans:
        found = list(reader.lookups_since(day(0) + timedelta(hours=20)))
    assert len(found) == A_DAY // 6 // 5
    assert by_index(plans[0])
    assert name(1) not in days_of(plans[0])


def test_people_and_keys_of_a_range_are_found_by_index(reader: LedgerReader):
    """What an incident asks; who asks stands elsewhere."""
    first, last = microseconds(day(12)), microseconds(day(2))
    people = sa.select(sa.func.count(event.c.pseudonym.distinct())).where(
        event.c.account.in_(["a0", "a5"]), event.c.at >= first, event.c.at < last, event.c.kind == "lookup"
    )
    keys = sa.select(event.c.sealed).where(IS_DATA_KEY, event.c.at >= first, event.c.at < last)
    with explained(reader._database) as plans, reader._database.reading() as connection:
        assert connection.execute(people).scalar_one() == 2 * 10 * A_DAY // 60
        connection.execute(keys)
    assert all("Seq Scan" not in plan for plan in plans)
    assert days_of(plans[0]) <= {name(ago) for ago in range(3, 13)} | {"event_other"}
    assert "_at_idx" in plans[1]
    assert "_account_at_sequence_kind_pseudonym_idx" in plans[0]


def test_what_is_sealed_next_is_found_without_the_old_days(filled: PostgresAddress):
    with closing(open_tree_store(filled)) as tree, explained(tree._database) as plans:
        assert tree.settled() == DAYS * A_DAY - 1 + 600
        found = tree.rows(DAYS * A_DAY - 101, DAYS * A_DAY - 1, 50, microseconds(day(1)))
        tree.rows(0, DAYS * A_DAY, 50, microseconds(day(1)))
    assert [sequence for sequence, _ in found] == list(range(DAYS * A_DAY - 100, DAYS * A_DAY - 50))
    assert by_index(plans[-2])
    assert in_order(plans[-1]), "however much waits to be sealed, a part of it is not sorted out of it"
    for plan in plans[-2:]:
        assert "Index Cond: ((sequence > " in plan
        assert days_of(plan) <= {name(ago) for ago in range(-8, 2)} | {"event_other"}


def test_alerts_of_all_writers_are_found_once_in_the_last_days(filled: PostgresAddress, reader: LedgerReader):
    alert = Event(EventKind.ALERTED, "a1", NOW, reason=AlertReason.RISK_HIGH)
    last, found = reader.alerts_after(None, AlertReason.RISK_HIGH)
    assert found == []
    with closing(open_ledger_at(filled, beside=True)) as one, closing(open_ledger_at(filled, beside=True)) as two:
        numbers = [
            ledger.append_now([alert, alert._replace(reason=AlertReason.DECOY)]).sequence for ledger in (one, two)
        ]
    with explained(reader._database) as plans:
        last, found = reader.alerts_after(last, AlertReason.RISK_HIGH)
    assert [(one.sequence, one.event) for one in found] == [(number - 1, alert) for number in numbers]
    assert by_index(plans[-1])
    assert days_of(plans[-1]) <= {name(ago) for ago in range(-8, 3)} | {"event_other"}
    assert reader.alerts_after(last, AlertReason.RISK_HIGH) == (last, [])


# ---- the server is not there


def test_a_reader_without_its_server_says_so_and_recovers(filled: PostgresAddress, reader: LedgerReader):
    reader.events("a1", limit=1)
    the_server().ask(
        "postgres",
        f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{filled.database}'",
    )
    assert len(reader.events("a1", limit=1)) == 1, "a connection that was lost is not asked"
    missing = the_server().address("none")
    with (
        closing(LedgerReader(missing)) as other,
        pytest.raises(LedgerUnreadable, match='"none" does not exist') as said,
    ):
        other.events("a")
    assert missing.password not in str(said.value)
    database = open_place(missing, writes=True)
    with pytest.raises(LedgerError, match="could not be written"), database.writing():
        pass
