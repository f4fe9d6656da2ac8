# SPDX-License-Identifier: EUPL-1.2
"""A moment as the database of accounts keeps it: one integer, and nothing else about time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since 1970 UTC: exact, sortable, no time zone to misread."""

    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # fixed by SQLAlchemy
        """To the database; a naive datetime raises TypeError."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # fixed by SQLAlchemy
        """From the database."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)
