# SPDX-License-Identifier: EUPL-1.2
"""Answers from the ledger: the latest events of an account, and the look-ups that budgets are rebuilt from.

Reading never waits for the writer, nor the writer for it. Each question is bounded by its index and its limit
(`queries`). Blocking: call it from a thread, not on the event loop. Never here: a write, SQL of one database alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.ledger.engine import open_place
from gateway.ledger.event import EPOCH, MICROSECOND, StoredEvent, event_from_row, microseconds
from gateway.ledger.queries import COUNTED, alerts_query, events_query, lookups_query
from gateway.model import PastLook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gateway.ledger.event import Cursor
    from gateway.ledger.place import Place
    from gateway.model import EventKind

__all__ = ["COUNTED", "LIMIT_AT_MOST", "LedgerReader"]

LIMIT_AT_MOST: Final = 1_000
_EVER: Final = (-(2**62), 2**62)
_FETCH: Final = 500


class LedgerReader:
    """Questions to a ledger that exists. Errors are LedgerUnreadable. `since` is inclusive, `until` exclusive."""

    def __init__(self, place: Place) -> None:
        self._database = open_place(place)

    def events(  # noqa: PLR0917  # the words of one query, named by most callers
        self,
        account: str,
        kinds: frozenset[EventKind] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: Cursor | None = None,
        limit: int = 50,
    ) -> list[StoredEvent]:
        """The account's events, newest first (by time, then sequence), of these kinds (None: all).

        `before` is the cursor of the last event of the page before. `limit` is 1 to 1,000 (ValueError).
        """
        if not 1 <= limit <= LIMIT_AT_MOST:
            raise ValueError(f"limit is {limit}; expected 1 to {LIMIT_AT_MOST}")
        first = _EVER[0] if since is None else microseconds(since)
        last = _EVER[1] if until is None else microseconds(until)
        values: dict[str, Any] = {"account": account}
        if kinds is not None:
            values["kinds"] = sorted(kinds)
        if before is not None:
            at = microseconds(before.at)
            values |= {"before_at": at, "before_sequence": before.sequence}
            last = min(last, at + 1)
        query = events_query(kinds=kinds is not None, before=before is not None)
        found: list[StoredEvent] = []
        with self._database.reading() as connection:
            for begin, end in self._database.stretches(first, last):
                asked = values | {"since": begin, "until": end, "limit": limit - len(found)}
                found += _stored(connection.execute(query, asked))
                if len(found) == limit:
                    break
        return found

    def alerts_after(self, sequence: int | None, reason: str) -> tuple[int, list[StoredEvent]]:
        """The number of the last event, and the alerts for this reason after number `sequence` (None: none yet)."""
        last, since = self._database.last_number(), self._database.lately()
        values = {"after": last if sequence is None else sequence, "last": last, "reason": reason, "since": since}
        with self._database.reading() as connection:
            return last, _stored(connection.execute(alerts_query(since=since is not None), values))

    def lookups_since(self, at: datetime) -> Iterator[PastLook]:
        """All look-ups since then, oldest first, read as asked for.

        Ask to the end, or close the generator: an open one holds the log back from being folded.
        """
        with self._database.reading() as connection:
            streaming = connection.execution_options(stream_results=True, max_row_buffer=_FETCH)
            with streaming.execute(lookups_query(), {"since": microseconds(at)}) as found:
                parts: Iterator[Any] = found.partitions(_FETCH)
                for part in parts:
                    for account, teleservice, holder, network, pseudonym, moment, missed in part:
                        at = EPOCH + moment * MICROSECOND
                        yield PastLook(account, teleservice, holder, network, pseudonym, at, bool(missed))

    def close(self) -> None:
        """Close all connections; none may be in use."""
        self._database.close()


def _stored(found: Iterable[Any]) -> list[StoredEvent]:
    """Rows of a number and the columns of an event."""
    return [StoredEvent(one[0], event_from_row(one[1:])) for one in found]
