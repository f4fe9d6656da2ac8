# SPDX-License-Identifier: EUPL-1.2
"""Work that waits for a proof: one request that was kept whole, for its own session, to be sent once or never.

    waiting -> sending -> sent | unknown        waiting -> given-up | expired

Each step is one conditional update, durable on return: of any number that confirm at once one wins. `sending` is
written before a byte goes to the portal; what is found so at the start was cut off by a crash, and nobody knows what
became of it: it is never sent again. The request is sealed, bound to its reference, account and session, and erased
with the step that ends its waiting for good. Nothing here decides what may be kept: that is `gateway.keeping`.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from gateway.errors import Refused
from gateway.identity import schema
from gateway.identity.database import reading, writing
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy.engine import Connection, Engine

    from gateway.identity.at_rest import AtRest

LIFETIME: Final = timedelta(minutes=15)
REMEMBERED: Final = timedelta(days=1)
"""How long it can still be read what became of a work: its row, without the request."""
MOST_OF_SESSION: Final = 5
MOST_BYTES: Final = 67_108_864
_PREFIX: Final = "work-"
_REFERENCE_BYTES: Final = 16
_WORK = schema.kept_work.c
_ERASED: Final[dict[str, Any]] = {"body": None, "size": 0}


class State(StrEnum):
    """How far a work has come."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    GIVEN_UP = "given-up"
    EXPIRED = "expired"


class Owner(NamedTuple):
    """Whose a work is: one session of one account, by its reference."""

    account: str
    session: str


@dataclass(frozen=True, slots=True)
class Work:
    """One request as it came: `fields` are the header fields that tell of it; `back` the page it was sent from."""

    method: str
    target: bytes = field(repr=False)
    fields: tuple[tuple[bytes, bytes], ...] = field(repr=False)
    body: bytes = field(repr=False)
    back: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """What may be told of a work: all but the request. `pieces`: the fields of a form, 0 for JSON."""

    reference: str
    teleservice: str
    pieces: int
    size: int
    kept_at: datetime
    state: State
    status: int | None
    back: str = field(repr=False)

    @property
    def until(self) -> datetime:
        """When it stops waiting."""
        return self.kept_at + LIFETIME


def is_work(reference: str) -> bool:
    """Whether a return reference is one of these."""
    return reference.startswith(_PREFIX)


