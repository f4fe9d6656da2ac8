# SPDX-License-Identifier: EUPL-1.2
"""One connection to the portal: HTTP/1.1, the head by llhttp, a body of known length counted rather than parsed.

A connection goes back to the pool only when both messages ended cleanly and nothing was left over; a connection that
saw an upgrade, an early answer, or a byte too many is closed (request smuggling, see RFC 9112 section 11).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import httptools

from gateway.errors import HerseError, Refused
from gateway.model import Reason
from gateway.upstream.answer import Answer
from gateway.upstream.deadlines import NEVER
from gateway.upstream.exchange import DisconnectedError

if TYPE_CHECKING:
    from gateway.pending import Pending
    from gateway.upstream.client import Portal
    from gateway.upstream.exchange import Body, Client, Headers

HEAD_BYTES = 65_536  # what an answer's head may weigh
_SWITCHING = 101
_OK = 200
_BODILESS = frozenset((204, 304))
_FRAMING_LENGTHS = frozenset((len("content-length"), len("transfer-encoding")))


class Errand:
    """One request to be sent, and where its answer goes."""

    __slots__ = ("answered", "body", "client", "connection", "head", "head_only", "idle_seconds", "retryable", "tunnel")

    def __init__(
        self,
        head: bytes,
        body: Body | None,
        client: Client,
        answered: Pending[Answer],
        *,
        method: str,
        idle_seconds: float,
        tunnel: bool,
    ) -> None:
        self.head = head
        self.body = body
        self.client = client
        self.answered = answered
        self.idle_seconds = idle_seconds
        self.tunnel = tunnel
        self.head_only = method == "HEAD"
        # Only what is safe to repeat is repeated, and only on a connection that died before it said anything.
        self.retryable = body is None and method in {"GET", "HEAD"}
        self.connection: Connection | None = None

    def pause(self) -> None:
        """Nothing flows yet."""

    def resume(self) -> None:
        """Nothing flows yet."""

    def cancel(self) -> None:
        """Give up: the client went away before the answer's head."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.drop()
        self.answered.fail(DisconnectedError())


