# SPDX-License-Identifier: EUPL-1.2
"""The sessions of the one process that opens, strengthens and ends them, when others walk requests beside it.

Each change is told at once, and when each session was last seen five times a second (`told`, `tick`), so that no other
process goes on with what has ended. What they saw comes back by `heard`: a session is idle when nobody has seen it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from gateway.identity.session import Session, Sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.model import Proof

Change: TypeAlias = "tuple[str, bytes, bytes]"
"""`gone`, the key of a session, nothing; or `moved`, the key it had, the key it has: `proved` if that ends a suspicion.
"""
Sight: TypeAlias = "tuple[bytes, datetime, bool]"
"""The key of a session, when it was last seen, and whether it is suspected."""

GONE: Final = "gone"
MOVED: Final = "moved"
PROVED: Final = "proved"
_LATE: Final = timedelta(seconds=2)
"""How long after its time a session is ended for good: others may have seen it and not said so yet."""


class DeskSessions(Sessions):
    """As Sessions. `told` hears of each change, on the loop's thread."""

    def __init__(self, engine: Engine, idle: timedelta, absolute: timedelta) -> None:
        self.told: Callable[[Change], None] = _nobody
        self._touched: set[Session] = set()
        super().__init__(engine, idle, absolute)

    def living(self, key: bytes, at: datetime) -> Session | None:
        """See Sessions."""
        session = super().living(key, at)
        if session is not None:
            self._touched.add(session)
        return session

    def strengthen(self, session: Session, proof: Proof, at: datetime, *where: Any) -> tuple[str, Session]:
        """See Sessions."""
        before = session.digest
        token, session = super().strengthen(session, proof, at, *where)
        self.told((MOVED if session.suspected else PROVED, before, session.digest))
        return token, session

    def sweep(self, at: datetime) -> int:
        """See Sessions."""
        return super().sweep(at - _LATE)

    def heard(self, sights: list[Sight]) -> None:
        """Take in what another process saw. Of sessions that have ended meanwhile nothing is kept."""
        for key, seen_at, suspected in sights:
            session = self._live.get(key)
            if session is not None:
                session.seen_at = max(session.seen_at, seen_at)
                session.suspected = session.suspected or suspected
                self._touched.add(session)

    def tick(self) -> list[Sight]:
        """What was seen since the last tick, by anybody."""
        touched, self._touched = self._touched, set()
        return [_sight(one) for one in touched if not one.ended]

    def unwritten(self) -> list[Sight]:
        """What nobody can read in the database: who is suspected, and who was seen since it was written down."""
        return [_sight(one) for one in self._live.values() if one.suspected or one.seen_at != one.written_at]

    def _drop(self, session: Session) -> None:
        super()._drop(session)
        self.told((GONE, session.digest, b""))

    def _delete(self, digests: list[bytes]) -> None:
        super()._delete(digests)
        for digest in digests:  # once more: who read the row before it was gone, took it for a living one
            self.told((GONE, digest, b""))


def _sight(session: Session) -> Sight:
    return session.digest, session.seen_at, session.suspected


def _nobody(change: Change) -> None:
    """There is no other process yet."""
