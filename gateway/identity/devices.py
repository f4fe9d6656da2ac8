# SPDX-License-Identifier: EUPL-1.2
"""Known devices: the browsers that somebody has signed in to an account with. They are told apart by a secret of each.

What is kept is the SHA-256 of that secret and the account together: the rows of one browser in two accounts cannot be
joined. A known device opens nothing; it only is no news. What is not known is told to the holder of the account.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.identity import schema
from gateway.identity.database import reading, writing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.engine import Engine

MOST: Final = 50
LIFETIME: Final = timedelta(days=400)
"""How long a browser keeps its secret (RFC 6265bis allows no more), counted from each sign-in."""
SEEN_ANEW: Final = timedelta(days=1)
"""One that was seen less long ago is not written again."""

_TOKEN_BYTES: Final = 32
_REFERENCE_BYTES: Final = 8
_DEVICE = schema.device.c


@dataclass(frozen=True, slots=True)
class Device:
    """One browser, as one account knows it. `name` is what it called itself when it was last seen."""

    reference: str
    name: str
    first_seen_at: datetime
    last_seen_at: datetime

    def due(self, at: datetime) -> bool:
        """Whether it was last seen so long ago that it is to be written again."""
        return at - self.last_seen_at >= SEEN_ANEW


def new_browser() -> str:
    """A secret for a browser that has none yet: 256 bits, 43 characters."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def reference_of(account: str, browser: str) -> str:
    """The short name of a browser in forms and sessions of one account, known or not."""
    return _digest(account, browser)[:_REFERENCE_BYTES].hex()


class Devices:
    """The known devices of all accounts; identifiers are canonical, `browser` is a browser's secret."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, account: str, browser: str, at: datetime) -> Device | None:
        """The device as the account knows it; None if it does not, or has not seen it for 400 days."""
        query = sa.select(schema.device).where(
            _DEVICE.digest == _digest(account, browser), _DEVICE.last_seen_at > at - LIFETIME
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _device(row)

    def keep(self, account: str, browser: str, name: str, at: datetime) -> None:
        """Known from now on, or seen again: durable on return. Of more than 50 the longest unseen make room."""
        digest = _digest(account, browser)
        seen = {"name": name, "last_seen_at": at}
        fresh = {"digest": digest, "account": account, "reference": reference_of(account, browser), "first_seen_at": at}
        own = _DEVICE.account == account
        latest = sa.select(_DEVICE.digest).where(own).order_by(_DEVICE.last_seen_at.desc()).limit(MOST)
        with writing(self._engine) as connection:
            connection.execute(schema.device.delete().where(own, _DEVICE.last_seen_at <= at - LIFETIME))
            again = schema.device.update().where(_DEVICE.digest == digest).values(seen)
            if connection.execute(again).rowcount == 0:
                connection.execute(schema.device.insert().values(fresh | seen))
            connection.execute(schema.device.delete().where(own, _DEVICE.digest.not_in(latest)))

    def of_account(self, account: str, at: datetime) -> Sequence[Device]:
        """The devices that the account knows, latest seen first."""
        query = (
            sa.select(schema.device)
            .where(_DEVICE.account == account, _DEVICE.last_seen_at > at - LIFETIME)
            .order_by(_DEVICE.last_seen_at.desc(), _DEVICE.first_seen_at.desc())
        )
        with reading(self._engine) as connection:
            return [_device(row) for row in connection.execute(query)]

    def forget(self, account: str, reference: str) -> bool:
        """No longer known; whether it was."""
        gone = schema.device.delete().where(_DEVICE.account == account, _DEVICE.reference == reference)
        with writing(self._engine) as connection:
            return connection.execute(gone).rowcount > 0


def _digest(account: str, browser: str) -> bytes:
    return sha256(f"{browser}/{account}".encode()).digest()  # `/` cannot stand in either


def _device(row: sa.Row[tuple[object, ...]]) -> Device:
    return Device(row.reference, row.name, row.first_seen_at, row.last_seen_at)
