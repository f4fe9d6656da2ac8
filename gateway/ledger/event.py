# SPDX-License-Identifier: EUPL-1.2
"""What an event looks like as a row of the ledger, and back. Pure: no file, no clock.

Here every text is cleaned, so that whatever a client sent (a User-Agent with line feeds, a right-to-left override), one
event stays one line wherever it is shown or exported. Never here: a patient number in clear, SQL.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from gateway.errors import HerseError
from gateway.model import Event, EventKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"(0|[1-9][0-9]{0,15})-([1-9][0-9]{0,17})")

COLUMNS = (
    "request",
    "at",
    "kind",
    "account",
    "session",
    "network",
    "device",
    "method",
    "teleservice",
    "reason",
    "pseudonym",
    "status",
    "categories",
    "holder",
    "delegate",
    "details",
    "sealed",
)
"""The columns of a row, in order; in the file `sequence` stands before them. `at` is in microseconds since 1970."""

Row: TypeAlias = tuple[
    bytes | None,
    int,
    str,
    str,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
    str | None,
    bytes | None,
    int | None,
    str | None,
    str | None,
    str | None,
    str | None,
    bytes | None,
]

NAME_LIMIT = 128
"""Characters kept of names: account, session, network, method, teleservice, reason, category, holder, delegate."""
DEVICE_LIMIT = 200
"""Characters kept of the User-Agent."""
DETAILS_LIMIT = 500
"""Characters kept of what an event tells in words of its own."""


class LedgerUnreadable(HerseError):
    """The ledger cannot be read, or holds what this version does not understand. The message names the file or row."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place among the events of an account, by time and then number: the next page goes on from there."""

    at: datetime
    sequence: int

    def __str__(self) -> str:
        return f"{microseconds(self.at)}-{self.sequence}"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event and its number in the ledger."""

    sequence: int
    event: Event

    @property
    def cursor(self) -> Cursor:
        """Its place among the events of its account."""
        return Cursor(self.event.at, self.sequence)


def read_cursor(text: str) -> Cursor:
    """The cursor that was written so; ValueError for what is none."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise ValueError("a cursor as the page before gave it")
    return Cursor(EPOCH + int(found[1]) * MICROSECOND, int(found[2]))


def clean_text(text: str, limit: int) -> str:
    """The text on one line, without anything unseen, at most `limit` characters.

    Controls, line and paragraph separators, bidirectional marks, surrogates and unassigned characters become U+FFFD.
    """
    text = text[:limit]
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def microseconds(at: datetime) -> int:
    """An aware time as whole microseconds since 1970 (exact; a float would not be)."""
    return (at - EPOCH) // MICROSECOND


def row(event: Event) -> Row:
    """The event as a row.

    ValueError when the event names a patient and its account, holder or teleservice would change by cleaning: people
    are counted under these names, and after a restart they must be found under the same. TypeError for a naive time.
    """
    # fmt: off
    (kind, account, at, session, network, device, method, teleservice,
     request, reason, pseudonym, status, told, holder, delegate, details, sealed) = event
    # fmt: on
    names = f"{account}{session}{network}{teleservice}"
    # Clean together is clean each, and together within the limit is within it each: so it is almost always.
    if len(names) > NAME_LIMIT or not names.isprintable():
        account = clean_text(account, NAME_LIMIT)
        session, network, teleservice = _name(session), _name(network), _name(teleservice)
        if pseudonym is not None and (account != event.account or teleservice != event.teleservice):
            raise ValueError(
                f"a look-up of account {account!r} in teleservice {teleservice!r} has a name that the ledger would "
                f"change; expected printable names of at most {NAME_LIMIT} characters"
            )
    return (
        request,
        (at - EPOCH) // MICROSECOND,
        kind._value_,
        account,
        session,
        network,
        None if device is None else clean_text(device, DEVICE_LIMIT),
        None if method is None else _name(method),
        teleservice,
        None if reason is None else _name(reason),
        pseudonym,
        status,
        _categories_text(told) if told else None,
        None if holder is None else _person(holder, pseudonym),
        None if delegate is None else _name(delegate),
        None if details is None else clean_text(details, DETAILS_LIMIT),
        sealed,
    )


def event_from_row(found: Row) -> Event:
    """The event of a row; LedgerUnreadable if it is none (a kind of a newer version, a damaged value)."""
    # fmt: off
    (request, at, kind, account, session, network, device, method, teleservice,
     reason, pseudonym, status, told, holder, delegate, details, sealed) = found
    # fmt: on
    try:
        return Event(
            kind=EventKind(kind),
            account=account,
            at=EPOCH + timedelta(microseconds=at),
            session=session,
            network=network,
            device=device,
            method=method,
            teleservice=teleservice,
            request=request,
            reason=reason,
            pseudonym=pseudonym,
            status=status,
            categories=() if told is None else _categories(told),
            holder=holder,
            delegate=delegate,
            details=details,
            sealed=sealed,
        )
    except (ValueError, TypeError, OverflowError) as error:
        raise LedgerUnreadable(
            f"a ledger row is not an event this version knows ({error}); expected a row written by this or an older "
            "version of Herse: read it with the version that wrote it, or verify the file"
        ) from error


def _person(holder: str, pseudonym: bytes | None) -> str:
    name = clean_text(holder, NAME_LIMIT)
    if pseudonym is not None and name != holder:
        raise ValueError(
            f"a look-up by {name!r} has a name of the holder that the ledger would change; expected a printable name "
            f"of at most {NAME_LIMIT} characters"
        )
    return name


def _name(text: str | None) -> str | None:
    return None if text is None else clean_text(text, NAME_LIMIT)


# The policy knows a handful of category lists; each is turned into text once.
@lru_cache(maxsize=256)
def _categories_text(categories: tuple[str, ...]) -> str:
    return json.dumps([clean_text(category, NAME_LIMIT) for category in categories], ensure_ascii=False)


@lru_cache(maxsize=256)
def _categories(text: str) -> tuple[str, ...]:
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(category, str) for category in found):
        raise TypeError("categories are not a list of texts")
    return tuple(found)
