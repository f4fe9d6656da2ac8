# SPDX-License-Identifier: EUPL-1.2
"""One request on its way to the portal: what is to be sent, and where its answer goes. It opens nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import Reason
from gateway.pending import Pending
from gateway.upstream.answer import Answer
from gateway.upstream.deadlines import NEVER
from gateway.upstream.exchange import DisconnectedError

if TYPE_CHECKING:
    from gateway.upstream.connection import Connection
    from gateway.upstream.exchange import Body, Client


class Errand(Pending[Answer]):
    """Carried by one connection at a time. `deadline` counts only while it waits for a connection."""

    __slots__ = (
        "body",
        "client",
        "connection",
        "deadline",
        "head",
        "head_only",
        "idle_seconds",
        "retryable",
        "tunnel",
    )

    def __init__(
        self,
        head: bytes,
        body: Body | None,
        client: Client,
        *,
        method: str,
        idle_seconds: float,
        tunnel: bool,
    ) -> None:
        super().__init__()
        self.head = head
        self.body = body
        self.client = client
        self.idle_seconds = idle_seconds
        self.tunnel = tunnel
        self.head_only = method == "HEAD"
        # Only what is safe to repeat is repeated, and only on a connection that died before it said anything.
        self.retryable = body is None and method in {"GET", "HEAD"} and not tunnel
        self.connection: Connection | None = None
        self.deadline = NEVER

    def expired(self) -> None:
        """Hear that no connection became free in time."""
        self.fail(Refused(Reason.BUSY))

    def pause(self) -> None:
        """Nothing flows yet."""

    def resume(self) -> None:
        """Nothing flows yet."""

    def cancel(self) -> None:
        """Give up: the client went away before the answer's head."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.drop()
        self.fail(DisconnectedError())
