# SPDX-License-Identifier: EUPL-1.2
"""Delegations: whom the holder of an account lets act on it, by which card or own account, where, and until when.

Nobody lends credentials: a delegate proves himself by what is his. Nothing here knows sessions: whoever ends a
delegation ends the delegate's sessions too.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gateway.errors import HerseError, Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.identity.identifiers import AccountError, canonical_identifier, parse_label
from gateway.model import Delegation

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy.engine import Engine

LONGEST: Final = timedelta(days=366)
MOST: Final = 30
"""Living delegations of one account."""
_REFERENCE_BYTES: Final = 8
# What a card names its bearer by: the national identifier (8 and the RPPS number; structure/person of an employee), or
# issuer/number of the card itself. They never look alike: a structure begins with 1 or 3 to 6, an issuer does not.
_CARD: Final = re.compile(r"8[0-9]{11}|[0-9][0-9A-Z]{5,15}/[0-9A-Z]{1,32}")
_DELEGATION = schema.delegation.c


class DelegateError(HerseError):
    """A delegation that cannot be given. `field` is the wrong one: name, means, teleservices, until or most."""

    def __init__(self, field: str) -> None:
        super().__init__(f"the {field} of this delegation cannot be taken")
        self.field = field


@dataclass(frozen=True, slots=True)
class Given:
    """One delegation as it stands. Either `card` or `own`, an account's canonical identifier, proves the delegate."""

    reference: str
    account: str
    name: str
    card: str | None
    own: str | None
    teleservices: tuple[str, ...]
    until: datetime
    given_by: str | None
    created_at: datetime

    @property
    def delegation(self) -> Delegation:
        """The words for the policy."""
        return Delegation(self.reference, self.name, frozenset(self.teleservices), self.until, self.own)


class Delegates:
    """The delegations of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def draft(  # noqa: PLR0917  # one row, in its order
        self,
        account: str,
        name: str,
        card: str,
        own: str,
        teleservices: Collection[str],
        until: datetime,
        given_by: str | None,
        at: datetime,
    ) -> Given:
        """A delegation checked, and not yet given. `card` or `own` as typed, the other one empty; DelegateError."""
        try:
            label = parse_label(name, "name")
        except AccountError:
            raise DelegateError("name") from None
        if not teleservices:
            raise DelegateError("teleservices")
        if not at < until <= at + LONGEST:
            raise DelegateError("until")
        if len(self.of_account(account, at)) >= MOST:
            raise DelegateError("most")
        card_, own_ = _means(card, own, account)
        reference = secrets.token_hex(_REFERENCE_BYTES)
        return Given(reference, account, label, card_, own_, tuple(sorted(teleservices)), until, given_by, at)

    def give(self, given: Given) -> None:
        """Put a drafted delegation in force."""
        row = {
            "reference": given.reference,
            "account": given.account,
            "name": given.name,
            "card": given.card,
            "own": given.own,
            "teleservices": json.dumps(given.teleservices),
            "until": given.until,
            "given_by": given.given_by,
            "created_at": given.created_at,
        }
        with writing(self._engine) as connection:
            connection.execute(schema.delegation.insert().values(row))

    def of_account(self, account: str, at: datetime) -> list[Given]:
        """The living delegations of an account, by name."""
        return self._living(_DELEGATION.account == account, at)

    def of_card(self, national_id: str, card_number: str, at: datetime) -> list[Given]:
        """What was given to the bearer of a verified card, on accounts that are not locked."""
        return self._living(_DELEGATION.card.in_((national_id.upper(), card_number.upper())), at)

    def of_own(self, identifier: str, at: datetime) -> list[Given]:
        """What was given to whoever signs in to this account of his own."""
        return self._living(_DELEGATION.own == identifier, at)

    def end(self, account: str, reference: str, at: datetime) -> None:
        """Take a delegation of this account back. Ending twice keeps the first time."""
        change = schema.delegation.update().where(
            _DELEGATION.account == account, _DELEGATION.reference == reference, _DELEGATION.revoked_at.is_(None)
        )
        with writing(self._engine) as connection:
            connection.execute(change.values(revoked_at=at))

    def _living(self, whose: sa.ColumnElement[bool], at: datetime) -> list[Given]:
        query = (
            sa.select(schema.delegation)
            .join(schema.account, schema.account.c.identifier == _DELEGATION.account)
            .where(whose, _DELEGATION.revoked_at.is_(None), _DELEGATION.until > at)
            .where(schema.account.c.locked_at.is_(None))
            .order_by(_DELEGATION.name, _DELEGATION.created_at)
        )
        with reading(self._engine) as connection:
            return [_given(row) for row in connection.execute(query)]


def _means(card: str, own: str, account: str) -> tuple[str | None, str | None]:
    """Exactly one proof of his own; never the account itself."""
    number = "".join(card.split()).upper()
    if bool(number) is bool(own.strip()):
        raise DelegateError("means")
    if number:
        if not _CARD.fullmatch(number):
            raise DelegateError("means")
        return number, None
    try:
        identifier = canonical_identifier(own)
    except Refused:
        raise DelegateError("means") from None
    if identifier == account:
        raise DelegateError("means")
    return None, identifier


def _given(row: Any) -> Given:
    return Given(
        reference=row.reference,
        account=row.account,
        name=row.name,
        card=row.card,
        own=row.own,
        teleservices=tuple(json.loads(row.teleservices)),
        until=row.until,
        given_by=row.given_by,
        created_at=row.created_at,
    )
