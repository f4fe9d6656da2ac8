# SPDX-License-Identifier: EUPL-1.2
"""The door to the portal: a pool of kept connections, and the only file that opens one.

`forward` takes a judged request and gives the answer's head; the body stays there until the hallway relays it.
Failures come back as `Refused` with PORTAL_UNREACHABLE (502), PORTAL_TIMEOUT (504), PORTAL_ANSWER_INVALID (502) or BUSY
(503), never as a guess.
"""

from __future__ import annotations

import asyncio
import ssl
from binascii import hexlify
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.errors import HerseError, Refused, StartError
from gateway.model import Reason
from gateway.upstream.connection import Connection
from gateway.upstream.deadlines import Deadlines
from gateway.upstream.errand import Errand
from gateway.upstream.filter import AnswerFilter
from gateway.upstream.headers import lines_of, to_portal

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.pending import Pending
    from gateway.upstream.answer import Answer, WholeAnswer
    from gateway.upstream.exchange import Client, Request

_METHODS = {name: name.encode("ascii") for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")}
_TURNS = 2  # of the loop: in the second one all that had come by the first has been read
WAITING_AT_MOST = 1_000  # requests that wait for a free connection; past it the answer is BUSY


@dataclass(frozen=True, slots=True)
class PortalAddress:
    """Where the portal is and how long it may take, all in seconds."""

    url: str
    authority: Path | None = None
    connect_seconds: float = 5.0
    head_seconds: float = 30.0
    idle_seconds: float = 60.0
    stream_idle_seconds: float = 300.0
    keepalive_seconds: float = 15.0
    connections: int = 256


class Portal:
    """The portal behind the gateway. One instance per process, used on the loop's thread only."""

    def __init__(self, address: PortalAddress, own_cookies: bytes) -> None:
        parts = urlsplit(address.url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = _tls(address.authority) if parts.scheme == "https" else None
        self._own_cookies = own_cookies
        self._filters = {
            (private, metered): AnswerFilter(own_cookies, private=private, metered=metered)
            for private in (True, False)
            for metered in (True, False)
        }
        self._address = address
        self.head_seconds = address.head_seconds
        self.idle_seconds = address.idle_seconds
        self._idle: deque[Connection] = deque()  # the one that rested longest is used first: see _quiet
        self._looks = self._to_look = 0
        self._open = 0
        self._waiting: deque[Errand] = deque()
        self._deadlines = Deadlines()
        self._connecting: set[asyncio.Task[None]] = set()

    def forward(
        self,
        request: Request,
        client: Client,
        identity: bytes | None,
        *,
        metered: bool = False,
        streams: bool = False,
    ) -> Pending[Answer | WholeAnswer]:
        """Send the request on. `identity` is the assertion of who asks; None for what nobody need sign in for."""
        address = self._address
        errand = Errand(
            self._head(request, identity, metered),
            request.body,
            client,
            self._filters[identity is not None, metered],
            address.stream_idle_seconds if streams or request.upgrade else address.idle_seconds,
            request.method,
        )
        if request.upgrade:
            errand.becomes_tunnel()
        client.flow = errand
        self._dispatch(errand)
        return errand

    def _head(self, request: Request, identity: bytes | None, metered: bool) -> bytes:
        """The request head as the portal gets it: the target byte for byte as judged, our fields last."""
        fields = request.fields.forwarded.get(metered) or self._forwarded(request, metered=metered)
        if identity is not None:
            fields = b"%b%b\r\nherse-assertion: %b" % (fields, hexlify(request.id), identity)
        else:
            fields += hexlify(request.id)
        body = request.body
        if body is not None:
            fields += (
                b"\r\ntransfer-encoding: chunked" if body.length is None else b"\r\ncontent-length: %d" % body.length
            )
        if request.upgrade:
            fields += b"\r\nconnection: upgrade\r\nupgrade: websocket"
        return b"%b %b%b\r\n\r\n" % (_METHODS[request.method], request.target, fields)

    def _forwarded(self, request: Request, *, metered: bool) -> bytes:
        """From the end of the target to the value of Herse-Request: the same for all requests with these fields."""
        kept = to_portal(request.headers, self._own_cookies, metered=metered)
        forwarded = b" HTTP/1.1\r\nhost: %b%b\r\nx-forwarded-for: %b\r\nx-forwarded-proto: %b\r\nherse-request: " % (
            request.host.encode("ascii"),
            lines_of(kept),
            request.peer.encode("ascii"),
            b"https" if request.secure else b"http",
        )
        request.fields.forwarded[metered] = forwarded
        return forwarded

    def _dispatch(self, errand: Errand) -> None:
        # A tunnel never ends in the pool, and an unsafe request never rides on a connection that may be dying.
        idle = self._idle
        while idle and errand.retryable:
            connection = idle.popleft()
            if self._quiet(connection):
                connection.begin(errand)
                return
            connection.drop()
        if self._open < self._address.connections:
            self._connect(errand)
        else:
            self._wait(errand)

    def _wait(self, errand: Errand) -> None:
        """Queue for a free connection, but not for ever, and not behind too many."""
        if len(self._waiting) >= WAITING_AT_MOST:
            for gone in [one for one in self._waiting if one.done]:
                self._waiting.remove(gone)
                self._deadlines.discard(gone)
        if len(self._waiting) >= WAITING_AT_MOST:
            errand.fail(Refused(Reason.BUSY))
            return
        errand.deadline = asyncio.get_running_loop().time() + self._address.head_seconds
        self._waiting.append(errand)
        self._deadlines.add(errand)
        if self._idle:  # kept connections that this errand must not ride on: the oldest makes room for a fresh one
            self._idle.popleft().drop()

    def _called(self) -> Errand | None:
        """Take the first that still waits out of the queue."""
        while self._waiting:
            errand = self._waiting.popleft()
            self._deadlines.discard(errand)
            if not errand.done:
                return errand
        return None

    def _connect(self, errand: Errand) -> None:
        self._open += 1
        task = asyncio.get_running_loop().create_task(self._connected(errand))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connected(self, errand: Errand) -> None:
        loop = asyncio.get_running_loop()
        error: HerseError
        try:
            async with asyncio.timeout(self._address.connect_seconds):
                _, connection = await loop.create_connection(
                    lambda: Connection(self, loop),
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._host if self._tls else None,
                )
        except TimeoutError:
            error = Refused(Reason.PORTAL_TIMEOUT)
        except (OSError, ssl.SSLError):
            error = Refused(Reason.PORTAL_UNREACHABLE)
        else:
            self._deadlines.add(connection)
            if errand.done:  # the client went away meanwhile
                self.release(connection)
            else:
                connection.begin(errand)
            return
        self._open -= 1
        errand.fail(error)
        self._next()

    def once_more(self, errand: Errand) -> None:
        """Send a safe request again, on a fresh connection, after a kept one died unsaid."""
        errand.retryable = False
        self._dispatch(errand)

    def release(self, connection: Connection) -> None:
        """Take a connection back, for whoever waits or for later."""
        loop = connection.loop
        connection.kept = True
        connection.looks = self._looks
        connection.deadline = loop.time() + self._address.keepalive_seconds
        if self._to_look == 0:
            loop.call_soon(self._look)
        self._to_look = _TURNS
        if self._waiting:
            if not self._quiet(connection):
                connection.drop()  # `gone` calls the next
                return
            errand = self._called()
            if errand is not None:
                connection.begin(errand)
                return
        self._idle.append(connection)

    def _look(self) -> None:
        """Count a turn of the loop, until every resting connection has seen enough of them."""
        self._looks += 1
        self._to_look -= 1
        if self._to_look:
            asyncio.get_running_loop().call_soon(self._look)

    def _quiet(self, connection: Connection) -> bool:
        """Whether a kept connection may carry a request: open, and nothing has come that nobody asked for.

        What lies unread would be taken for the answer to the next request: another person's, perhaps. Once the loop has
        read all its sockets, it would have been found and the connection closed; before that the kernel is asked.
        """
        return not connection.closed and (self._looks - connection.looks >= _TURNS or not connection.unread())

    def forget(self, connection: Connection) -> None:
        """Strike an idle connection off."""
        if connection in self._idle:
            self._idle.remove(connection)

    def gone(self, connection: Connection) -> None:
        """Hear that a connection is closed."""
        self.forget(connection)
        self._deadlines.discard(connection)
        self._open -= 1
        self._next()

    def _next(self) -> None:
        while self._open < self._address.connections:
            errand = self._called()
            if errand is None:
                return
            self._connect(errand)

    def close(self) -> None:
        """Close the idle connections; busy ones end with their exchange."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def _tls(authority: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is not None:
        try:
            context.load_verify_locations(cafile=str(authority))
        except (OSError, ssl.SSLError) as error:
            found = error.strerror or error
            raise StartError(f"{authority}: {found}; expected the portal's authority in PEM form") from None
    return context
