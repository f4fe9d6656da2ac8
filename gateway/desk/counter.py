# SPDX-License-Identifier: EUPL-1.2
"""The desk's side of its socket: it answers the requests that workers hand on, tells them what becomes of sessions, and
has the one watch over accounts: whoever looks up through whichever worker is seen here.

Only processes of the same user are heard. A worker that does not take what it is told is cut off: without the link it
believes nothing, and reads everything anew when it is back.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from gateway.desk.frames import (
    ANSWER,
    BEAT_SECONDS,
    BROKEN,
    LAST,
    LINK,
    PIECE,
    REQUEST,
    TOLD,
    BrokenFrame,
    read_frame,
    sights_of,
    sights_text,
    write_body,
    write_frame,
    write_value,
)
from gateway.desk.pages import GONE
from gateway.desk.watch_words import found_text, looks_of, risks_of
from gateway.errors import Refused, StartError
from gateway.model import Reason
from gateway.upstream.exchange import DisconnectedError

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Awaitable, Callable, MutableMapping
    from pathlib import Path

    from gateway.identity.returns import Returns
    from gateway.identity.session_desk import Change, DeskSessions, Sight
    from gateway.metering.risks import Standing
    from gateway.metering.watching import Watching

    Message = MutableMapping[str, Any]
    Pages = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

log = logging.getLogger(__name__)

_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: pid, uid, gid
_UNREAD_AT_MOST: Final = 8 << 20


class Counter:
    """Who stands before the workers. One per gateway, in the process that has the pages."""

    def __init__(self, path: Path, pages: Pages, sessions: DeskSessions, returns: Returns, watching: Watching) -> None:
        self._path = path
        self._pages = pages
        self._sessions = sessions
        self._returns = returns
        self._links: set[StreamWriter] = set()
        self._watching = watching
        sessions.told = self._tell
        watching.risks.told = self._tell_risk

    async def serve(self, stop: asyncio.Event) -> None:
        """Answer until `stop`. StartError if the socket cannot be made."""
        server = await asyncio.start_unix_server(self._met, sock=_listening(self._path))
        try:
            while not stop.is_set():
                self._beat(self._sessions.tick())
                try:
                    await asyncio.wait_for(stop.wait(), BEAT_SECONDS)
                except TimeoutError:
                    continue
        finally:
            server.close()
            self._path.unlink(missing_ok=True)
            for link in list(self._links):
                link.transport.abort()

    async def _met(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            if _peer_uid(writer) not in {0, os.geteuid()}:
                log.warning("a stranger's connection to the desk was closed")
                return
            kind, payload = await read_frame(reader)
            if kind == LINK:
                await self._linked(reader, writer)
            elif kind == REQUEST:
                await self._answer(json.loads(payload), reader, writer)
        except (BrokenFrame, OSError):
            return
        finally:
            writer.close()

    async def _linked(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Hear one worker; from its first word on it is told all that changes."""
        self._links.add(writer)
        try:
            write_value(writer, TOLD, _told(self._sessions.unwritten()) | {"risks": self._watching.risks.all()})
            while True:
                _, payload = await read_frame(reader)
                self._hear(json.loads(payload), writer)
        finally:
            self._links.discard(writer)

    def _hear(self, told: dict[str, Any], writer: StreamWriter) -> None:
        """Take in what a worker says."""
        if "return" in told:
            reference, path, at, signed_in, lost = told["return"]
            self._returns.put(reference, path, datetime.fromisoformat(at), signed_in=signed_in, lost=lost)
        for standing in risks_of(told.get("risks", [])):
            if self._watching.risks.take(standing):
                self._tell_risk(standing)
        self._sessions.heard(sights_of(told.get("seen", [])))
        if "looks" in told:
            looks = looks_of(told["looks"])
            raised = [self._watching.take_in(one.notes, together=one.together) for one in looks]
            found = {place: one for place, one in enumerate(raised) if one is not None}
            write_value(writer, TOLD, {"found": found_text(found)})

    def _tell_risk(self, standing: Standing) -> None:
        for link in self._links:
            write_value(link, TOLD, {"risks": [standing]})

    def _tell(self, change: Change) -> None:
        kind, key, new = change
        for link in self._links:
            write_value(link, TOLD, {"gone": [kind, key.hex(), new.hex()]})

    def _beat(self, sights: list[Sight]) -> None:
        told = _told(sights)
        for link in list(self._links):
            if link.transport.get_write_buffer_size() > _UNREAD_AT_MOST:
                link.transport.abort()
            else:
                write_value(link, TOLD, told)

    async def _answer(self, told: dict[str, Any], reader: StreamReader, writer: StreamWriter) -> None:
        """Give one request to the pages."""
        started = False

        async def send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
                write_value(writer, ANSWER, [message["status"], fields])
                return
            write_body(writer, message.get("body", b""), last=not message.get("more_body", False))
            await writer.drain()

        try:
            await self._pages(_scope(told), lambda: _receive(reader), send)
        except DisconnectedError:
            write_frame(writer, BROKEN, GONE)
        except Exception as error:  # noqa: BLE001  # the page failed: the type is logged, never what was sent
            log.error("page-failed", extra={"error": type(error).__name__})  # noqa: TRY400
            write_frame(writer, BROKEN, GONE if started else Reason.INTERNAL_ERROR.encode("ascii"))
        await writer.drain()


def _told(sights: list[Sight]) -> dict[str, Any]:
    """What was seen, and when this is said: who reads it late must know that it is late."""
    return {"seen": sights_text(sights), "at": time.monotonic()}


async def _receive(reader: StreamReader) -> Message:
    try:
        kind, payload = await read_frame(reader)
    except BrokenFrame:
        return {"type": "http.disconnect"}
    if kind in {PIECE, LAST}:
        return {"type": "http.request", "body": payload, "more_body": kind == PIECE}
    if payload == GONE:
        return {"type": "http.disconnect"}
    raise Refused(Reason(payload.decode("ascii")))


def _scope(told: dict[str, Any]) -> Message:
    """The scope as the worker's listener had it (`listener.cold`)."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "https",
        "root_path": "",
        "method": told["method"],
        "path": told["path"],
        "raw_path": told["raw_path"].encode("latin-1"),
        "query_string": told["query_string"].encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told["headers"]],
        "client": tuple(told["client"]),
        "server": tuple(told["server"]),
    }


def _listening(path: Path) -> socket.socket:
    """The socket of this state folder; whoever left one there has ended, since the folder is ours alone."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        listening.bind(os.fspath(path))
        path.chmod(0o600)  # nobody can connect before `listen`
    except OSError as error:
        listening.close()
        raise StartError(f"the socket {path} cannot be made ({error.strerror}). Check state.folder.") from error
    return listening


def _peer_uid(writer: StreamWriter) -> int:
    credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(credentials)[1])
