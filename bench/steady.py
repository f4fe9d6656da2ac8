# SPDX-License-Identifier: EUPL-1.2
"""Latency as one person meets it: an open loop at a fixed rate. Requests are due at random (Poisson) times, whether
or not the earlier ones were answered, and the clock of each runs from when it was due.
"""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from bench.load import CONNECTIONS, Answered, LoadError
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD_END = b"\r\n\r\n"


class _Link:
    """One kept connection with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((LOOPBACK, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._received = bytearray()

    def ask(self, request: bytes, due: float) -> None:
        self.due = due
        self.socket.sendall(request)

    def read(self) -> bool:
        """Whether the answer is whole. LoadError if it is not a 200 with a length."""
        more = self.socket.recv(262_144)
        self._received += more
        head = self._received.find(_HEAD_END)
        if not more or (head >= 0 and not self._received.startswith(b"HTTP/1.1 200 ")):
            raise LoadError(f"answer: {bytes(self._received[:300])!r}")
        if head < 0:
            return False
        fields = bytes(self._received[:head]).lower().split(b"\r\n")
        length = next((int(field[15:]) for field in fields if field.startswith(b"content-length:")), None)
        if length is None:
            raise LoadError(f"no Content-Length in {fields!r}")
        whole = len(self._received) >= head + len(_HEAD_END) + length
        if whole:
            self._received.clear()
        return whole


class _Loop:
    """The connections, what waits for a free one, and what was measured."""

    def __init__(self, port: int) -> None:
        self.links = {link.socket.fileno(): link for link in (_Link(port) for _ in range(CONNECTIONS))}
        self.idle = list(self.links.values())
        self.waiting: deque[tuple[bytes, float]] = deque()
        self.latencies: list[float] = []
        self.fault: Exception | None = None
        self.lock = threading.Lock()

    def send(self, request: bytes, due: float) -> None:
        with self.lock:
            if self.idle:
                self.idle.pop().ask(request, due)
            else:
                self.waiting.append((request, due))

    def receive(self, total: int) -> None:
        """Runs in a thread of its own until `total` answers are in, or one is wrong."""
        poll = select.epoll()
        for number in self.links:
            poll.register(number, select.EPOLLIN)
        try:
            while len(self.latencies) < total:
                ready = poll.poll(10)
                if not ready:
                    self.fault = LoadError(f"no answer for 10 s after {len(self.latencies)} of {total}")
                    break
                for number, _ in ready:
                    self._take(self.links[number])
        except (OSError, LoadError) as error:
            self.fault = error
        finally:
            poll.close()

    def _take(self, link: _Link) -> None:
        if link.read():
            self.latencies.append(time.perf_counter() - link.due)
            with self.lock:
                if self.waiting:
                    link.ask(*self.waiting.popleft())
                else:
                    self.idle.append(link)


def steady_load(port: int, request: Callable[[int], bytes], rate: float, seconds: float) -> Answered:
    """Send `request(n)` for n = 0, 1, … at `rate` per second. LoadError if an answer is not a 200."""
    loop = _Loop(port)
    total = int(rate * seconds)
    reader = threading.Thread(target=loop.receive, args=(total,), name="answers")
    reader.start()
    chance = random.Random(1)  # the same times for every server
    began = due = time.perf_counter()
    for number in range(total):
        due += chance.expovariate(rate)
        time.sleep(max(0.0, due - time.perf_counter()))
        if loop.fault is not None:
            break
        loop.send(request(number), due)
    reader.join()
    took = time.perf_counter() - began
    for link in loop.links.values():
        link.socket.close()
    if loop.fault is not None:
        raise LoadError(f"port {port}: {loop.fault}") from loop.fault
    measured = sorted(loop.latencies)
    return Answered(total, took, measured[total // 2] * 1000, measured[total * 99 // 100] * 1000)
