# SPDX-License-Identifier: EUPL-1.2
"""Quarantine: what a password set through the mailbox leaves an account in, until its holder is proved another way.

While it lasts the password opens a session of its own level and nothing stronger. What ends it is a proof that whoever
took the mailbox could not have made since: a card, Pro Santé Connect, or a passkey or code application from before.
A recovery code is none. A second reset keeps the first beginning. Two support agents may end it too (`agents`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.model import Method, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from gateway.model import Proof

_ACCOUNT = schema.account.c
_FACTOR = schema.factor.c
_PASSKEY = schema.passkey.c
_LINK = schema.sso_link.c
_BY_PROVIDER: Final = frozenset({Method.SSO, Method.SSO_CARD})
_WEAK: Final = frozenset({Method.PASSWORD, Method.INVITATION})
"""What may stand in a session of a quarantined account without ending anything: none of them is a second factor."""


class Quarantines:
    """The quarantines of one database. Identifiers are canonical."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def since(self, name: str) -> datetime | None:
        """When the account's quarantine began; None: it is in none."""
        with reading(self._engine) as connection:
            return _since(connection, name)

    def ended_by(self, name: str, proofs: Iterable[Proof]) -> Method | None:
        """Which of these proofs ends the account's quarantine; None if it is in none, or if they are weak ones.

        Refused(ACCOUNT_QUARANTINED) for a second factor that ends nothing: no session gets it while this lasts.
        """
        given = [proof for proof in proofs if proof.method not in _WEAK]
        if not given:
            return None
        with reading(self._engine) as connection:
            began = _since(connection, name)
            if began is None:
                return None
            for proof in given:
                if _known_before(connection, name, proof, began):
                    return proof.method
        raise Refused(Reason.ACCOUNT_QUARANTINED)

    def end(self, name: str) -> bool:
        """The holder is proved. False if there was no quarantine any more."""
        with writing(self._engine) as connection:
            return end(connection, name)


def begin(connection: Connection, name: str, at: datetime) -> bool:
    """From now on, if not already; False: it lasts since earlier.

    Codes that operators gave out before are dead, and no change of address waits any more.
    """
    connection.execute(schema.invitation.delete().where(schema.invitation.c.account == name))
    waiting = schema.mail_change.update().where(schema.mail_change.c.account == name)
    connection.execute(waiting.values(expires_at=at))
    change = schema.account.update().where(_ACCOUNT.identifier == name, _ACCOUNT.quarantined_at.is_(None))
    return connection.execute(change.values(quarantined_at=at)).rowcount == 1


def end(connection: Connection, name: str) -> bool:
    """Within a transaction of the caller's; what an agent had agreed to is over with it."""
    connection.execute(schema.release.delete().where(schema.release.c.account == name))
    change = schema.account.update().where(_ACCOUNT.identifier == name, _ACCOUNT.quarantined_at.is_not(None))
    return connection.execute(change.values(quarantined_at=None)).rowcount == 1


def _since(connection: Connection, name: str) -> datetime | None:
    return connection.scalar(sa.select(_ACCOUNT.quarantined_at).where(_ACCOUNT.identifier == name))


def _known_before(connection: Connection, name: str, proof: Proof, began: datetime) -> bool:
    """Whether the proof is by something that the account had before its quarantine began."""
    if proof.method is Method.SMART_CARD:  # it names the person, and no page of ours could have added one
        return True
    if proof.method in _BY_PROVIDER:
        found = sa.exists().where(_LINK.account == name, _LINK.linked_at < began)
    elif proof.method is Method.TOTP:
        found = sa.exists().where(_FACTOR.account == name, _FACTOR.type == "totp", _FACTOR.added_at < began)
    elif proof.method is Method.PASSKEY:  # the very key of this proof: it was noted as used at its moment
        found = sa.exists().where(
            _PASSKEY.account == name, _PASSKEY.added_at < began, _PASSKEY.last_used_at == proof.at
        )
    else:
        return False
    return bool(connection.scalar(sa.select(found)))
