# SPDX-License-Identifier: EUPL-1.2
"""A kept connection of one client: sends these bytes, tells what came back, even if it was a single byte.

Where the server closed, the next request goes over a new connection; nothing is ever sent twice.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from support.raw import Answer, parse
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

NOTHING = Answer(0, (), b"", whole=False)
"""Not a byte came back."""


class Link:
    """One client. `cookie` goes with each request made by `complete`; `connections` tells how many were made."""

    def __init__(
        self, port: int, cookie: str | None = None, *, host: str = "localhost:8443", seconds: float = 15.0
    ) -> None:
        self._port = port
        self._seconds = seconds
        self._fields = b"host: %b\r\n" % host.encode("ascii")
        if cookie is not None:
            self._fields += b"cookie: %b\r\n" % cookie.encode("ascii")
        self._wire: socket.socket | None = None
        self.connections = 0

    def ask(self, request: bytes) -> Answer:
        """Send a `complete`d request and read its answer."""
        self.send(self.complete(request))
        return self.receive(request.partition(b" ")[0].decode("latin-1"))

    def complete(self, request: bytes) -> bytes:
        """A request line with its fields (and the body, after an empty line, if it has one), plus Host and Cookie."""
        line, _, rest = request.partition(b"\r\n")
        head, blank, body = rest.partition(b"\r\n\r\n")
        fields = head if blank else rest.removesuffix(b"\r\n")
        return line + b"\r\n" + self._fields + (fields + b"\r\n" if fields else b"") + b"\r\n" + body

    def connect(self) -> socket.socket:
        """The connection, made if there is none. ConnectionRefusedError if nobody listens."""
        if self._wire is None:
            self._wire = socket.create_connection((LOOPBACK, self._port), timeout=self._seconds)
            self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
        return self._wire

    def send(self, message: bytes) -> None:
        """Send exactly these bytes."""
        wire = self.connect()
        try:
            wire.sendall(message)
        except ConnectionError:
            return  # what the server said before it went is still to be read

    def receive(self, method: str = "GET") -> Answer:
        """Read one answer, or as much of it as came; TimeoutError if it neither comes nor ends."""
        if self._wire is None:
            return NOTHING
        received = bytearray()
        while True:
            try:
                more = self._wire.recv(65_536)
            except ConnectionError:
                more = b""
            received += more
            answer = _cut(bytes(received), method, ended=not more)
            if answer is None:
                continue
            if not more or not answer.whole or (answer.get(b"connection") or b"").lower() == b"close":
                self.close()
            return answer

    def close(self) -> None:
        """Hang up."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _cut(received: bytes, method: str, *, ended: bool) -> Answer | None:
    """The answer if it is whole or the connection ended; None while more is due."""
    if b"\r\n\r\n" not in received:
        if not ended:
            return None
        if len(received) < len(b"HTTP/1.1 200"):
            return NOTHING if not received else Answer(200, (), received, whole=False)  # a byte of what nobody knows
        return Answer(int(received[9:12]), (), b"", whole=False)
    if method == "HEAD":
        head, blank, rest = received.partition(b"\r\n\r\n")
        return replace(parse(head + blank, method)[0], body=rest)  # there must be none: then the test sees it
    answer = parse(received, method)[0]
    framed = answer.get(b"content-length") is not None or answer.get(b"transfer-encoding") is not None
    if ended or (answer.whole and (framed or answer.status in {204, 304})):
        return answer
    return None
