# SPDX-License-Identifier: EUPL-1.2
"""One connection from a client: bytes in, judged requests out to the hallway, one at a time and in order.

uvicorn hosts this class (`Config(http=…)`) and owns sockets, TLS, signals and the graceful stop. Every state has a
deadline: the head, each piece of a body, the silence between requests, and a client that does not take its answer.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import httptools

from gateway.errors import Refused
from gateway.listener.exchange import WireExchange
from gateway.listener.reading import HeadReader
from gateway.listener.strict import repeatable
from gateway.model import Reason
from gateway.upstream.deadlines import NEVER
from gateway.upstream.exchange import Body, DisconnectedError, Request

if TYPE_CHECKING:
    import asyncio

    from gateway.listener.doors import Doors

PIPELINED_AT_MOST = 8
LINGER_SECONDS = 1.0  # how long a refused upload is read away before the close, so that its answer arrives


class WireProtocol(HeadReader):
    """Strict HTTP/1.1 on one connection."""

    __slots__ = (
        "_body",
        "_current",
        "_draining",
        "_queue",
        "_repeats",
        "_stalled",
        "_upgrading",
    )

    def __init__(self, doors: Doors, server_state: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(doors, server_state, loop)
        self._current: WireExchange | None = None
        self._queue: deque[tuple[WireExchange, Request]] = deque()
        self._draining = False  # the body of an answered request is read away
        self._stalled = False  # the client does not take what is written
        self._upgrading = False
        self._repeats = False  # the head judged last leaves the connection as if it had never come
        self._body: Body | None = None  # the one that is arriving: of the current exchange, or of the last in the queue

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or turn it away when there are too many."""
        if self._accept(transport):
            self._doors.deadlines.add(self)
            self.deadline = self._loop.time() + self._limits.head_seconds

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Tell whoever works for this client that it went away."""
        self.closing = True
        self._server.connections.discard(self)
        self._doors.deadlines.discard(self)
        current, self._current = self._current, None
        if current is not None:
            current.lost()
        if self._body is not None:
            self._body.broken(DisconnectedError())
        self._queue.clear()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; what it finds comes by the callbacks below. A head that repeats need not be parsed again."""
        resting, self._resting = self._resting, False
        if resting:
            request = self._repeated(data)
            if request is not None:
                self._enter(WireExchange(self, "GET", None, http11=True, keep=True), request)
                return
        if self._receiver is not None:
            self._receiver(data)
            return
        if self.closing:
            return
        self._tail = b""
        self._reading = len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._fault is not None or len(data) > upgrade.args[0]:  # bytes before the 101 are never passed on
                self._refuse(self._fault or Reason.MALFORMED_REQUEST)
        except httptools.HttpParserError:
            self._refuse(self._fault or Reason.MALFORMED_REQUEST)
        else:
            fault = self._fault
            if fault is None and (self._in_head or self._body is not None):
                fault = self._overweight()
            if fault is not None:
                self._refuse(fault)
            elif resting and self._repeats:
                self._tail = repeatable(data)

    def eof_received(self) -> bool:
        """Treat a half-closed client as gone: nothing is answered into the void."""
        return False

    def pause_writing(self) -> None:
        """Hold the answer back, but not for ever."""
        self._stalled = True
        self.deadline = self._loop.time() + self._limits.stalled_seconds
        if self._current is not None and self._current.flow is not None:
            self._current.flow.pause()

    def resume_writing(self) -> None:
        """Let the answer go on, or what waited behind it."""
        self._stalled = False
        current = self._current
        if self.closing:
            return
        if current is not None:
            reading = self._body is not None and current.body is self._body
            self.deadline = self._loop.time() + self._limits.body_seconds if reading else NEVER
            if current.flow is not None:
                current.flow.resume()
        elif not self._draining:
            self._next()

    def expired(self) -> None:
        """Act on a deadline: a slow request is told 408, silence and a client that takes nothing are cut."""
        current = self._current
        if self.closing and current is None and not self.transport.is_closing():
            self._close(linger=False)
        elif self.closing or self._stalled:
            self.transport.abort()
        elif self._in_head if current is None else self._body is not None and not current.started:
            self._refuse(Reason.REQUEST_TIMEOUT)
        else:
            self.transport.abort()

    def shutdown(self) -> None:
        """Stop gracefully: an idle connection closes now, a busy one after its answer."""
        self._doors.stopping = True
        if self._current is None:
            self._close(linger=False)
        else:
            self._current.keep = False

    # httptools

    def on_message_begin(self) -> None:
        """Start a head; its time runs from its first byte."""
        self._begin()
        self._in_head = True
        if self._upgrading:  # bytes before the 101, that only look like a request
            self._stop(Reason.MALFORMED_REQUEST)
        elif self._current is None and not self._stalled:
            self.deadline = self._loop.time() + self._limits.head_seconds

    def on_headers_complete(self) -> None:
        """Judge the head and begin its exchange, or queue it behind the one under way."""
        if self._fault is not None or self.closing:
            return
        head = self._judged()
        if head is None:
            return
        body = None
        if head.length != 0:
            asked = self._continue if head.expects else None
            body = self._body = Body(head.length, self._limits.body_bytes, self._hold_back, asked)
        request = Request(
            head.method,
            self._url,
            head.path,
            head.query,
            head.fields,
            head.host,
            self._peer,
            self._secure,
            body,
            head.upgrade,
        )
        self._upgrading = head.upgrade
        parser = self._parser
        keep = parser.should_keep_alive() and not head.upgrade and not self._doors.stopping
        self._repeats = keep and body is None
        exchange = WireExchange(self, head.method, body, http11=head.http11, keep=keep)
        if self._current is None and not self._stalled:
            self._enter(exchange, request)
        elif len(self._queue) < PIPELINED_AT_MOST:
            self._queue.append((exchange, request))
            self._hold_back(True)
        else:
            self._stop(Reason.MALFORMED_REQUEST)

    def on_body(self, data: bytes) -> None:
        """Pass on a piece of the body."""
        body = self._body
        if body is not None:
            current = self._current
            if current is not None and current.body is body and not self._stalled:
                self.deadline = self._loop.time() + self._limits.body_seconds
            self._received = -self._reading
            body.feed(data)

    def on_message_complete(self) -> None:
        """End the body; the exchange goes on without a deadline of the client's."""
        body, self._body = self._body, None
        if body is None or self._fault is not None:
            return
        if self._paused and not self._queue:
            self.hold(False)  # it was held back, and nobody will ask for more of it
        if self._draining:
            self._draining = False
            self._next()
            return
        if self._current is not None and self._current.body is body and not self._stalled:
            self.deadline = NEVER
        body.finish()

    # the exchange's side

    def answered(self, *, keep: bool) -> None:
        """Hear that the current exchange is over: on to the next one, or close."""
        current, self._current = self._current, None
        unread = self._body is not None and current is not None and current.body is self._body
        if self.closing or not keep:
            self._close(linger=unread or self.closing)
        elif unread:
            self._draining = True
            self._hold_back(False)
        else:
            self._next()

    def _next(self) -> None:
        if self._stalled:
            return  # no answer is begun for a client that does not take the last one; `resume_writing` goes on
        if self._queue:
            exchange, request = self._queue.popleft()
            if not self._queue:
                self._hold_back(False)
            self._enter(exchange, request)
        else:
            limits = self._limits
            self._resting = not self._in_head
            self.deadline = self._loop.time() + (limits.head_seconds if self._in_head else limits.idle_seconds)

    def _close(self, *, linger: bool) -> None:
        """Close once all is written. Lingering, what still comes is read away, else the answer is lost to a reset."""
        self.closing = True
        self._resting = False
        if linger:
            self.deadline = self._loop.time() + LINGER_SECONDS
            self._hold_back(False)
            if self.transport.can_write_eof():
                self.transport.write_eof()
        else:
            self.deadline = self._loop.time() + self._limits.stalled_seconds
            self.transport.close()

    def _enter(self, exchange: WireExchange, request: Request) -> None:
        self._current = exchange
        body = request.body
        reading = body is not None and body is self._body
        self.deadline = self._loop.time() + self._limits.body_seconds if reading else NEVER
        self._doors.doorman.enter(request, exchange)

    def _refuse(self, reason: Reason) -> None:
        """Answer what could not be judged, once, and close. Behind an answer under way there is only the close."""
        self.closing = True
        self._resting = False
        current = self._current
        if current is not None:
            current.keep = False
        if self._body is not None:
            self._body.broken(Refused(reason))  # may end the current exchange: `current` is no more asked after that
        if current is not None:
            return
        if self._queue or self._stalled:
            self._close(linger=False)
            return
        self._current = WireExchange(self, "GET", None, http11=True, keep=False)
        self._doors.doorman.turn_away(reason, self._headers, self._current)

    def _hold_back(self, yes: bool) -> None:
        """Stop reading, or go on. While it is us who do not read, the client has no deadline for its body."""
        if self.hold(yes) and not self._stalled:
            body, current = self._body, self._current
            if body is not None and current is not None and current.body is body:
                self.deadline = NEVER if yes else self._loop.time() + self._limits.body_seconds
