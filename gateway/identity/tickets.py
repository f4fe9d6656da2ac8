# SPDX-License-Identifier: EUPL-1.2
"""The way between the public host and the card host: who waits for his card, and the one-time tickets back. Pure state.

A browser that waits holds a secret in a cookie of the public host. The card host only sees `state`, which follows from
the secret and not the other way round. A ticket is good once, for 60 seconds, in the browser with that secret, and is
burnt wherever else it turns up. Tokens are kept as SHA-256 alone. One thread: the event loop's.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.identity.card import CardHolder

WAITS: Final = timedelta(minutes=10)
TICKET_LIVES: Final = timedelta(seconds=60)
CHOICE_LIVES: Final = timedelta(minutes=5)
MOST: Final = 10_000
MOST_OF_NETWORK: Final = 50
_TOKEN_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(slots=True)
class Waiting:
    """Somebody who was sent to the card host. `to` is the return reference; `outcome` what the card host found."""

    to: str
    network: str
    since: datetime
    ticket: bytes | None = None
    ticket_at: datetime | None = None
    outcome: CardHolder | Reason | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What a ticket was worth: the holder of a card that was verified, or the reason why it was refused."""

    outcome: CardHolder | Reason = field(repr=False)
    to: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A verified card that opens several accounts, until the person has said which."""

    holder: CardHolder = field(repr=False)
    to: str
    at: datetime


class Tickets:
    """At most `most` browsers wait at once, and `most_of_network` from one address: there the oldest makes room."""

    def __init__(self, most: int = MOST, most_of_network: int = MOST_OF_NETWORK) -> None:
        self._most = most
        self._most_of_network = most_of_network
        self._waiting: OrderedDict[bytes, Waiting] = OrderedDict()
        self._tickets: dict[bytes, bytes] = {}
        self._of_network: Counter[str] = Counter()
        self._choices: OrderedDict[bytes, Choice] = OrderedDict()
        self._failures: OrderedDict[str, tuple[Reason, datetime]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Tickets {len(self._waiting)} waiting>"

    def begin(self, to: str, network: str, at: datetime) -> str:
        """Somebody sets out to the card host; gives the secret for his cookie. Refused(BUSY) if too many are there."""
        while self._waiting and at - next(iter(self._waiting.values())).since >= WAITS:
            self._drop(next(iter(self._waiting)))
        while self._choices and at - next(iter(self._choices.values())).at >= CHOICE_LIVES:
            self._choices.popitem(last=False)
        if self._of_network[network] >= self._most_of_network:
            self._drop(next(key for key, one in self._waiting.items() if one.network == network))
        if len(self._waiting) >= self._most:
            raise Refused(Reason.BUSY)
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        self._waiting[_key(state_of(secret))] = Waiting(to, network, at)
        self._of_network[network] += 1
        return secret

    def find(self, secret: str | None, at: datetime) -> Waiting | None:
        """What the browser with this secret waits for, while it is fresh."""
        return None if secret is None else self._living(_key(state_of(secret)), at)

    def give_up(self, secret: str | None) -> None:
        """The browser waits no more, or sets out anew."""
        if secret is not None:
            self._drop(_key(state_of(secret)))

    def issue(self, state: str, outcome: CardHolder | Reason, at: datetime) -> str | None:
        """A ticket for whoever waits under this state, in place of an earlier one; None if nobody does."""
        waiting = self._living(_key(state), at)
        if waiting is None:
            return None
        ticket = secrets.token_urlsafe(_TOKEN_BYTES)
        if waiting.ticket is not None:
            self._tickets.pop(waiting.ticket, None)
        waiting.ticket, waiting.ticket_at, waiting.outcome = _key(ticket), at, outcome
        self._tickets[waiting.ticket] = _key(state)
        return ticket

    def redeem(self, ticket: str, secret: str | None, at: datetime) -> Redeemed:
        """Use a ticket up. Refused(CARD_TICKET_WRONG): unknown, used, too old, or not this browser's (burnt)."""
        key = self._tickets.get(_key(ticket)) if _TOKEN.fullmatch(ticket) else None
        waiting = None if key is None else self._drop(key)
        if waiting is None or waiting.outcome is None or waiting.ticket_at is None:
            raise Refused(Reason.CARD_TICKET_WRONG)
        if secret is None or _key(state_of(secret)) != key or not _fresh(waiting.ticket_at, at, TICKET_LIVES):
            raise Refused(Reason.CARD_TICKET_WRONG)
        return Redeemed(waiting.outcome, waiting.to)

    def hold(self, secret: str, redeemed: Redeemed, at: datetime) -> None:
        """Keep a verified card while its holder chooses among his accounts."""
        if isinstance(redeemed.outcome, Reason):
            raise TypeError("a refused card opens nothing that could be chosen")
        self._choices[_key(state_of(secret))] = Choice(redeemed.outcome, redeemed.to, at)
        while len(self._choices) > self._most:
            self._choices.popitem(last=False)

    def choice(self, secret: str | None, at: datetime) -> Choice:
        """The card that waits for a choice in this browser; Refused(CARD_TICKET_WRONG) if none does."""
        found = None if secret is None else self._choices.get(_key(state_of(secret)))
        if found is None or not _fresh(found.at, at, CHOICE_LIVES):
            raise Refused(Reason.CARD_TICKET_WRONG)
        return found

    def chosen(self, secret: str | None, at: datetime) -> Choice:
        """As `choice`, and it is used up."""
        found = self.choice(secret, at)
        self._choices.pop(_key(state_of(secret or "")), None)
        return found

    def note_failure(self, network: str, reason: Reason, at: datetime) -> None:
        """A certificate from this address did not get through the handshake: nothing more is known of who it was."""
        self._failures.pop(network, None)
        self._failures[network] = (reason, at)
        while len(self._failures) > self._most:
            self._failures.popitem(last=False)

    def failed_since(self, network: str, since: datetime) -> Reason | None:
        """Why the last such handshake failed at this address since then: the waiting page tells what to do."""
        reason, failed_at = self._failures.get(network, (None, since))
        return reason if failed_at >= since else None

    def _living(self, key: bytes, at: datetime) -> Waiting | None:
        waiting = self._waiting.get(key)
        return waiting if waiting is not None and _fresh(waiting.since, at, WAITS) else None

    def _drop(self, key: bytes) -> Waiting | None:
        waiting = self._waiting.pop(key, None)
        if waiting is None:
            return None
        if waiting.ticket is not None:
            self._tickets.pop(waiting.ticket, None)
        self._of_network[waiting.network] -= 1
        if not self._of_network[waiting.network]:
            del self._of_network[waiting.network]
        return waiting


def state_of(secret: str) -> str:
    """What the card host may know of a waiting browser: it finds the waiting, and does not lead back to the secret."""
    return urlsafe_b64encode(sha256(b"herse card state/" + secret.encode()).digest()).rstrip(b"=").decode()


def is_token(text: str) -> bool:
    """Whether a secret, a state or a ticket of ours can look like this."""
    return _TOKEN.fullmatch(text) is not None


def _key(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _fresh(begun: datetime, at: datetime, life: timedelta) -> bool:
    return timedelta(0) <= at - begun < life
