# SPDX-License-Identifier: EUPL-1.2
"""Small tools of the wire's tests: a bare connection, and the gateway's memory. No tests here."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

from support.servers import LOOPBACK

MIB = 1 << 20


def rss(pid: int) -> int:
    """Resident memory of the gateway, in bytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


def connect(port: int, seconds: float = 5.0) -> socket.socket:
    link = socket.create_connection((LOOPBACK, port), timeout=seconds)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def listener(port: int) -> int:
    """The process that listens on a port."""
    found = subprocess.run(["ss", "-ltnpH", f"sport = :{port}"], capture_output=True, text=True, check=True)
    return int(found.stdout.partition("pid=")[2].partition(",")[0])
