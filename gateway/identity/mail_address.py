# SPDX-License-Identifier: EUPL-1.2
"""The one mail address of an account, and the change of it that waits for the new address to be confirmed.

A change is asked for by whoever is signed in, and made by whoever is signed in to the same account and read the letter
at the new address: one change waits for each account, for a day, and its ticket works once. Tickets are kept as
digests. Nothing here sends a letter.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.identity.identifiers import AccountError, parse_identifier
from gateway.model import Reason
from gateway.model.mail_address import is_mail_address

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

LIFETIME: Final = timedelta(hours=24)
BETWEEN_TWO: Final = timedelta(minutes=1)
COUNTED_OVER: Final = timedelta(hours=24)
MOST_ASKED: Final = 10
"""Changes that one account may ask for in a day: each sends a letter to an address of its choice."""

_ACCOUNT = schema.account.c
_CHANGE = schema.mail_change.c


@dataclass(frozen=True, slots=True)
class MailChange:
    """A change that waits until `expires_at`."""

    address: str
    expires_at: datetime


def parse_mail_address(text: str) -> str:
    """An address in its one form, the domain in lower case; AccountError otherwise."""
    address = text.strip(" ")
    if not is_mail_address(address):
        raise AccountError("found no mail address; expected one such as pharmacie@exemple.fr in plain ASCII")
    name, _, domain = address.partition("@")
    return f"{name}@{domain.lower()}"


class MailAddresses:
    """The addresses of one database. `account` is a canonical identifier."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def set(self, identifier: str, address: str | None) -> str | None:
        """Give an account another address, or none; a change that waits is dropped. The old address; AccountError."""
        name = parse_identifier(identifier)
        with writing(self._engine) as connection:
            row = connection.execute(sa.select(_ACCOUNT.mail).where(_ACCOUNT.identifier == name)).one_or_none()
            if row is None:
                raise AccountError(f"there is no account {name}; to create it: herse account create {name} …")
            _write(connection, name, address)
            old: str | None = row.mail
            return old

    def waiting(self, account: str, at: datetime) -> MailChange | None:
        """The change that waits for an account, if one does."""
        with reading(self._engine) as connection:
            row = connection.execute(
                sa.select(_CHANGE.address, _CHANGE.expires_at).where(
                    _CHANGE.account == account, _CHANGE.expires_at > at
                )
            ).one_or_none()
        return None if row is None else MailChange(*row)

    def may_ask(self, account: str, at: datetime) -> None:
        """Refused(MAIL_TOO_OFTEN) within a minute of the last change asked for, or after ten in a day."""
        with reading(self._engine) as connection:
            _throttle(connection, account, at)

    def ask(self, account: str, address: str, at: datetime) -> tuple[str, MailChange]:
        """Let a change wait, in place of an earlier one: its ticket, shown this once. Refused(MAIL_TOO_OFTEN)."""
        ticket = secrets.token_urlsafe(32)
        expires_at = at + LIFETIME
        with writing(self._engine) as connection:
            asked, counted_from = _throttle(connection, account, at)
            connection.execute(schema.mail_change.delete().where(_CHANGE.account == account))
            connection.execute(
                schema.mail_change.insert().values(
                    account=account,
                    address=address,
                    digest=_digest(account, ticket),
                    asked_at=at,
                    expires_at=expires_at,
                    asked=asked + 1,
                    counted_from=counted_from,
                )
            )
        return ticket, MailChange(address, expires_at)

    def drop(self, account: str, at: datetime) -> bool:
        """Let no change wait any more; how many were asked for is still known. False if none waited."""
        living = sa.and_(_CHANGE.account == account, _CHANGE.expires_at > at)
        with writing(self._engine) as connection:
            return connection.execute(schema.mail_change.update().where(living).values(expires_at=at)).rowcount > 0

    def asked(self, account: str, ticket: str, at: datetime) -> MailChange:
        """The change of a ticket; it stays alive. Refused(MAIL_LINK_WRONG): of another account, used, or too old."""
        with reading(self._engine) as connection:
            return _of_ticket(connection, account, ticket, at)

    def confirm(self, account: str, ticket: str, at: datetime) -> str:
        """Make the change of a ticket, once: the new address. Refused(MAIL_LINK_WRONG)."""
        with writing(self._engine) as connection:
            change = _of_ticket(connection, account, ticket, at)
            _write(connection, account, change.address)
            return change.address


def _write(connection: Connection, name: str, address: str | None) -> None:
    connection.execute(schema.account.update().where(_ACCOUNT.identifier == name).values(mail=address))
    connection.execute(schema.mail_change.delete().where(_CHANGE.account == name))


def _of_ticket(connection: Connection, account: str, ticket: str, at: datetime) -> MailChange:
    query = sa.select(_CHANGE.address, _CHANGE.expires_at).where(
        _CHANGE.account == account, _CHANGE.digest == _digest(account, ticket), _CHANGE.expires_at > at
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Refused(Reason.MAIL_LINK_WRONG)
    return MailChange(*row)


def _throttle(connection: Connection, account: str, at: datetime) -> tuple[int, datetime]:
    """How many changes were asked for since when; Refused(MAIL_TOO_OFTEN) if that is enough for now."""
    query = sa.select(_CHANGE.asked_at, _CHANGE.asked, _CHANGE.counted_from).where(_CHANGE.account == account)
    row = connection.execute(query).one_or_none()
    if row is None or at - row.counted_from >= COUNTED_OVER:
        return 0, at
    again = row.counted_from + COUNTED_OVER if row.asked >= MOST_ASKED else row.asked_at + BETWEEN_TWO
    if at < again:
        raise Refused(Reason.MAIL_TOO_OFTEN, retry_after_seconds=-int((at - again).total_seconds() // 1))
    return row.asked, row.counted_from


def _digest(account: str, ticket: str) -> bytes:
    """What is stored of a ticket of 256 random bits, bound to its account."""
    return sha256(f"{account}\n{ticket}".encode(errors="surrogatepass")).digest()
