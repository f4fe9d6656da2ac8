# SPDX-License-Identifier: EUPL-1.2
"""What the portal's pages are built from: the doors that the builder opens and hands over, nothing global."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from gateway.portal.change_ticket import ChangeTickets

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gateway.identity.accounts import Accounts
    from gateway.identity.otp import Factors
    from gateway.identity.passkey import Passkeys
    from gateway.identity.returns import Returns
    from gateway.identity.session import Sessions
    from gateway.identity.sign_in import SignIn
    from gateway.identity.tickets import Tickets
    from gateway.ledger.event import StoredEvent
    from gateway.ledger.store import Ledger
    from gateway.model import EventKind


class EventReader(Protocol):
    """The one question the portal asks the ledger (`LedgerReader`, or a twin in tests)."""

    def events(  # noqa: PLR0917  # the shape of LedgerReader
        self,
        account: str,
        kinds: frozenset[EventKind] | None,
        since: datetime | None,
        until: datetime | None,
        before: int | None,
        limit: int,
    ) -> list[StoredEvent]:
        """Newest first, of this account alone."""
        ...


@dataclass(frozen=True, slots=True)
class CardDesk:
    """The way to the card host at `origin`, and the tickets by which browsers come back from there."""

    tickets: Tickets
    origin: str


@dataclass(frozen=True, slots=True)
class Doors:
    """`origin` as browsers write it (`https://localhost:8443`); `clock` aware UTC; `titles` names teleservices."""

    origin: str
    cookie_name: str
    clock: Callable[[], datetime]
    accounts: Accounts
    factors: Factors
    passkeys: Passkeys
    sign_in: SignIn
    sessions: Sessions
    returns: Returns
    ledger: Ledger
    reader: EventReader
    jwks: Callable[[], dict[str, Any]]
    titles: Callable[[str], str] = str
    changes: ChangeTickets = field(default_factory=ChangeTickets)
    card: CardDesk | None = None
