# SPDX-License-Identifier: EUPL-1.2
"""Statements by which rows are deleted and their leaves marked, in a transaction that is the caller's, for both
databases.

A row goes only with its mark: whatever ends the transaction undoes both. Never here: which rows go (`sweep`), days of
PostgreSQL (`postgres_drop`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gateway.ledger.deletion import NotDeleted, marked, offsets
from gateway.ledger.queries import ROW
from gateway.ledger.tables import HAS_PATIENT, event, tile
from gateway.ledger.tree_store import Tile, demand_leaves
from gateway.model import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.ledger.deletion import Batch
    from gateway.ledger.event import Row

_TILES_AT_ONCE: Final = 256
_ROWS_AT_ONCE: Final = 1_024
_TILES: Final = (
    sa.select(tile.c.place, tile.c.hashes, tile.c.sequences, tile.c.gone)
    .where(tile.c.level == 0, tile.c.place.in_(sa.bindparam("places", expanding=True)))
    .order_by(tile.c.place)
)
_MARK: Final = (
    sa.update(tile)
    .where(tile.c.level == 0, tile.c.place == sa.bindparam("at_place"))
    .values(gone=sa.bindparam("marks", type_=sa.LargeBinary))
)
_DELETE: Final = sa.delete(event).where(
    event.c.sequence.in_(sa.bindparam("numbers", expanding=True)),
    event.c.at >= sa.bindparam("since"),
    event.c.at <= sa.bindparam("until"),
)
# Of nobody's account: the index of accounts leads there, whatever else is in the ledger.
_DELETIONS: Final = (
    sa.select(event.c.sequence, *ROW)
    .where(event.c.account == "", event.c.kind == EventKind.EVENTS_DELETED.value)
    .order_by(event.c.at.desc(), event.c.sequence.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
)
_NUMBERS: Final = sa.select(event.c.sequence).where(
    HAS_PATIENT,
    event.c.sealed.is_not(None),
    event.c.at >= sa.bindparam("since"),
    event.c.at < sa.bindparam("until"),
)


def mark(connection: sa.Connection, by: int, batch: Batch) -> list[int]:
    """Mark the leaves of a batch gone by an event; the numbers of their events. NotDeleted if they are none to be."""
    numbers: list[int] = []
    places = sorted(batch.marks)
    for start in range(0, len(places), _TILES_AT_ONCE):
        asked = places[start : start + _TILES_AT_ONCE]
        found: list[Any] = list(connection.execute(_TILES, {"places": asked}))
        tiles = {one.place: Tile(0, one.place, one.hashes, one.sequences, one.gone) for one in found}
        changed = []
        for place in asked:
            bits = batch.marks[place]
            one = demand_leaves(tiles.get(place), place, bits)
            changed.append({"at_place": place, "marks": marked(one.gone, by, bits)})
            numbers += map(one.sequence, offsets(bits))
        connection.execute(_MARK, changed)
    return numbers


def delete_rows(connection: sa.Connection, numbers: Sequence[int], batch: Batch) -> None:
    """Delete the rows of a batch; NotDeleted if not all of them are there."""
    deleted = 0
    for start in range(0, len(numbers), _ROWS_AT_ONCE):
        some = numbers[start : start + _ROWS_AT_ONCE]
        asked = {"numbers": some, "since": batch.since, "until": batch.until}
        deleted += connection.execute(_DELETE, asked).rowcount
    demand_all(deleted, batch)


def demand_all(found: int, batch: Batch) -> None:
    """NotDeleted if other rows are there than a batch has."""
    if found != batch.count:
        raise NotDeleted(
            f"of leaves {batch.first} to {batch.last} {found} rows are there; expected {batch.count}, as was told: "
            "verify the ledger. Nothing of them is deleted"
        )


def newest_deletions(connection: sa.Connection, limit: int) -> list[tuple[int, Row]]:
    """See TreeStore.deletions."""
    found: list[Any] = list(connection.execute(_DELETIONS, {"limit": limit}))
    return [(one[0], tuple(one[1:])) for one in found]


def numbers_between(connection: sa.Connection, since: int, until: int) -> bool:
    """See TreeStore.has_numbers."""
    return connection.execute(_NUMBERS.limit(1), {"since": since, "until": until}).first() is not None
