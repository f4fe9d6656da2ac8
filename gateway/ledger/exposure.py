# SPDX-License-Identifier: EUPL-1.2
"""Who was looked up by these accounts between two moments: an incident's questions to the ledger, for any database.

One row a look-up, in the order of the people, so that who asks groups while he reads and holds one person at a time.
Each account is one range of the index (account, at): the cost grows with the answer, not with the ledger. The kind is
written into the query as a constant, or a partial index over look-ups would not be taken. Blocking. Never here: a
write, a number in clear.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from gateway.ledger.event import COLUMNS, LedgerUnreadable, StoredEvent, event_from_row, microseconds
from gateway.ledger.schema import connect
from gateway.ledger.seal import keys_between
from gateway.ledger.span import Look, Place
from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from gateway.ledger.event import Row
    from gateway.ledger.span import Span

SESSION_AT_MOST: Final = timedelta(hours=24)
"""How far back the beginning of a session is looked for."""
TOLD_AT_MOST: Final = 2_000
_ROWS: Final = 2_000
"""Rows asked for at once."""

_EVENT: Final = sa.table("event", *(sa.column(name) for name in ("sequence", *COLUMNS)))
_OF: Final = _EVENT.c
_LOOKUP: Final[sa.ColumnElement[str]] = sa.literal_column(f"'{EventKind.LOOKUP.value}'")
_DATA_KEY: Final[sa.ColumnElement[str]] = sa.literal_column(f"'{EventKind.DATA_KEY.value}'")
_NOBODY: Final[sa.ColumnElement[str]] = sa.literal_column("''")
"""Whom the rows of data keys belong to."""


class ExposureReader:
    """Questions to a ledger that exists, over an engine of its own. Errors are LedgerUnreadable; `name` is told."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._name = name

    def looks(self, span: Span, *, known_since: datetime | None = None, sealed: bool = False) -> Iterator[Look]:
        """All look-ups of the span in the order of people, then of time; read as asked for.

        `known_since`: those of the same accounts from that moment up to the span come too, in any teleservice.
        Ask to the end, or close the generator.
        """
        with self._reading() as connection:
            streamed = connection.execution_options(yield_per=_ROWS)
            for found in streamed.execute(looks_query(span, known_since=known_since, sealed=sealed)):
                yield Look(found[0], found[1], found[2], Place(*found[3:7]), *found[7:])

    def count(self, span: Span) -> int:
        """How many look-ups there are: what `looks` is measured against."""
        with self._reading() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(_EVENT).where(*_in(span))) or 0)

    def data_keys(self, span: Span) -> Iterator[bytes]:
        """What is stored of each data key with which a number of the span may be sealed, oldest first."""
        with self._reading() as connection:
            streamed = connection.execution_options(yield_per=_ROWS)
            for found in streamed.execute(data_keys_query(span)):
                if found[0] is not None:
                    yield found[0]

    def event(self, sequence: int) -> StoredEvent | None:
        """The event with this number; None if there is none."""
        with self._reading() as connection:
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
        with self._reading() as connection:
            found = connection.execute(query).one_or_none()
        return None if found is None else _stored(found).event.at

    def told(self, span: Span, kinds: Iterable[EventKind]) -> list[StoredEvent]:
        """Events of these kinds on the accounts of the span, oldest first; at most TOLD_AT_MOST."""
        query = (
            sa.select(*_EVENT.c)
            .where(
                _OF.account.in_(span.accounts),
                *_between(span.since, span.until),
                _OF.kind.in_(sorted(kind.value for kind in kinds)),
            )
            .order_by(_OF.at, _OF.sequence)
            .limit(TOLD_AT_MOST)
        )
        with self._reading() as connection:
            return [_stored(found) for found in connection.execute(query)]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Generator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise LedgerUnreadable(
                f"{self._name} cannot be read ({error.orig}); expected an existing, undamaged ledger of this version, "
                "and room for sorting in the temporary folder (TMPDIR): mend it and ask again"
            ) from error


def open_exposure(path: Path) -> ExposureReader:
    """Over a ledger file, read-only, beside whoever appends to it; LedgerUnreadable if it is not there."""
    if not path.is_file():
        raise LedgerUnreadable(f"no ledger at {path}; expected the one of the gateway: check state.folder")
    return ExposureReader(
        sa.create_engine("sqlite://", creator=lambda: connect(path, "ro"), poolclass=NullPool), str(path)
    )


def looks_query(span: Span, *, known_since: datetime | None = None, sealed: bool = False) -> sa.Select[Any]:
    """See ExposureReader.looks."""
    columns = [_OF.pseudonym, _OF.at, _OF.sequence, _OF.account, _OF.teleservice, _OF.network, _OF.categories]
    if sealed:
        columns += [_OF.request, _OF.sealed]
    where = _in(span) if known_since is None else _known_too(span, known_since)
    return sa.select(*columns).where(*where).order_by(_OF.pseudonym, _OF.at, _OF.sequence)


def data_keys_query(span: Span) -> sa.Select[Any]:
    """See ExposureReader.data_keys: nobody's rows of that kind, by the same index."""
    where = (_OF.account == _NOBODY, _OF.kind == _DATA_KEY, *_between(*keys_between(span.since, span.until)))
    return sa.select(_OF.sealed).where(*where).order_by(_OF.at)


def _in(span: Span) -> list[sa.ColumnElement[bool]]:
    where = [*_looked_up(span.accounts), *_between(span.since, span.until)]
    return [*where, _OF.teleservice.in_(span.teleservices)] if span.teleservices else where


def _known_too(span: Span, known_since: datetime) -> list[sa.ColumnElement[bool]]:
    where = [*_looked_up(span.accounts), *_between(known_since, span.until)]
    if span.teleservices:
        where.append(sa.or_(_OF.at < microseconds(span.since), _OF.teleservice.in_(span.teleservices)))
    return where


def _looked_up(accounts: tuple[str, ...]) -> list[sa.ColumnElement[bool]]:
    return [_OF.account.in_(accounts), _OF.kind == _LOOKUP]


def _between(since: datetime, until: datetime) -> list[sa.ColumnElement[bool]]:
    return [_OF.at >= microseconds(since), _OF.at < microseconds(until)]


def _stored(found: sa.Row[Any]) -> StoredEvent:
    return StoredEvent(found[0], event_from_row(cast("Row", tuple(found)[1:])))
