# SPDX-License-Identifier: EUPL-1.2
"""read: pages that neither skip nor repeat, and queries that stay on their index."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ledger.event import Cursor, LedgerUnreadable, read_cursor
from gateway.ledger.queries import COUNTED
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import create_ledger, open_ledger, open_ledger_at, prepare_days
from gateway.ledger.tables import IS_DATA_KEY, event
from gateway.model import Event, EventKind, PastLook
from support.plans import explained
from support.postgres import the_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.ledger.place import Place

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KINDS = (EventKind.LOOKUP, EventKind.SIGN_IN, EventKind.LOOKUP_MISSED, EventKind.REFUSED)


def made(number: int) -> Event:
    """A history with equal times and with steps back."""
    kind = KINDS[number % 4]
    looked_up = kind in COUNTED
    return Event(
        kind=kind,
        account="ab"[number % 3 == 0],
        at=NOON + timedelta(seconds=number // 3 - (40 if number % 17 == 0 else 0)),
        teleservice=("infopatient", "aat")[number % 5 == 0] if looked_up else None,
        pseudonym=bytes([number % 7]) * 16 if looked_up else None,
        network=None if number % 5 == 0 else f"10.0.0.{number % 3}",
        holder="Lou Martin" if number % 4 == 0 else None,
    )


EVENTS = [made(number) for number in range(300)]


@pytest.fixture(scope="module", params=["file", "postgres"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerReader]:
    yield from reading(the_server().database() if request.param == "postgres" else made_file(tmp_path_factory))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LedgerReader]:
    yield from reading(made_file(tmp_path_factory))


def made_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("read") / "ledger.db"
    create_ledger(path)
    return path


def reading(place: Place) -> Iterator[LedgerReader]:
    with closing(open_ledger_at(place)) as ledger, closing(LedgerReader(place)) as reader:
        prepare_days(place, NOON)
        ledger.append_now(EVENTS)
        yield reader


def expected(account, kinds=None, since=None, until=None) -> list[tuple[int, Event]]:
    chosen = [
        (sequence, event)
        for sequence, event in enumerate(EVENTS, 1)
        if event.account == account
        and (kinds is None or event.kind in kinds)
        and (since is None or event.at >= since)
        and (until is None or event.at < until)
    ]
    return sorted(chosen, key=lambda one: (one[1].at, one[0]), reverse=True)


TIMES = st.none() | st.integers(-50, 110).map(lambda seconds: NOON + timedelta(seconds=seconds))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["a", "b", "nobody"]),
    st.none() | st.frozensets(st.sampled_from(list(EventKind)), max_size=4),
    TIMES,
    TIMES,
    st.integers(1, 40),
)
def test_pages_together_are_all_events_newest_first(reader: LedgerReader, account, kinds, since, until, limit):  # noqa: PLR0917  # hypothesis fills them
    found, before = [], None
    while page := reader.events(account, kinds, since, until, before, limit):
        assert len(page) <= limit
        found += [(one.sequence, one.event) for one in page]
        before = page[-1].cursor
    assert found == expected(account, kinds, since, until)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_the_limit_is_bounded(reader: LedgerReader, limit: int):
    with pytest.raises(ValueError, match=f"limit is {limit}"):
        reader.events("a", limit=limit)


def test_a_cursor_before_all_gives_nothing(reader: LedgerReader):
    assert reader.events("a", before=Cursor(NOON - timedelta(days=1), 1)) == []


def test_a_cursor_from_another_account_shows_nothing_of_it(reader: LedgerReader):
    foreign = reader.events("b", limit=1)[0]
    assert {one.event.account for one in reader.events("a", before=foreign.cursor)} == {"a"}


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), st.integers(1, 10**17))  # noqa: DTZ001
def test_a_cursor_is_read_as_it_was_written(at, sequence):
    cursor = Cursor(at, sequence)
    assert read_cursor(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "1", "1-", "-1", "1-0", "01-1", "1-1-1", " 1-1", "1-1\n", "\uff11-1", "9" * 17 + "-1"]
)
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(ValueError, match="a cursor as the page before gave it"):
        read_cursor(text)


def test_lookups_come_oldest_first_from_all_accounts(reader: LedgerReader):
    since = NOON + timedelta(seconds=20)
    wanted = sorted(
        (event.at, sequence, event)
        for sequence, event in enumerate(EVENTS, 1)
        if event.kind in COUNTED and event.at >= since
    )
    assert list(reader.lookups_since(since)) == [
        PastLook(
            one.account,
            one.teleservice,
            one.holder,
            one.network,
            one.pseudonym,
            one.at,
            one.kind is EventKind.LOOKUP_MISSED,
        )
        for _, _, one in wanted
    ]


def test_threads_ask_at_the_same_time(reader: LedgerReader):
    """Each on a connection of its own: none waits for the slow one, nor sees what is its."""
    slow, found = reader.lookups_since(NOON), []
    next(slow)
    threads = [threading.Thread(target=lambda: found.append(len(reader.events("a")))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [50] * 3
    slow.close()


def test_queries_stay_on_their_index_and_sort_nothing(file: LedgerReader):
    by_account = "SEARCH event USING INDEX event_of_account (account=? AND at>? AND at<?)"
    with explained(file._database) as plans:
        for kinds in (None, frozenset({EventKind.LOOKUP, EventKind.SIGN_IN})):
            for before in (None, Cursor(NOON, 1)):
                file.events("a", kinds, before=before)
        list(file.lookups_since(NOON))
        file.alerts_after(1, "decoy")
    assert plans == [
        *[by_account] * 4,
        "SEARCH event USING INDEX event_of_patient (at>?)",
        "SEARCH event",
        "SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
    ]


def test_the_keys_and_the_people_of_an_account_are_found_by_index_alone(file: LedgerReader):
    """What an incident asks; who asks stands elsewhere."""
    people = sa.select(sa.func.count(event.c.pseudonym.distinct())).where(
        event.c.account == "a", event.c.at >= 0, event.c.at < 2**62, event.c.kind == "lookup"
    )
    with explained(file._database) as plans, file._database.reading() as connection:
        connection.execute(people)
        connection.execute(sa.select(event.c.sealed).where(IS_DATA_KEY, event.c.at >= 0, event.c.at < 2**62))
    assert "USING COVERING INDEX event_of_account (account=? AND at>? AND at<?)" in plans[0]
    assert plans[1] == "SEARCH event USING INDEX event_of_key (at>? AND at<?)"


def test_the_reader_cannot_write(reader: LedgerReader):
    with pytest.raises(LedgerUnreadable, match=r"readonly|read-only"), reader._database.reading() as connection:
        connection.exec_driver_sql("delete from event")


def test_a_missing_or_foreign_file_is_unreadable(tmp_path: Path):
    with pytest.raises(LedgerUnreadable, match="cannot be read"):
        LedgerReader(tmp_path / "none.db").events("a")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "text.db").write_bytes(b"text" * 1000)
    with pytest.raises(LedgerUnreadable, match="not a database"):
        list(LedgerReader(tmp_path / "text.db").lookups_since(NOON))


def test_it_reads_without_a_writer_and_after_close(tmp_path: Path):
    create_ledger(tmp_path / "l.db")
    ledger = open_ledger(tmp_path / "l.db")
    ledger.append_now(EVENTS[:10])
    ledger.close()
    reader = LedgerReader(tmp_path / "l.db")
    first = reader.events("a")
    reader.close()
    assert reader.events("a") == first != []
    reader.close()
