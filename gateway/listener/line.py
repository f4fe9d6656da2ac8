# SPDX-License-Identifier: EUPL-1.2
"""The bare connection under the wire: who is at its other end, holding it back, cutting it. No HTTP is known here."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

from gateway.upstream.deadlines import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.listener.doors import Doors

_WRITE_HIGH = 262_144
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close at once, by a reset


class Line(asyncio.Protocol):
    """One accepted connection; its transport, once `_accept` has seen it."""

    __slots__ = (
        "_doors",
        "_limits",
        "_loop",
        "_paused",
        "_peer",
        "_receiver",
        "_secure",
        "_server",
        "closing",
        "deadline",
        "transport",
    )

    def __init__(self, doors: Doors, server_state: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._doors = doors
        self._limits = doors.limits
        self._server = server_state
        self._loop = loop
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._peer = ""
        self._secure = False
        self._paused = False  # nothing is read
        self.closing = False
        self.deadline = NEVER
        self._receiver: Callable[[bytes], None] | None = None  # of a tunnel

    def _accept(self, transport: asyncio.BaseTransport) -> bool:
        """Take the connection in, or turn it away when there are too many."""
        self.transport = cast("asyncio.Transport", transport)
        self._server.connections.add(self)
        if len(self._server.connections) > self._limits.connections or self._doors.stopping:
            self.transport.abort()
            return False
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else "127.0.0.1"
        self._secure = transport.get_extra_info("sslcontext") is not None
        self.transport.set_write_buffer_limits(high=_WRITE_HIGH)
        return True

    @property
    def date(self) -> bytes:
        """The Date field's value, refreshed once a second by the host."""
        fields = self._server.default_headers
        return fields[0][1] if fields else b""

    def cut(self) -> None:
        """Close by a reset: where only the end of the connection ends an answer, a plain close would look like it."""
        link = self.transport.get_extra_info("socket")
        if link is not None and not self.transport.is_closing():
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.transport.abort()

    def tunnel(self, receiver: Callable[[bytes], None]) -> None:
        """Hand everything that comes to `receiver` from now on."""
        self._receiver = receiver
        self.deadline = NEVER

    def hold(self, yes: bool) -> bool:
        """Stop reading, or go on; tells whether that changed anything."""
        if yes == self._paused or self.transport.is_closing():
            return False
        self._paused = yes
        if yes:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()
        return True

    def _continue(self) -> None:
        self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
