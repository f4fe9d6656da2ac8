# SPDX-License-Identifier: EUPL-1.2
"""Accounts that sleep: six months unused, and a password, a passkey or an old invitation opens them no more.

The holder wakes his account with the card or Pro Santé Connect, or support does after a check of who he is. Sleep stops
sign-ins; a session that is open is used, and so is its account. What a delegate does is use too, and wakes nothing: his
access ends on a day that the holder chose, within a year (delegates.LONGEST).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.identity import schema
from gateway.identity.database import writing
from gateway.identity.identifiers import AccountError, parse_identifier
from gateway.identity.instant import Instant
from gateway.model import Method

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.identity.accounts import Account

SLEEPS_AFTER: Final = timedelta(days=183)
NOTED_ANEW: Final = timedelta(days=1)
"""A use is written at most this often: the day is near enough."""
WAKING: Final = frozenset({Method.SMART_CARD, Method.SSO, Method.SSO_CARD})

_ACCOUNT = schema.account.c


def asleep(account: Account, at: datetime) -> bool:
    """Whether nobody has used the account for six months; one that was never used counts from its making."""
    return at - (account.used_at or account.created_at) >= SLEEPS_AFTER


def wakes(methods: Iterable[Method]) -> bool:
    """Whether one of these opens an account that sleeps."""
    return not WAKING.isdisjoint(methods)


class Dormancy:
    """When accounts were last used, over the database of accounts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def used(self, account: Account, at: datetime) -> None:
        """Somebody has signed in: durable on return, and written at most once a day."""
        if account.used_at is not None and at - account.used_at < NOTED_ANEW:
            return
        with writing(self._engine) as connection:
            connection.execute(_used(account.identifier, at))

    def wake(self, identifier: str, at: datetime) -> str:
        """As if it had been used now; its canonical identifier. AccountError: no such account, or it does not sleep."""
        name = parse_identifier(identifier)
        since = sa.func.coalesce(_ACCOUNT.used_at, _ACCOUNT.created_at, type_=Instant)
        with writing(self._engine) as connection:
            if connection.execute(_used(name, at).where(since <= at - SLEEPS_AFTER)).rowcount == 1:
                return name
            there = connection.scalar(sa.select(sa.literal(1)).where(_ACCOUNT.identifier == name))
        if there is None:
            raise AccountError(f"there is no account {name}; to create it: herse account create {name} …")
        raise AccountError(f"account {name} does not sleep; nothing was done")


def _used(name: str, at: datetime) -> sa.Update:
    return schema.account.update().where(_ACCOUNT.identifier == name).values(used_at=at)
