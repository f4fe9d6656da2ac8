# SPDX-License-Identifier: EUPL-1.2
"""Look-ups for tests of incidents: a small ledger, what it holds as plain values, and the officer's side."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.incident.incident import Act, Incident
from gateway.ledger.event import microseconds
from gateway.ledger.officer_key import new_officer_key
from gateway.ledger.seal import Seals, Unsealer
from gateway.ledger.span import Look, Span, Where
from gateway.ledger.store import create_ledger, open_ledger
from gateway.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.ledger.officer_key import OfficerKey

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CATEGORIES = '["identity", "rights"]'


def mark(person: int) -> bytes:
    """The pseudonym of a made-up person."""
    return bytes([person % 256]) * 16


def number(person: int) -> str:
    """The number of a made-up person."""
    return f"1900751234{person:03d}"


def span(*accounts: str, hours: float = 24, teleservices: tuple[str, ...] = (), networks: tuple[str, ...] = ()) -> Span:
    """From noon on."""
    return Span(accounts or ("A12",), NOON, NOON + timedelta(hours=hours), teleservices, networks)


def look(
    person: int | None,
    seconds: float = 0,
    account: str = "A12",
    *,
    sequence: int = 1,
    categories: str | None = CATEGORIES,
    teleservice: str | None = "infopatient",
    network: str | None = "192.0.2.1",
    sealed: bytes | None = None,
) -> Look:
    """One look-up as the ledger's reader gives it."""
    place = Where(account, teleservice, network, categories)
    at = microseconds(NOON + timedelta(seconds=seconds))
    request = None if sealed is None else b"r" * 16
    return Look(None if person is None else mark(person), at, sequence, place, request, sealed)


def looked_up(
    person: int,
    seconds: float = 0,
    account: str = "A12",
    *,
    sealed: bytes | None = None,
    kind: EventKind = EventKind.LOOKUP,
    teleservice: str = "infopatient",
    categories: tuple[str, ...] = ("identity", "rights"),
) -> Event:
    """One look-up as the hallway records it."""
    return Event(
        kind,
        account,
        NOON + timedelta(seconds=seconds),
        session="s1",
        network="192.0.2.1",
        teleservice=teleservice,
        request=person.to_bytes(16, "big"),
        pseudonym=mark(person),
        status=200,
        categories=categories,
        sealed=sealed,
    )


def fill_ledger(path: Path, events: Iterable[Event]) -> None:
    """A new ledger with these events."""
    create_ledger(path)
    add_to_ledger(path, events)


def add_to_ledger(path: Path, events: Iterable[Event]) -> None:
    """These events at the end of a ledger that nobody serves."""
    ledger = open_ledger(path)
    try:
        ledger.append_now(list(events))
    finally:
        ledger.close()


class Officer:
    """An officer, and the gateway's side that seals to him."""

    def __init__(self) -> None:
        self.key: OfficerKey = new_officer_key()
        self.seals = Seals(self.key.public)

    def sealed(self, *events: Event) -> list[Event]:
        """The same look-ups with their numbers sealed, each data key before its first use."""
        found: list[Event] = []
        for event in events:
            request, pseudonym = event.request or b"", event.pseudonym or b""
            told = number(int.from_bytes(request, "big"))
            sealed = self.seals.seal(told, request, pseudonym, event.at)
            found += self.seals.untold
            self.seals.told(self.seals.untold)
            found.append(event._replace(sealed=sealed))
        return found

    def unsealer(self) -> Unsealer:
        """At work with his key."""
        return Unsealer(self.key)


def incident(*accounts: str, **values: Any) -> Incident:
    """One that was opened at two."""
    at = NOON + timedelta(hours=2)
    about = span(*accounts)
    made = Incident("2026-11-20-1", at, at, "alice", "a call", about.accounts, about.since, about.until)
    return replace(made.done(Act(at, "alice", "opened", "a call")), **values)
