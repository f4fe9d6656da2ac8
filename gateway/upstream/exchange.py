# SPDX-License-Identifier: EUPL-1.2
"""One exchange on its way through the hallway: the request, its body, and the client that takes the answer.

The listener makes them, the hallway reads them, the portal connection consumes them. All callbacks run on the loop's
thread; nothing here blocks, and a body is held whole only where somebody asks for it, up to a limit.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Literal, Protocol

from gateway.errors import HerseError, Refused
from gateway.model import Reason
from gateway.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable

Headers = list[tuple[bytes, bytes]]  # names in lower case, in the order they came

_ID_BYTES = 16
_DRAWN_AT_ONCE = 256  # ids: drawing them one by one would cost a system call a request
_drawn: list[bytes] = []

HELD_BACK_BYTES = 65_536  # a body that nobody reads yet is held back past this


def _draw() -> bytes:
    pool = secrets.token_bytes(_ID_BYTES * _DRAWN_AT_ONCE)
    _drawn.extend(pool[start : start + _ID_BYTES] for start in range(_ID_BYTES, len(pool), _ID_BYTES))
    return pool[:_ID_BYTES]


class DisconnectedError(HerseError):
    """The client went away before the exchange ended."""


class BodySink(Protocol):
    """Who takes a request body piece by piece."""

    def body_piece(self, data: bytes) -> None:
        """Take the next piece."""

    def body_end(self) -> None:
        """Hear that the body is whole."""

    def body_broken(self, error: HerseError) -> None:
        """Hear that the body will never be whole."""


class Body:
    """A request body as it arrives: held whole on demand, or piped. `length` None means chunked."""

    __slots__ = ("_asked", "_ended", "_error", "_held", "_hold_back", "_limit", "_sink", "_wanted", "length", "size")

    def __init__(
        self, length: int | None, limit: int, hold_back: Callable[[bool], None], asked: Callable[[], None] | None = None
    ) -> None:
        self.length = length
        self.size = 0
        self._limit = limit
        self._hold_back = hold_back
        self._asked = asked
        self._held: list[bytes] = []
        self._ended = False
        self._error: HerseError | None = None
        self._sink: BodySink | None = None
        self._wanted: tuple[Pending[bytes], int] | None = None

    @property
    def ended(self) -> bool:
        """Whether the whole body has arrived."""
        return self._ended

    @property
    def unasked(self) -> bool:
        """Whether the client still waits for a 100 (Continue): it may send the body, or never."""
        return self._asked is not None

    def feed(self, data: bytes) -> None:
        """Take the next piece from the wire."""
        self._asked = None
        self.size += len(data)
        if self._error is not None:
            return
        if self.size > self._limit:
            self.broken(Refused(Reason.BODY_TOO_LARGE))
        elif self._sink is not None:
            self._sink.body_piece(data)
        else:
            self._held.append(data)
            if self._wanted is not None:
                if self.size > self._wanted[1]:
                    self._wanted[0].fail(Refused(Reason.BODY_TOO_LARGE))
            elif self.size > HELD_BACK_BYTES:
                self._hold_back(True)

    def finish(self) -> None:
        """Mark the body whole."""
        self._ended = True
        if self._sink is not None:
            self._sink.body_end()
        elif self._wanted is not None:
            self._wanted[0].resolve(b"".join(self._held))

    def broken(self, error: HerseError) -> None:
        """Tell whoever reads that the rest will never come."""
        if self._error is None and not self._ended:
            self._error = error
            if self._sink is not None:
                self._sink.body_broken(error)
            if self._wanted is not None:
                self._wanted[0].fail(error)

    def hold(self, limit: int) -> Pending[bytes]:
        """Give the whole body once it is there; BODY_TOO_LARGE past `limit` bytes. It stays held for `pipe`."""
        pending: Pending[bytes] = Pending()
        if self._error is not None:
            pending.fail(self._error)
        elif self.size > limit or (self.length or 0) > limit:
            pending.fail(Refused(Reason.BODY_TOO_LARGE))
        elif self._ended:
            pending.resolve(b"".join(self._held))
        else:
            self._wanted = (pending, limit)
            self._ask()
            self._hold_back(False)
        return pending

    def pipe(self, sink: BodySink) -> None:
        """Hand every piece to `sink` as it comes, what was held first."""
        self._wanted = None
        held, self._held = self._held, []
        self._sink = sink
        for piece in held:
            sink.body_piece(piece)
        if self._error is not None:
            sink.body_broken(self._error)
        elif self._ended:
            sink.body_end()
        else:
            self._ask()
            self._hold_back(False)

    def hold_back(self, yes: bool) -> None:
        """Let the reader slow the wire down, and up again."""
        if not self._ended:
            self._hold_back(yes)

    def _ask(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            asked()


class Fields:
    """The header fields of a request, names in lower case, and what was worked out from them.

    The next request of a connection mostly carries the same fields again: the listener then hands on the same `Fields`,
    and what was worked out once (`session`, `forwarded`) stands. They are never shared between connections.
    """

    __slots__ = ("_first", "_repeated", "all", "binding", "forwarded", "session", "worker")

    def __init__(self, fields: Headers) -> None:
        self.all = fields
        # Built backwards, so that the first of equal names stands.
        self._first = dict(reversed(fields))
        self._repeated = len(self._first) != len(fields)
        self.binding: tuple[str, str] | None = None  # network and client (identity.binding), once worked out
        self.worker = b"service-worker" in self._first  # a script that would sit between the page and us
        self.session: bytes | Literal[False] | None = False  # its key (identity.session), once read; False: not yet
        self.forwarded: dict[bool, bytes] = {}  # what the portal gets for them, by whether the teleservice is metered

    def first(self, name: bytes) -> bytes:
        """Give the first value of a field, or nothing."""
        return self._first.get(name, b"")

    def every(self, name: bytes) -> list[bytes]:
        """Give every value of a field."""
        if name not in self._first:
            return []
        if not self._repeated:
            return [self._first[name]]
        return [value for one, value in self.all if one == name]


class Request:
    """One request as judged by the listener: everything in it has one reading only."""

    __slots__ = ("_id", "body", "fields", "host", "method", "path", "peer", "query", "secure", "target", "upgrade")

    def __init__(  # noqa: PLR0917  # the parts of a request, in their order, then whose connection it came by
        self,
        method: str,
        target: bytes,
        path: str,
        query: bytes,
        fields: Fields,
        host: str,
        peer: str,
        secure: bool,
        body: Body | None = None,
        upgrade: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.fields = fields
        self.host = host
        self.peer = peer
        self.secure = secure
        self.body = body
        self.upgrade = upgrade
        self._id: bytes | None = None

    @property
    def id(self) -> bytes:
        """16 random bytes that tie the ledger rows of this request together, made when first asked for."""
        if self._id is None:
            self._id = _drawn.pop() if _drawn else _draw()
        return self._id

    @property
    def headers(self) -> Headers:
        """All fields."""
        return self.fields.all

    def header(self, name: bytes) -> bytes:
        """Give the first value of a header (lower-case name), or nothing."""
        return self.fields.first(name)

    def header_all(self, name: bytes) -> list[bytes]:
        """Give every value of a header (lower-case name)."""
        return self.fields.every(name)


class Flow(Protocol):
    """What feeds a client, as the client sees it."""

    def pause(self) -> None:
        """Hold the answer back: the client is slow."""

    def resume(self) -> None:
        """Let the answer go on."""

    def cancel(self) -> None:
        """Hear that the client went away."""


class Client(Protocol):
    """Who takes the answer of one exchange. After `finish` or `abort` nothing may be sent."""

    flow: Flow | None
    ended: Callable[[], None] | None  # called once when the exchange is over, however it ended

    def start(self, status: int, lines: bytes, length: int | None, first: bytes, complete: bool) -> None:
        """Send the head and the first piece. `lines` are its fields as `headers.lines_of` writes them.

        `length` None: unknown, unless all is there (`complete`); the client chooses the framing.
        """

    def send(self, data: bytes) -> None:
        """Send the next piece."""

    def finish(self) -> None:
        """End the answer; the connection may serve the next request."""

    def abort(self) -> None:
        """Cut: what was sent must not look whole."""

    def switch(self, lines: bytes, receiver: Callable[[bytes], None]) -> None:
        """Answer 101 and become a tunnel: `send` writes raw bytes, what comes in goes to `receiver`.

        Raises `Refused` if there is no client that could.
        """

    def hold(self, yes: bool) -> None:
        """Stop taking from the client of a tunnel, or go on: the portal is slow."""
