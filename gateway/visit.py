# SPDX-License-Identifier: EUPL-1.2
"""What the hallway works with: the doors it was given, and what one request has gathered on its way. No steps here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gateway.model import ANONYMOUS, Decision, Effect, Event, EventKind, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.identity.session import Session
    from gateway.identity.slips import Slips
    from gateway.metering.decoys import Decoys
    from gateway.metering.door import MeterDoor
    from gateway.metering.look import Look, Outcome
    from gateway.metering.pseudonym import Pseudonymizer
    from gateway.metering.watching import Raised
    from gateway.model import Quota, Receipt, Risk, Subject
    from gateway.pending import Pending
    from gateway.policy.rules import Policy
    from gateway.upstream.answer import Answer, WholeAnswer
    from gateway.upstream.exchange import Client, Request

_PERMIT = Effect.PERMIT  # by its own name: looking a member up in its class is slow
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
    """What the hallway needs of a ledger (`ledger.seal.SealedLedger`)."""

    @property
    def failed(self) -> bool:
        """Whether a write has failed: then no append ever succeeds again."""

    def seal(self, number: str, request: bytes, pseudonym: bytes, at: datetime) -> bytes:
        """The number of one row, so that the officer alone can read it."""

    def append(self, events: Sequence[Event]) -> Pending[Receipt]:
        """Make the events durable together; the Receipt is the last one's."""


class WatchingDoor(Protocol):
    """The watch over accounts: `Watching` itself, or `WatchingAfar`, which knows only later what was raised."""

    def risk(self, account: str, at: int, proved: int | None = None) -> Risk:
        """The risk of an account for whoever proved himself last at `proved`."""

    def resting(self, account: str, at: int) -> bool:
        """Whether a look-up at `at` is let pass unnoted."""

    def seen(self, look: Look, *, new: bool, missed: bool) -> Raised | Pending[Raised | None] | None:
        """Note a settled look-up; what it raised, if anything."""

    def showed(self, looks: Sequence[tuple[Look, bool]]) -> Raised | Pending[Raised | None] | None:
        """Note an answer that showed these people."""

    def alarm(self, account: str, at: datetime) -> None:
        """What leaves no doubt: high risk."""


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
    watching: WatchingDoor
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
        "number",
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
        self.number: str | None = None
        self.pseudonym: bytes | None = None
        self.quotas: tuple[Quota, ...] = ()
        self.moved = False
        self.look: Look | None = None
        self.outcome: Outcome | None = None
        self.room: Outcome | None = None
        self.raised: Raised | None = None


def lookup_of(visit: Visit, doors: HallwayDoors, status: int) -> Event:
    """The disclosure of a visit's one person, whose number goes with it, sealed."""
    number, pseudonym, sealed = visit.number, visit.pseudonym, None
    if number is not None and pseudonym is not None:
        sealed = doors.ledger.seal(number, visit.request.id, pseudonym, visit.at)
    return event_of(visit, EventKind.LOOKUP, status=status, sealed=sealed)


def event_of(visit: Visit, kind: EventKind, *, status: int | None = None, sealed: bytes | None = None) -> Event:
    """What is put on record of a visit, as it stands."""
    decision, request, subject = visit.decision, visit.request, visit.subject
    record, delegation = decision.record, subject.delegation
    return Event(
        kind=kind,
        account=subject.account or "",
        at=visit.at,
        session=subject.session,
        network=request.peer,
        device=None if visit.session is None else visit.session.device,
        teleservice=decision.rule,
        request=request.id,
        reason=None if decision.effect is _PERMIT else str(decision.reason),
        pseudonym=visit.pseudonym,
        status=status,
        categories=() if record is None else record.categories,
        holder=subject.holder,
        delegate=None if delegation is None else delegation.reference,
        sealed=sealed,
    )
