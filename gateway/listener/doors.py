# SPDX-License-Identifier: EUPL-1.2
"""What all connections of one listener share, and who takes what they have judged. Not a byte moves here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.upstream.deadlines import Deadlines

if TYPE_CHECKING:
    from gateway.listener.strict import Limits
    from gateway.model import Reason
    from gateway.upstream.exchange import Client, Headers, Request


class Doorman(Protocol):
    """Who takes judged requests: the hallway, or the gateway's own pages."""

    def enter(self, request: Request, client: Client) -> None:
        """Walk one request."""

    def turn_away(self, reason: Reason, headers: Headers, client: Client) -> None:
        """Answer a request that was refused before it could be judged."""


class Doors:
    """What all connections of one listener share."""

    def __init__(self, doorman: Doorman, limits: Limits) -> None:
        self.doorman = doorman
        self.limits = limits
        self.deadlines = Deadlines()
        self.stopping = False