class KeptWork:
    """The works of all sessions. Bounded: `most` waiting in a session (the oldest makes room), `most_bytes` in all."""

    def __init__(
        self, engine: Engine, at_rest: AtRest, *, most: int = MOST_OF_SESSION, most_bytes: int = MOST_BYTES
    ) -> None:
        self._engine = engine
        self._at_rest = at_rest
        self._most = most
        self._most_bytes = most_bytes

    def recover(self, at: datetime) -> int:
        """At the start, before anything is served: what was being sent has an unknown outcome; returns how many."""
        with writing(self._engine) as connection:
            cut_off = sa.update(schema.kept_work).where(_WORK.state == State.SENDING)
            return connection.execute(cut_off.values(state=State.UNKNOWN, changed_at=at, **_ERASED)).rowcount

    def keep(self, work: Work, teleservice: str, pieces: int, owner: Owner, at: datetime) -> str:
        """Keep one; returns its reference. Refused(BUSY) if all that waits is too much already."""
        reference = _PREFIX + secrets.token_urlsafe(_REFERENCE_BYTES)
        sealed = self._at_rest.seal(_packed(work), _bound_to("request", reference, owner))
        back = self._at_rest.seal(work.back.encode(), _bound_to("back", reference, owner))
        with writing(self._engine) as connection:
            self._make_room(connection, owner.session, len(sealed), at)
            connection.execute(
                schema.kept_work.insert().values(
                    reference=reference,
                    account=owner.account,
                    session=owner.session,
                    teleservice=teleservice,
                    pieces=pieces,
                    size=len(work.body),
                    kept_at=at,
                    state=State.WAITING,
                    changed_at=at,
                    body=sealed,
                    back=back,
                )
            )
        return reference

    def find(self, reference: str, owner: Owner, at: datetime) -> Kept | None:
        """What may be told of a work, to its own session alone."""
        row = self._row(reference, owner)
        if row is None:
            return None
        late = row.state == State.WAITING and at - row.kept_at >= LIFETIME
        back = self._at_rest.open(row.back, _bound_to("back", reference, owner)).decode()
        return Kept(
            reference,
            row.teleservice,
            row.pieces,
            row.size,
            row.kept_at,
            State.EXPIRED if late else State(row.state),
            row.status,
            back,
        )

    def open(self, reference: str, owner: Owner, at: datetime) -> Work | None:
        """The request itself, while it waits. SealError if its row was tampered with."""
        row = self._row(reference, owner)
        if row is None or row.state != State.WAITING or at - row.kept_at >= LIFETIME:
            return None
        plain = self._at_rest.open(row.body, _bound_to("request", reference, owner))
        back = self._at_rest.open(row.back, _bound_to("back", reference, owner)).decode()
        return _unpacked(plain, back)

    def carry(self, reference: str, earlier: Owner, later: Owner) -> None:
        """Hand what waits in an earlier session on to the one that followed it: of the same account, or never."""
        if earlier.account != later.account:
            return
        with writing(self._engine) as connection:
            row = connection.execute(_mine(reference, earlier)).one_or_none()
            if row is None or row.state != State.WAITING:
                return
            moved = {}
            for name, label, sealed in (("body", "request", row.body), ("back", "back", row.back)):
                plain = self._at_rest.open(sealed, _bound_to(label, reference, earlier))
                moved[name] = self._at_rest.seal(plain, _bound_to(label, reference, later))
            change = sa.update(schema.kept_work).where(_WORK.reference == reference)
            connection.execute(change.values(session=later.session, **moved))

    def begin(self, reference: str, owner: Owner, at: datetime) -> bool:
        """From waiting to sending: True for exactly one caller, ever (unless `back_to_waiting` undoes it)."""
        fresh = (*_of(owner), _WORK.kept_at > at - LIFETIME)
        return self._step(reference, State.WAITING, State.SENDING, at, *fresh)

    def back_to_waiting(self, reference: str, at: datetime) -> None:
        """From sending to waiting: only where it is certain that not one byte went to the portal."""
        self._step(reference, State.SENDING, State.WAITING, at)

    def sent(self, reference: str, status: int, at: datetime) -> None:
        """From sending to sent: the portal has answered with this status."""
        self._step(reference, State.SENDING, State.SENT, at, status=status, **_ERASED)

    def unknown(self, reference: str, at: datetime) -> None:
        """From sending to unknown: it went, or a part of it, and no answer came."""
        self._step(reference, State.SENDING, State.UNKNOWN, at, **_ERASED)

    def give_up(self, reference: str, owner: Owner, at: datetime) -> bool:
        """From waiting to given up, by the person; False if it does not wait any more."""
        return self._step(reference, State.WAITING, State.GIVEN_UP, at, *_of(owner), **_ERASED)

    def sweep(self, at: datetime) -> int:
        """Expire and erase what is past its time, forget what is a day old; returns how many expired."""
        late = sa.or_(_late(at), _WORK.changed_at <= at - REMEMBERED)
        with reading(self._engine) as connection:
            if connection.scalar(sa.select(sa.literal(1)).where(late).limit(1)) is None:
                return 0
        with writing(self._engine) as connection:
            expired = _expire(connection, _late(at), at)
            connection.execute(sa.delete(schema.kept_work).where(_WORK.changed_at <= at - REMEMBERED))
        return expired

    def _make_room(self, connection: Connection, session: str, size: int, at: datetime) -> None:
        _expire(connection, _late(at), at)
        waiting = sa.select(_WORK.reference).where(_WORK.session == session, _WORK.state == State.WAITING)
        newest_first = waiting.order_by(_WORK.kept_at.desc(), sa.literal_column("rowid").desc())
        too_many = list(connection.scalars(newest_first.offset(self._most - 1)))
        _expire(connection, _WORK.reference.in_(too_many), at)
        held = connection.scalar(sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(_WORK.body)), 0)))
        if (held or 0) + size > self._most_bytes:
            raise Refused(Reason.BUSY)

    def _row(self, reference: str, owner: Owner) -> Any | None:
        with reading(self._engine) as connection:
            return connection.execute(_mine(reference, owner)).one_or_none()

    def _step(
        self, reference: str, before: State, after: State, at: datetime, *only: sa.ColumnElement[bool], **values: Any
    ) -> bool:
        change = sa.update(schema.kept_work).where(_WORK.reference == reference, _WORK.state == before, *only)
        with writing(self._engine) as connection:
            return connection.execute(change.values(state=after, changed_at=at, **values)).rowcount == 1


def _mine(reference: str, owner: Owner) -> sa.Select[Any]:
    return sa.select(schema.kept_work).where(_WORK.reference == reference, *_of(owner))


def _of(owner: Owner) -> tuple[sa.ColumnElement[bool], ...]:
    return _WORK.account == owner.account, _WORK.session == owner.session


def _late(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_WORK.state == State.WAITING, _WORK.kept_at <= at - LIFETIME)


def _expire(connection: Connection, which: sa.ColumnElement[bool], at: datetime) -> int:
    change = sa.update(schema.kept_work).where(which, _WORK.state == State.WAITING)
    return connection.execute(change.values(state=State.EXPIRED, changed_at=at, **_ERASED)).rowcount


def _bound_to(what: str, reference: str, owner: Owner) -> str:
    return f"kept-work/{what}/{reference}/{owner.account}/{owner.session}"


def _packed(work: Work) -> bytes:
    """One line of JSON for the head, then the body as it came."""
    head = {"method": work.method, "target": _text(work.target), "fields": _texts(work.fields)}
    return json.dumps(head).encode("ascii") + b"\n" + work.body


def _unpacked(plain: bytes, back: str) -> Work:
    head, _, body = plain.partition(b"\n")
    told = json.loads(head)
    fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in told["fields"])
    return Work(told["method"], told["target"].encode("latin-1"), fields, body, back)


def _texts(fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(_text(name), _text(value)) for name, value in fields]


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")
