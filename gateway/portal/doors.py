# SPDX-License-Identifier: EUPL-1.2
"""What the portal's pages are built from: the doors that the builder opens and hands over, nothing global."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from gateway.portal.change_ticket import ChangeTickets
from gateway.portal.sso_waiting import SsoWaiting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from gateway.identity.accounts import Accounts
    from gateway.identity.delegates import Delegates
    from gateway.identity.devices import Devices
    from gateway.identity.kept_work import Kept, KeptWork, Owner
    from gateway.identity.mail_address import MailAddresses
    from gateway.identity.otp import Factors
    from gateway.identity.passkey import Passkeys
    from gateway.identity.returns import Returns
    from gateway.identity.session import Sessions
    from gateway.identity.sign_in import SignIn
    from gateway.identity.slips import Slips
    from gateway.identity.sso import SingleSignOn
    from gateway.identity.sso_ciba import Ciba
    from gateway.identity.sso_links import SsoLinks
    from gateway.identity.sso_prompts import Prompts
    from gateway.identity.sso_sessions import SsoSessions
    from gateway.identity.throttle import Throttle
    from gateway.identity.tickets import Tickets
    from gateway.identity.ways_back import WaysBack
    from gateway.ledger.event import Cursor, StoredEvent
    from gateway.ledger.store import Ledger
    from gateway.mail.outbox import Outgoing
    from gateway.model import Announcement, EventKind, Subject
    from gateway.notices import Notices


class EventReader(Protocol):
    """The one question the portal asks the ledger (`LedgerReader`, or a twin in tests)."""

    def events(  # noqa: PLR0917  # the shape of LedgerReader
        self,
        account: str,
        kinds: frozenset[EventKind] | None,
        since: datetime | None,
        until: datetime | None,
        before: Cursor | None,
        limit: int,
    ) -> list[StoredEvent]:
        """Newest first, of this account alone."""
        ...


class WorkDesk(Protocol):
    """Who sends what was kept, through the same hallway as everything (`WorkSender`)."""

    def sender(self, kept: Kept, owner: Owner, *, shows: bool) -> Callable[[Any, Any, Any], Awaitable[None]] | None:
        """An ASGI application that sends it, once, and answers with what comes of it; None if it does not wait."""
        ...


@dataclass(frozen=True, slots=True)
class CardDesk:
    """The way to the card host at `origin`, and the tickets by which browsers come back from there."""

    tickets: Tickets
    origin: str


@dataclass(frozen=True, slots=True)
class SsoDesk:
    """The way to Pro Santé Connect, or to whichever provider `name` calls: who is linked, and whose sessions it holds.

    `ciba` is None where the provider asks nobody on his phone.
    """

    sso: SingleSignOn
    links: SsoLinks
    sessions: SsoSessions
    ciba: Ciba | None
    name: str
    throttle: Throttle
    waiting: SsoWaiting = field(default_factory=SsoWaiting)
    prompts: Prompts | None = None
    """The pages of `ciba`, at a pace that wears nobody out."""
    logouts: Throttle | None = None
    """How many words of the provider that somebody signed out are read; None: all."""


def at_once(act: Callable[[], None]) -> None:
    """Not later, but now: where nobody measures how long an answer takes."""
    act()


@dataclass(frozen=True, slots=True)
class Doors:
    """`origin` as browsers write it (`https://localhost:8443`); `clock` aware UTC; `titles` names teleservices.

    `later` does what must not show in the time of an answer, on the loop, a moment after it left.
    """

    origin: str
    cookie_name: str
    clock: Callable[[], datetime]
    accounts: Accounts
    delegates: Delegates
    factors: Factors
    passkeys: Passkeys
    devices: Devices
    sign_in: SignIn
    sessions: Sessions
    returns: Returns
    kept: KeptWork
    work: WorkDesk
    ledger: Ledger
    reader: EventReader
    jwks: Callable[[], dict[str, Any]]
    mail_addresses: MailAddresses
    outbox: Outgoing
    notices: Notices
    ways_back: WaysBack
    titles: Callable[[str], str] = str
    teleservices: Callable[[Subject], list[str]] = field(default=lambda _: [])
    """Those of the policy in force that may open to this subject if he proves enough: what he can give to others."""
    announcements: Callable[[datetime], Sequence[Announcement]] = field(default=lambda _: ())
    """What is shown to all professionals at that time."""
    changes: ChangeTickets = field(default_factory=ChangeTickets)
    slips: Slips | None = None
    """What the hallway says of a budget that asks for a proof."""
    card: CardDesk | None = None
    sso: SsoDesk | None = None
    later: Callable[[Callable[[], None]], None] = at_once
