# SPDX-License-Identifier: EUPL-1.2
"""All that stands in the ledger of one account, or of one person, between two moments: oldest first, read as asked for.

Pages, each a question of its own that goes on after the last row seen: whoever reads slowly holds nothing back, and
memory does not grow with the answer. An account is one range of `event_of_account`. A person has no index of his own,
for that would cost every look-up a page more: the look-ups of a day are gone through, by `event_of_patient`, day by
day. Blocking. Never here: a write, who may ask (`console.reading_operations`).
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import sqlalchemy as sa

from gateway.ledger.engine import open_place
from gateway.ledger.event import (
    MICROSECOND,
    LedgerUnreadable,
    StoredEvent,
    event_from_row,
    microseconds,
)
from gateway.ledger.migration import demand_newest, found_version
from gateway.ledger.queries import ROW
from gateway.ledger.tables import HAS_PATIENT, event
from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from gateway.ledger.engine import Database
    from gateway.ledger.event import Row
    from gateway.ledger.place import Place

PAGE: Final = 1_000
"""Rows asked for at once."""
_DAY: Final = timedelta(days=1) // MICROSECOND
_OF_ACCOUNT: Final = 32 * _DAY
"""How much time one question spans: on PostgreSQL so many days are opened for it."""
_BETWEEN: Final = (event.c.at >= sa.bindparam("since"), event.c.at < sa.bindparam("until"))
_ACCOUNT: Final = (event.c.account == sa.bindparam("account"), *_BETWEEN)
_PERSON: Final = (HAS_PATIENT, *_BETWEEN)
_IS_PERSON: Final = event.c.pseudonym == sa.bindparam("person")


class Summary(NamedTuple):
    """What a trace holds: events, look-ups among them, and the different people of these."""

    events: int
    looks: int
    people: int


class TraceReader:
    """Questions to a ledger that exists. Errors are LedgerUnreadable. `since` is inclusive, `until` exclusive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_account(self, account: str, since: datetime, until: datetime) -> Iterator[StoredEvent]:
        """Every event of the account."""
        first, last = self._ends(_ACCOUNT, {"account": account}, since, until)
        return self._pages(account_query(), {"account": account}, range(first, last, _OF_ACCOUNT), last)

    def of_person(
        self, pseudonym: bytes, since: datetime, until: datetime, passed: Callable[[float], None] | None = None
    ) -> Iterator[StoredEvent]:
        """Every event that has this person; `passed` hears which share of the time is read."""
        first, last = self._ends(_PERSON, {}, since, until)
        return self._pages(person_query(), {"person": pseudonym}, range(first, last, _DAY), last, passed)

    def summary(self, account: str, since: datetime, until: datetime) -> Summary:
        """Counted by the index alone."""
        values = {"account": account, "since": microseconds(since), "until": microseconds(until)}
        with self._database.reading() as connection:
            found = connection.execute(summary_query(), values).one()
        return Summary(*map(int, found))

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _ends(
        self, where: tuple[sa.ColumnElement[bool], ...], values: dict[str, Any], since: datetime, until: datetime
    ) -> tuple[int, int]:
        """The time of the first such event, and that after the last one: an interval may be longer than a ledger."""
        asked = {**values, "since": microseconds(since), "until": microseconds(until)}
        with self._database.reading() as connection:
            first, last = (
                connection.scalar(sa.select(event.c.at).where(*where).order_by(order).limit(1), asked)
                for order in (event.c.at, event.c.at.desc())
            )
        return (0, 0) if first is None or last is None else (first, last + 1)

    def _pages(
        self,
        query: sa.Select[Any],
        values: dict[str, Any],
        stretches: range,
        last: int,
        passed: Callable[[float], None] | None = None,
    ) -> Iterator[StoredEvent]:
        for begin in stretches:
            end, after = min(begin + stretches.step, last), (begin, 0)
            while page := self._page(query, {**values, "until": end}, after):
                yield from page
                after = microseconds(page[-1].event.at), page[-1].sequence
                if len(page) < PAGE:
                    break
            if passed is not None:
                passed((end - stretches.start) / (last - stretches.start))

    def _page(self, query: sa.Select[Any], values: dict[str, Any], after: tuple[int, int]) -> list[StoredEvent]:
        at, sequence = after
        asked = {**values, "since": at, "after_at": at, "after_sequence": sequence, "limit": PAGE}
        with self._database.reading() as connection:
            return [
                StoredEvent(found[0], event_from_row(cast("Row", tuple(found)[1:])))
                for found in connection.execute(query, asked)
            ]


def open_trace(place: Place) -> TraceReader:
    """Over a ledger or a copy of one; LedgerUnreadable if it is not there, StartError if its tables are not ours."""
    if isinstance(place, Path) and not place.is_file():
        raise LedgerUnreadable(f"no ledger at {place}; expected that of the gateway, or a copy of it")
    database = open_place(place)
    try:
        with database.reading() as connection:
            demand_newest(found_version(connection, database.name), database.name)
    except BaseException:
        database.close()
        raise
    return TraceReader(database)


@cache
def account_query() -> sa.Select[Any]:
    """A page of an account. Parameters: account, since, until, after_at, after_sequence, limit."""
    return _paged(*_ACCOUNT)


@cache
def person_query() -> sa.Select[Any]:
    """A page of a person, without earlier questions about him. Parameters as of an account, but person."""
    return _paged(*_PERSON, _IS_PERSON, event.c.kind != EventKind.LEDGER_READ.value)


@cache
def summary_query() -> sa.Select[Any]:
    """Parameters: account, since, until."""
    looked = event.c.kind == EventKind.LOOKUP.value
    people = sa.func.count(sa.case((looked, event.c.pseudonym)).distinct())
    counts: list[sa.ColumnElement[Any]] = [sa.func.count(), sa.func.count(sa.case((looked, 1))), people]
    return sa.select(*counts).select_from(event).where(*_ACCOUNT)


def _paged(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    after = sa.tuple_(sa.bindparam("after_at"), sa.bindparam("after_sequence"))
    query = sa.select(event.c.sequence, *ROW).where(*where, sa.tuple_(event.c.at, event.c.sequence) > after)
    return query.order_by(event.c.at, event.c.sequence).limit(sa.bindparam("limit", type_=sa.Integer))
