# SPDX-License-Identifier: EUPL-1.2
"""The letters that wait to be sent, durable in a file of their own and sealed there, address and text alike.

A letter is on disk when `put` returns, and leaves the disk once a courier has taken it. Delivery is **at least once**:
after a crash between the two it is sent again, under the same Message-ID. A full outbox refuses; it drops nothing.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from gateway.errors import HerseError
from gateway.mail.letter import Letter
from gateway.mail.outbox_file import open_outbox_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

MOST_WAITING: Final = 20_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class OutboxError(HerseError):
    """A letter could not be kept: it will not be sent. The message holds nothing of it."""


class Sealing(Protocol):
    """Seals bytes at rest, bound to the name of their row (`identity.at_rest.AtRest`)."""

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """The sealed bytes."""
        ...

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """The plain bytes; HerseError if they are not the sealed ones."""
        ...


class Outgoing(Protocol):
    """Where letters are handed in (`Outbox`, or its twin in tests)."""

    def put(self, letter: Letter, at: datetime) -> None:
        """Keep a letter until it is sent. OutboxError: it is not kept."""
        ...


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter's place in the outbox: its name, since when it waits, and how often it was tried."""

    reference: str
    put_at: datetime
    tries: int
    sealed: bytes = field(repr=False)


class Outbox:
    """One outbox file, opened. Every method may be called from any thread."""

    def __init__(self, path: Path, sealing: Sealing, *, most: int = MOST_WAITING) -> None:
        """StartError if the file is missing, damaged, foreign, or of another version."""
        self._sealing = sealing
        self._most = most
        self._lock = Lock()
        self._wake: Callable[[], None] | None = None
        self._connection = open_outbox_file(path)

    def put(self, letter: Letter, at: datetime) -> None:
        """Keep a letter until it is sent; durable when this returns. OutboxError: full, or not written."""
        reference = secrets.token_hex(16)
        plain = json.dumps([letter.to, letter.subject, letter.text]).encode()
        now = _microseconds(at)
        row = (reference, self._sealing.seal(plain, _row_of(reference)), now, now)
        try:
            with self._lock:
                added = self._connection.execute(
                    "insert into letter (reference, sealed, put_at, next_at, tries)"
                    " select ?, ?, ?, ?, 0 where (select count(*) from letter) < ?",
                    (*row, self._most),
                ).rowcount
        except sqlite3.Error as error:
            log.error("letter-not-kept", extra={"error": type(error).__name__})  # noqa: TRY400  # values stay out
            raise OutboxError("a letter could not be kept: the disk of the outbox does not take it") from error
        if not added:
            log.error("outbox-full", extra={"letters": self._most})
            raise OutboxError(f"a letter could not be kept: {self._most} wait already")
        if self._wake is not None:
            self._wake()

    def on_put(self, wake: Callable[[], None]) -> None:
        """Call `wake` after each letter that is put from now on, in the thread that puts it."""
        self._wake = wake

    def due(self, at: datetime) -> Waiting | None:
        """The letter that has waited longest past its time; None if none is due."""
        with self._lock:
            row = self._connection.execute(
                "select reference, put_at, tries, sealed from letter where next_at <= ? order by next_at limit 1",
                (_microseconds(at),),
            ).fetchone()
        return None if row is None else Waiting(row[0], _EPOCH + row[1] * _MICROSECOND, row[2], row[3])

    def open(self, waiting: Waiting) -> Letter:
        """What stands in it; HerseError if it does not open, as under another key."""
        plain = self._sealing.open(waiting.sealed, _row_of(waiting.reference))
        return Letter(*json.loads(plain))

    def put_off(self, waiting: Waiting, until: datetime) -> None:
        """It could not be sent: it waits on."""
        with self._lock:
            self._connection.execute(
                "update letter set next_at = ?, tries = tries + 1 where reference = ?",
                (_microseconds(until), waiting.reference),
            )

    def remove(self, waiting: Waiting) -> None:
        """It is sent, or given up."""
        with self._lock:
            self._connection.execute("delete from letter where reference = ?", (waiting.reference,))

    def count(self) -> int:
        """How many wait."""
        with self._lock:
            (found,) = self._connection.execute("select count(*) from letter").fetchone()
        return int(found)

    def close(self) -> None:
        """Give the file back; what waits stays in it."""
        with self._lock:
            self._connection.close()


def _row_of(reference: str) -> str:
    """What a sealed letter is bound to."""
    return f"letter/{reference}"


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
