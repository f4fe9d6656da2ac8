# SPDX-License-Identifier: EUPL-1.2
"""The portal's answer, from its head on: kept back until the hallway lets it go, then relayed.

Nothing leaves before `relay`: that is where promise 1 (recorded before released) is kept. Either the answer is all
there (`WholeAnswer`), or the connection is paused, so that at most one read of the socket is held meanwhile.
`lines` are the fields that may reach the client, as they are written (see filter); `status` is the portal's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from gateway.upstream.exchange import Client


class Source(Protocol):
    """The connection an answer still comes from."""

    def hold(self, yes: bool) -> None:
        """Stop reading from the portal, or go on."""

    def drop(self) -> None:
        """Give the connection up: nobody wants the rest."""

    def raw(self, data: bytes) -> None:
        """Send bytes through an open tunnel."""


class WholeAnswer:
    """An answer that came whole in one read; its connection already serves others."""

    __slots__ = ("_body", "lines", "status")

    upgraded = False

    def __init__(self, status: int, lines: bytes, body: bytes) -> None:
        self.status = status
        self.lines = lines
        self._body = body

    def relay(self, client: Client, lines: bytes) -> None:
        """Let the answer go, with these lines."""
        client.start(self.status, lines, None, self._body, True)

    def discard(self) -> None:
        """Never let it go: what was not recorded does not leave."""


class Answer:
    """An answer that comes in pieces; `length` in bytes, None when it is not announced."""

    __slots__ = ("_broken", "_client", "_pieces", "_source", "_whole", "length", "lines", "status", "upgraded")

    def __init__(  # the parts of an answer, in their order
        self,
        status: int,
        lines: bytes,
        length: int | None,
        source: Source | None,
        pieces: list[bytes],
        *,
        upgraded: bool = False,
    ) -> None:
        self.status = status
        self.lines = lines
        self.length = length
        self.upgraded = upgraded
        self._pieces = pieces
        self._source = source
        self._client: Client | None = None
        self._whole = source is None  # all of it came at once
        self._broken = False

    # the portal's side

    def take(self, pieces: list[bytes]) -> None:
        """Take what has arrived since the last call."""
        if self._client is None:
            self._pieces += pieces
        else:
            self._client.send(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def end(self) -> None:
        """Hear that the answer is whole; the connection may already serve another request."""
        self._whole = True
        self._source = None
        if self._client is not None:
            self._client.finish()

    def break_off(self) -> None:
        """Hear that the rest will never come: the client must see a cut, not an end."""
        self._broken = True
        self._source = None
        if self._client is not None:
            self._client.abort()

    def hold_client(self, yes: bool) -> None:
        """Hear that the portal takes nothing of what comes through a tunnel, or that it does again."""
        if self._client is not None:
            self._client.hold(yes)

    # the hallway's side

    def relay(self, client: Client, lines: bytes) -> None:
        """Let the answer go, with these lines. Raises PORTAL_ANSWER_INVALID if it broke while it was kept back."""
        if self._broken or (self.upgraded and self._source is None):
            raise Refused(Reason.PORTAL_ANSWER_INVALID)
        self._client = client
        client.flow = self
        first, self._pieces = b"".join(self._pieces), []
        if self.upgraded and self._source is not None:
            self._switch(client, lines, self._source)
            if first:
                client.send(first)
        else:
            client.start(self.status, lines, self.length, first, self._whole)
        if self._source is not None:
            self._source.hold(False)

    def _switch(self, client: Client, lines: bytes, source: Source) -> None:
        try:
            client.switch(lines, source.raw)
        except Refused:
            self._client = None
            self.discard()
            raise

    def discard(self) -> None:
        """Never let it go: what was not recorded does not leave."""
        source, self._source = self._source, None
        if source is not None:
            source.drop()

    # what the client says while it takes the answer

    def pause(self) -> None:
        """Hold the portal back: the client is slow."""
        if self._source is not None:
            self._source.hold(True)

    def resume(self) -> None:
        """Let the portal go on."""
        if self._source is not None:
            self._source.hold(False)

    def cancel(self) -> None:
        """Drop the rest: the client went away."""
        self.discard()