class Connection(asyncio.Protocol):
    """Serves one errand at a time; owned by `Portal`."""

    __slots__ = (
        "_answer",
        "_excess",
        "_fields",
        "_head_bytes",
        "_idle",
        "_keep",
        "_left",
        "_length",
        "_loop",
        "_parser",
        "_pieces",
        "_portal",
        "_sent",
        "_status",
        "_transport",
        "_tunnel",
        "_until_close",
        "_whole",
        "closed",
        "deadline",
        "errand",
        "served",
    )

    def __init__(self, portal: Portal, loop: asyncio.AbstractEventLoop) -> None:
        self._portal = portal
        self._loop = loop
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._parser = httptools.HttpResponseParser(self)
        self.closed = False
        self.deadline = NEVER
        self.errand: Errand | None = None
        self.served = 0
        self._idle = portal.idle_seconds
        self._tunnel = False
        self._reset()

    def _reset(self) -> None:
        self._answer: Answer | None = None
        self._fields: Headers = []
        self._pieces: list[bytes] = []
        self._status = 0
        self._head_bytes = 0
        self._left = 0
        self._length: int | None = None
        self._sent = True
        self._keep = False
        self._whole = False
        self._excess = False
        self._until_close = False

    # the pool's side

    def begin(self, errand: Errand) -> None:
        """Send one request."""
        self.errand = errand
        errand.connection = self
        errand.client.flow = errand
        self._idle = errand.idle_seconds
        self._transport.write(errand.head)
        if errand.body is None:
            self.deadline = self._loop.time() + self._portal.head_seconds
        else:
            self._sent = False
            self.deadline = NEVER
            errand.body.pipe(self)

    def close(self) -> None:
        """Close an idle connection."""
        self.closed = True
        self._transport.close()

    def expired(self) -> None:
        """Act on silence: an idle connection is closed, a waiting one is a portal too slow."""
        if self.errand is None and self._answer is None:
            self._portal.forget(self)
            self.close()
        else:
            self._fail(Refused(Reason.PORTAL_TIMEOUT))

    # the request body's side (BodySink)

    def body_piece(self, data: bytes) -> None:
        """Send on one piece of the request body."""
        if self.closed:
            return
        errand = self.errand
        if errand is not None and errand.body is not None and errand.body.length is None:
            self._transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
        else:
            self._transport.write(data)

    def body_end(self) -> None:
        """End the request body; from now on the portal owes an answer."""
        if self.closed:
            return
        errand = self.errand
        if errand is not None and errand.body is not None and errand.body.length is None:
            self._transport.write(b"0\r\n\r\n")
        self._sent = True
        if self._status == 0:
            self.deadline = self._loop.time() + self._portal.head_seconds

    def body_broken(self, error: HerseError) -> None:
        """Give the request up: its body will never be whole, and must not look so."""
        self._fail(error)

    def pause_writing(self) -> None:
        """Hold the request body back: the portal is slow."""
        if self.errand is not None and self.errand.body is not None:
            self.errand.body.hold_back(True)
        self.deadline = self._loop.time() + self._portal.head_seconds

    def resume_writing(self) -> None:
        """Let the request body go on."""
        if self.errand is not None and self.errand.body is not None:
            self.errand.body.hold_back(False)

    # the answer's side (Source)

    def hold(self, yes: bool) -> None:
        """Stop reading from the portal while the client is slow or the record is not durable, and go on after it."""
        if self.closed:
            return
        if yes:
            self._transport.pause_reading()
            self.deadline = NEVER
        else:
            self._transport.resume_reading()
            self._breathe()

    def drop(self) -> None:
        """Give the connection up."""
        self.errand = None
        self._answer = None
        self._abort()

    def raw(self, data: bytes) -> None:
        """Send bytes through an open tunnel."""
        if not self.closed:
            self._transport.write(data)
            self._breathe()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End or break what was under way."""
        self.closed = True
        self._portal.gone(self)
        if exc is None and self._until_close and self._answer is not None:
            self._complete()
        elif self.errand is not None or self._answer is not None:
            self._fail(Refused(Reason.PORTAL_UNREACHABLE if self._status == 0 else Reason.PORTAL_ANSWER_INVALID))

    def data_received(self, data: bytes) -> None:
        """Read the answer: its head by the parser, a body of known length by counting."""
        if self._left:
            self._count(data)
            return
        if self._tunnel and self._answer is not None:
            self._answer.take([data])
            self._breathe()
            return
        if self.errand is None:  # a byte nobody asked for: never another person's answer
            self._abort()
            return
        if self._status == 0:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._open_tunnel(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._fail(Refused(Reason.PORTAL_ANSWER_INVALID))
            return
        if self._status == 0:
            if self._head_bytes > HEAD_BYTES:
                self._fail(Refused(Reason.PORTAL_ANSWER_INVALID))
        elif self._answer is None and not self._framed():
            self._fail(Refused(Reason.PORTAL_ANSWER_INVALID))
        else:
            self._deliver()

    def _framed(self) -> bool:
        """Whether the answer's end can be known: one length, or chunked alone, or the close of the connection."""
        self._length, coding = None, b""
        for name, value in self._fields:
            if len(name) in _FRAMING_LENGTHS:
                lowered = name.lower()
                if lowered == b"content-length":
                    self._length = int(value)  # the parser has refused double and malformed ones
                elif lowered == b"transfer-encoding":
                    coding += value.lower()
        if self._status in _BODILESS:
            self._length = 0
        self._until_close = self._length is None and not coding
        if self._head_bytes > HEAD_BYTES and sum(len(name) + len(value) for name, value in self._fields) > HEAD_BYTES:
            return False
        return coding in {b"", b"chunked"}

    def _count(self, data: bytes) -> None:
        size = len(data)
        if size > self._left:
            data = data[: self._left]
            self._keep = False
        self._left -= min(size, self._left)
        if self._answer is not None:
            self._answer.take([data])
        if self._left == 0:
            self._parser = httptools.HttpResponseParser(self)
            self._complete()
        else:
            self._breathe()

    def _deliver(self) -> None:
        """Announce the head once, hand over what has come, and end if it is whole."""
        answer, whole = self._answer, self._whole
        announce = answer is None
        if answer is None:
            answer = self._answer = Answer(self._status, self._fields, self._length, self)
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            answer.take(pieces)
            if announce and not whole and answer.length is not None:
                self._left = answer.length - sum(map(len, pieces))
        elif announce and not whole and answer.length:
            self._left = answer.length
        errand = self.errand
        if whole:
            self._complete()
        elif announce:
            # Held until the hallway relays; whatever comes meanwhile stays in the kernel.
            self._transport.pause_reading()
            self.deadline = NEVER
        else:
            self._breathe()
        if announce and errand is not None:
            errand.answered.resolve(answer)

    def _complete(self) -> None:
        answer, self._answer = self._answer, None
        keep = self._keep and self._sent and not self._excess and not self.closed
        self._let_go()
        self._reset()
        self.served += 1
        if keep:
            self._portal.release(self)
        else:
            self._abort_gently()
        if answer is not None:
            answer.end()

    def _open_tunnel(self, rest: bytes) -> None:
        errand = self.errand
        if errand is None or not errand.tunnel or self._status != _SWITCHING:
            self._fail(Refused(Reason.PORTAL_ANSWER_INVALID))
            return
        self._tunnel = True
        self._let_go()
        answer = self._answer = Answer(self._status, self._fields, None, self, upgraded=True)
        if rest:
            answer.take([rest])
        self._breathe()
        errand.answered.resolve(answer)

    def _fail(self, error: HerseError) -> None:
        errand = self._let_go()
        answer, self._answer = self._answer, None
        untouched = self._status == 0 and self._head_bytes == 0
        again = errand is not None and untouched and self.served > 0 and errand.retryable and self.closed
        self._abort()
        if answer is not None:
            answer.break_off()
        elif errand is not None:
            if again:
                self._portal.once_more(errand)
            else:
                errand.answered.fail(error)

    def _let_go(self) -> Errand | None:
        """Part from the errand on both sides: a late `cancel` must never hit the next person's exchange."""
        errand, self.errand = self.errand, None
        if errand is not None:
            errand.connection = None
        return errand

    def _abort(self) -> None:
        if not self.closed:
            self.closed = True
            self._transport.abort()

    def _abort_gently(self) -> None:
        if not self.closed:
            self.closed = True
            self._transport.close()

    def _breathe(self) -> None:
        self.deadline = self._loop.time() + self._idle

    # httptools

    def on_message_begin(self) -> None:
        """Notice an answer behind the answer: nobody asked for it, and the connection is never used again."""
        if self._whole:
            self._excess = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field of the head; trailers are dropped, they never become fields."""
        if self._status == 0:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Note the status and how the body will end."""
        status = self._parser.get_status_code()
        if self._whole or (status < _OK and status != _SWITCHING):
            return
        self._status = status
        self._keep = self._parser.should_keep_alive()
        if self.errand is not None and self.errand.head_only:
            # The parser cannot know that a HEAD was asked, and would wait for a body.
            self._whole = True
            self._parser = httptools.HttpResponseParser(self)

    def on_body(self, data: bytes) -> None:
        """Collect a piece of the body."""
        if self._whole:
            self._excess = True
        else:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        """Mark the answer whole; an interim answer (1xx) is forgotten instead."""
        if self._status == 0:
            self._fields = []
        elif not self._whole:
            self._whole = True
