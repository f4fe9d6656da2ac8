# SPDX-License-Identifier: EUPL-1.2
"""Who was looked up by these accounts between two moments: an incident's questions to the ledger, for any database.

One row a look-up, in the order of the people, so that who asks groups while he reads and holds one person at a time.
Each account is one range of the index (account, at): the cost grows with the answer, not with the ledger. The kind is
written into the query as a constant, or a partial index over look-ups would not be taken. Blocking. Never here: a
write, a number in clear.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import sqlalchemy as sa

from gateway.ledger.engine import open_place
from gateway.ledger.event import LedgerUnreadable, StoredEvent, event_from_row, microseconds
from gateway.ledger.queries import ROW
from gateway.ledger.seal import keys_between
from gateway.ledger.span import Look, Where
from gateway.ledger.tables import IS_DATA_KEY, event
from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gateway.ledger.engine import Database
    from gateway.ledger.event import Row
    from gateway.ledger.place import Place
    from gateway.ledger.span import Span

SESSION_AT_MOST: Final = timedelta(hours=24)
"""How far back the beginning of a session is looked for."""
TOLD_AT_MOST: Final = 2_000
_ROWS: Final = 2_000
"""Rows asked for at once."""

_EVENT: Final = event
_OF: Final = event.c
_LOOKUP: Final[sa.ColumnElement[str]] = sa.literal_column(f"'{EventKind.LOOKUP.value}'")


class ExposureReader:
    """Questions to a ledger that exists. Errors are LedgerUnreadable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def looks(self, span: Span, *, known_since: datetime | None = None, sealed: bool = False) -> Iterator[Look]:
        """All look-ups of the span in the order of people, then of time; read as asked for.

        `known_since`: those of the same accounts from that moment up to the span come too, in any teleservice.
        Ask to the end, or close the generator.
        """
        with self._database.reading() as connection:
            streamed = connection.execution_options(yield_per=_ROWS)
            for found in streamed.execute(looks_query(span, known_since=known_since, sealed=sealed)):
                yield Look(found[0], found[1], found[2], Where(*found[3:7]), *found[7:])

    def count(self, span: Span) -> int:
        """How many look-ups there are: what `looks` is measured against."""
        with self._database.reading() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(_EVENT).where(*_in(span))) or 0)

    def data_keys(self, span: Span) -> Iterator[bytes]:
        """What is stored of each data key with which a number of the span may be sealed, oldest first."""
        with self._database.reading() as connection:
            streamed = connection.execution_options(yield_per=_ROWS)
            for found in streamed.execute(data_keys_query(span)):
                if found[0] is not None:
                    yield found[0]

    def event(self, sequence: int) -> StoredEvent | None:
        """The event with this number; None if there is none."""
        with self._database.reading() as connection:
            query = sa.select(*_EVENT.c).where(_OF.sequence == sequence)
            found = connection.execute(query).one_or_none()
        return None if found is None else _stored(found)

    def session_began(self, account: str, session: str, at: datetime) -> datetime | None:
        """When the account's first event of that session was, as far as a day before `at`; None if there is none."""
        query = (
            sa.select(*_EVENT.c)
            .where(_OF.account == account, *_between(at - SESSION_AT_MOST, at), _OF.session == session)
            .order_by(_OF.at, _OF.sequence)
            .limit(1)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).one_or_none()
        return None if found is None else _stored(found).event.at

    def told(self, span: Span, kinds: Iterable[EventKind]) -> list[StoredEvent]:
        """Events of these kinds on the accounts of the span, or on everybody's, oldest first; at most TOLD_AT_MOST."""
        query = (
            sa.select(*_EVENT.c)
            .where(
                _OF.account.in_(("", *span.accounts)),
                *_between(span.since, span.until),
                _OF.kind.in_(sorted(kind.value for kind in kinds)),
            )
            .order_by(_OF.at, _OF.sequence)
            .limit(TOLD_AT_MOST)
        )
        with self._database.reading() as connection:
            return [_stored(found) for found in connection.execute(query)]

    def rows(self, span: Span) -> Iterator[tuple[int, Row]]:
        """Every event of the accounts in the span, look-ups narrowed as it says: its number and row, numbers rising."""
        with self._database.reading() as connection:
            streamed = connection.execution_options(yield_per=_ROWS)
            for found in streamed.execute(rows_query(span)):
                yield found[0], cast("Row", tuple(found)[1:])

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def open_exposure(place: Place) -> ExposureReader:
    """Over a ledger, beside whoever appends to it; LedgerUnreadable if it is not there."""
    if isinstance(place, Path) and not place.is_file():
        raise LedgerUnreadable(f"no ledger at {place}; expected the one of the gateway: check state.folder")
    return ExposureReader(open_place(place))


def looks_query(span: Span, *, known_since: datetime | None = None, sealed: bool = False) -> sa.Select[Any]:
    """See ExposureReader.looks."""
    columns = [_OF.pseudonym, _OF.at, _OF.sequence, _OF.account, _OF.teleservice, _OF.network, _OF.categories]
    if sealed:
        columns += [_OF.request, _OF.sealed]
    where = _in(span) if known_since is None else _known_too(span, known_since)
    return sa.select(*columns).where(*where).order_by(_OF.pseudonym, _OF.at, _OF.sequence)


def rows_query(span: Span) -> sa.Select[Any]:
    """See ExposureReader.rows."""
    where = [_OF.account.in_(span.accounts), *_between(span.since, span.until)]
    if narrowed := _narrowed(span):
        where.append(sa.or_(_OF.kind != _LOOKUP, sa.and_(*narrowed)))
    return sa.select(_OF.sequence, *ROW).where(*where).order_by(_OF.sequence)


def data_keys_query(span: Span) -> sa.Select[Any]:
    """See ExposureReader.data_keys: by the index that holds them alone."""
    where = (IS_DATA_KEY, *_between(*keys_between(span.since, span.until)))
    return sa.select(_OF.sealed).where(*where).order_by(_OF.at)


def _in(span: Span) -> list[sa.ColumnElement[bool]]:
    return [*_looked_up(span.accounts), *_between(span.since, span.until), *_narrowed(span)]


def _known_too(span: Span, known_since: datetime) -> list[sa.ColumnElement[bool]]:
    where = [*_looked_up(span.accounts), *_between(known_since, span.until)]
    narrowed = _narrowed(span)
    return [*where, sa.or_(_OF.at < microseconds(span.since), sa.and_(*narrowed))] if narrowed else where


def _narrowed(span: Span) -> list[sa.ColumnElement[bool]]:
    named = ((_OF.teleservice, span.teleservices), (_OF.network, span.networks))
    return [column.in_(names) for column, names in named if names]


def _looked_up(accounts: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    return [_OF.account.in_(accounts), _OF.kind == _LOOKUP]


def _between(since: datetime, until: datetime) -> list[sa.ColumnElement[bool]]:
    return [_OF.at >= microseconds(since), _OF.at < microseconds(until)]


def _stored(found: sa.Row[Any]) -> StoredEvent:
    return StoredEvent(found[0], event_from_row(cast("Row", tuple(found)[1:])))
