# SPDX-License-Identifier: EUPL-1.2
"""The card listener: it looks at one card and sends the browser back to the public host with a one-time ticket.

One request on a connection (`card_request`), with a certificate that came by handshake or by field (`card_header`). It
says no word to the person: what was wrong with a card travels in the ticket and is told by the public host. A failed
handshake, of which nobody could be told, becomes a line of the log and a note for the waiting page.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from gateway.errors import Refused
from gateway.listener.card_header import Fronted
from gateway.listener.card_request import HEAD_BYTES, BadRequestError, Fault, read_request, refusal, sent_back
from gateway.listener.card_tls import LINGER_SECONDS, Talk
from gateway.model import Reason

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.identity.card import CardHolder
    from gateway.identity.tickets import Tickets
    from gateway.listener.card_header import Conversation, Direct

log = logging.getLogger(__name__)

BACK: Final = "/.herse/card/back"
_BACKLOG: Final = 256
_GRACE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class CardLimits:
    """How long and how many. The handshake waits for a PIN to be typed, the head for nobody."""

    handshake_seconds: float = 120.0
    head_seconds: float = 10.0
    connections: int = 500
    connections_of_peer: int = 50


@dataclass(frozen=True, slots=True)
class CardDoor:
    """What the listener was given: `consult` asks others about a certificate (DER) first; `verify` judges it, or raises
    Refused.
    """

    public_origin: str
    origin: str
    tickets: Tickets
    consult: Callable[[bytes, datetime], Awaitable[None]]
    verify: Callable[[bytes, datetime], CardHolder]
    clock: Callable[[], datetime]


class CardHost:
    """Accepts the sockets itself. `serve` runs beside the public listener, which owns the signals."""

    def __init__(
        self, door: CardDoor, way: Direct | Fronted, listening: socket.socket, limits: CardLimits | None = None
    ) -> None:
        self._door = door
        self._way = way
        self._listening = listening
        self._limits = limits or CardLimits()
        self._host = urlsplit(door.origin).netloc.encode()
        self._back = f"{door.public_origin}{BACK}"
        self._open: set[asyncio.Task[None]] = set()
        self._of_peer: Counter[str] = Counter()

    async def serve(self, stop: asyncio.Event) -> None:
        """Accept until `stop`; what is open then has a few seconds to end."""
        self._listening.setblocking(False)
        self._listening.listen(_BACKLOG)
        accepting = asyncio.ensure_future(self._accept())
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({accepting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if accepting.done():
                accepting.result()
        finally:
            for task in (accepting, stopping):
                task.cancel()
            await asyncio.gather(accepting, stopping, return_exceptions=True)
            self._listening.close()
            await self._let_end()

    async def _let_end(self) -> None:
        if self._open:
            _, late = await asyncio.wait(self._open, timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                link, address = await loop.sock_accept(self._listening)
            except OSError as error:  # no descriptor left, or the client was gone already
                log.warning("card-accept-failed", extra={"error": error.strerror})
                await asyncio.sleep(0.1)
                continue
            peer = str(address[0])
            crowded = self._of_peer[peer] >= self._limits.connections_of_peer and not self._way.names(peer)
            if crowded or len(self._open) >= self._limits.connections:
                link.close()
                continue
            link.setblocking(False)
            self._of_peer[peer] += 1
            task = asyncio.ensure_future(self._take(link, peer))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _take(self, link: socket.socket, peer: str) -> None:
        try:
            await self._converse(self._way.talk(link), peer)
        except OSError:  # it went away, or a deadline passed: nobody is there to be told
            log.debug("card-connection-lost")
        except Exception as error:  # noqa: BLE001  # one connection's failure; its type is logged, never what was sent
            log.error("card-connection-failed", extra={"error": type(error).__name__})  # noqa: TRY400
        finally:
            link.close()
            self._of_peer[peer] -= 1
            if not self._of_peer[peer]:
                del self._of_peer[peer]

    async def _converse(self, talk: Conversation, peer: str) -> None:
        try:
            async with asyncio.timeout(self._limits.handshake_seconds):
                await talk.handshake()
        except ssl.SSLError as error:
            self._handshake_failed(error, talk, peer)
            return
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                head = await _head(talk)
            answer = sent_back(await self._outcome(talk, head, peer))
        except BadRequestError as bad:
            if bad.fault not in {Fault.UNREADABLE, Fault.NOTHING_HERE}:
                log.warning("card-field-refused", extra={"fault": bad.fault.name.lower(), "peer": peer})
            answer = refusal(bad.fault)
        async with asyncio.timeout(LINGER_SECONDS):
            await talk.finish(answer)

    async def _outcome(self, talk: Conversation, head: bytes, peer: str) -> str:
        """Where the browser goes back to: with a ticket if somebody waits, else to a page that says so."""
        self._way.admit(peer)
        request = read_request(head, self._host)
        try:
            certificate = self._way.certificate(talk, request.fields)
            found = Reason.CARD_MISSING if certificate is None else await self._look_at(certificate)
        except Refused as refused:
            log.info("card-refused", extra={"reason": refused.reason})
            found = refused.reason
        ticket = self._door.tickets.issue(request.state, found, self._door.clock())
        return self._back if ticket is None else f"{self._back}?ticket={ticket}"

    async def _look_at(self, certificate: bytes) -> CardHolder | Reason:
        try:
            await self._door.consult(certificate, self._door.clock())
            return self._door.verify(certificate, self._door.clock())
        except Refused:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a certificate does to its reader, it opens nothing
            log.error("card-check-failed", extra={"error": type(error).__name__})  # noqa: TRY400
            return Reason.INTERNAL_ERROR

    def _handshake_failed(self, error: ssl.SSLError, talk: Conversation, peer: str) -> None:
        """Tell it; if a certificate was the fault, with our own reason, kept for whoever waits at that address."""
        if not isinstance(error, ssl.SSLCertVerificationError):
            log.info("card-handshake-failed", extra={"error": error.reason})
            return
        told = {"verify_code": error.verify_code, "verify_message": error.verify_message, "peer": peer}
        if isinstance(self._way, Fronted):
            log.warning("card-terminator-refused", extra=told)
            return
        reason = self._reason_of(talk.shown if isinstance(talk, Talk) else None)
        log.warning("card-handshake-failed", extra=told | {"reason": reason})
        self._door.tickets.note_failure(peer, reason, self._door.clock())

    def _reason_of(self, certificate: bytes | None) -> Reason:
        """What our own judge has against a certificate that OpenSSL refused; nobody is asked about it."""
        try:
            if certificate is not None:
                self._door.verify(certificate, self._door.clock())
        except Refused as refused:
            return refused.reason
        except Exception as error:  # noqa: BLE001  # as in `_look_at`
            log.error("card-check-failed", extra={"error": type(error).__name__})  # noqa: TRY400
        return Reason.CARD_HANDSHAKE_FAILED


async def _head(talk: Conversation) -> bytes:
    """Bytes up to the empty line; what follows it is of no interest, since the connection ends with the answer."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await talk.read()
        if not piece:
            raise ConnectionResetError("the other side went away")
        head += piece
        if len(head) > HEAD_BYTES:
            raise BadRequestError(Fault.UNREADABLE)
    return head[: head.index(b"\r\n\r\n")]
