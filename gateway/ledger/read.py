# SPDX-License-Identifier: EUPL-1.2
"""Answers from the ledger: the latest events of an account, and the look-ups that budgets are rebuilt from.

Read-only connections of its own, one per thread that asks: reading never waits for the writer, nor the writer for it.
Each query is bounded by its index and its limit. Blocking: call it from a thread, not on the event loop. Never here: a
write.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gateway.ledger.event import (
    COLUMNS,
    EPOCH,
    MICROSECOND,
    LedgerUnreadable,
    StoredEvent,
    event_from_row,
    microseconds,
)
from gateway.ledger.schema import connect
from gateway.model import EventKind, PastLook, Reason

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

LIMIT_AT_MOST: Final = 1_000
COUNTED: Final = frozenset({EventKind.LOOKUP, EventKind.LOOKUP_MISSED})
"""Kinds that budgets count: a number that nobody has was a look-up too."""

_NO_NUMBER: Final = (EventKind.REFUSED.value, Reason.PATIENT_NUMBER_MALFORMED.value)
"""The rows of numbers that are none, which budgets count as missed; `pseudonym` names the try."""
_PORTAL_FAULT: Final = 500
"""From this status on nobody knows whether the number was somebody's: no miss, but a person who counts."""
_EVER: Final = (-(2**62), 2**62)
_FETCH: Final = 500
_ALERTS_AFTER: Final = (
    f"select sequence, {', '.join(COLUMNS)} from event "  # noqa: S608  # our own names
    "where sequence > ? and sequence <= ? and kind = ? and reason = ? order by sequence"
)


class LedgerReader:
    """Questions to a ledger file that exists. Errors are LedgerUnreadable. `since` is inclusive, `until` exclusive."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []

    def events(  # noqa: PLR0917  # the words of one query, named by most callers
        self,
        account: str,
        kinds: frozenset[EventKind] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[StoredEvent]:
        """The account's events, newest first (by time, then sequence), of these kinds (None: all).

        `before` is the sequence of the last event of the page before. `limit` is 1 to 1,000 (ValueError).
        """
        if not 1 <= limit <= LIMIT_AT_MOST:
            raise ValueError(f"limit is {limit}; expected 1 to {LIMIT_AT_MOST}")
        query, values = events_query(account, kinds, _range(since, until), before, limit)
        with self._reading() as connection:
            found = connection.execute(query, values).fetchall()
        return [StoredEvent(one[0], event_from_row(one[1:])) for one in found]

    def alerts_after(self, sequence: int | None, reason: str) -> tuple[int, list[StoredEvent]]:
        """The number of the last event, and the alerts for this reason after number `sequence` (None: none yet)."""
        with self._reading() as connection:
            (last,) = connection.execute("select coalesce(max(sequence), 0) from event").fetchone()
            values = (last if sequence is None else sequence, last, EventKind.ALERTED.value, reason)
            found = connection.execute(_ALERTS_AFTER, values).fetchall()
        return last, [StoredEvent(one[0], event_from_row(one[1:])) for one in found]

    def lookups_since(self, at: datetime) -> Iterator[PastLook]:
        """All look-ups since then, oldest first, read as asked for.

        Ask to the end, or close the generator: an open one holds the log back from being folded.
        """
        query, values = lookups_query(microseconds(at))
        with self._reading() as connection:
            cursor = connection.execute(query, values)
            while found := cursor.fetchmany(_FETCH):
                for account, teleservice, holder, network, pseudonym, moment, missed in found:
                    at = EPOCH + moment * MICROSECOND
                    yield PastLook(account, teleservice, holder, network, pseudonym, at, bool(missed))

    def close(self) -> None:
        """Close the connections of all threads; none may be asking."""
        while self._opened:
            self._opened.pop().close()
        self._own = threading.local()

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        try:
            yield self._connection()
        except sqlite3.Error as error:
            raise LedgerUnreadable(
                f"{self._path} cannot be read ({error}); expected an existing, undamaged ledger: look whether the file "
                "is there and the disk is sound"
            ) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = connect(self._path, "ro")
            self._opened.append(connection)
        return connection


def events_query(
    account: str, kinds: Iterable[EventKind] | None, between: tuple[int, int], before: int | None, limit: int
) -> tuple[str, list[object]]:
    """The page of an account's events: along `event_of_account` from the newest, kinds told from the index alone."""
    terms = ["account = ?", "at >= ?", "at < ?"]
    values: list[object] = [account, *between]
    if kinds is not None:
        terms.append(_one_of(kinds, values))
    if before is not None:
        terms.append("(at, sequence) < (select at, sequence from event where sequence = ? and account = ?)")
        values += [before, account]
    values.append(limit)
    query = (
        f"select sequence, {', '.join(COLUMNS)} from event where {' and '.join(terms)} "  # noqa: S608  # our own names
        "order by at desc, sequence desc limit ?"
    )
    return query, values


def lookups_query(since: int) -> tuple[str, list[object]]:
    """The look-ups of all accounts in the order of time, along `event_of_patient`."""
    values: list[object] = [EventKind.LOOKUP.value, _PORTAL_FAULT, since]
    query = (
        "select account, coalesce(teleservice, ''), holder, network, pseudonym, at, "  # noqa: S608  # our own names
        "kind <> ? and coalesce(status, 0) < ? from event where pseudonym is not null and at >= ? "
        f"and ({_one_of(COUNTED, values)} or (kind = ? and reason = ?)) order by at, sequence"
    )
    return query, [*values, *_NO_NUMBER]


def _one_of(kinds: Iterable[EventKind], values: list[object]) -> str:
    wanted = sorted(kind.value for kind in kinds)
    values += wanted
    return f"kind in ({', '.join('?' * len(wanted))})"


def _range(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    return (
        _EVER[0] if since is None else microseconds(since),
        _EVER[1] if until is None else microseconds(until),
    )
