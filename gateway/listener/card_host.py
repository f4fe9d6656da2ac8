# SPDX-License-Identifier: EUPL-1.2
"""The card listener: it looks at one card and sends the browser back to the public host with a one-time ticket.

`GET /card?state=…` and nothing else: no page, no cookie, no second request on a connection. It says no word to the
person: what was wrong with a card travels in the ticket and is told by the public host. A failed handshake, of which
nobody could be told, becomes a line of the log and a note for the waiting page.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from gateway.errors import Refused
from gateway.listener.card_tls import LINGER_SECONDS, Talk
from gateway.model import Reason
from gateway.pages.headers import SECURITY_HEADERS

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.identity.card import CardHolder
    from gateway.identity.tickets import Tickets
    from gateway.listener.card_tls import CardTls

log = logging.getLogger(__name__)

BACK: Final = "/.herse/card/back"
_HEAD_BYTES: Final = 16_384
_FIELDS: Final = 100
_BACKLOG: Final = 256
_GRACE_SECONDS: Final = 5.0
_REQUEST: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}) ([!-~]{1,4096}) HTTP/1\.1")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)")
_TARGET: Final = re.compile(rb"/card\?state=([A-Za-z0-9_-]{43})")
_WORDS: Final = {
    303: (b"303 See Other", b""),
    400: (b"400 Bad Request", "Requête illisible. / The request cannot be read.\n".encode()),
    404: (b"404 Not Found", "Rien à cette adresse. / Nothing at this address.\n".encode()),
}


class BadRequestError(Exception):
    """What came is no plain GET of ours; `status` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class CardLimits:
    """How long and how many. The handshake waits for a PIN to be typed, the head for nobody."""

    handshake_seconds: float = 120.0
    head_seconds: float = 10.0
    connections: int = 500
    connections_of_peer: int = 50


@dataclass(frozen=True, slots=True)
class CardDoor:
    """What the listener was given. `check` verifies a certificate (DER) at a time, or raises Refused."""

    public_origin: str
    origin: str
    tickets: Tickets
    check: Callable[[bytes, datetime], Awaitable[CardHolder]]
    clock: Callable[[], datetime]


class CardHost:
    """Accepts the sockets itself. `serve` runs beside the public listener, which owns the signals."""

    def __init__(
        self, door: CardDoor, tls: CardTls, listening: socket.socket, limits: CardLimits | None = None
    ) -> None:
        self._door = door
        self._tls = tls
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
            crowded = self._of_peer[peer] >= self._limits.connections_of_peer
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
            await self._talk(Talk(link, self._tls.context()))
        except ssl.SSLError as error:
            self._handshake_failed(error, peer)
        except OSError:  # it went away, or a deadline passed: nobody is there to be told
            log.debug("card-connection-lost")
        except Exception as error:  # noqa: BLE001  # one connection's failure; its type is logged, never what was sent
            log.error("card-connection-failed", extra={"error": type(error).__name__})  # noqa: TRY400
        finally:
            link.close()
            self._of_peer[peer] -= 1
            if not self._of_peer[peer]:
                del self._of_peer[peer]

    async def _talk(self, talk: Talk) -> None:
        async with asyncio.timeout(self._limits.handshake_seconds):
            await talk.handshake()
        status, location = 303, ""
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                state = read_request(await _head(talk), self._host)
        except BadRequestError as bad:
            status = bad.status
        else:
            location = await self._outcome(state, talk.certificate)
        async with asyncio.timeout(LINGER_SECONDS):
            await talk.finish(_answer(status, location))

    async def _outcome(self, state: str, certificate: bytes | None) -> str:
        """Where the browser goes back to: with a ticket if somebody waits, else to a page that says so."""
        found = await self._look_at(certificate)
        ticket = self._door.tickets.issue(state, found, self._door.clock())
        return self._back if ticket is None else f"{self._back}?ticket={ticket}"

    async def _look_at(self, certificate: bytes | None) -> CardHolder | Reason:
        if certificate is None:
            return Reason.CARD_MISSING
        try:
            return await self._door.check(certificate, self._door.clock())
        except Refused as refused:
            log.info("card-refused", extra={"reason": refused.reason})
            return refused.reason
        except Exception as error:  # noqa: BLE001  # whatever a certificate does to its reader, it opens nothing
            log.error("card-check-failed", extra={"error": type(error).__name__})  # noqa: TRY400
            return Reason.INTERNAL_ERROR

    def _handshake_failed(self, error: ssl.SSLError, peer: str) -> None:
        if not isinstance(error, ssl.SSLCertVerificationError):
            log.info("card-handshake-failed", extra={"reason": error.reason})
            return
        log.warning(
            "card-handshake-failed",
            extra={"verify_code": error.verify_code, "verify_message": error.verify_message, "peer": peer},
        )
        self._door.tickets.note_failure(peer, self._door.clock())


async def _head(talk: Talk) -> bytes:
    """Bytes up to the empty line; what follows it is of no interest, since the connection ends with the answer."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = await talk.read()
        if not piece:
            raise ConnectionResetError("the other side went away")
        head += piece
        if len(head) > _HEAD_BYTES:
            raise BadRequestError(400)
    return head[: head.index(b"\r\n\r\n")]


def read_request(head: bytes, host: bytes) -> str:
    """The `state` of our one request. BadRequestError: 400 for what has two readings, 404 for anything else."""
    line, *lines = head.split(b"\r\n")
    request = _REQUEST.fullmatch(line)
    fields = [_FIELD.fullmatch(one) for one in lines]
    if request is None or len(fields) > _FIELDS:
        raise BadRequestError(400)
    hosts = []
    for field in fields:
        name = b"" if field is None else field[1].lower()
        if field is None or name in {b"content-length", b"transfer-encoding", b"upgrade"}:
            raise BadRequestError(400)
        if name == b"host":
            hosts.append(field[2].rstrip(b" \t").lower())
    if hosts != [host]:
        raise BadRequestError(400)
    target = _TARGET.fullmatch(request[2])
    if request[1] != b"GET" or target is None:
        raise BadRequestError(404)
    return target[1].decode()


def _answer(status: int, location: str) -> bytes:
    phrase, body = _WORDS[status]
    lines = [b"HTTP/1.1 " + phrase, b"connection: close", b"content-length: %d" % len(body)]
    lines += [b"content-type: text/plain; charset=utf-8"] if body else [b"location: " + location.encode()]
    lines += [name + b": " + value for name, value in SECURITY_HEADERS]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
