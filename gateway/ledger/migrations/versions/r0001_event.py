# SPDX-License-Identifier: EUPL-1.2
"""0001: the events. In a file they are what schema version 4 was; on PostgreSQL they are cut into days by `at`.

What falls into no day that was prepared goes to `event_other`, so that nothing ever fails to be written.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

_FILE = (
    """create table event (
         sequence integer primary key,
         request blob,
         at integer not null,
         kind text not null,
         account text not null,
         session text,
         network text,
         device text,
         method text,
         teleservice text,
         reason text,
         pseudonym blob,
         status integer,
         categories text,
         holder text,
         delegate text,
         details text,
         sealed blob
       ) strict""",
    "create index event_of_account on event (account, at, sequence, kind)",
    "create index event_of_patient on event (at) where pseudonym is not null",
)
_POSTGRESQL = (
    "create sequence event_sequence",
    """create table event (
         sequence bigint not null default nextval('event_sequence'),
         request bytea,
         at bigint not null,
         kind text not null,
         account text not null,
         session text,
         network text,
         device text,
         method text,
         teleservice text,
         reason text,
         pseudonym bytea,
         status bigint,
         categories text,
         holder text,
         delegate text,
         details text,
         sealed bytea,
         primary key (sequence, at)
       ) partition by range (at)""",
    "alter sequence event_sequence owned by event.sequence",
    "create table event_other partition of event default",
)


def upgrade() -> None:
    """Make the table."""
    for statement in _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _FILE:
        op.execute(statement)
