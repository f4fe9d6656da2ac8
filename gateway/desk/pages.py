# SPDX-License-Identifier: EUPL-1.2
"""The own pages in a process that does not have them: each request goes to the desk, on a connection of its own.

What the listener here found out goes with it as it is: who is at the other end, and by which name we were asked.
Where the desk is not there, the answer is 503, and the hallway goes on.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.desk.frames import (
    ANSWER,
    BROKEN,
    LAST,
    REQUEST,
    BrokenFrame,
    read_frame,
    write_body,
    write_frame,
    write_value,
)
from gateway.errors import Refused
from gateway.model import Reason
from gateway.upstream.exchange import DisconnectedError

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Awaitable, Callable, MutableMapping
    from pathlib import Path

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

GONE = b"gone"
"""In a frame BROKEN: the browser went away, or its answer must not look whole."""


class DeskPages:
    """An ASGI application: the pages that the desk has. `path`: its socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Ask the desk. Refused before the answer has begun, DisconnectedError after."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError:
            raise Refused(Reason.BUSY) from None
        write_value(writer, REQUEST, _texts(scope))
        asking = asyncio.create_task(_ask(receive, writer))
        try:
            await _answer(reader, send)
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
            writer.close()


async def _ask(receive: Receive, writer: StreamWriter) -> None:
    """Send the body as it comes, then hear whether the browser stays."""
    try:
        while True:
            message = await receive()
            if message["type"] != "http.request":
                write_frame(writer, BROKEN, GONE)
                return
            write_body(writer, message["body"], last=not message["more_body"])
            await writer.drain()
    except Refused as refused:
        write_frame(writer, BROKEN, refused.reason.encode("ascii"))
    except OSError:
        return  # the desk went: the other direction says so


async def _answer(reader: StreamReader, send: Send) -> None:
    """Pass the answer on."""
    started = False
    while True:
        try:
            kind, payload = await read_frame(reader)
        except BrokenFrame:
            raise (DisconnectedError() if started else Refused(Reason.BUSY)) from None
        if kind == BROKEN:
            raise DisconnectedError if payload == GONE else Refused(Reason(payload.decode("ascii")))
        if kind == ANSWER:
            started = True
            status, fields = json.loads(payload)
            headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            continue
        await send({"type": "http.response.body", "body": payload, "more_body": kind != LAST})
        if kind == LAST:
            return


def _texts(scope: Message) -> dict[str, Any]:
    """The parts of a scope that differ between requests."""
    return {
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode("latin-1"),
        "query_string": scope["query_string"].decode("latin-1"),
        "headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        "client": scope["client"],
        "server": scope["server"],
    }
