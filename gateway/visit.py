# SPDX-License-Identifier: EUPL-1.2
"""What the hallway works with: the doors it was given, and what one request has gathered on its way. No steps here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.model import ANONYMOUS, Decision, Effect, Reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.identity.returns import Returns
    from gateway.identity.session import Session, Sessions
    from gateway.ledger.store import Ledger
    from gateway.metering.memory import MemoryMeter
    from gateway.metering.pseudonym import Pseudonymizer
    from gateway.model import Quota, Subject
    from gateway.pending import Pending
    from gateway.policy.rules import Policy
    from gateway.upstream.answer import Answer, WholeAnswer
    from gateway.upstream.assertion import Assertions
    from gateway.upstream.exchange import Client, Request

UNDECIDED = Decision(Effect.DENY, None, (Reason.INTERNAL_ERROR,))


class PortalDoor(Protocol):
    """The way to the portal: `Portal` itself, or one that watches what is sent through it once."""

    def forward(
        self, request: Request, client: Client, identity: bytes | None, *, metered: bool = False, streams: bool = False
    ) -> Pending[Answer | WholeAnswer]:
        """Send the request on; Refused, in its time, if no sound answer comes."""


class KeeperDoor(Protocol):
    """Where what a person sent waits while he proves who he is."""

    async def keep(self, visit: Visit) -> str | None:
        """Keep a challenged request whole, and give its reference; None if it is nothing to keep."""


@dataclass(frozen=True, slots=True)
class HallwayDoors:
    """What the hallway works with; built by `app`."""

    policy: Policy
    sessions: Sessions
    returns: Returns
    meter: MemoryMeter
    pseudonym: Pseudonymizer
    portal: PortalDoor
    keeper: KeeperDoor
    assertions: Assertions
    ledger: Ledger
    clock: Callable[[], datetime]
    origin: str
    cookie_name: bytes
    form_bytes: int


class Visit:
    """One request on its way: what each step found out, for the steps after it."""

    __slots__ = ("at", "client", "decision", "pseudonym", "quotas", "request", "session", "subject")

    def __init__(self, request: Request, client: Client, at: datetime) -> None:
        self.request = request
        self.client = client
        self.at = at
        self.session: Session | None = None
        self.subject: Subject = ANONYMOUS
        self.decision = UNDECIDED
        self.pseudonym: bytes | None = None
        self.quotas: tuple[Quota, ...] = ()
