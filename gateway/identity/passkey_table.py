# SPDX-License-Identifier: EUPL-1.2
"""The passkeys that were accepted, by account: rows in, rows out. What may become a row is decided in `passkey`.

A change is in force when its transaction ends: nothing of it is kept in memory.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.identity.identifiers import AccountError, parse_label
from gateway.model import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

MOST: Final = 10
LONGEST_NAME: Final = 60
_HANDLE_BYTES: Final = 32
_REFERENCE_BYTES: Final = 8
_PASSKEY = schema.passkey.c
_USER = schema.passkey_user.c


@dataclass(frozen=True, slots=True)
class Passkey:
    """One key of an account, as its owner sees it."""

    reference: str
    name: str
    added_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A verified key that is no row yet."""

    id: bytes
    account: str
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What an assertion is held against. `handle`: the account as its authenticators know it."""

    id: bytes
    account: str
    public_key: bytes = field(repr=False)
    handle: bytes = field(repr=False)


class PasskeyTable:
    """The rows of all accounts. Identifiers are canonical; a reference or an id finds only its own account's keys."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_account(self, identifier: str) -> list[Passkey]:
        """The account's keys, oldest first."""
        columns = (_PASSKEY.reference, _PASSKEY.name, _PASSKEY.added_at, _PASSKEY.last_used_at)
        query = sa.select(*columns).where(_PASSKEY.account == identifier).order_by(_PASSKEY.added_at, _PASSKEY.id)
        with reading(self._engine) as connection:
            return [Passkey(*row) for row in connection.execute(query)]

    def ids(self, identifier: str) -> list[bytes]:
        """The credential ids of the account's keys."""
        with reading(self._engine) as connection:
            return _ids(connection, identifier)

    def handle(self, identifier: str) -> bytes:
        """The account as its authenticators know it: random, so that a lost one tells nothing; made once."""
        with writing(self._engine) as connection:
            found = connection.scalar(sa.select(_USER.handle).where(_USER.account == identifier))
            if found is None:
                found = secrets.token_bytes(_HANDLE_BYTES)
                connection.execute(schema.passkey_user.insert().values(account=identifier, handle=found))
        return bytes(found)

    def find(self, credential_id: bytes) -> KeptKey | None:
        """The key of a credential id, whosever it is."""
        query = (
            sa.select(_PASSKEY.id, _PASSKEY.account, _PASSKEY.public_key, _USER.handle)
            .join(schema.passkey_user, _USER.account == _PASSKEY.account)
            .where(_PASSKEY.id == credential_id)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else KeptKey(*row)

    def add(self, key: NewKey, name: str, at: datetime) -> Passkey:
        """A new row, in force at once. Refused: PASSKEY_LIMIT, PASSKEY_WRONG (somebody has it already)."""
        reference = secrets.token_hex(_REFERENCE_BYTES)
        row = {"id": key.id, "account": key.account, "public_key": key.public_key, "sign_count": key.sign_count}
        with writing(self._engine) as connection:
            if len(_ids(connection, key.account)) >= MOST:
                raise Refused(Reason.PASSKEY_LIMIT)
            try:
                connection.execute(schema.passkey.insert().values(**row, reference=reference, name=name, added_at=at))
            except sa.exc.IntegrityError:
                raise Refused(Reason.PASSKEY_WRONG) from None
        return Passkey(reference, name, at, None)

    def rename(self, identifier: str, reference: str, name: str) -> bool:
        """Give one of the account's keys another name; False if it has none of this reference."""
        change = schema.passkey.update().where(_PASSKEY.account == identifier, _PASSKEY.reference == reference)
        with writing(self._engine) as connection:
            return connection.execute(change.values(name=name)).rowcount == 1

    def remove(self, identifier: str, reference: str) -> bool:
        """Take one of the account's keys away, in force at once; False if it has none of this reference."""
        gone = schema.passkey.delete().where(_PASSKEY.account == identifier, _PASSKEY.reference == reference)
        with writing(self._engine) as connection:
            return connection.execute(gone).rowcount == 1

    def note_use(self, credential_id: bytes, count: int, at: datetime) -> bool:
        """Keep the counter of a use whose signature was right; whether the account is locked.

        Refused: PASSKEY_WRONG (removed meanwhile), PASSKEY_CLONED (the counter did not go up).
        """
        query = (
            sa.select(_PASSKEY.sign_count, schema.account.c.locked_at)
            .join(schema.account, schema.account.c.identifier == _PASSKEY.account)
            .where(_PASSKEY.id == credential_id)
        )
        used = schema.passkey.update().where(_PASSKEY.id == credential_id).values(sign_count=count, last_used_at=at)
        with writing(self._engine) as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                raise Refused(Reason.PASSKEY_WRONG)
            if (count or row.sign_count) and count <= row.sign_count:  # 0 and 0: an authenticator that does not count
                raise Refused(Reason.PASSKEY_CLONED)
            connection.execute(used)
        return row.locked_at is not None


def parse_name(text: str) -> str:
    """A key's name as its owner typed it, in one line. Refused(MALFORMED_REQUEST): empty, too long, not printable."""
    try:
        name = parse_label(text, "name")
    except AccountError:
        raise Refused(Reason.MALFORMED_REQUEST) from None
    if len(name) > LONGEST_NAME:
        raise Refused(Reason.MALFORMED_REQUEST)
    return name


def _ids(connection: Connection, identifier: str) -> list[bytes]:
    return list(connection.scalars(sa.select(_PASSKEY.id).where(_PASSKEY.account == identifier)))
