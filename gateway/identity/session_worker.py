# SPDX-License-Identifier: EUPL-1.2
"""Who is signed in, in a process that only walks requests: the database is the truth, what was read of it is kept.

What is kept counts only while the process that ends sessions (`session_desk`) is heard: it says what has ended. After
QUIET_SECONDS of silence, and of a session that has changed, the database is asked at each request; where it cannot be
asked, nobody is signed in. What has once ended never comes back. Nothing is written here.
"""

from __future__ import annotations

import sqlite3
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading
from gateway.identity.session_desk import GONE, MOVED
from gateway.identity.session_one import session_of
from gateway.identity.session_rows import stored
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.identity.session_desk import Change, Sight
    from gateway.identity.session_one import Session

QUIET_SECONDS: Final = 0.6
"""With the fifth of a second between two words of the desk: what it ends is ended here within one."""
_GONE_AT_MOST: Final = 200_000
_WRITTEN_BY: Final = timedelta(seconds=60)
"""After this time the desk has long written down when a session was seen."""
_ROW = schema.session.c


class WorkerSessions:
    """The sessions of this process. `idle` and `absolute`: see Sessions."""

    def __init__(
        self, engine: Engine, idle: timedelta, absolute: timedelta, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._idle = idle
        self._absolute = absolute
        self._now = now
        self._heard_at: float | None = None  # when the desk was last heard; None: it is not there
        self._live: dict[bytes, Session] = {}
        self._stale: set[bytes] = set()
        self._gone: dict[bytes, None] = {}
        self._suspected: set[bytes] = set()
        self._elsewhere: dict[bytes, datetime] = {}  # when others saw what was not asked for here
        self._touched: set[Session] = set()
        # The driver's own connection, without transactions: for the one question that strangers can cause.
        self._rows = engine.raw_connection()

    def close(self) -> None:
        """Give the connection back."""
        self._rows.close()

    def living(self, key: bytes, at: datetime) -> Session | None:
        """The living session of a token's key, now seen. Refused(BUSY) if nobody can tell."""
        session = self._live.get(key)
        heard_at = self._heard_at
        if session is None or heard_at is None or key in self._stale or self._now() - heard_at > QUIET_SECONDS:
            session = self._asked(key)
            if session is None:
                return None
        if at >= session.expires_at or at - session.seen_at >= self._idle:
            return None  # it is the desk that ends it
        session.seen_at = at
        self._touched.add(session)
        return session

    def watch(self, session: Session, callback: Callable[[], None]) -> None:
        """See Session."""
        session.watch(callback)

    def unwatch(self, session: Session, callback: Callable[[], None]) -> None:
        """See Session."""
        session.unwatch(callback)

    def came(self, unwritten: list[Sight], said_at: float) -> list[Sight]:
        """The desk is there (again). Nothing kept is believed unread, streams are looked at now.

        Gives what is to be told to it: all that was seen here.
        """
        self.saw(unwritten, said_at)
        self._stale = set(self._live)
        for key in [key for key, one in self._live.items() if one.watched]:
            self._asked(key)
        self._touched.clear()
        return [_sight(one) for one in self._live.values()]

    def went(self) -> None:
        """The desk is gone."""
        self._heard_at = None

    def changed(self, change: Change) -> None:
        """Take in what the desk did."""
        kind, key, new = change
        session = self._live.pop(key, None)
        self._stale.discard(key)
        self._bury(key)
        suspected = key in self._suspected and kind == MOVED
        self._suspected.discard(key)
        if kind == GONE:
            if session is not None:
                session.finish()
            return
        if suspected:
            self._suspected.add(new)
        if session is not None:  # what lives as long as it does goes on
            session.digest, session.suspected = new, session.suspected and kind == MOVED
            self._live[new] = session
            self._stale.add(new)

    def saw(self, sights: list[Sight], said_at: float) -> None:
        """Take in what the desk knows to have been seen anywhere. Any word of it, also none, is a sign of life.

        `said_at`: by the machine's own clock (`time.monotonic`), since a word may have waited to be read.
        """
        self._heard_at = said_at
        for key, seen_at, suspected in sights:
            if suspected:
                self._suspected.add(key)
            session = self._live.get(key)
            if session is None:
                self._elsewhere[key] = seen_at
            else:
                session.seen_at = max(session.seen_at, seen_at)
                session.suspected = session.suspected or suspected

    def tick(self) -> list[Sight]:
        """What was seen here since the last tick."""
        touched, self._touched = self._touched, set()
        return [_sight(one) for one in touched if not one.ended]

    def sweep(self, at: datetime) -> None:
        """End what is past its time, also where the desk cannot say so."""
        for session in [one for one in self._live.values() if at >= one.expires_at]:
            self.changed((GONE, session.digest, b""))
        for key in [key for key, seen_at in self._elsewhere.items() if at - seen_at >= _WRITTEN_BY]:
            del self._elsewhere[key]

    def _asked(self, key: bytes) -> Session | None:
        """The session as the database has it now; it keeps its watchers, and when it was seen here."""
        try:
            session = None if key in self._gone or not self._stands(key) else self._read(key)
        except (sa.exc.SQLAlchemyError, sqlite3.Error):
            raise Refused(Reason.BUSY) from None
        kept = self._live.get(key)
        if session is None:
            if kept is not None:
                self.changed((GONE, key, b""))
            return None
        if kept is not None:
            kept.take(session)
            session = kept
        session.suspected = session.suspected or key in self._suspected
        session.seen_at = max(session.seen_at, self._elsewhere.pop(key, session.seen_at))
        self._live[key] = session
        if self._heard_at is not None:
            self._stale.discard(key)
        return session

    def _stands(self, key: bytes) -> bool:
        """Whether there is such a row: microseconds, for a token that nobody gave out."""
        cursor = self._rows.cursor()
        try:
            cursor.execute("select 1 from session where digest = ?", (key,))
            return cursor.fetchone() is not None
        finally:
            cursor.close()

    def _read(self, key: bytes) -> Session | None:
        with reading(self._engine) as connection:
            row = connection.execute(stored().where(_ROW.digest == key)).first()
        return None if row is None else session_of(row, self._absolute)

    def _bury(self, key: bytes) -> None:
        self._gone[key] = None
        if len(self._gone) > _GONE_AT_MOST:
            del self._gone[next(iter(self._gone))]


def _sight(session: Session) -> Sight:
    return session.digest, session.seen_at, session.suspected
