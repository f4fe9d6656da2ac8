# SPDX-License-Identifier: EUPL-1.2
"""The reader's questions as SQLAlchemy Core, each built once for both databases; what they ask for are parameters.

Each is bounded by an index (`tables`), which tests hold against both planners. Kinds that choose an index are written
out, for SQLite looks at no parameter when it chooses. Never here: a connection.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from gateway.ledger.event import COLUMNS
from gateway.ledger.tables import HAS_PATIENT, event
from gateway.model import EventKind, Reason

COUNTED: Final = frozenset({EventKind.LOOKUP, EventKind.LOOKUP_MISSED})
"""Kinds that budgets count: a number that nobody has was a look-up too."""

_PORTAL_FAULT: Final = 500
"""From this status on nobody knows whether the number was somebody's: no miss, but a person who counts."""

ROW: Final = tuple(event.c[name] for name in COLUMNS)
_SINCE: Final[sa.BindParameter[int]] = sa.bindparam("since")
_UNTIL: Final[sa.BindParameter[int]] = sa.bindparam("until")


@cache
def events_query(*, kinds: bool, before: bool) -> sa.Select[Any]:
    """The page of an account's events: along `event_of_account` from the newest, kinds told from the index alone.

    Parameters: account, since, until, limit; of choice kinds, and before_at and before_sequence.
    """
    query = sa.select(event.c.sequence, *ROW).where(
        event.c.account == sa.bindparam("account"), event.c.at >= _SINCE, event.c.at < _UNTIL
    )
    if kinds:
        query = query.where(event.c.kind.in_(sa.bindparam("kinds", expanding=True)))
    if before:
        cursor = sa.tuple_(sa.bindparam("before_at"), sa.bindparam("before_sequence"))
        query = query.where(sa.tuple_(event.c.at, event.c.sequence) < cursor)
    return query.order_by(event.c.at.desc(), event.c.sequence.desc()).limit(sa.bindparam("limit", type_=sa.Integer))


@cache
def lookups_query() -> sa.Select[Any]:
    """The look-ups of all accounts in the order of time, along `event_of_patient`. Parameter: since."""
    # A number that is none counts as missed; its pseudonym names the try.
    no_number = sa.and_(
        event.c.kind == EventKind.REFUSED.value, event.c.reason == Reason.PATIENT_NUMBER_MALFORMED.value
    )
    known = sa.and_(event.c.kind != EventKind.LOOKUP.value, sa.func.coalesce(event.c.status, 0) < _PORTAL_FAULT)
    return (
        sa.select(
            event.c.account,
            sa.func.coalesce(event.c.teleservice, ""),
            event.c.holder,
            event.c.network,
            event.c.pseudonym,
            event.c.at,
            known,
        )
        .where(HAS_PATIENT, event.c.at >= _SINCE)
        .where(sa.or_(event.c.kind.in_(sorted(COUNTED)), no_number))
        .order_by(event.c.at, event.c.sequence)
    )


@cache
def alerts_query(*, since: bool) -> sa.Select[Any]:
    """The alerts for a reason among the events of a range of numbers. Parameters: after, last, reason; of choice since.

    Cost grows with what came after the first number, not with the ledger.
    """
    query = sa.select(event.c.sequence, *ROW).where(
        event.c.sequence > sa.bindparam("after"),
        event.c.sequence <= sa.bindparam("last"),
        event.c.kind == EventKind.ALERTED.value,
        event.c.reason == sa.bindparam("reason"),
    )
    if since:
        query = query.where(event.c.at >= _SINCE)
    return query.order_by(event.c.sequence)


@cache
def last_query() -> sa.Select[Any]:
    """The number of the last event of a file, 0 for none."""
    return sa.select(sa.func.coalesce(sa.func.max(event.c.sequence), 0))
