# SPDX-License-Identifier: EUPL-1.2
"""What the hallway works with: the doors it was given, and what one request has gathered on its way. No steps here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gateway.model import ANONYMOUS, Decision, Effect, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.identity.session import Session
    from gateway.identity.slips import Slips
    from gateway.metering.decoys import Decoys
    from gateway.metering.door import MeterDoor
    from gateway.metering.look import Look, Outcome
    from gateway.metering.pseudonym import Pseudonymizer
    from gateway.metering.watching import Raised, Watching
    from gateway.model import Event, Quota, Receipt, Subject
    from gateway.pending import Pending
    from gateway.policy.rules import Policy
    from gateway.upstream.answer import Answer, WholeAnswer
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


class SessionsDoor(Protocol):
    """Who is signed in: `Sessions` itself, or a drill's."""

    def living(self, key: bytes, at: datetime) -> Session | None:
        """The living session of a token's key, now seen."""

    def watch(self, session: Session, callback: Callable[[], None]) -> None:
        """Call back once when the session ends; at once if it has."""

    def unwatch(self, session: Session, callback: Callable[[], None]) -> None:
        """The stream is over; unknown callbacks are ignored."""


class ReturnsDoor(Protocol):
    """Where a person was going, while he proves who he is: `Returns` itself, or the way to them."""

    def keep(self, path: str, at: datetime, *, signed_in: bool = False, lost: bool = False) -> str:
        """Keep a raw request target; an opaque reference."""


class AssertionsDoor(Protocol):
    """How the portal is told who asks: `Assertions` itself, or a drill's."""

    def of(self, subject: Subject, at: datetime) -> bytes:
        """The header value for a signed-in subject."""

    def jwks(self) -> dict[str, Any]:
        """The public key set."""


class LedgerDoor(Protocol):
    """What the hallway needs of a ledger (`ledger.store.Ledger`)."""

    @property
    def failed(self) -> bool:
        """Whether a write has failed: then no append ever succeeds again."""

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """Make the events durable together; the Receipt is the last one's."""


class HomesDoor(Protocol):
    """Where an account is at home."""

    def known(self, session: Session, bound: tuple[str, str], at: datetime) -> bool:
        """Whether a session that is used from `bound` (network, client) is at home there."""


@dataclass(frozen=True, slots=True)
class HallwayDoors:
    """What the hallway works with; built by `app`."""

    policy: Policy
    sessions: SessionsDoor
    returns: ReturnsDoor
    meter: MeterDoor
    watching: Watching
    homes: HomesDoor
    decoys: Decoys
    pseudonym: Pseudonymizer
    portal: PortalDoor
    keeper: KeeperDoor
    assertions: AssertionsDoor
    ledger: LedgerDoor
    clock: Callable[[], datetime]
    wait: Callable[[float], Pending[None]]
    origin: str
    cookie_name: bytes
    form_bytes: int
    slips: Slips | None = None


class Visit:
    """One request on its way: what each step found out, for the steps after it."""

    __slots__ = (
        "at",
        "client",
        "decision",
        "look",
        "moved",
        "outcome",
        "pseudonym",
        "quotas",
        "raised",
        "request",
        "room",
        "session",
        "subject",
    )

    def __init__(self, request: Request, client: Client, at: datetime) -> None:
        self.request = request
        self.client = client
        self.at = at
        self.session: Session | None = None
        self.subject: Subject = ANONYMOUS
        self.decision = UNDECIDED
        self.pseudonym: bytes | None = None
        self.quotas: tuple[Quota, ...] = ()
        self.moved = False
        self.look: Look | None = None
        self.outcome: Outcome | None = None
        self.room: Outcome | None = None
        self.raised: Raised | None = None
