# SPDX-License-Identifier: EUPL-1.2
"""Memory while clients read slowly: what a server takes faster than they do, it must keep."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from bench.load import LoadError
from bench.machine import rss_mib
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENTS = 8
_SIP_BYTES = 65_536
_PAUSE_SECONDS = 0.05


def peak_rss_mib(pid: int, port: int, path: str, headers: Mapping[str, str], *, size: int, slow: float) -> float:
    """The highest memory of a server while CLIENTS read `size` bytes each, slowly for `slow` seconds, then to the end.

    LoadError if one of them does not get all of it.
    """
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "Connection: close"]
    request = "\r\n".join([*lines, "", ""]).encode()
    clients = [_slow_client(port, request) for _ in range(CLIENTS)]
    received = [0] * CLIENTS
    peak = rss_mib(pid)
    ends = time.monotonic() + slow
    while time.monotonic() < ends:
        for number, client in enumerate(clients):
            received[number] += len(client.recv(_SIP_BYTES))
        peak = max(peak, rss_mib(pid))
        time.sleep(_PAUSE_SECONDS)
    for number, client in enumerate(clients):
        with client:
            while more := client.recv(1_048_576):
                received[number] += len(more)
    if min(received) < size:
        raise LoadError(f"port {port} {path}: {min(received)} bytes; expected {size} and a head")
    return max(peak, rss_mib(pid))


def _slow_client(port: int, request: bytes) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SIP_BYTES)  # or the kernel would read ahead for it
    client.settimeout(30)
    client.connect((LOOPBACK, port))
    client.sendall(request)
    return client
