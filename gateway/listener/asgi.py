# SPDX-License-Identifier: EUPL-1.2
"""The same hallway under any ASGI server: scope in, judged request out, answer back as ASGI messages.

For those who cannot let Herse own its sockets, and for tests. It judges the head as the wire does; what the server in
front already merged or decoded (trailers, framing) is that server's word, so the wire listener is the stricter house.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gateway.errors import Refused
from gateway.listener.exchange import BODILESS
from gateway.listener.strict import Limits, judge, judge_fields, weigh
from gateway.upstream.exchange import Body, DisconnectedError, Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from gateway.listener.doors import Doorman
    from gateway.upstream.exchange import Flow, Headers

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_WRITTEN_AHEAD = 16  # messages that wait for a slow client before the portal is held back


class HallwayApp:
    """An ASGI application around a doorman. WebSockets and lifespan are the wire listener's business."""

    def __init__(self, doorman: Doorman, limits: Limits) -> None:
        self._doorman = doorman
        self._limits = limits

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"scope type {scope['type']}: only http is served here")
        client = _AsgiClient()
        reader: asyncio.Task[None] | None = None
        headers = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
        try:
            request = self._judged(scope, headers, client)
        except Refused as refused:
            self._doorman.turn_away(refused.reason, headers, client)
        else:
            reader = asyncio.get_running_loop().create_task(_read(receive, request.body, client))
            self._doorman.enter(request, client)
        try:
            await client.write_out(send)
        finally:
            if reader is not None:
                reader.cancel()

    def _judged(self, scope: Message, headers: Headers, client: _AsgiClient) -> Request:
        target = scope.get("raw_path") or scope["path"].encode("utf-8")
        if scope.get("query_string"):
            target += b"?" + scope["query_string"]
        weigh(target, headers, self._limits)
        judged = judge_fields(headers, self._limits)
        head = judge(scope["method"].encode("ascii"), target, scope["http_version"], judged, self._limits)
        body = None if head.length == 0 else Body(head.length, self._limits.body_bytes, client.hold)
        peer = scope.get("client")
        return Request(
            head.method,
            target,
            head.path,
            head.query,
            head.fields,
            head.host,
            peer[0] if peer else "127.0.0.1",
            scope["scheme"] == "https",
            body=body,
        )


async def _read(receive: Receive, body: Body | None, client: _AsgiClient) -> None:
    while True:
        await client.reading.wait()
        message = await receive()
        if message["type"] == "http.disconnect":
            if body is not None:
                body.broken(DisconnectedError())
            client.lost()
            return
        if body is not None:
            if message.get("body"):
                body.feed(message["body"])
            if not message.get("more_body", False):
                body.finish()
                body = None
                client.reading.set()


class _AsgiClient:
    """Takes an answer and turns it into ASGI messages; obeys `Client`."""

    def __init__(self) -> None:
        self.flow: Flow | None = None
        self.ended: Callable[[], None] | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue()
        self._over = False

    def start(self, status: int, lines: bytes, length: int | None, first: bytes, complete: bool) -> None:
        fields = [(name, value) for name, _, value in (line.partition(b": ") for line in lines.split(b"\r\n")[1:])]
        if length is None and complete:
            length = len(first)
        if length is not None and status not in BODILESS:
            fields.append((b"content-length", b"%d" % length))
        self._put({"type": "http.response.start", "status": status, "headers": fields})
        self._put({"type": "http.response.body", "body": first, "more_body": not complete})
        if complete:
            self._end()

    def send(self, data: bytes) -> None:
        self._put({"type": "http.response.body", "body": data, "more_body": True})
        if self._messages.qsize() > _WRITTEN_AHEAD and self.flow is not None:
            self.flow.pause()

    def finish(self) -> None:
        self._put({"type": "http.response.body", "body": b"", "more_body": False})
        self._end()

    def abort(self) -> None:
        self._end()

    def switch(self, lines: bytes, receiver: Callable[[bytes], None]) -> None:
        raise NotImplementedError("a tunnel needs the wire listener")

    def hold(self, yes: bool) -> None:
        """Stop asking the server in front for more of the request's body, or go on."""
        if yes:
            self.reading.clear()
        else:
            self.reading.set()

    def lost(self) -> None:
        if not self._over and self.flow is not None:
            self.flow.cancel()
        self._end()

    async def write_out(self, send: Send) -> None:
        """Write until the end; an aborted answer ends without its last message, so the server cuts the connection."""
        while (message := await self._messages.get()) is not None:
            await send(message)
            if self._messages.empty() and self.flow is not None:
                self.flow.resume()

    def _put(self, message: Message) -> None:
        if not self._over:
            self._messages.put_nowait(message)

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._messages.put_nowait(None)
            ended, self.ended = self.ended, None
            if ended is not None:
                ended()
