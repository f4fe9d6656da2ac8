# SPDX-License-Identifier: EUPL-1.2
"""Collecting one answer of the portal from llhttp: its head within limits, where it ends, and that nothing follows it.

What has two readings is not repaired: RFC 9112 sections 6 and 11. Nothing is sent or handed on here.
"""

from __future__ import annotations

import asyncio
import ctypes
import select
from typing import TYPE_CHECKING, cast

import httptools

if TYPE_CHECKING:
    from gateway.upstream.exchange import Headers

HEAD_BYTES = 65_536  # what an answer's head may weigh
SWITCHING = 101
_FIRST, _OK, _LAST = 100, 200, 599
_BODILESS = frozenset((204, 304))
_FRAMING_LENGTHS = frozenset((len("content-length"), len("transfer-encoding")))
_VERSIONS = frozenset(("1.0", "1.1"))


class _PollFd(ctypes.Structure):
    """`struct pollfd` of poll(2)."""

    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


# The C library's own poll, called under the interpreter's lock: it returns at once, and Python's `select.poll` would
# give the lock to the ledger's thread at every request, and wait to get it back.
_poll = ctypes.PyDLL(None).poll
_poll.argtypes = (ctypes.POINTER(_PollFd), ctypes.c_ulong, ctypes.c_int)


class AnswerReader(asyncio.Protocol):
    """The half of a connection that the parser calls. `_status` is 0 until a head that counts is complete."""

    __slots__ = (
        "_excess",
        "_fields",
        "_head_bytes",
        "_head_only",
        "_keep",
        "_length",
        "_parser",
        "_pieces",
        "_status",
        "_transport",
        "_until_close",
        "_version",
        "_waits",
        "_whole",
        "closed",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._waits = _PollFd()
        self.closed = False
        self._head_only = False
        self._begin()

    def _begin(self) -> None:
        self._fields: Headers = []
        self._pieces: list[bytes] = []
        self._status = 0
        self._version = "1.1"
        self._head_bytes = 0
        self._length: int | None = None
        self._keep = False
        self._whole = False
        self._excess = False
        self._until_close = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._waits = _PollFd(transport.get_extra_info("socket").fileno(), select.POLLIN, 0)

    def unread(self) -> bool:
        """Whether something lies unread in the kernel, the end of the connection included."""
        return bool(_poll(self._waits, 1, 0) != 0)

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
        if self._whole or (_FIRST <= status < _OK and status != SWITCHING):
            return
        self._status = status or 1
        self._keep = self._parser.should_keep_alive()
        if not self._keep:
            self._version = self._parser.get_http_version()
        if self._head_only:
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

    def _sound(self) -> bool:
        """Whether what has come of a head may go on."""
        return self._framed() if self._status else self._head_bytes <= HEAD_BYTES

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
        if self._version not in _VERSIONS or (coding and self._version == "1.0"):
            return False
        return coding in {b"", b"chunked"} and SWITCHING <= self._status <= _LAST

    def _switches(self) -> bool:
        """Whether a 101 names the one protocol that can have been asked."""
        named = [value.lower() for name, value in self._fields if name.lower() == b"upgrade"]
        return self._status == SWITCHING and named == [b"websocket"]
