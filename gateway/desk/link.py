# SPDX-License-Identifier: EUPL-1.2
"""A worker's standing connection to the desk: what has ended and what was seen comes in, what was seen here goes out.
So does what was looked up, for the watch over accounts that the desk has; what it raised comes back.

Whatever is wrong with it, a session counts for nothing unread (`WorkerSessions`): first the word goes out that the desk
is gone, then a new connection is tried, five times a second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from gateway.desk.frames import BEAT_SECONDS, LINK, TOLD, BrokenFrame, read_frame, sights_of, sights_text, write_value
from gateway.desk.watch_words import found_of, looks_text, risks_of
from gateway.identity.returns import REFERENCE_BYTES, demand_room

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from datetime import datetime
    from pathlib import Path

    from gateway.identity.session_worker import WorkerSessions
    from gateway.metering.risks import Standing
    from gateway.metering.watching_afar import WatchingAfar

log = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 0.2


class DeskLink:
    """The connection of one worker. `path`: the desk's socket."""

    def __init__(self, path: Path, sessions: WorkerSessions, watching: WatchingAfar) -> None:
        self._path = path
        self._sessions = sessions
        self._watching = watching
        self._writer: StreamWriter | None = None

    def keep(self, path: str, at: datetime, *, signed_in: bool = False, lost: bool = False) -> str:
        """Keep where a person was going, at the desk (see Returns); without one it is forgotten."""
        demand_room(path)
        reference = secrets.token_urlsafe(REFERENCE_BYTES)
        if self._writer is not None:
            told = [reference, path, at.isoformat(), signed_in, lost]
            write_value(self._writer, TOLD, {"return": told})
        return reference

    async def serve(self, stop: asyncio.Event) -> None:
        """Stay connected until `stop`."""
        while not stop.is_set():
            linked = asyncio.create_task(self._linked())
            ended = asyncio.create_task(stop.wait())
            await asyncio.wait((linked, ended), return_when=asyncio.FIRST_COMPLETED)
            for task in (linked, ended):
                task.cancel()
            results = await asyncio.gather(linked, ended, return_exceptions=True)
            if isinstance(results[0], Exception) and not isinstance(results[0], OSError | BrokenFrame):
                log.error("link-failed", extra={"error": type(results[0]).__name__})
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _AGAIN_SECONDS)

    async def _linked(self) -> None:
        """One connection, from its beginning to its end."""
        reader, writer = await asyncio.open_unix_connection(self._path)
        both: list[asyncio.Task[None]] = []
        try:
            write_value(writer, LINK, {})
            _, first = await read_frame(reader)
            told = json.loads(first)
            seen_here = self._sessions.came(sights_of(told["seen"]), told["at"])
            write_value(writer, TOLD, {"seen": sights_text(seen_here), "risks": self._risks(told)})
            self._writer = writer
            self._watching.risks.told = self._tell_risk
            log.info("desk-heard")
            both += (asyncio.create_task(self._beat(writer)), asyncio.create_task(self._hear(reader)))
            ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for one in ended:  # whichever fails, the line is of no use any more
                one.result()
        finally:
            self._writer = None
            self._sessions.went()
            self._watching.went()
            if both:
                log.warning("desk-lost")
            for one in both:
                one.cancel()
            writer.close()

    async def _hear(self, reader: StreamReader) -> None:
        while True:
            _, payload = await read_frame(reader)
            told: dict[str, Any] = json.loads(payload)
            if "gone" in told:
                kind, key, new = told["gone"]
                self._sessions.changed((kind, bytes.fromhex(key), bytes.fromhex(new)))
            elif "found" in told:
                self._watching.answered(found_of(told["found"]))
            elif "risks" in told:
                self._risks(told)
            else:
                self._sessions.saw(sights_of(told["seen"]), told["at"])

    async def _beat(self, writer: StreamWriter) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            told: dict[str, Any] = {"seen": sights_text(self._sessions.tick())}
            if looks := self._watching.take():
                told["looks"] = looks_text(looks)
            write_value(writer, TOLD, told)

    def _risks(self, told: dict[str, Any]) -> list[Standing]:
        """Take in what stands at the desk; all that stands here."""
        for standing in risks_of(told["risks"]):
            self._watching.risks.take(standing)
        return self._watching.risks.all()

    def _tell_risk(self, standing: Standing) -> None:
        if self._writer is not None:
            write_value(self._writer, TOLD, {"risks": [standing]})
