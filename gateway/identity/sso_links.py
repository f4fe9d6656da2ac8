# SPDX-License-Identifier: EUPL-1.2
"""Which identity at the provider opens which account: issuer and subject, linked once with proofs of both (faults P1).

No row is made or found by a name, a mail address or a national id. The RPPS number that stood behind the identity when
it was linked is kept to notice that the provider has given the same subject to somebody else since.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.identity.session_rows import locked
from gateway.model import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.identity.sso_identity import SsoIdentity

_LINK = schema.sso_link.c
_REFERENCE_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class SsoLink:
    """One identity that opens one account. `name` is what the provider called the person when it was linked."""

    reference: str
    account: str
    issuer: str
    subject: str
    rpps: str | None
    name: str
    linked_at: datetime
    last_used_at: datetime | None


class SsoLinks:
    """The links of all accounts. Identifiers are canonical; a change is in force when its transaction ends."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of_identity(self, issuer: str, subject: str) -> list[SsoLink]:
        """The links of an identity, oldest first."""
        return self._found(sa.and_(_LINK.issuer == issuer, _LINK.subject == subject))

    def of_account(self, account: str) -> list[SsoLink]:
        """The links of an account, oldest first."""
        return self._found(_LINK.account == account)

    def add(self, account: str, identity: SsoIdentity, at: datetime) -> SsoLink:
        """Link, in force at once; an earlier link of the two is renewed. Refused(ACCOUNT_LOCKED)."""
        name = f"{identity.given_name} {identity.family_name}".strip()
        reference = secrets.token_hex(_REFERENCE_BYTES)
        link = SsoLink(reference, account, identity.issuer, identity.subject, identity.rpps, name, at, at)
        row = {field: getattr(link, field) for field in SsoLink.__slots__}
        with writing(self._engine) as connection:
            if locked(connection, account):
                raise Refused(Reason.ACCOUNT_LOCKED)
            connection.execute(schema.sso_link.delete().where(_same(account, identity)))
            connection.execute(schema.sso_link.insert().values(row))
        return link

    def remove(self, account: str, reference: str) -> bool:
        """Take one of the account's links away, in force at once; False if it has none of this reference."""
        gone = schema.sso_link.delete().where(_LINK.account == account, _LINK.reference == reference)
        with writing(self._engine) as connection:
            return connection.execute(gone).rowcount == 1

    def note_use(self, account: str, identity: SsoIdentity, at: datetime) -> None:
        """The identity opens or strengthens a session. Refused(SSO_STATE_WRONG) if it was unlinked meanwhile."""
        used = schema.sso_link.update().where(_same(account, identity)).values(last_used_at=at)
        with writing(self._engine) as connection:
            if connection.execute(used).rowcount != 1:
                raise Refused(Reason.SSO_STATE_WRONG)

    def _found(self, which: sa.ColumnElement[bool]) -> list[SsoLink]:
        columns = [schema.sso_link.c[field] for field in SsoLink.__slots__]
        query = sa.select(*columns).where(which).order_by(_LINK.linked_at, _LINK.account)
        with reading(self._engine) as connection:
            return [SsoLink(*row) for row in connection.execute(query)]


def _same(account: str, identity: SsoIdentity) -> sa.ColumnElement[bool]:
    return sa.and_(_LINK.issuer == identity.issuer, _LINK.subject == identity.subject, _LINK.account == account)
