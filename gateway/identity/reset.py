# SPDX-License-Identifier: EUPL-1.2
"""A forgotten password, by mail: a ticket that sets a new one, once, within 30 minutes. It opens no session.

Whoever reads the mailbox gets no further than a password: the account is in quarantine from the moment it is set
(`quarantine`). A ticket of 256 random bits stands in the letter alone; here stands its SHA-256. It is bound to the
address it was sent to, and dies when the account gets another, another ticket, or a password some other way.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import quarantine, schema
from gateway.identity.database import reading, writing
from gateway.identity.dormancy import asleep
from gateway.identity.identifiers import canonical_identifier
from gateway.identity.password import check_strength
from gateway.model import Method, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.identity.accounts import Account, Accounts
    from gateway.identity.breached import Breached
    from gateway.identity.password import PasswordHasher
    from gateway.identity.throttle import Throttle

LIFETIME: Final = timedelta(minutes=30)
NOT_AGAIN_FOR: Final = timedelta(minutes=5)
"""After a letter, before the next one: nobody's mailbox is flooded through us. The first ticket stays good."""
_TICKET_BYTES: Final = 32
_RESET = schema.reset.c
_ACCOUNT = schema.account.c
_FAILURE = schema.failure.c


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose reset was asked for, and the ticket to send to `account.mail`; None: no letter goes out."""

    account: Account
    ticket: str | None = field(repr=False)


class Resets:
    """The tickets of one database."""

    def __init__(  # its doors
        self, engine: Engine, accounts: Accounts, hasher: PasswordHasher, throttle: Throttle, breached: Breached
    ) -> None:
        self._engine = engine
        self._accounts = accounts
        self._hasher = hasher
        self._throttle = throttle
        self._breached = breached

    def admit(self, identifier: str, network: str) -> str | None:
        """Count one asking, of known and unknown accounts alike: the canonical name, None if nobody can be called so.

        Refused(THROTTLED).
        """
        try:
            name = canonical_identifier(identifier)
        except Refused:
            self._throttle.hit("reset/", network)
            return None
        self._throttle.hit(f"reset/{name}", network)
        return name

    def ask(self, name: str, at: datetime) -> Asked | None:
        """A new ticket in place of any older one; None: no such account.

        No ticket for an account that is locked or asleep, was never activated, or has no address; nor so soon again.
        """
        account = self._accounts.find(name)
        if account is None:
            return None
        if account.locked or account.mail is None or not account.has_password or asleep(account, at):
            return Asked(account, None)
        ticket = secrets.token_urlsafe(_TICKET_BYTES)
        row = {"digest": _digest(ticket), "mail": account.mail, "asked_at": at, "expires_at": at + LIFETIME}
        recent = sa.select(_RESET.account).where(
            _RESET.account == name, _RESET.mail == account.mail, _RESET.asked_at > at - NOT_AGAIN_FOR
        )
        with writing(self._engine) as connection:
            if connection.scalar(recent) is not None:
                return Asked(account, None)
            connection.execute(schema.reset.delete().where(_RESET.account == name))
            connection.execute(schema.reset.insert().values(account=name, **row))
        return Asked(account, ticket)

    def find(self, ticket: str, at: datetime) -> Account:
        """Whose living ticket this is; nothing is used up. Refused: RESET_TICKET_WRONG, ACCOUNT_LOCKED."""
        query = (
            sa.select(_RESET.account)
            .join(schema.account, _ACCOUNT.identifier == _RESET.account)
            .where(_RESET.digest == _digest(ticket), _RESET.expires_at > at, _RESET.mail == _ACCOUNT.mail)
        )
        with reading(self._engine) as connection:
            name = connection.scalar(query)
        account = None if name is None else self._accounts.find(name)
        if account is None:
            raise Refused(Reason.RESET_TICKET_WRONG)
        if account.locked:
            raise Refused(Reason.ACCOUNT_LOCKED)
        return account

    async def hash_new(self, ticket: str, password: str, network: str, at: datetime) -> str:
        """The hash of a new password that will do. Refused: those of `find`, THROTTLED, BUSY, PASSWORD_BREACHED.

        TooWeak: with what is wrong. Nothing is set, nothing used up.
        """
        account = self.find(ticket, at)
        self._throttle.hit(f"reset-new/{account.identifier}", network)
        names = (account.title, *(one.name for one in account.holders))
        await self._hasher.run(lambda: check_strength(password, account.identifier, names))
        if await asyncio.to_thread(self._breached.contains, password):
            raise Refused(Reason.PASSWORD_BREACHED)
        return await self._hasher.hash(password)

    def finish(self, ticket: str, encoded_hash: str, at: datetime) -> Account:
        """Use the ticket up, set the password, begin the quarantine: all of it, or none. The caller ends the sessions.

        Wrong passwords counted before are forgiven (the day's total is not); wrong codes are not.
        Refused: RESET_TICKET_WRONG, ACCOUNT_LOCKED.
        """
        account = self.find(ticket, at)
        name = account.identifier
        used = schema.reset.delete().where(
            _RESET.account == name,
            _RESET.digest == _digest(ticket),
            _RESET.expires_at > at,
            sa.exists().where(_ACCOUNT.identifier == name, _ACCOUNT.mail == _RESET.mail, _ACCOUNT.locked_at.is_(None)),
        )
        with writing(self._engine) as connection:
            if connection.execute(used).rowcount != 1:
                raise Refused(Reason.RESET_TICKET_WRONG)
            self._accounts.write_password(connection, name, encoded_hash, at)
            quarantine.begin(connection, name, at)
            connection.execute(
                schema.failure.update()
                .where(_FAILURE.account == name, _FAILURE.factor == str(Method.PASSWORD))
                .values(forgiven=1)
            )
        return account


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode(errors="surrogatepass")).digest()
