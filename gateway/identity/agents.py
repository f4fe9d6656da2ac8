# SPDX-License-Identifier: EUPL-1.2
"""Support agents: who they are, and the proof that one is there, by password and code at once.

What two of them may do together stands in `release`. An unknown agent costs and is told the same as a wrong password.
Failures are durable, like those of accounts, under a name that no account can have; password hash and secret are
sealed and bound to their agent.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gateway.errors import HerseError, Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.identity.otp import matching_step, new_secret, provisioning_uri
from gateway.identity.password import TooWeak, check_strength
from gateway.model import Method, Reason

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from gateway.identity.at_rest import AtRest
    from gateway.identity.failures import Failures
    from gateway.identity.password import PasswordHasher
    from gateway.identity.throttle import Throttle

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")
_AGENT = schema.agent.c
ISSUER: Final = "Herse support"
NETWORK: Final = "agents"
"""Where agents come from, for the throttle: the admin socket has no address."""


class AgentError(HerseError):
    """What an agent asks for, or is asked for, cannot be done; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent as listed."""

    name: str
    created_at: datetime


class Agents:
    """The agents of one database."""

    def __init__(  # its doors
        self, engine: Engine, at_rest: AtRest, hasher: PasswordHasher, throttle: Throttle, failures: Failures
    ) -> None:
        self._engine = engine
        self._at_rest = at_rest
        self._hasher = hasher
        self._throttle = throttle
        self._failures = failures

    async def create(self, name: str, password: str, at: datetime) -> tuple[str, str]:
        """A new agent: the secret of the code application and its URI, shown this once.

        AgentError: bad name, taken, or a password that is too weak. Refused(BUSY).
        """
        parse_agent(name)
        try:
            await self._hasher.run(lambda: check_strength(password, name))
        except TooWeak as error:
            raise AgentError(
                f"this password would be guessed too quickly ({', '.join(map(str, error.weaknesses))}); expected 12 "
                "characters or more, such as a phrase of five words"
            ) from None
        encoded, secret = await self._hasher.hash(password), new_secret()
        row = {
            "name": name,
            "password": self._at_rest.seal(encoded.encode(), _bound_to(name, "password")),
            "secret": self._at_rest.seal(secret.encode(), _bound_to(name, "secret")),
        }
        with writing(self._engine) as connection:
            if connection.scalar(sa.select(_AGENT.name).where(_AGENT.name == name)) is not None:
                raise AgentError(f"agent {name} exists already; to give new secrets, remove it first")
            connection.execute(schema.agent.insert().values(**row, last_step=0, created_at=at))
        return secret, provisioning_uri(secret, name, ISSUER)

    def remove(self, name: str) -> None:
        """It agrees to nothing any more, nor to what it has agreed to. AgentError: there is none."""
        with writing(self._engine) as connection:
            connection.execute(schema.release.delete().where(schema.release.c.agent == name))
            if connection.execute(schema.agent.delete().where(_AGENT.name == name)).rowcount != 1:
                raise AgentError(f"there is no agent {name!a}; to see them: herse agent list")

    def all(self) -> list[Agent]:
        """By name."""
        query = sa.select(_AGENT.name, _AGENT.created_at).order_by(_AGENT.name)
        with reading(self._engine) as connection:
            return [Agent(*row) for row in connection.execute(query)]

    async def prove(self, name: str, password: str, code: str, at: datetime) -> None:
        """That this agent is there; the code is used up. AgentError: with one sentence for all that is wrong.

        Any number of parallel tries with one code: one is right.
        """
        attempt = await self._attempt(name, at)
        row = await asyncio.to_thread(self._row, name)
        encoded = None if row is None else self._at_rest.open(row.password, _bound_to(name, "password")).decode()
        try:
            right = await self._hasher.verify(encoded, password)
        except Refused:
            self._failures.withdraw(attempt)
            raise AgentError("too many sign-ins are worked on at once; try again in a few seconds") from None
        secret = None if row is None else self._at_rest.open(row.secret, _bound_to(name, "secret")).decode()
        step = None if secret is None else matching_step(secret, code, at)
        if not right or step is None:
            raise AgentError("the name, the password or the code of the agent is not right; this try is counted")
        used = schema.agent.update().where(_AGENT.name == name, _AGENT.last_step < step).values(last_step=step)
        with writing(self._engine) as connection:
            if connection.execute(used).rowcount != 1:
                raise AgentError("this code has been used already; wait for the next one. This try is counted")
        self._failures.succeeded(_counter(name), Method.PASSWORD, attempt)

    async def _attempt(self, name: str, at: datetime) -> int:
        try:
            self._throttle.hit(_counter(name), NETWORK)
            return await asyncio.to_thread(self._failures.attempt, _counter(name), Method.PASSWORD, at)
        except Refused as refused:
            if refused.reason is not Reason.THROTTLED:
                raise
            raise AgentError(
                f"too many tries of this agent; the next one counts in {refused.retry_after_seconds} seconds"
            ) from None

    def _row(self, name: str) -> Any | None:
        query = sa.select(_AGENT.password, _AGENT.secret).where(_AGENT.name == name)
        with reading(self._engine) as connection:
            return connection.execute(query).one_or_none()


def parse_agent(name: str) -> str:
    """AgentError unless it is a name of an agent."""
    if not _NAME.fullmatch(name):
        raise AgentError(f"found {name!a} as name of an agent; expected 2 to 32 small letters, digits and hyphens")
    return name


def _counter(name: str) -> str:
    """`/` cannot stand in the identifier of an account."""
    return f"agent/{name[:64]}"


def _bound_to(name: str, what: str) -> str:
    return f"agent/{name}/{what}"
