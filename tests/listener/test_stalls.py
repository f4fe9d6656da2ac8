# SPDX-License-Identifier: EUPL-1.2
"""Clients that do not take what is written to them: held back, then cut; and nobody else's time is theirs."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import uvloop
from listener.clients import connect
from listener.wire_table import get
from uvicorn.server import ServerState

from gateway.listener.doors import Doors
from gateway.listener.strict import Limits
from gateway.listener.wire import WireProtocol

if TYPE_CHECKING:
    import socket

QUICK = 0.6
SIZE = 30_000_000
HOSTS = frozenset({"localhost:8443"})


class Doorman:
    """Answers at once: `/big` with much, `/small` with little; notes who was held back and who was lost."""

    def __init__(self) -> None:
        self.paused = 0
        self.cancelled = 0
        self.entered: list[str] = []
        self.ended = 0

    def enter(self, request, client):
        self.entered.append(request.path)
        client.ended = self._end
        if request.path == "/big":
            client.flow = self
            client.start(200, b"", SIZE, b"z" * SIZE, complete=False)
        else:
            client.start(200, b"", None, b"ok", complete=True)

    def turn_away(self, reason, headers, client):
        client.start(400, b"", None, str(reason).encode(), complete=True)

    def _end(self):
        self.ended += 1

    def pause(self):
        self.paused += 1

    def resume(self):
        """Nothing more is sent."""

    def cancel(self):
        self.cancelled += 1


@contextmanager
def serving(doorman, **limits):
    """The wire alone in a thread of its own; gives its port."""
    ready, box = threading.Event(), {}

    async def serve():
        loop = asyncio.get_running_loop()
        state, doors = ServerState(), Doors(doorman, Limits(hosts=HOSTS, **limits))
        server = await loop.create_server(lambda: WireProtocol(doors, state, loop), "127.0.0.1", 0)
        box.update(loop=loop, stop=asyncio.Event(), port=server.sockets[0].getsockname()[1])
        ready.set()
        await box["stop"].wait()
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    ready.wait()
    try:
        yield box["port"]
    finally:
        box["loop"].call_soon_threadsafe(box["stop"].set)
        thread.join()


def closed_after(link: socket.socket, seconds: float) -> float:
    """Wait, without reading, until the other side is gone; how long that took."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        time.sleep(0.05)
        try:
            link.send(b"\r\n")
        except OSError:
            return time.monotonic() - began
    return float("inf")


def test_a_reader_that_takes_nothing_is_held_back_and_then_cut():
    doorman = Doorman()
    with serving(doorman, stalled_seconds=QUICK) as port, connect(port) as link:
        link.sendall(get(target=b"/big"))
        assert closed_after(link, 4) < QUICK + 1.5
        assert (doorman.paused, doorman.cancelled, doorman.ended) == (1, 1, 1)


def test_a_slow_reader_that_goes_on_is_served():
    doorman = Doorman()
    with serving(doorman, stalled_seconds=QUICK) as port, connect(port) as link:
        link.sendall(get(target=b"/big"))
        got = 0
        while got < SIZE:
            got += len(link.recv(1 << 20))
            time.sleep(0.01)
        assert doorman.cancelled == 0


@pytest.mark.parametrize("last", [b"", b"Connection: close\r\n"], ids=["kept", "closing"])
def test_what_is_answered_but_not_taken_is_cut_too(last):
    class Whole(Doorman):
        def enter(self, request, client):
            client.start(200, b"", None, b"z" * SIZE, complete=True)

    with serving(Whole(), stalled_seconds=QUICK) as port, connect(port) as link:
        link.sendall(get(last))
        assert closed_after(link, 4) < QUICK + 1.5


def test_an_answer_taken_late_leaves_the_idle_deadline_in_force():
    class Whole(Doorman):
        def enter(self, request, client):
            client.start(200, b"", None, b"z" * SIZE, complete=True)

    with serving(Whole(), stalled_seconds=3.0, idle_seconds=QUICK) as port, connect(port) as link:
        link.sendall(get())
        time.sleep(0.3)
        got = 0
        while got < SIZE:
            got += len(link.recv(1 << 20))
        began = time.monotonic()
        while link.recv(1 << 20):
            pass
        assert time.monotonic() - began < QUICK + 1


def test_what_waits_behind_an_untaken_answer_is_answered_when_it_is_taken():
    class Whole(Doorman):
        def enter(self, request, client):
            self.entered.append(request.path)
            body = b"z" * SIZE if request.path == "/big" else b"last"
            client.start(200, b"", None, body, complete=True)

    doorman = Whole()
    with serving(doorman) as port, connect(port) as link:
        link.sendall(get(target=b"/big") + get(target=b"/small"))
        time.sleep(0.3)
        assert doorman.entered == ["/big"]
        got = b""
        while not got.endswith(b"last"):
            got = (got + link.recv(1 << 20))[-2000:]
        assert doorman.entered == ["/big", "/small"]
        link.sendall(get(target=b"/small"))
        assert link.recv(1000).endswith(b"last")


def test_a_long_answer_to_a_refused_upload_is_not_cut_by_the_lingering():
    class Whole(Doorman):
        def enter(self, request, client):
            client.start(413, b"", None, b"z" * SIZE, complete=True)

    with serving(Whole()) as port, connect(port, 10) as link:
        link.sendall(b"POST /x HTTP/1.1\r\nHost: localhost:8443\r\nContent-Length: 900000\r\n\r\n")
        time.sleep(2)
        got = 0
        while piece := link.recv(1 << 20):
            got += len(piece)
        assert got > SIZE
