# SPDX-License-Identifier: EUPL-1.2
"""0002: the tree over the events. The index of accounts holds the people too, and rows of keys have their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_HAS_PATIENT = sa.text("pseudonym is not null")
_IS_DATA_KEY = sa.text("kind = 'data-key'")


def upgrade() -> None:
    """Make `tile` and `head`, and the indexes anew."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("event_of_account")
        op.drop_index("event_of_patient")
        op.execute("drop table if exists meta")
    op.create_index("event_of_account", "event", ["account", "at", "sequence", "kind", "pseudonym"])
    op.create_index(
        "event_of_patient", "event", ["at", "sequence"], sqlite_where=_HAS_PATIENT, postgresql_where=_HAS_PATIENT
    )
    op.create_index("event_of_key", "event", ["at"], sqlite_where=_IS_DATA_KEY, postgresql_where=_IS_DATA_KEY)
    _tree(sa.BigInteger().with_variant(sa.Integer(), "sqlite"))


def _tree(number: sa.types.TypeEngine[int]) -> None:
    op.create_table(
        "tile",
        sa.Column("level", number, primary_key=True, autoincrement=False),
        sa.Column("place", number, primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.Column("sequences", sa.LargeBinary, nullable=False),
        sa.Column("gone", sa.LargeBinary),
        sqlite_strict=True,
    )
    op.create_table(
        "head",
        sa.Column("one", number, sa.CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
        sa.Column("size", number, nullable=False),
        sa.Column("last_sequence", number, nullable=False),
        sa.Column("at", number, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sqlite_strict=True,
    )
