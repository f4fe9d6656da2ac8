# SPDX-License-Identifier: EUPL-1.2
"""exposure: exactly the look-ups of the span, in the order of people, by index alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ledger.event import LedgerUnreadable, microseconds, row
from gateway.ledger.exposure import data_keys_query, looks_query, open_exposure, rows_query
from gateway.ledger.read import LedgerReader
from gateway.ledger.span import Span
from gateway.model import Event, EventKind
from support.incident_rows import NOON, Officer, fill_ledger, looked_up, mark, span

ACCOUNTS = ("A12", "B12", "C12")
TELESERVICES = ("infopatient", "patients")
NETWORKS = ("192.0.2.1", "198.51.100.7")
KINDS = (EventKind.LOOKUP, EventKind.LOOKUP, EventKind.LOOKUP_MISSED, EventKind.SIGN_IN)


def made(place: int) -> Event:
    """A history of three hours on both sides of noon, with every kind beside look-ups."""
    event = looked_up(
        place % 13,
        (place % 60 - 30) * 360,
        ACCOUNTS[place % 3],
        teleservice=TELESERVICES[place % 2],
        kind=KINDS[place % 4],
    )
    event = event._replace(network=NETWORKS[place % 5 == 0])
    return event._replace(pseudonym=None) if place % 11 == 0 else event


EVENTS = [made(place) for place in range(600)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("exposure") / "ledger.db"
    fill_ledger(path, EVENTS)
    return path


@pytest.fixture
def reader(path):
    with closing(open_exposure(path)) as reader:
        yield reader


def expected(about: Span) -> list[tuple[bytes | None, int, int]]:
    chosen = [
        (event.pseudonym, microseconds(event.at), sequence)
        for sequence, event in enumerate(EVENTS, 1)
        if event.kind is EventKind.LOOKUP
        and event.account in about.accounts
        and about.since <= event.at < about.until
        and (not about.teleservices or event.teleservice in about.teleservices)
        and (not about.networks or event.network in about.networks)
    ]
    return sorted(chosen, key=lambda one: (one[0] is not None, *one))


@pytest.mark.parametrize(
    "about",
    [
        span("A12", hours=3),
        span(*ACCOUNTS, hours=1),
        span("A12", "C12", hours=3, teleservices=("patients",)),
        span("A12", "C12", hours=3, teleservices=("patients",), networks=NETWORKS[1:]),
        span("NOBODY"),
        Span(ACCOUNTS, NOON - timedelta(hours=1), NOON),
    ],
)
def test_the_look_ups_of_a_span_are_found_and_no_others_in_the_order_of_people(reader, about):
    found = list(reader.looks(about))
    assert [one[:3] for one in found] == expected(about)
    assert reader.count(about) == len(found)


def test_the_end_of_a_span_is_not_in_it_and_its_beginning_is(tmp_path):
    fill_ledger(tmp_path / "ledger.db", [looked_up(place, place * 1_800) for place in range(5)])
    with closing(open_exposure(tmp_path / "ledger.db")) as reader:
        found = {one.pseudonym for one in reader.looks(span(hours=1))}
        assert found == {mark(0), mark(1)}
        assert reader.count(span(hours=1.0001)) == 3


def test_honest_use_comes_too_where_it_is_asked_for_and_in_any_teleservice(reader):
    about = span("A12", hours=3, teleservices=("patients",), networks=NETWORKS[:1])
    since = NOON - timedelta(hours=2)
    found = list(reader.looks(about, known_since=since))
    before = expected(Span(("A12",), since, NOON))
    assert sorted(one.sequence for one in found) == sorted(one[2] for one in [*before, *expected(about)])
    assert {one.place.teleservice for one in found if one.at < microseconds(NOON)} == set(TELESERVICES)


def test_a_look_up_tells_where_it_was_and_only_a_list_its_sealed_number(tmp_path):
    fill_ledger(tmp_path / "ledger.db", Officer().sealed(looked_up(1)))
    with closing(open_exposure(tmp_path / "ledger.db")) as reader:
        (bare,) = reader.looks(span())
        (whole,) = reader.looks(span(), sealed=True)
    assert bare.place == ("A12", "infopatient", "192.0.2.1", '["identity", "rights"]')
    assert (bare.request, bare.sealed) == (None, None)
    assert whole.request == (1).to_bytes(16, "big")
    assert len(whole.sealed) > 16


def test_data_keys_are_those_that_may_have_sealed_something_in_the_span(tmp_path):
    officer = Officer()
    far, near, within = (looked_up(1, hours * 3_600) for hours in (-5, -1, 1))
    fill_ledger(tmp_path / "ledger.db", officer.sealed(far, near, within))
    with closing(open_exposure(tmp_path / "ledger.db")) as reader:
        assert len(list(reader.data_keys(span(hours=2)))) == 2
        assert len(list(reader.data_keys(Span(("A12",), NOON - timedelta(hours=6), NOON)))) == 3


def test_one_event_is_found_by_its_number(reader):
    assert reader.event(7).event == EVENTS[6]
    assert reader.event(601) is None


def test_a_session_began_with_its_first_event_of_the_day_before(tmp_path):
    events = [looked_up(1, seconds)._replace(session=name) for seconds, name in ((0, "s"), (60, "t"), (120, "s"))]
    old = looked_up(1, -200_000)._replace(session="s")
    fill_ledger(tmp_path / "ledger.db", [old, *events])
    with closing(open_exposure(tmp_path / "ledger.db")) as reader:
        assert reader.session_began("A12", "s", NOON + timedelta(seconds=120)) == NOON
        assert reader.session_began("A12", "t", NOON + timedelta(seconds=60)) is None  # nothing before itself
        assert reader.session_began("B12", "s", NOON + timedelta(seconds=120)) is None


def test_rows_are_all_events_of_the_accounts_with_look_ups_narrowed(reader):
    about = span("A12", "C12", hours=3, teleservices=("patients",), networks=NETWORKS[:1])
    looked = {one[2] for one in expected(about)}
    others = {
        sequence
        for sequence, event in enumerate(EVENTS, 1)
        if event.kind is not EventKind.LOOKUP
        and event.account in about.accounts
        and about.since <= event.at < about.until
    }
    found = list(reader.rows(about))
    assert [sequence for sequence, _ in found] == sorted(looked | others)
    assert all(values == row(EVENTS[sequence - 1]) for sequence, values in found)


def test_events_of_some_kinds_are_told_in_their_order(reader, path):
    found = reader.told(span("A12", "B12"), {EventKind.SIGN_IN})
    whole = LedgerReader(path)
    own = [
        one for name in ("A12", "B12") for one in whole.events(name, frozenset({EventKind.SIGN_IN}), NOON, limit=1000)
    ]
    whole.close()
    assert sorted(found, key=lambda one: one.sequence) == sorted(own, key=lambda one: one.sequence)
    assert found == sorted(found, key=lambda one: (one.event.at, one.sequence))
    assert found


@pytest.mark.parametrize("accounts", [1, 19, 500, 2_000])
@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("known", [None, NOON - timedelta(days=90)])
def test_L_each_account_is_one_range_of_the_index(path, accounts, sealed, known):
    about = span(*(f"A{place:05}" for place in range(accounts)), teleservices=("infopatient",))
    plan = explained(path, looks_query(about, known_since=known, sealed=sealed))
    assert plan[0] == "SEARCH event USING INDEX event_of_account (account=? AND at>? AND at<?)"
    assert not [line for line in plan if line.startswith("SCAN")]


@pytest.mark.parametrize("accounts", [1, 500])
def test_L_rows_are_found_by_the_same_ranges(path, accounts):
    about = span(*(f"A{place:05}" for place in range(accounts)), networks=NETWORKS)
    plan = explained(path, rows_query(about))
    assert plan[0] == "SEARCH event USING INDEX event_of_account (account=? AND at>? AND at<?)"
    assert not [line for line in plan if line.startswith("SCAN")]


def test_L_data_keys_and_single_events_are_found_by_index_too(path):
    (plan,) = explained(path, data_keys_query(span()))
    assert plan == "SEARCH event USING INDEX event_of_key (at>? AND at<?)"


def explained(path, query) -> list[str]:
    text = str(query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with closing(sqlite3.connect(path)) as connection:
        return [line[3] for line in connection.execute(f"explain query plan {text}")]


def test_the_kind_is_a_constant_so_that_a_partial_index_fits():
    text = str(looks_query(span()).compile(dialect=postgresql.dialect()))
    assert "event.kind = 'lookup'" in text
    assert "event.kind = 'data-key'" in str(data_keys_query(span()).compile(dialect=postgresql.dialect()))


def test_a_ledger_that_is_not_there_or_is_none_is_told(tmp_path):
    with pytest.raises(LedgerUnreadable, match=r"no ledger at .*none\.db"):
        open_exposure(tmp_path / "none.db")
    (tmp_path / "some.db").write_bytes(b"no database at all, but long enough to be taken for a header " * 20)
    with closing(open_exposure(tmp_path / "some.db")) as reader:
        with pytest.raises(LedgerUnreadable, match="not a database"):
            reader.count(span())
        with pytest.raises(LedgerUnreadable, match="TMPDIR"):
            list(reader.looks(span()))


def test_reading_writes_nothing_and_waits_for_nobody(path, reader):
    before = path.read_bytes()
    asked = reader.looks(span(*ACCOUNTS))
    first = next(asked)
    assert len(list(reader.looks(span(*ACCOUNTS)))) > 1
    asked.close()
    assert first.pseudonym in {None, *map(mark, range(13))}
    assert path.read_bytes() == before
