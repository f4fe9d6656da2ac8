# SPDX-License-Identifier: EUPL-1.2
"""What tests of switches share: a command to a running server, and requests to make again and again. No assertions."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.console.admin_socket import SOCKET_FILE, NoServer, call
from support.lookups import api_request, people
from support.servers import wait_until

if TYPE_CHECKING:
    from support.house import House

HOME = b"GET /accueil HTTP/1.1\r\naccept: application/json\r\n"
NUMBERS = people(63)
REASON = "vol de données"


def page(path: str) -> bytes:
    """A page, as a browser asks for it."""
    return f"GET {path} HTTP/1.1\r\naccept: text/html\r\n".encode()


def look() -> bytes:
    """A look-up of somebody whom nobody has looked up yet."""
    return api_request(next(NUMBERS))


def do(house: House, command: str, **arguments: Any) -> dict[str, Any]:
    """A command to the running server, as `herse` sends it."""
    told: list[dict[str, Any]] = []

    def heard() -> bool:
        with suppress(NoServer):  # it starts still
            told.append(call(house.ledger_file.parent / SOCKET_FILE, command, {"reason": REASON, **arguments}))
        return bool(told)

    wait_until("the server hears commands", heard)
    return told[0]
