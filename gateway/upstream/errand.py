# SPDX-License-Identifier: EUPL-1.2
"""One request on its way to the portal: what is to be sent, and where its answer goes. It opens nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import Reason
from gateway.pending import Pending
from gateway.upstream.answer import Answer, WholeAnswer
from gateway.upstream.exchange import DisconnectedError

if TYPE_CHECKING:
    from gateway.upstream.connection import Connection
    from gateway.upstream.exchange import Body, Client
    from gateway.upstream.filter import AnswerFilter


class Errand(Pending[Answer | WholeAnswer]):
    """Carried by one connection at a time. `filter` judges its answer; it has a `deadline` while it waits for one."""

    __slots__ = (
        "body",
        "client",
        "connection",
        "deadline",
        "filter",
        "head",
        "head_only",
        "idle_seconds",
        "plain",
        "retryable",
        "tunnel",
    )

    deadline: float

    def __init__(  # noqa: PLR0917  # what is asked, by whom, and how its answer is to be read
        self, head: bytes, body: Body | None, client: Client, answers: AnswerFilter, idle_seconds: float, method: str
    ) -> None:
        # Not by Pending's own: one call less for each request.
        self.done = False
        self._value = self._error = self._callback = None
        self.connection: Connection | None = None
        self.head = head
        self.body = body
        self.client = client
        self.filter = answers
        self.idle_seconds = idle_seconds
        self.tunnel = self.head_only = False
        if body is None and method == "GET":
            self.plain = self.retryable = True
        else:
            self.plain = False  # an answer that may be read as a plain one
            self.head_only = method == "HEAD"
            # Only what is safe to repeat is repeated, and only on a connection that died before it said anything.
            self.retryable = body is None and self.head_only

    def becomes_tunnel(self) -> None:
        """Ask to leave HTTP: then nothing is repeated, and no answer is a plain one."""
        self.tunnel = True
        self.plain = self.retryable = False

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
