# SPDX-License-Identifier: EUPL-1.2
"""The parts of the stand-in portal that move bytes: a large download, an upload, server-sent events, a WebSocket.

They show no patient. Nothing is kept in memory or on disk beyond the piece in hand.
"""

from __future__ import annotations

import asyncio
from hashlib import sha256, shake_128
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from gateway.demo.lookups import Unanswerable
from gateway.demo.markup import SECURITY_HEADERS, document, page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket

PIECE_BYTES = 64 * 1024
DOWNLOAD_BYTES = 50 * 1024 * 1024
UPLOAD_BYTES = 100 * 1024 * 1024
_FILLING = shake_128(b"herse demo download").digest(PIECE_BYTES - 8)
_LONGEST_LENGTH = 12  # digits
_MOST_TICKS = 1_000_000
_SLOWEST_MS = 60_000


def download_pieces() -> Iterator[bytes]:
    """The 50 MiB of the download, always the same: 800 pieces, each its own number and then one filling."""
    for number in range(DOWNLOAD_BYTES // PIECE_BYTES):
        yield number.to_bytes(8, "big") + _FILLING


async def download(request: Request) -> Response:  # noqa: ARG001  # the shape of a Starlette handler
    """`/telechargements/50mio`: 50 MiB with a Content-Length, made piece by piece as the client takes them."""

    async def pieces() -> AsyncIterator[bytes]:
        for piece in download_pieces():
            yield piece

    headers = {
        **SECURITY_HEADERS,
        "content-length": str(DOWNLOAD_BYTES),
        "content-disposition": 'attachment; filename="50mio.bin"',
    }
    return StreamingResponse(pieces(), headers=headers, media_type="application/octet-stream")


async def deposit(request: Request) -> Response:
    """`/depot`: the form, and an upload of any type up to 100 MiB: how many bytes came, and their SHA-256."""
    if request.method != "POST":
        return page("deposit", visitor=request.state.visitor)
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) > _LONGEST_LENGTH or int(length) > UPLOAD_BYTES:
        raise _too_large()
    count = 0
    digest = sha256()
    async for piece in request.stream():
        count += len(piece)
        if count > UPLOAD_BYTES:
            raise _too_large()
        digest.update(piece)
    return document({"bytes": count, "sha256": digest.hexdigest()})


def _too_large() -> Unanswerable:
    return Unanswerable(413, "Document trop lourd", "100 Mio au plus sont attendus.")


async def server_events(request: Request) -> Response:
    """`/evenements-serveur`: one `tick` a second, the first at once, endless; `count` and `interval_ms` bound it."""
    count = _bounded(request, "count", _MOST_TICKS)
    interval_ms = _bounded(request, "interval_ms", _SLOWEST_MS)
    pause_seconds = (1000 if interval_ms is None else interval_ms) / 1000

    async def ticks() -> AsyncIterator[bytes]:
        number = 0
        while count is None or number < count:
            if number:
                await asyncio.sleep(pause_seconds)
            yield b'event: tick\nid: %d\ndata: {"tick": %d}\n\n' % (number, number)
            number += 1

    return StreamingResponse(ticks(), headers=SECURITY_HEADERS, media_type="text/event-stream")


def _bounded(request: Request, name: str, largest: int) -> int | None:
    values = request.query_params.getlist(name)
    if not values:
        return None
    text = values[0]
    if len(values) > 1 or not (text.isascii() and text.isdigit()) or len(text) > len(str(largest)):
        raise Unanswerable(400, "Paramètre mal formé", f"{name} : un nombre de 0 à {largest} est attendu, une fois.")
    return min(int(text), largest)


async def echo(websocket: WebSocket) -> None:
    """`/ws`: send back every message, text as text and bytes as bytes, until the client closes."""
    await websocket.accept()
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        try:
            if message.get("text") is not None:
                await websocket.send_text(message["text"])
            else:
                await websocket.send_bytes(message["bytes"])
        except WebSocketDisconnect:  # the client left while the echo was on its way
            return
