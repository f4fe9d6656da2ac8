# SPDX-License-Identifier: EUPL-1.2
"""One connection from a client: bytes in, judged requests out to the hallway, one at a time and in order.

uvicorn hosts this class (`Config(http=…)`) and owns sockets, TLS, signals and the graceful stop. Every state has a
deadline: the head, each piece of a body, the silence between requests, and a client that does not take its answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, cast

import httptools

from gateway.errors import Refused
from gateway.listener.exchange import WireExchange
from gateway.listener.strict import Limits, judge, weigh
from gateway.model import Reason
from gateway.upstream.deadlines import NEVER, Deadlines
from gateway.upstream.exchange import Body, DisconnectedError, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.upstream.exchange import Client, Headers

PIPELINED_AT_MOST = 8
STALLED_SECONDS = 60.0  # how long a client may take nothing of its answer
DRAINED_BYTES = 65_536  # an unread body up to this is read away, so that the connection can go on
LINGER_SECONDS = 1.0  # how long a refused upload is read away before the close, so that its answer arrives
_WRITE_HIGH = 262_144
_READ_BYTES = 262_144  # what one read may bring; a head is judged exactly once it is there


class Doorman(Protocol):
    """Who takes judged requests: the hallway, or the gateway's own pages."""

    def enter(self, request: Request, client: Client) -> None:
        """Walk one request."""

    def turn_away(self, reason: Reason, headers: Headers, client: Client) -> None:
        """Answer a request that was refused before it could be judged."""


class Doors:
    """What all connections of one listener share."""

    def __init__(self, doorman: Doorman, limits: Limits) -> None:
        self.doorman = doorman
        self.limits = limits
        self.deadlines = Deadlines()
        self.date = b""
        self.stopping = False


