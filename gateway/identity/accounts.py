# SPDX-License-Identifier: EUPL-1.2
"""Accounts: who exists, under which identifier, locked or not, with which password, invited or not.

An account is a practice, often shared by its holders. Nothing here knows sessions: whoever locks an account ends its
sessions too. Password hashes are sealed at rest and bound to their account, so that the file alone cannot be attacked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.identity.dormancy import Dormancy, asleep
from gateway.identity.identifiers import (
    AccountError,
    canonical_identifier,
    parse_identifier,
    parse_label,
    parse_profession,
    parse_rpps,
)
from gateway.identity.invitation import code_digest, new_code
from gateway.identity.mail_address import parse_mail_address
from gateway.identity.password_change import PasswordChanges, answered, wanted
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy.engine import Connection, Engine

    from gateway.identity.at_rest import AtRest

__all__ = ["Account", "AccountError", "Accounts", "Holder", "canonical_identifier"]

_ACCOUNT = schema.account.c
_HASH_BYTES = 97  # of an encoded argon2id hash


@dataclass(frozen=True, slots=True)
class Holder:
    """One person who uses an account."""

    name: str
    rpps: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it stood when it was read. `identifier` is canonical."""

    identifier: str
    title: str
    profession: str
    created_at: datetime
    rpps: str | None = None
    holders: tuple[Holder, ...] = ()
    locked: bool = False
    has_password: bool = False
    has_totp: bool = False
    must_change: str | None = None
    """The Reason for which its password opens nothing any more but the page that asks for a new one."""
    mail: str | None = None
    used_at: datetime | None = None
    quarantined_at: datetime | None = None
    """Since when its password is one that was set through the mailbox, and the holder is not proved yet."""


