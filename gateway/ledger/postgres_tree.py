# SPDX-License-Identifier: EUPL-1.2
"""What the tree's door does otherwise on PostgreSQL: who is elected, and in which days the events are."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg

from gateway.ledger.deleting import mark
from gateway.ledger.engine import first_line
from gateway.ledger.event import LedgerUnreadable
from gateway.ledger.postgres_drop import drop_day, ended_days
from gateway.ledger.postgres_engine import SEALING, connect
from gateway.ledger.tables import event
from gateway.ledger.tree_rows import TreeRows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from gateway.ledger.deletion import Batch
    from gateway.ledger.engine import Database
    from gateway.ledger.fault import Fault
    from gateway.ledger.place import PostgresAddress

_STAND: Final = "select pg_try_advisory_lock(%s)"


class PostgresTree(TreeRows):
    """See TreeStore. Made by `open_tree_store`."""

    def __init__(self, address: PostgresAddress, database: Database, fault: Fault | None = None) -> None:
        super().__init__(database, fault)
        self._address = address
        self._election: psycopg.Connection | None = None

    def elected(self) -> bool:
        """See TreeStore: the lock SEALING of a connection that does nothing else, lost with it."""
        self._demand_whole()
        if self._election is None:
            return self._stand()
        try:
            self._election.execute("select 1")
        except psycopg.Error:
            self._resign()
        return self._election is not None

    def whole_days(self, until: int) -> list[tuple[int, int, int, int]]:
        """See TreeStore."""
        self._demand_whole()
        with self._database.reading() as connection:
            return ended_days(connection, until)

    def drop(self, by: int, batch: Batch, day: tuple[int, int], staying: Sequence[int]) -> None:
        """See TreeStore."""
        with self._final() as connection:
            mark(connection, by, batch)
            drop_day(connection, batch, day, staying)

    def close(self) -> None:
        """See TreeStore."""
        self._resign()
        super().close()

    def _rows_query(self, not_before: int) -> sa.Select[Any]:
        return super()._rows_query(not_before).where(event.c.at >= not_before)

    def _stand(self) -> bool:
        try:
            self._election = connect(self._address)
            (taken,) = self._election.execute(_STAND, (SEALING,)).fetchone() or (False,)
        except psycopg.Error as error:
            self._resign()
            raise LedgerUnreadable(
                f"{self._address} cannot be asked who seals ({first_line(error)}); expected a server that answers: "
                "look at it, and at its log"
            ) from error
        if not taken:
            self._resign()
        return bool(taken)

    def _resign(self) -> None:
        standing, self._election = self._election, None
        if standing is not None:
            with suppress(psycopg.Error):
                standing.close()
