# SPDX-License-Identifier: EUPL-1.2
"""The client side of one exchange on the wire: how an answer is framed and written.

Head and first piece leave in one write; a body of unknown length is chunked for HTTP/1.1 and ends with the connection
for HTTP/1.0. What must not look whole is cut by a reset.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.listener.wire import WireProtocol
    from gateway.upstream.exchange import Body, Flow

STATUS_LINES = {code: b"HTTP/1.1 %d \r\n" % code for code in range(100, 600)} | {
    status.value: b"HTTP/1.1 %d %s\r\n" % (status.value, status.phrase.encode("ascii")) for status in HTTPStatus
}
BODILESS = frozenset((204, 304))
DRAINED_BYTES = 65_536  # an unread body up to this is read away, so that the connection can go on
_ENDLESS = DRAINED_BYTES + 1
_WHOLE = b"%bdate: %b%b\r\ncontent-length: %d\r\n\r\n%b"


class WireExchange:
    """Takes the answer of one request; obeys `gateway.upstream.exchange.Client`."""

    __slots__ = (
        "_chunked",
        "_head_only",
        "_http11",
        "_over",
        "_plain",
        "_wire",
        "body",
        "ended",
        "flow",
        "keep",
        "started",
    )

    def __init__(self, wire: WireProtocol, method: str, body: Body | None, *, http11: bool, keep: bool) -> None:
        self._wire = wire
        self.body = body
        self._head_only = method == "HEAD"
        self._http11 = http11
        self._plain = http11 and body is None and not self._head_only
        self._chunked = self._over = self.started = False
        self.keep = keep
        self.flow: Flow | None = None
        self.ended: Callable[[], None] | None = None

    def start(self, status: int, lines: bytes, length: int | None, first: bytes, complete: bool) -> None:
        """Send the head and the first piece."""
        wire = self._wire
        if self._over:
            self._call_ended()
        elif complete and self._plain and self.keep and status not in BODILESS:
            self.started = True
            wire.transport.write(_WHOLE % (STATUS_LINES[status], wire.date, lines, len(first), first))
            self._end()
        else:
            self._start(status, lines, length, first, complete=complete)

    def _start(self, status: int, lines: bytes, length: int | None, first: bytes, *, complete: bool) -> None:
        """Start the answers that are not whole and plain."""
        self.started = True
        body = self.body
        if body is not None and not body.ended and (body.unasked or (body.length or _ENDLESS) > DRAINED_BYTES):
            self.keep = False
        parts = [STATUS_LINES[status], b"date: ", self._wire.date, lines]
        bodiless = self._head_only or status in BODILESS
        if length is None and complete and not bodiless:
            length = len(first)
        parts += self._framing(status, length, bodiless=bodiless)
        if first and not bodiless:
            parts += (b"%x\r\n" % len(first), first, b"\r\n") if self._chunked else (first,)
        if complete and self._chunked:
            parts.append(b"0\r\n\r\n")
        self._wire.transport.write(b"".join(parts))
        if complete:
            self._end()

    def _framing(self, status: int, length: int | None, *, bodiless: bool) -> list[bytes]:
        """Say how the body ends, and whether the connection goes on; the last lines of a head."""
        parts: list[bytes] = []
        if length is not None:
            if status not in BODILESS:
                parts.append(b"\r\ncontent-length: %d" % length)
        elif not bodiless and self._http11:
            self._chunked = True
            parts.append(b"\r\ntransfer-encoding: chunked")
        elif not bodiless:
            self.keep = False
        if not self.keep:
            parts.append(b"\r\nconnection: close")
        elif not self._http11:
            parts.append(b"\r\nconnection: keep-alive")
        parts.append(b"\r\n\r\n")
        return parts

    def send(self, data: bytes) -> None:
        """Send the next piece."""
        if self._over or not data:
            return
        if self._chunked:
            self._wire.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        else:
            self._wire.transport.write(data)

    def finish(self) -> None:
        """End the answer."""
        if self._over:
            return
        if self._chunked:
            self._wire.transport.write(b"0\r\n\r\n")
        self._end()

    def abort(self) -> None:
        """Cut the connection: what was sent must not look whole."""
        if not self._over:
            self._over = True
            self._wire.cut()
            self._call_ended()

    def switch(self, lines: bytes, receiver: Callable[[bytes], None]) -> None:
        """Answer 101; from here on both sides are raw bytes."""
        if self._over or self._wire.closing:
            self._call_ended()
            raise Refused(Reason.MALFORMED_REQUEST)
        self.started = True
        switched = b"%bconnection: upgrade\r\nupgrade: websocket%b\r\n\r\n" % (STATUS_LINES[101], lines)
        self._wire.transport.write(switched)
        self._wire.tunnel(receiver)

    def hold(self, yes: bool) -> None:
        """Stop taking from the client of a tunnel, or go on."""
        self._wire.hold(yes)

    def lost(self) -> None:
        """Hear that the client went away."""
        if not self._over:
            self._over = True
            if self.flow is not None:
                self.flow.cancel()
            self._call_ended()

    def _end(self) -> None:
        self._over = True
        self.flow = None
        if self.ended is not None:
            self._call_ended()
        self._wire.answered(keep=self.keep)

    def _call_ended(self) -> None:
        ended, self.ended = self.ended, None
        if ended is not None:
            ended()