class Accounts:
    """The accounts of one database. Every method takes any spelling of an identifier."""

    def __init__(self, engine: Engine, at_rest: AtRest) -> None:
        self._engine = engine
        self._at_rest = at_rest
        self.changes = PasswordChanges(engine)
        """Which of them must choose a new password."""
        self.dormancy = Dormancy(engine)
        """When they were last used."""
        self._nobody = at_rest.seal(bytes(_HASH_BYTES), _password_of(""))

    def create(  # noqa: PLR0917  # the whole row, in its order
        self,
        identifier: str,
        title: str,
        profession: str,
        rpps: str | None,
        holders: Sequence[Holder],
        at: datetime,
        mail: str | None = None,
    ) -> Account:
        """A new account, which can do nothing until it is invited. AccountError: bad value, or identifier taken."""
        name = parse_identifier(identifier)
        row = {
            "identifier": name,
            "title": parse_label(title, "title"),
            "profession": parse_profession(profession),
            "rpps": None if rpps is None else parse_rpps(rpps),
            "created_at": at,
            "mail": None if mail is None else parse_mail_address(mail),
        }
        people = [
            {
                "account": name,
                "name": parse_label(one.name, "holder"),
                "rpps": None if one.rpps is None else parse_rpps(one.rpps),
            }
            for one in holders
        ]
        with writing(self._engine) as connection:
            if _read(connection, name) is not None:
                raise AccountError(f"account {name} exists already; to give it a new code: herse account invite {name}")
            connection.execute(schema.account.insert().values(row))
            if people:
                connection.execute(schema.holder.insert(), people)
            return expected(connection, name)

    def find(self, identifier: str) -> Account | None:
        """The account, or None; Refused(CREDENTIALS_WRONG) if none can be called so."""
        name = canonical_identifier(identifier)
        with reading(self._engine) as connection:
            return _read(connection, name)

    def of_person(self, rpps: str) -> list[Account]:
        """The accounts that are held by the person with this RPPS number, locked ones too, by identifier."""
        held = sa.select(schema.holder.c.account).where(schema.holder.c.rpps == rpps)
        query = sa.select(_ACCOUNT.identifier).where(sa.or_(_ACCOUNT.rpps == rpps, _ACCOUNT.identifier.in_(held)))
        with reading(self._engine) as connection:
            return [expected(connection, name) for name in connection.scalars(query.order_by(_ACCOUNT.identifier))]

    def invite(self, identifier: str, at: datetime, valid_for: timedelta) -> str:
        """A new one-time code, shown once; older ones die. AccountError: unknown, locked, asleep, or in quarantine."""
        name = parse_identifier(identifier)
        with writing(self._engine) as connection:
            if expected(connection, name).quarantined_at is not None:
                raise AccountError(f"account {name} is in quarantine; by two agents: herse account release {name}")
            return self.write_invitation(connection, name, at, valid_for)

    def write_invitation(self, connection: Connection, name: str, at: datetime, valid_for: timedelta) -> str:
        """`invite`, within a transaction of the caller's. AccountError: unknown, locked, or asleep."""
        code, invited = new_code(), expected(connection, name)
        if invited.locked:
            raise AccountError(f"account {name} is locked; unlock it first: herse account unlock {name}")
        if asleep(invited, at):
            raise AccountError(f"account {name} sleeps, six months unused; first: herse account wake {name}")
        connection.execute(schema.invitation.delete().where(schema.invitation.c.account == name))
        connection.execute(
            schema.invitation.insert().values(account=name, digest=code_digest(name, code), expires_at=at + valid_for)
        )
        return code

    def invited(self, identifier: str, code: str, at: datetime) -> Account | None:
        """Whose living code this is; None for any other. It stays alive."""
        name = canonical_identifier(identifier)
        invitation = schema.invitation.c
        query = sa.select(invitation.account).where(
            invitation.account == name, invitation.digest == code_digest(name, code), invitation.expires_at > at
        )
        with reading(self._engine) as connection:
            return None if connection.scalar(query) is None else _read(connection, name)

    def redeem_invitation(
        self, identifier: str, code: str, at: datetime, *, encoded_hash: str | None = None
    ) -> Account:
        """Use up a code, and set the password in the same act if one is given.

        Refused(INVITATION_WRONG): unknown account or code, expired, or used. Refused(ACCOUNT_LOCKED, ACCOUNT_ASLEEP),
        told only to who holds a right code, leaves the code alive.
        """
        name = canonical_identifier(identifier)
        invitation = schema.invitation.c
        used = schema.invitation.delete().where(
            invitation.account == name, invitation.digest == code_digest(name, code), invitation.expires_at > at
        )
        with writing(self._engine) as connection:
            if connection.execute(used).rowcount != 1:
                raise Refused(Reason.INVITATION_WRONG)
            invited = expected(connection, name)
            if invited.locked:
                raise Refused(Reason.ACCOUNT_LOCKED)  # rolls the deletion back
            if asleep(invited, at):
                raise Refused(Reason.ACCOUNT_ASLEEP)
            if encoded_hash is not None:
                self.write_password(connection, name, encoded_hash, at)
            return expected(connection, name)

    def lock(self, identifier: str, at: datetime) -> Account:
        """Nobody signs in to it any more. Locking twice keeps the first time. The caller ends its sessions."""
        name = parse_identifier(identifier)
        with writing(self._engine) as connection:
            expected(connection, name)
            connection.execute(
                schema.account.update()
                .where(_ACCOUNT.identifier == name, _ACCOUNT.locked_at.is_(None))
                .values(locked_at=at)
            )
            return expected(connection, name)

    def unlock(self, identifier: str, at: datetime) -> Account:  # noqa: ARG002  # every act on an account is told its time
        """May sign in again; its counted failures are forgotten."""
        name = parse_identifier(identifier)
        with writing(self._engine) as connection:
            expected(connection, name)
            connection.execute(schema.account.update().where(_ACCOUNT.identifier == name).values(locked_at=None))
            connection.execute(schema.failure.delete().where(schema.failure.c.account == name))
            return expected(connection, name)

    def set_password(self, identifier: str, encoded_hash: str, at: datetime) -> None:
        """Store an argon2id hash, sealed; AccountError if there is no such account."""
        name = parse_identifier(identifier)
        with writing(self._engine) as connection:
            expected(connection, name)
            self.write_password(connection, name, encoded_hash, at)

    def replace_password(self, name: str, proved: str, encoded_hash: str, at: datetime) -> Account:
        """Set a new hash in place of the one that was proved; of any number of parallel changes, one is made.

        Refused: ACCOUNT_LOCKED, or SIGN_IN_REQUIRED if the password is another one meanwhile.
        """
        with writing(self._engine) as connection:
            sealed = connection.scalar(sa.select(_ACCOUNT.password).where(_ACCOUNT.identifier == name))
            if sealed is None or self._at_rest.open(sealed, _password_of(name)).decode() != proved:
                raise Refused(Reason.SIGN_IN_REQUIRED)
            if expected(connection, name).locked:
                raise Refused(Reason.ACCOUNT_LOCKED)
            self.write_password(connection, name, encoded_hash, at)
            return expected(connection, name)

    def password_hash(self, identifier: str) -> str | None:
        """The argon2id hash; None if there is no account, or no password yet."""
        name = canonical_identifier(identifier)
        with reading(self._engine) as connection:
            sealed = connection.scalar(sa.select(_ACCOUNT.password).where(_ACCOUNT.identifier == name))
        if sealed is None:
            self._at_rest.open(self._nobody, _password_of(""))  # who does not exist costs the same as who does
            return None
        return self._at_rest.open(sealed, _password_of(name)).decode()

    def write_password(self, connection: Connection, name: str, encoded_hash: str, at: datetime) -> None:
        """Within a transaction of the caller's. A change that was asked for is answered; a reset by mail is dead."""
        answered(connection, name, at)
        connection.execute(schema.reset.delete().where(schema.reset.c.account == name))
        sealed = self._at_rest.seal(encoded_hash.encode(), _password_of(name))
        connection.execute(schema.account.update().where(_ACCOUNT.identifier == name).values(password=sealed))


def _password_of(name: str) -> str:
    """What a sealed password hash is bound to; `/` cannot stand in an identifier."""
    return f"account/{name}/password"


def _read(connection: Connection, name: str) -> Account | None:
    has_totp = sa.exists().where(schema.factor.c.account == name, schema.factor.c.type == "totp")
    query = sa.select(
        _ACCOUNT.title,
        _ACCOUNT.profession,
        _ACCOUNT.created_at,
        _ACCOUNT.rpps,
        _ACCOUNT.locked_at.is_not(None).label("locked"),
        _ACCOUNT.password.is_not(None).label("has_password"),
        has_totp.label("has_totp"),
        wanted(name).label("must_change"),
        _ACCOUNT.mail,
        _ACCOUNT.used_at,
        _ACCOUNT.quarantined_at,
    ).where(_ACCOUNT.identifier == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    people = connection.execute(
        sa.select(schema.holder.c.name, schema.holder.c.rpps)
        .where(schema.holder.c.account == name)
        .order_by(schema.holder.c.id)
    )
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    return Account(identifier=name, holders=tuple(Holder(one.name, one.rpps) for one in people), **values)


def expected(connection: Connection, name: str) -> Account:
    """The account, within a transaction of the caller's; AccountError if there is none."""
    account = _read(connection, name)
    if account is None:
        raise AccountError(f"there is no account {name}; to create it: herse account create {name} …")
    return account
