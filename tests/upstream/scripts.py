# SPDX-License-Identifier: EUPL-1.2
"""What the tests of this room send, and how their upstream answers. No tests here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.echo import Seen, Talk

HOST = b"Host: localhost:8443\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def get(target: bytes) -> bytes:
    """A plain GET."""
    return b"GET %b HTTP/1.1\r\n" % target + HOST + b"\r\n"


def says(*pieces: bytes, pause: float = 0.05, close: bool = False) -> Callable[[Talk, Seen], None]:
    """A script that sends these pieces."""

    def script(talk: Talk, _seen: Seen) -> None:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            talk.send(piece)
        if close:
            talk.close()

    return script
