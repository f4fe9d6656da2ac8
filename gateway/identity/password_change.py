# SPDX-License-Identifier: EUPL-1.2
"""Which accounts must choose a new password before their old one opens anything: asked by operators, or by a list.

Never by age: a good password is kept. Setting a password, whichever way, answers what was asked (`accounts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.identity.identifiers import AccountError, parse_identifier
from gateway.identity.instant import Instant
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from gateway.identity.accounts import Account

_ACCOUNT = schema.account.c
_ASKED = schema.password_change.c


class MustChange(Refused):
    """The password is right and opens nothing: a new one comes first. Whoever does not know this sees a refusal.

    `proved` is the hash that the password matched; `newly`: it was not asked for before this sign-in.
    """

    def __init__(self, reason: Reason, account: Account, proved: str, *, newly: bool) -> None:
        super().__init__(reason)
        self.account = account
        self.proved = proved
        self.newly = newly


@dataclass(frozen=True, slots=True)
class Campaign:
    """How far the changes asked for one reason have come. `note` is the operator's, None for the breached list."""

    why: Reason
    note: str | None
    first_asked_at: datetime
    waiting: int
    done: int


class PasswordChanges:
    """The changes asked for, over the database of accounts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(
        self, identifiers: Iterable[str] | None, why: Reason, at: datetime, note: str | None = None
    ) -> tuple[str, ...]:
        """Ask these accounts (None: all) for a new password; returns those that were not asked already.

        All or none: AccountError if one does not exist, or has no password to change.
        """
        with writing(self._engine) as connection:
            chosen = _all(connection) if identifiers is None else (_with_password(connection, x) for x in identifiers)
            names = list(chosen)
            waiting = set(connection.scalars(sa.select(_ASKED.account).where(_ASKED.done_at.is_(None))))
            newly = tuple(dict.fromkeys(name for name in names if name not in waiting))
            if newly:
                rows = [{"account": name, "why": str(why), "note": note, "asked_at": at} for name in newly]
                old = schema.password_change.delete().where(_ASKED.account == sa.bindparam("name"))
                connection.execute(old, [{"name": name} for name in newly])
                connection.execute(schema.password_change.insert(), rows)
        return newly

    def campaigns(self) -> Sequence[Campaign]:
        """Every reason for which changes were asked, oldest first."""
        waiting = sa.func.count().filter(_ASKED.done_at.is_(None))
        first = sa.func.min(_ASKED.asked_at, type_=Instant).label("first")
        query = (
            sa.select(_ASKED.why, _ASKED.note, first, waiting.label("waiting"), sa.func.count().label("asked"))
            .group_by(_ASKED.why, _ASKED.note)
            .order_by(first)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [Campaign(Reason(row.why), row.note, row.first, row.waiting, row.asked - row.waiting) for row in rows]


def wanted(name: str) -> sa.ScalarSelect[str]:
    """Why this account must choose a new password, as a part of a query; null: it need not."""
    return sa.select(_ASKED.why).where(_ASKED.account == name, _ASKED.done_at.is_(None)).scalar_subquery()


def answered(connection: Connection, name: str, at: datetime) -> None:
    """A password was set: what was asked is done."""
    connection.execute(
        schema.password_change.update().where(_ASKED.account == name, _ASKED.done_at.is_(None)).values(done_at=at)
    )


def _all(connection: Connection) -> list[str]:
    return list(connection.scalars(sa.select(_ACCOUNT.identifier).where(_ACCOUNT.password.is_not(None))))


def _with_password(connection: Connection, identifier: str) -> str:
    name = parse_identifier(identifier)
    row = connection.execute(
        sa.select(_ACCOUNT.password.is_not(None).label("has")).where(_ACCOUNT.identifier == name)
    ).one_or_none()
    if row is None:
        raise AccountError(f"there is no account {name}; nothing was asked of anybody")
    if not row.has:
        raise AccountError(f"account {name} has no password yet; nothing was asked of anybody. Leave it out.")
    return name
