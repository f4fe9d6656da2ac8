# SPDX-License-Identifier: EUPL-1.2
"""A client that sends exactly these bytes, in these pieces, and shows exactly what came back.

It knows just enough HTTP/1.1 to cut an answer stream into answers; it repairs and retries nothing.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.servers import LOOPBACK

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

_BODILESS = frozenset({204, 304})
_FINAL = 200
_QUIET_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer off the wire. Header names in lower case, as they came; `whole` is False if it was cut off."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    whole: bool = True

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header."""
        return [value for one, value in self.headers if one == name.lower()]

    def get(self, name: bytes) -> bytes | None:
        """The only value of a header; ValueError if it came twice."""
        values = self.all(name)
        if len(values) > 1:
            raise ValueError(f"{name!r} came {len(values)} times: {values!r}")
        return values[0] if values else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back on one connection. `closed`: the server ended it (else we stopped waiting); `reset`: roughly."""

    received: bytes
    closed: bool
    reset: bool = False

    def answers(self, *methods: str) -> list[Answer]:
        """Cut into answers; `methods` of the requests sent, where one was HEAD."""
        return parse(self.received, *methods)

    def statuses(self, *methods: str) -> list[int]:
        """Just the status codes."""
        return [answer.status for answer in self.answers(*methods)]


def exchange(
    port: int,
    pieces: bytes | Sequence[bytes],
    *,
    pause: float = 0.02,
    seconds: float = 3.0,
    due: int | None = None,
    tls: ssl.SSLContext | None = None,
    host: str = "localhost",
    half_close: bool = False,
) -> Exchange:
    """Connect to loopback, send the pieces with a `pause` between them, read until close or for `seconds` of silence.

    The pieces leave in packets of their own (TCP_NODELAY). `half_close` shuts our sending side after the last one.
    Where so many whole answers are `due`, a short silence behind them is enough: nothing else came. Before, `seconds`.
    """
    if isinstance(pieces, bytes):
        pieces = [pieces]
    plain = socket.create_connection((LOOPBACK, port), timeout=seconds)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with tls.wrap_socket(plain, server_hostname=host) if tls else plain as link:
        try:
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(pause)
                link.sendall(piece)
            if half_close:
                link.shutdown(socket.SHUT_WR)
        except OSError:  # the server may answer and close before it has read all: what it said still counts
            pass
        return _read(link, seconds, due)


def _read(link: socket.socket, seconds: float, due: int | None) -> Exchange:
    received = bytearray()
    while True:
        if due is not None:
            link.settimeout(_QUIET_SECONDS if _whole(received) >= due else seconds)
        try:
            more = link.recv(65536)
        except TimeoutError:
            return Exchange(bytes(received), closed=False)
        except OSError:
            return Exchange(bytes(received), closed=True, reset=True)
        if not more:
            return Exchange(bytes(received), closed=True)
        received += more


def _whole(received: bytearray) -> int:
    """How many answers, interim ones aside, have come to their end."""
    if b"\r\n\r\n" not in received:
        return 0
    return sum(one.whole and one.status >= _FINAL for one in parse(bytes(received)))


def parse(stream: bytes, *methods: str) -> list[Answer]:
    """Cut a stream into answers; interim answers (1xx) count as answers too, but use up no method."""
    answers: list[Answer] = []
    waiting = list(methods)
    while stream:
        head, separator, rest = stream.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        status = int(lines[0].split(b" ", 2)[1])
        fields = (line.partition(b":") for line in lines[1:])
        headers = tuple((name.lower(), value.strip(b" \t")) for name, _, value in fields)
        if not separator:
            answers.append(Answer(status, headers, b"", whole=False))
            break
        interim = 100 <= status < 200  # the classes of RFC 9110
        method = waiting.pop(0) if waiting and not interim else "GET"
        bodiless = interim or status in _BODILESS or method == "HEAD"
        body, stream, whole = (b"", rest, True) if bodiless else _body(dict(headers), rest)
        answers.append(Answer(status, headers, body, whole))
        if status == 101:  # what follows is another protocol
            break
    return answers


def _body(headers: dict[bytes, bytes], rest: bytes) -> tuple[bytes, bytes, bool]:
    """(body, what follows it, whole)."""
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        return _chunked(rest)
    length = headers.get(b"content-length")
    if length is None:
        return rest, b"", True  # until close
    size = int(length)
    return rest[:size], rest[size:], len(rest) >= size


def _chunked(rest: bytes) -> tuple[bytes, bytes, bool]:
    body = bytearray()
    while True:
        line, found, rest = rest.partition(b"\r\n")
        if not found:
            return bytes(body), b"", False
        size = int(line.partition(b";")[0], 16)
        if size == 0:
            break
        body += rest[:size]
        if rest[size : size + 2] != b"\r\n":
            return bytes(body), b"", False
        rest = rest[size + 2 :]
    while True:  # trailers, up to the empty line
        line, found, rest = rest.partition(b"\r\n")
        if not found or not line:
            return bytes(body), rest, bool(found)
