# SPDX-License-Identifier: EUPL-1.2
"""The ledger's tables, as queries name them; both databases have the same. How they are made stands in `migrations`.

`event` only ever gets rows. On SQLite its key is `sequence`. On PostgreSQL it is cut into days by `at`, and its key is
`(sequence, at)`: by it is found what came after a number. `tile` holds the hashes of the Merkle tree over all events,
256 to a tile, and what retention left of them; `head` is one row, the newest signed checkpoint. Times are microseconds
since 1970.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from gateway.ledger.event import COLUMNS

metadata = sa.MetaData()

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "request": sa.LargeBinary(),
    "at": _NUMBER,
    "pseudonym": sa.LargeBinary(),
    "status": _NUMBER,
    "sealed": sa.LargeBinary(),
}
_REQUIRED: Final = frozenset({"at", "kind", "account"})

event = sa.Table(
    "event",
    metadata,
    sa.Column("sequence", _NUMBER, primary_key=True, autoincrement=False),
    *(sa.Column(name, _TYPES.get(name, sa.Text()), nullable=name not in _REQUIRED) for name in COLUMNS),
)

IS_DATA_KEY: Final = event.c.kind == sa.literal_column("'data-key'")
"""Rows by which sealed numbers are opened. Written out in queries: SQLite asks for it before it takes the index."""
HAS_PATIENT: Final = event.c.pseudonym.is_not(None)

sa.Index(
    "event_of_account", event.c.account, event.c.at, event.c.sequence, event.c.kind, event.c.pseudonym
)  # an account's events by time, their kinds and people, without the rows themselves
sa.Index("event_of_patient", event.c.at, event.c.sequence, sqlite_where=HAS_PATIENT, postgresql_where=HAS_PATIENT)
sa.Index("event_of_key", event.c.at, sqlite_where=IS_DATA_KEY, postgresql_where=IS_DATA_KEY)

tile = sa.Table(
    "tile",
    metadata,
    sa.Column("level", _NUMBER, primary_key=True, autoincrement=False),
    sa.Column("place", _NUMBER, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),  # 32 bytes each
    sa.Column("sequences", sa.LargeBinary, nullable=False),  # of a leaf 8 bytes each, big-endian; else nothing
    sa.Column("gone", sa.LargeBinary),  # which leaves' rows were deleted, by which event
)
head = sa.Table(
    "head",
    metadata,
    sa.Column("one", _NUMBER, sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    sa.Column("size", _NUMBER, nullable=False),
    sa.Column("last_sequence", _NUMBER, nullable=False),
    sa.Column("at", _NUMBER, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)
