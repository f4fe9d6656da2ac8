# SPDX-License-Identifier: EUPL-1.2
"""Two doors behind one listener: the hallway for the portal, Starlette for the gateway's own pages under `/.herse/`.

Only own pages become ASGI scopes and tasks; everything else stays on the lean path.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from gateway.errors import Refused
from gateway.model import Reason
from gateway.upstream.exchange import DisconnectedError
from gateway.upstream.headers import lines_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from gateway.errors import HerseError
    from gateway.listener.doors import Doorman
    from gateway.upstream.exchange import Body, Client, Headers, Request

    Message = MutableMapping[str, Any]
    ASGIApp = Callable[
        [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
    ]

log = logging.getLogger("gateway.listener")

OWN = "/.herse"
_OWN_STARTS = frozenset((OWN, OWN + "/"))


class Tasks(Protocol):
    """The set that a graceful stop waits for."""

    def add(self, task: asyncio.Task[None], /) -> None:
        """Wait for one more."""

    def discard(self, task: asyncio.Task[None], /) -> None:
        """Wait for one less."""


class Entrance:
    """Sends each judged request through the right door. The portal never sees a path of ours, in any case."""

    def __init__(self, hallway: Doorman, pages: ASGIApp, tasks: Tasks) -> None:
        self._hallway = hallway
        self._pages = pages
        self._tasks = tasks

    def enter(self, request: Request, client: Client) -> None:
        """Walk one request."""
        path = request.path
        if not path.startswith("/.") or path[: len(OWN) + 1].lower() not in _OWN_STARTS:
            self._hallway.enter(request, client)
            return
        if request.upgrade:
            self._hallway.turn_away(Reason.NOT_IMPLEMENTED, request.headers, client)
            return
        task = asyncio.get_running_loop().create_task(self._serve(request, client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def turn_away(self, reason: Reason, headers: Headers, client: Client) -> None:
        """Answer a request that was refused before it could be judged."""
        self._hallway.turn_away(reason, headers, client)

    async def _serve(self, request: Request, client: Client) -> None:
        answer = _Answering(request, client)
        try:
            await self._pages(scope_of(request), answer.receive, answer.send)
        except DisconnectedError:
            client.abort()
        except Refused as refused:  # whoever has the pages could not be asked
            if answer.started:
                client.abort()
            else:
                self._hallway.turn_away(refused.reason, request.headers, client)
        except Exception as error:  # noqa: BLE001  # the page failed: the type is logged, never what was sent
            log.error("page-failed", extra={"error": type(error).__name__, "request": request.id.hex()})  # noqa: TRY400
            if answer.started:
                client.abort()
            else:
                self._hallway.turn_away(Reason.INTERNAL_ERROR, request.headers, client)


def scope_of(request: Request) -> dict[str, Any]:
    """An ASGI HTTP scope of a judged request; the client is the verified peer, forwarded headers count for nothing."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "https",
        "path": request.path,
        "raw_path": request.target.split(b"?", 1)[0],
        "query_string": request.query,
        "root_path": "",
        "headers": request.headers,
        "client": (request.peer, 0),
        "server": (request.host.rsplit(":", 1)[0], None),
    }


class _Answering:
    """ASGI's receive and send over a `Client` and a `Body`."""

    def __init__(self, request: Request, client: Client) -> None:
        self._client = client
        self._body: Body | None = request.body
        self._pieces: asyncio.Queue[bytes | HerseError | None] = asyncio.Queue()
        self._head: tuple[int, Headers, int | None] | None = None
        self.started = False
        self._clear = asyncio.Event()
        self._clear.set()
        self._bodiless = request.body is None
        client.flow = self

    # the body's sink

    def body_piece(self, data: bytes) -> None:
        self._pieces.put_nowait(data)

    def body_end(self) -> None:
        self._pieces.put_nowait(None)

    def body_broken(self, error: HerseError) -> None:
        self._pieces.put_nowait(error)

    # the client's flow

    def pause(self) -> None:
        """Hold an answer of the portal back: own pages are small, but what was sent for a person may bring a file."""
        self._clear.clear()

    def resume(self) -> None:
        """Let it go on."""
        self._clear.set()

    def cancel(self) -> None:
        self._pieces.put_nowait(DisconnectedError())
        self._clear.set()

    async def receive(self) -> Message:
        body, self._body = self._body, None
        if body is not None:
            body.pipe(self)
        elif self._bodiless:
            self._bodiless = False
            return {"type": "http.request", "body": b"", "more_body": False}
        piece = await self._pieces.get()
        if piece is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        if isinstance(piece, bytes):
            return {"type": "http.request", "body": piece, "more_body": True}
        if isinstance(piece, Refused):
            raise piece  # too slow, too large, malformed: the page has words for it
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.lower(), value) for name, value in message["headers"]]
            length = next((int(value) for name, value in headers if name == b"content-length"), None)
            kept = [field for field in headers if field[0] != b"content-length"]
            self._head = (message["status"], kept, length)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._head is not None:
            status, headers, length = self._head
            self._head = None
            self.started = True
            self._client.start(status, lines_of(headers), length, body, complete=not more)
            return
        self._client.send(body)
        if not more:
            self._client.finish()
        await self._clear.wait()