class WireProtocol(asyncio.Protocol):
    """Strict HTTP/1.1 on one connection."""

    __slots__ = (
        "_body",
        "_closing",
        "_current",
        "_doors",
        "_draining",
        "_fault",
        "_headers",
        "_in_head",
        "_loop",
        "_parser",
        "_paused",
        "_peer",
        "_queue",
        "_reading",
        "_received",
        "_receiver",
        "_secure",
        "_server",
        "_url",
        "deadline",
        "transport",
    )

    def __init__(self, doors: Doors, server_state: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._doors = doors
        self._server = server_state
        self._loop = loop
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._parser = httptools.HttpRequestParser(self)
        self.deadline = NEVER
        self._peer = ""
        self._secure = False
        self._current: WireExchange | None = None
        self._queue: deque[tuple[WireExchange, Request]] = deque()
        self._receiver: Callable[[bytes], None] | None = None
        self._closing = False
        self._draining = False
        self._paused = False
        self._body: Body | None = None
        self._fault: Reason | None = None
        self._reading = 0
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: Headers = []
        self._received = 0  # bytes since the last progress: a head, or a piece of a body, must come of them
        self._in_head = False

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or turn it away when there are too many."""
        self.transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)
        if len(self._server.connections) > self._doors.limits.connections or self._doors.stopping:
            self.transport.abort()
            return
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else "127.0.0.1"
        self._secure = transport.get_extra_info("sslcontext") is not None
        self.transport.set_write_buffer_limits(high=_WRITE_HIGH)
        self._doors.deadlines.add(self)
        self.deadline = self._loop.time() + self._doors.limits.head_seconds

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Tell whoever works for this client that it went away."""
        self._closing = True
        self._server.connections.discard(self)
        self._doors.deadlines.discard(self)
        if self._body is not None:
            self._body.broken(DisconnectedError())
        current, self._current = self._current, None
        if current is not None:
            current.lost()
        self._queue.clear()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what it finds comes by the callbacks below."""
        if self._receiver is not None:
            self._receiver(data)
            return
        if self._closing:
            return
        self._reading = len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if len(data) > upgrade.args[0]:  # bytes before the 101: never passed on
                self._refuse(Reason.MALFORMED_REQUEST)
        except httptools.HttpParserError:
            self._refuse(self._fault or Reason.MALFORMED_REQUEST)
        else:
            if self._fault is not None:
                self._refuse(self._fault)
            elif self._in_head or self._body is not None:
                self._bound()

    def _bound(self) -> None:
        """Limit what a head that does not end, or trailers and chunk extensions without a piece of body, may weigh."""
        self._received += self._reading
        if self._in_head and len(self._url) > self._doors.limits.url_bytes:
            self._refuse(Reason.URL_TOO_LONG)
        elif self._received > self._doors.limits.head_bytes + _READ_BYTES:
            self._refuse(Reason.HEAD_TOO_LARGE)

    def eof_received(self) -> bool:
        """Treat a half-closed client as gone: nothing is answered into the void."""
        return False

    def pause_writing(self) -> None:
        """Hold the answer back, but not for ever."""
        self.deadline = self._loop.time() + STALLED_SECONDS
        if self._current is not None and self._current.flow is not None:
            self._current.flow.pause()

    def resume_writing(self) -> None:
        """Let the answer go on."""
        self.deadline = NEVER
        if self._current is not None and self._current.flow is not None:
            self._current.flow.resume()

    def expired(self) -> None:
        """Act on a deadline: a slow request is told 408, silence and a client that takes nothing are cut."""
        if self._closing:
            self.transport.abort()
        elif self._body is not None and self._current is not None and not self._current.started:
            self._closing = True
            self._body.broken(Refused(Reason.REQUEST_TIMEOUT))
        elif self._current is None and self._in_head:
            self._refuse(Reason.REQUEST_TIMEOUT)
        else:
            self.transport.abort()

    def shutdown(self) -> None:
        """Stop gracefully: an idle connection closes now, a busy one after its answer."""
        self._doors.stopping = True
        if self._current is None:
            self.transport.close()
        else:
            self._current.keep = False

    # httptools

    def on_message_begin(self) -> None:
        """Start a head; its time runs from its first byte."""
        self._begin()
        self._in_head = True
        if self._current is None:
            self.deadline = self._loop.time() + self._doors.limits.head_seconds

    def on_url(self, url: bytes) -> None:
        """Collect the target as it stands on the wire."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field. A trailer is dropped: it never mixes with the head that was judged."""
        if self._in_head:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Judge the head and begin its exchange, or queue it behind the one under way."""
        if self._fault is not None or self._closing:
            return
        parser = self._parser
        try:
            if self._received + self._reading > self._doors.limits.head_bytes:
                weigh(self._url, self._headers, self._doors.limits)
            head = judge(parser.get_method(), self._url, parser.get_http_version(), self._headers, self._doors.limits)
        except Refused as refused:
            self._stop(refused.reason)
            return
        self._in_head = False
        self._received = 0
        body = None
        if head.length != 0:
            asked = self._continue if head.expects else None
            body = self._body = Body(head.length, self._doors.limits.body_bytes, self._hold_back, asked)
            self.deadline = self._loop.time() + self._doors.limits.body_seconds
        else:
            self.deadline = NEVER
        request = Request(
            head.method,
            self._url,
            head.path,
            head.query,
            head.headers,
            host=head.host,
            peer=self._peer,
            secure=self._secure,
            body=body,
            upgrade=head.upgrade,
        )
        keep = parser.should_keep_alive() and not self._doors.stopping
        exchange = WireExchange(self, head.method, http11=parser.get_http_version() == "1.1", keep=keep)
        if self._current is None:
            self._enter(exchange, request)
        elif len(self._queue) < PIPELINED_AT_MOST:
            self._queue.append((exchange, request))
            self.deadline = NEVER
            self._hold_back(True)
        else:
            self._stop(Reason.MALFORMED_REQUEST)

    def on_body(self, data: bytes) -> None:
        """Pass on a piece of the body."""
        if self._body is not None:
            self.deadline = self._loop.time() + self._doors.limits.body_seconds
            self._received = 0
            self._body.feed(data)

    def on_message_complete(self) -> None:
        """End the body; the exchange goes on without a deadline of the client's."""
        body, self._body = self._body, None
        if body is None or self._fault is not None:
            return
        if self._draining:
            self._draining = False
            self._next()
        else:
            self.deadline = NEVER
            body.finish()

    # the exchange's side

    def answered(self, *, keep: bool) -> None:
        """Hear that the current exchange is over: on to the next one, or close."""
        self._current = None
        body = self._body
        if self._closing or not keep:
            self._close(linger=body is not None)
        elif body is None:
            self._next()
        elif body.length is not None and body.length <= DRAINED_BYTES:
            self._draining = True
        else:
            self._close(linger=True)

    def _next(self) -> None:
        if self._queue:
            exchange, request = self._queue.popleft()
            if not self._queue:
                self._hold_back(False)
            if self._body is not None:
                self.deadline = self._loop.time() + self._doors.limits.body_seconds
            self._enter(exchange, request)
        else:
            self.deadline = self._loop.time() + self._doors.limits.idle_seconds

    def _close(self, *, linger: bool) -> None:
        self._closing = True
        if linger:
            self.deadline = self._loop.time() + LINGER_SECONDS
        else:
            self.transport.close()

    def tunnel(self, receiver: Callable[[bytes], None]) -> None:
        """Hand everything that comes to `receiver` from now on."""
        self._receiver = receiver
        self.deadline = NEVER

    @property
    def date(self) -> bytes:
        """The Date field's value, refreshed once a second by the host."""
        fields = self._server.default_headers
        return fields[0][1] if fields else b""

    def _enter(self, exchange: WireExchange, request: Request) -> None:
        self._current = exchange
        self._server.total_requests += 1
        self._doors.doorman.enter(request, exchange)

    def _stop(self, reason: Reason) -> None:
        if self._fault is None:
            self._fault = reason

    def _refuse(self, reason: Reason) -> None:
        """Answer what could not be judged, once, and close. Behind an answer under way there is only the close."""
        self._closing = True
        if self._body is not None:
            self._body.broken(Refused(reason))
        if self._current is not None:
            self._current.keep = False
            return
        exchange = WireExchange(self, "GET", http11=True, keep=False)
        self._body = self._body or Body(None, 0, self._hold_back)  # what still comes is read away
        self._current = exchange
        self._doors.doorman.turn_away(reason, self._headers, exchange)

    def _hold_back(self, yes: bool) -> None:
        if yes != self._paused and not self.transport.is_closing():
            self._paused = yes
            if yes:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _continue(self) -> None:
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
