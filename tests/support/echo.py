# SPDX-License-Identifier: EUPL-1.2
"""A strict upstream that records what reaches it, in threads of the test's own process, and answers as a test scripts.

It reads HTTP/1.1 by the letter and by itself: what it would not have written is a fault, kept for the test to look at.
Without a script it answers 200 and says back what it got.
"""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.servers import LOOPBACK, wait_until

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    Script = Callable[["Talk", "Seen"], None]

_LINE = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[\x21\x22\x24-\x7e]*) HTTP/1\.1")
_FIELD = re.compile(rb"([!#$%&'*+\-.^`|~0-9a-z]+): ?([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*)|)")
_SIZE = re.compile(rb"[0-9a-f]{1,16}")
_KEPT_BYTES = 1 << 20
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


class MessageError(Exception):
    """What came is not what a strict sender writes."""


class EndedError(Exception):
    """The other side hung up."""


@dataclass
class Seen:
    """One request as it arrived. Names are lower case. `body` holds up to 1 MiB; `size` and `digest` are of all."""

    connection: int
    method: bytes
    target: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    size: int = 0
    digest: str = ""
    whole: bool = False

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a field."""
        return [value for one, value in self.fields if one == name]

    def get(self, name: bytes) -> bytes:
        """The first value of a field, or nothing."""
        return next(iter(self.all(name)), b"")


class Talk:
    """One connection, as a script sees it."""

    def __init__(self, link: socket.socket, number: int) -> None:
        self.link = link
        self.number = number
        self._ahead = b""
        self.over = False

    def read(self, size: int = 65_536) -> bytes:
        """Read some bytes; EndedError at the end."""
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        if not data:
            try:
                data = self.link.recv(size)
            except OSError:
                data = b""
            if not data:
                raise EndedError
        return data

    def until(self, end: bytes, limit: int) -> bytes:
        """Read up to and with `end`."""
        got = b""
        while end not in got:
            if len(got) > limit:
                raise MessageError(f"nothing ends within {limit} bytes: {got[:80]!r}")
            got += self.read()
        found, _, rest = got.partition(end)
        self._ahead = rest + self._ahead
        return found + end

    def exactly(self, size: int, take: Callable[[bytes], None]) -> None:
        """Read `size` bytes, handing them on piece by piece."""
        while size:
            piece = self.read(min(size, 65_536))
            size -= len(piece)
            take(piece)

    def send(self, data: bytes) -> None:
        """Send bytes; a client that is gone ends the connection."""
        try:
            self.link.sendall(data)
        except OSError:
            raise EndedError from None

    def close(self) -> None:
        """End the connection after this script."""
        self.over = True


@dataclass
class Echo:
    """The upstream. `on(target, script)` scripts a path; an `early` script runs before the body is read."""

    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    connections: int = 0
    _scripts: dict[bytes, tuple[Script, bool]] = field(default_factory=dict)
    _links: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listening = socket.create_server((LOOPBACK, 0), backlog=1024)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for link in self._links:
            _hang_up(link)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.tls else 'http'}://{LOOPBACK}:{self.port}"

    def on(self, target: bytes, script: Script, *, early: bool = False) -> None:
        """Let a script answer this target (without its query)."""
        self._scripts[target] = (script, early)

    def count(self, target: bytes) -> int:
        """How many requests for this target (without query) began."""
        return len(self.of(target))

    def of(self, target: bytes) -> list[Seen]:
        """The requests for this target (without query)."""
        return [one for one in self.seen if one.target.partition(b"?")[0] == target]

    def wait(self, target: bytes, times: int = 1) -> list[Seen]:
        """Wait until so many requests for this target began."""
        wait_until(f"{times} x {target!r} upstream", lambda: self.count(target) >= times, 5)
        return self.of(target)

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listening.accept()
            except OSError:
                return
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            threading.Thread(target=self._serve, args=(link, self.connections), daemon=True).start()

    def _serve(self, link: socket.socket, number: int) -> None:
        try:
            if self.tls is not None:
                link = self.tls.wrap_socket(link, server_side=True)
            self._links.append(link)
            talk = Talk(link, number)
            while not talk.over:
                self._one(talk)
        except (EndedError, OSError):
            pass
        except MessageError as error:
            self.faults.append(str(error))
        finally:
            _hang_up(link)

    def _one(self, talk: Talk) -> None:
        seen = _head(talk)
        self.seen.append(seen)
        script, early = self._scripts.get(seen.target.partition(b"?")[0], (answer_back, False))
        if early:
            script(talk, seen)
            return
        _body(talk, seen)
        script(talk, seen)


def answer_back(talk: Talk, seen: Seen) -> None:
    """200, with the target, the token and the body that came."""
    body = seen.target + b"\n" + seen.get(b"x-token") + b"\n" + seen.body
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Token: %b\r\n" % seen.get(b"x-token")
    head += b"Content-Length: %d\r\n\r\n" % len(body)
    talk.send(head if seen.method == b"HEAD" else head + body)


def _head(talk: Talk) -> Seen:
    *lines, last, rest = talk.until(b"\r\n\r\n", 262_144).split(b"\r\n")
    if last or rest:
        raise MessageError("a head that does not end in an empty line")
    line = _LINE.fullmatch(lines[0])
    if line is None:
        raise MessageError(f"request line {lines[0][:200]!r}")
    fields = []
    for text in lines[1:]:
        found = _FIELD.fullmatch(text)
        if found is None:
            raise MessageError(f"field {text[:200]!r}")
        fields.append((found[1], found[2]))
    seen = Seen(talk.number, line[1], line[2], fields)
    if len(seen.all(b"host")) != 1:
        raise MessageError(f"{len(seen.all(b'host'))} Host fields")
    return seen


def _body(talk: Talk, seen: Seen) -> None:
    lengths, codings = seen.all(b"content-length"), seen.all(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise MessageError(f"framed twice: {lengths} {codings}")
    digest = hashlib.sha256()

    def take(piece: bytes) -> None:
        digest.update(piece)
        seen.size += len(piece)
        if len(seen.body) < _KEPT_BYTES:
            seen.body += piece

    if lengths:
        if not lengths[0].isdigit():
            raise MessageError(f"length {lengths[0]!r}")
        talk.exactly(int(lengths[0]), take)
    elif codings:
        if codings != [b"chunked"]:
            raise MessageError(f"codings {codings}")
        _chunks(talk, take)
    seen.digest = digest.hexdigest()
    seen.whole = True


def _chunks(talk: Talk, take: Callable[[bytes], None]) -> None:
    while True:
        line = talk.until(b"\r\n", 100)[:-2]
        if not _SIZE.fullmatch(line):
            raise MessageError(f"chunk size {line!r}")
        size = int(line, 16)
        talk.exactly(size, take)
        if talk.until(b"\r\n", 100) != b"\r\n":
            raise MessageError("a chunk that does not end where it said, or a trailer")
        if size == 0:
            return


def _hang_up(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
    link.close()
