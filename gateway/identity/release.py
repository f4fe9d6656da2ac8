# SPDX-License-Identifier: EUPL-1.2
"""Two support agents agree that a holder is who he says: his quarantine ends, and he gets a one-time code.

One alone gets nothing. What the first agreed to counts for 30 minutes, for that quarantine and no later one. Who the
agents are was proved before (`agents`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gateway.identity import quarantine, schema
from gateway.identity.accounts import expected
from gateway.identity.agents import AgentError
from gateway.identity.database import writing
from gateway.identity.identifiers import parse_identifier

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from gateway.identity.accounts import Accounts

AGREED_FOR: Final = timedelta(minutes=30)
_RELEASE = schema.release.c


@dataclass(frozen=True, slots=True)
class Agreed:
    """What an agreement came to. The first of two: `code` is None; the second: who was first, and the one-time code."""

    account: str
    until: datetime
    first: str | None = None
    code: str | None = field(default=None, repr=False)


class Releases:
    """The agreements over one database."""

    def __init__(self, engine: Engine, accounts: Accounts) -> None:
        self._engine = engine
        self._accounts = accounts

    def agree(self, identifier: str, agent: str, reason: str, at: datetime, valid_for: timedelta) -> Agreed:
        """One agent agrees. AccountError and AgentError: nothing is ended, and the sentence says what to do."""
        name, stale = parse_identifier(identifier), None
        with writing(self._engine) as connection:
            if connection.scalar(sa.select(schema.agent.c.name).where(schema.agent.c.name == agent)) is None:
                raise AgentError(f"agent {agent} was removed meanwhile")
            began = expected(connection, name).quarantined_at
            if began is None:
                raise AgentError(f"account {name} is in no quarantine; for a code alone: herse account invite {name}")
            earlier = self._earlier(connection, name, began)
            if earlier is not None and at - earlier.asked_at >= AGREED_FOR and earlier.agent != agent:
                connection.execute(schema.release.delete().where(_RELEASE.account == name))
                stale = earlier.agent
            elif earlier is None or at - earlier.asked_at >= AGREED_FOR:
                self._begin(connection, name, agent, reason, at, began)
                return Agreed(name, at + AGREED_FOR)
            elif earlier.agent == agent:
                raise AgentError(f"agent {agent} has agreed already; a second agent has to, for account {name}")
            else:
                quarantine.end(connection, name)
                code = self._accounts.write_invitation(connection, name, at, valid_for)
                return Agreed(name, at + valid_for, earlier.agent, code)
        minutes = int(AGREED_FOR.total_seconds()) // 60
        raise AgentError(
            f"agent {stale} agreed more than {minutes} minutes ago, which counts no more; nothing is ended. "
            "Begin anew: both agents, one after the other"
        )

    def _earlier(self, connection: Connection, name: str, began: datetime) -> Any | None:
        query = sa.select(_RELEASE.agent, _RELEASE.asked_at).where(
            _RELEASE.account == name, _RELEASE.quarantined_at == began
        )
        return connection.execute(query).one_or_none()

    def _begin(  # noqa: PLR0917  # the row
        self, connection: Connection, name: str, agent: str, reason: str, at: datetime, began: datetime
    ) -> None:
        connection.execute(schema.release.delete().where(_RELEASE.account == name))
        row = {"account": name, "agent": agent, "reason": reason, "asked_at": at, "quarantined_at": began}
        connection.execute(schema.release.insert().values(row))
