# SPDX-License-Identifier: EUPL-1.2
"""One connection to the portal: HTTP/1.1, the head by llhttp, a body of known length counted rather than parsed.

A connection goes back to the pool only when both messages ended cleanly and nothing was left over; a connection that
saw an upgrade, an early answer, or a byte too many is closed (request smuggling, see RFC 9112 section 11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httptools

from gateway.errors import Refused
from gateway.model import Reason
from gateway.upstream.answer import Answer
from gateway.upstream.deadlines import NEVER
from gateway.upstream.reading import AnswerReader

if TYPE_CHECKING:
    import asyncio

    from gateway.errors import HerseError
    from gateway.upstream.client import Portal
    from gateway.upstream.errand import Errand


class Connection(AnswerReader):
    """Serves one errand at a time; owned by `Portal`."""

    __slots__ = (
        "_answer",
        "_chunked",
        "_held",
        "_idle",
        "_left",
        "_portal",
        "_sent",
        "_tunnel",
        "deadline",
        "errand",
        "kept",
        "looks",
        "loop",
    )

    def __init__(self, portal: Portal, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._portal = portal
        self.loop = loop
        self.deadline = NEVER
        self.errand: Errand | None = None
        self.kept = False  # it waited in the pool, and may have died there
        self._idle = portal.idle_seconds
        self.looks = 0  # how often the pool had seen its sockets read when this one came to rest
        self._tunnel = self._held = False
        self._reset()

    def _reset(self) -> None:
        self._begin()
        self._answer: Answer | None = None
        self._left = 0
        self._sent, self._chunked = True, False

    # the pool's side
    def begin(self, errand: Errand) -> None:
        """Send one request."""
        self.errand = errand
        self._head_only = errand.head_only
        errand.connection = self
        self._idle = errand.idle_seconds
        self._transport.write(errand.head)
        if errand.body is None:
            self.deadline = self.loop.time() + self._portal.head_seconds
        else:
            self._sent = False
            self._chunked = errand.body.length is None
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
        if not self.closed:
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def body_end(self) -> None:
        """End the request body; from now on the portal owes an answer."""
        if self.closed:
            return
        if self._chunked:
            self._transport.write(b"0\r\n\r\n")
        self._sent = True
        if self._status == 0:
            self.deadline = self.loop.time() + self._portal.head_seconds

    def body_broken(self, error: HerseError) -> None:
        """Give the request up: its body will never be whole, and must not look so."""
        self._fail(error)

    def pause_writing(self) -> None:
        """Hold back what the client sends: the portal is slow."""
        self._slow(True)
        self.deadline = self.loop.time() + self._portal.head_seconds

    def resume_writing(self) -> None:
        """Let the client go on; what the portal owes next has its own time."""
        self._slow(False)
        now = self.loop.time()
        self.deadline = now + (self._idle if self._status else self._portal.head_seconds if self._sent else NEVER)

    def _slow(self, yes: bool) -> None:
        if self._tunnel:
            if self._answer is not None:
                self._answer.hold_client(yes)
        elif self.errand is not None and self.errand.body is not None:
            self.errand.body.hold_back(yes)

    # the answer's side (Source)
    def hold(self, yes: bool) -> None:
        """Stop reading from the portal while the client is slow or the record is not durable, and go on after it."""
        if self.closed:
            return
        self._held = yes
        if yes:
            self._transport.pause_reading()
            self.deadline = NEVER
        else:
            self._transport.resume_reading()
            self._breathe()

    def drop(self) -> None:
        """Give the connection up."""
        self.errand = self._answer = None
        self._abort()

    def raw(self, data: bytes) -> None:
        """Send bytes through an open tunnel."""
        if not self.closed:
            self._breathe()
            self._transport.write(data)

    # asyncio's side
    def connection_lost(self, exc: Exception | None) -> None:
        """End or break what was under way."""
        self.closed = True
        self._portal.gone(self)
        if exc is None and self._answer is not None and (self._until_close or self._tunnel):
            self._complete()
        elif self.errand is not None or self._answer is not None:
            self._fail(Refused(Reason.PORTAL_UNREACHABLE if self._status == 0 else Reason.PORTAL_ANSWER_INVALID))

    def data_received(self, data: bytes) -> None:
        """Read the answer: at once if it is plain, else its head by the parser, a body of known length by counting."""
        errand = self.errand
        if errand is not None and errand.plain and self._head_bytes == 0:
            whole = errand.filter.whole(data)
            if whole is not None:
                self.errand = errand.connection = None  # a late `cancel` must never hit the next person's exchange
                self._portal.release(self)
                errand.resolve(whole)
                return
        if self._left:
            self._count(data)
            return
        if self._tunnel and self._answer is not None:
            self._answer.take([data])
            self._breathe()
            return
        if errand is None:  # a byte nobody asked for: never another person's answer
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
        if self._answer is None and not self._sound():
            self._fail(Refused(Reason.PORTAL_ANSWER_INVALID))
        elif self._status:
            self._deliver()

    def _count(self, data: bytes) -> None:
        if len(data) > self._left:
            data = data[: self._left]
            self._keep = False
        self._left -= len(data)
        if self._answer is not None:
            self._answer.take([data])
        if self._left == 0:
            self._parser = httptools.HttpResponseParser(self)
            self._complete()
        else:
            self._breathe()

    def _deliver(self) -> None:
        """Announce the head once, with what has come; hand over what comes after, and end when it is whole."""
        if self._answer is None:
            self._announce()
            return
        pieces, self._pieces = self._pieces, []
        if pieces:
            self._answer.take(pieces)
        if self._whole:
            self._complete()
        else:
            self._breathe()

    def _announce(self) -> None:
        errand, pieces = self.errand, self._pieces
        source = None if self._whole else self
        lines = b"" if errand is None else errand.filter.lines(self._fields)
        answer = Answer(self._status, lines, self._length, source, pieces)
        if source is None:
            self._complete()
        else:
            self._answer, self._pieces = answer, []
            if self._length:
                self._left = self._length - sum(map(len, pieces))
            # Held until the hallway relays; whatever comes meanwhile stays in the kernel.
            self.hold(True)
        if errand is not None:
            errand.resolve(answer)

    def _complete(self) -> None:
        answer, self._answer = self._answer, None
        keep = self._keep and self._sent and not self._excess and not self.closed
        errand = self._let_go()
        if errand is not None and errand.body is not None and self._transport.get_write_buffer_size():
            keep = False  # answered before the portal took the whole request
        self._reset()
        if keep:
            if self._held:  # by a client that is still busy taking the end of its answer
                self.hold(False)
            self._portal.release(self)
        else:
            self._abort()
        if answer is not None:
            answer.end()

    def _open_tunnel(self, rest: bytes) -> None:
        errand = self.errand
        if errand is None or not errand.tunnel or not self._switches():
            self._fail(Refused(Reason.PORTAL_ANSWER_INVALID))
            return
        self._tunnel = True
        self._let_go()
        pieces = [rest] if rest else []
        lines = errand.filter.lines(self._fields)
        answer = self._answer = Answer(self._status, lines, None, self, pieces, upgraded=True)
        self._breathe()
        errand.resolve(answer)

    def _fail(self, error: HerseError) -> None:
        errand = self._let_go()
        answer, self._answer = self._answer, None
        untouched = self._status == 0 and self._head_bytes == 0
        again = errand is not None and untouched and self.kept and errand.retryable and self.closed
        self._abort()
        if answer is not None:
            answer.break_off()
        elif errand is not None and again:
            self._portal.once_more(errand)
        elif errand is not None:
            errand.fail(error)

    def _let_go(self) -> Errand | None:
        """Part from the errand on both sides: a late `cancel` must never hit the next person's exchange."""
        errand, self.errand = self.errand, None
        if errand is not None:
            errand.connection = None
        return errand

    def _abort(self) -> None:
        # Never a gentle close: a portal that does not read would keep the connection, and its place, for ever.
        if not self.closed:
            self.closed = True
            self._transport.abort()

    def _breathe(self) -> None:
        self.deadline = self.loop.time() + self._idle
