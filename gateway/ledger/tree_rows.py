# SPDX-License-Identifier: EUPL-1.2
"""The tree's door over the tables `tile`, `head` and `event`, by the same statements on both databases.

On SQLite one process of a folder seals, the one that serves its pages: the folder's lock sees to that. What PostgreSQL
does otherwise stands in `postgres_tree`.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gateway.errors import LedgerError
from gateway.ledger.deleting import delete_rows, mark, newest_deletions, numbers_between
from gateway.ledger.engine import open_place
from gateway.ledger.event import EPOCH, MICROSECOND, microseconds
from gateway.ledger.fault import Fault
from gateway.ledger.queries import ROW
from gateway.ledger.tables import event, head, tile
from gateway.ledger.tree_store import Forked, Head, Tile, demand_growth
from gateway.ledger.writer import LedgerBusy

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from gateway.ledger.deletion import Batch
    from gateway.ledger.engine import Database
    from gateway.ledger.event import Row
    from gateway.ledger.place import Place

_HEAD: Final = sa.select(head.c.size, head.c.last_sequence, head.c.at, head.c.note)
_TILE: Final = sa.select(tile.c.hashes, tile.c.sequences, tile.c.gone).where(
    tile.c.level == sa.bindparam("level"), tile.c.place == sa.bindparam("place")
)
_ROWS: Final = (
    sa.select(event.c.sequence, *ROW)
    .where(event.c.sequence > sa.bindparam("after"), event.c.sequence <= sa.bindparam("until"))
    .order_by(event.c.sequence)
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


def open_tree_store(place: Place, *, writes: bool = True, fault: Fault | None = None) -> TreeRows:
    """The tree of a ledger that exists. Nothing is asked yet. `writes`: it may grow. `fault`: its appenders' too."""
    database = open_place(place, writes=writes)
    if isinstance(place, Path):
        return TreeRows(database, fault)
    from gateway.ledger.postgres_tree import PostgresTree  # noqa: PLC0415  # its driver, where it is asked for

    return PostgresTree(place, database, fault)


class TreeRows:
    """See TreeStore. Made by `open_tree_store`."""

    def __init__(self, database: Database, fault: Fault | None = None) -> None:
        self._database = database
        self._fault = fault or Fault()

    def elected(self) -> bool:
        """See TreeStore."""
        self._demand_whole()
        return True

    def settled(self) -> int:
        """See TreeStore."""
        self._demand_whole()
        return self._database.last_number()

    def rows(self, after: int, until: int, limit: int, not_before: int) -> list[tuple[int, Row]]:
        """See TreeStore."""
        self._demand_whole()
        query, values = self._rows_query(not_before), {"after": after, "until": until, "limit": limit}
        with self._database.reading() as connection:
            found: list[Any] = list(connection.execute(query, values))
        return [(one[0], tuple(one[1:])) for one in found]

    def head(self) -> Head | None:
        """See TreeStore."""
        self._demand_whole()
        with self._database.reading() as connection:
            found = connection.execute(_HEAD).one_or_none()
        return (
            None if found is None else Head(found.size, found.last_sequence, EPOCH + found.at * MICROSECOND, found.note)
        )

    def tile(self, level: int, place: int) -> Tile | None:
        """See TreeStore."""
        self._demand_whole()
        with self._database.reading() as connection:
            found = connection.execute(_TILE, {"level": level, "place": place}).one_or_none()
        return None if found is None else Tile(level, place, found.hashes, found.sequences, found.gone)

    def grow(self, before: Head | None, tiles: Sequence[Tile], head: Head) -> None:
        """See TreeStore."""
        self._demand_whole()
        demand_growth(before, tiles, head)
        with self._final() as connection:
            self._swap(connection, before, head)
            for one in tiles:
                self._put(connection, one)

    def delete(self, by: int, batch: Batch) -> None:
        """See TreeStore."""
        with self._final() as connection:
            delete_rows(connection, mark(connection, by, batch), batch)

    def whole_days(self, until: int) -> list[tuple[int, int, int, int]]:
        """See TreeStore: a file has no days."""
        del until
        return []

    def drop(self, by: int, batch: Batch, day: tuple[int, int], staying: Sequence[int]) -> None:
        """See TreeStore."""
        raise NotImplementedError

    def deletions(self, limit: int) -> list[tuple[int, Row]]:
        """See TreeStore."""
        self._demand_whole()
        with self._database.reading() as connection:
            return newest_deletions(connection, limit)

    def has_numbers(self, since: int, until: int) -> bool:
        """See TreeStore."""
        self._demand_whole()
        with self._database.reading() as connection:
            return numbers_between(connection, since, until)

    def close(self) -> None:
        """See TreeStore."""
        self._database.close()

    @contextmanager
    def _final(self) -> Generator[sa.Connection]:
        """A transaction; when it fails, but for others that were busy, nothing of this store is trusted any more."""
        self._demand_whole()
        try:
            with self._database.writing() as connection:
                yield connection
        except LedgerBusy:
            raise
        except LedgerError as error:
            self._fault.tell(
                f"the tree over the ledger was not kept ({error}); nothing is recorded or disclosed any more: "
                "mend it, then start Herse again"
            )
            raise

    def _rows_query(self, _not_before: int) -> sa.Select[Any]:
        return _ROWS

    def _swap(self, connection: sa.Connection, before: Head | None, after: Head) -> None:
        values = _values(after)
        if before is None:
            swap: Any = self._insert(head).values(one=1, **values).on_conflict_do_nothing()
        else:
            swap = sa.update(head).where(*(head.c[name] == value for name, value in _values(before).items()))
            swap = swap.values(**values)
        if connection.execute(swap.returning(head.c.one)).one_or_none() is None:
            raise Forked(
                f"{self._database.name}: the tree is not the one of {0 if before is None else before.size} leaves that "
                f"was to grow to {after.size}; expected one sealer of a ledger: look who else seals this one"
            )

    def _put(self, connection: sa.Connection, one: Tile) -> None:
        put = self._insert(tile).values(
            level=one.level, place=one.place, hashes=one.hashes, sequences=one.sequences, gone=one.gone
        )
        new = put.excluded
        goes_on = (  # of nothing at all SQLite's substr gives null, and not nothing
            sa.or_(
                sa.func.length(tile.c[name]) == 0,
                sa.func.substr(new[name], 1, sa.func.length(tile.c[name])) == tile.c[name],
            )
            for name in ("hashes", "sequences")
        )
        put = put.on_conflict_do_update(
            index_elements=["level", "place"],
            set_={"hashes": new.hashes, "sequences": new.sequences},
            where=sa.and_(*goes_on),
        )
        if connection.execute(put.returning(tile.c.level)).one_or_none() is None:
            raise Forked(
                f"{self._database.name}: tile {one.level}/{one.place} holds other hashes than it would go on from; "
                "expected what was sealed: verify the ledger before anything else is written to it"
            )

    def _insert(self, table: sa.Table) -> Any:
        return sqlite.insert(table) if self._database.is_file else postgresql.insert(table)

    def _demand_whole(self) -> None:
        if self._fault.why is not None:
            raise LedgerError(self._fault.why)


def _values(found: Head) -> dict[str, int | str]:
    return {
        "size": found.size,
        "last_sequence": found.last_sequence,
        "at": microseconds(found.at),
        "note": found.note,
    }
