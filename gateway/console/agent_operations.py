# SPDX-License-Identifier: EUPL-1.2
"""What support agents do, and what operators do to them: each release with its event, for the server and off line.

The change comes first and its event after it, both durable on return. If the event cannot be recorded, the error says
that the change stands. An agent proves himself at each act: nothing is kept of it.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from gateway.console.record import Record
from gateway.identity.agents import AgentError
from gateway.identity.identifiers import parse_label
from gateway.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.identity.agents import Agents
    from gateway.identity.release import Agreed, Releases
    from gateway.notices import Notices

    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

log = logging.getLogger(__name__)

CODE_LIVES: Final = timedelta(days=7)
_MOST_TYPED: Final = 1_000


class AgentOperations:
    """Create and remove agents; let two of them end a quarantine. `append` makes one event durable."""

    def __init__(
        self,
        agents: Agents,
        releases: Releases,
        append: Callable[[Event], Awaitable[object]],
        notices: Notices | None = None,
    ) -> None:
        self.agents = agents
        self._releases = releases
        self._record = Record(append, notices)

    async def release(  # noqa: PLR0917  # what was typed
        self, identifier: str, agent: str, password: str, code: str, reason: str, at: datetime
    ) -> Agreed:
        """One agent agrees, after his proof. AccountError, AgentError: nothing is ended."""
        why = parse_label(reason, "reason")
        await self.agents.prove(agent, password, code, at)
        agreed = await asyncio.to_thread(self._releases.agree, identifier, agent, why, at, CODE_LIVES)
        if agreed.first is None:
            await self._record(Event(EventKind.RELEASE_ASKED, agreed.account, at, method=f"agent {agent}", reason=why))
            return agreed
        both = f"{agreed.first} + {agent}: {why}"
        ended = Event(EventKind.QUARANTINE_ENDED, agreed.account, at, method="agents", reason=both)
        await self._record(ended, Event(EventKind.INVITED, agreed.account, at))
        return agreed


def agent_handlers(operations: AgentOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    """The commands by name, from and to plain JSON values. `clock` tells each its time."""
    agents = operations.agents

    async def create(arguments: dict[str, Any]) -> dict[str, Any]:
        name = _text(arguments, "name")
        secret, uri = await agents.create(name, _text(arguments, "password"), clock())
        log.warning("agent-created", extra={"agent": name})
        return {"name": name, "secret": secret, "uri": uri}

    async def remove(arguments: dict[str, Any]) -> dict[str, Any]:
        name = _text(arguments, "name")
        await asyncio.to_thread(agents.remove, name)
        log.warning("agent-removed", extra={"agent": name})
        return {"name": name}

    async def listed(_arguments: dict[str, Any]) -> dict[str, Any]:
        found = await asyncio.to_thread(agents.all)
        return {"agents": [{"name": one.name, "since": one.created_at.isoformat(timespec="seconds")} for one in found]}

    async def release(arguments: dict[str, Any]) -> dict[str, Any]:
        names = ("identifier", "agent", "password", "code", "reason")
        identifier, agent, password, code, reason = (_text(arguments, name) for name in names)
        agreed = await operations.release(identifier, agent, password, code, reason, clock())
        until = agreed.until.isoformat(timespec="seconds")
        return {"identifier": agreed.account, "until": until, "first": agreed.first, "code": agreed.code}

    return {"agent.create": create, "agent.remove": remove, "agent.list": listed, "account.release": release}


def _text(arguments: dict[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or len(value) > _MOST_TYPED:
        raise AgentError(f"expected a text of at most {_MOST_TYPED} characters as {name}")
    return value
