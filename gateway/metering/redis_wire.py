# SPDX-License-Identifier: EUPL-1.2
"""One connection to one Redis server that many look-ups share: what one turn of the loop asks leaves in one write.

Answers come in the order of the commands (RESP2), each to its own `Pending`. Nothing is ever sent twice: a command
whose answer does not come has failed, whether Redis did it or not. One answer later than the deadline fails all that
wait behind it, and the connection with them: a server that stalls is given up, never waited for. Without a connection,
or with too many in flight, a command fails at once. Never here: what a command means.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from hiredis import ProtocolError, Reader, ReplyError, pack_command

from gateway.errors import HerseError
from gateway.pending import Pending

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Sequence

log = logging.getLogger("gateway.metering.redis")

Word: TypeAlias = "bytes | str | int"
# After these the server is not the one to ask: a replica, one that loads or cannot save, one that has given slots away.
_GIVE_UP: Final = frozenset(
    ("READONLY", "MASTERDOWN", "LOADING", "MISCONF", "MOVED", "ASK", "CLUSTERDOWN", "NOREPLICAS")
)
_BACKOFF_FIRST, _BACKOFF_MOST = 0.05, 1.0


class WireError(HerseError):
    """A command got no answer, or never left: no connection, a server too slow, too many at once."""


class ErrorReply(WireError):
    """Redis said no; `code` is the first word of its answer."""

    def __init__(self, text: str) -> None:
        self.code = text.partition(" ")[0]
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Server:
    """Where one Redis server listens, and as whom to talk to it."""

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    tls: ssl.SSLContext | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long an answer and a connection are waited for, in seconds, and how many commands may be in flight."""

    answer: float = 0.25
    connection: float = 1.0
    in_flight: int = 4096


class Script:
    """A Lua script and the name Redis knows it by."""

    def __init__(self, text: str) -> None:
        self.text = text.encode("ascii")
        self.sha = hashlib.sha1(self.text, usedforsecurity=False).hexdigest().encode("ascii")


class Line(asyncio.Protocol):
    """One connection, from its opening to its loss. Belongs to the loop's thread."""

    def __init__(self, patience: Patience, ended: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._patience = patience
        self._ended = ended
        self._reader = Reader()
        self._waiting: deque[tuple[Pending[object], float]] = deque()
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.lost = False

    def call(self, *words: Word) -> Pending[object]:
        """Send a command; its answer, or WireError."""
        pending: Pending[object] = Pending()
        if self.lost or len(self._waiting) >= self._patience.in_flight:
            pending.fail(WireError("the connection to Redis is lost or full"))
            return pending
        self._waiting.append((pending, self._loop.time() + self._patience.answer))
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(pack_command(words))  # type: ignore[arg-type]  # its stub names one tuple of one
        return pending

    def run(self, script: Script, keys: Sequence[bytes], values: Sequence[Word]) -> Pending[object]:
        """Run a script by its name; by its text if the server, which then has not run it, does not know the name."""
        count = len(keys)
        asked = self.call(b"EVALSHA", script.sha, count, *keys, *values)
        answer: Pending[object] = Pending()

        def told() -> None:
            try:
                answer.resolve(asked.result())
            except ErrorReply as error:
                if error.code == "NOSCRIPT":
                    _pass_on(self.call(b"EVAL", script.text, count, *keys, *values), answer)
                else:
                    answer.fail(error)
            except WireError as error:
                answer.fail(error)

        asked.on_done(told)
        return answer

    def lose(self, why: str) -> None:
        """Give the connection up: whoever waits is refused."""
        if self.lost:
            return
        self.lost = True
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._ended()
        while self._waiting:
            self._waiting.popleft()[0].fail(WireError(why))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Kept by the loop's own name."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport, as the protocol is a stream's

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """Closed by the other side, or broken."""
        self.lose("Redis closed the connection")

    def data_received(self, data: bytes) -> None:
        """Answers, whole or in pieces, in the order of the commands."""
        reader, waiting, leave = self._reader, self._waiting, None
        reader.feed(data)
        try:
            while (value := reader.gets()) is not False:
                if not waiting:
                    self.lose("Redis said what nobody asked")
                    return
                pending, _ = waiting.popleft()
                if isinstance(value, ReplyError):
                    error = ErrorReply(str(value))
                    leave = error.code if error.code in _GIVE_UP else leave
                    pending.fail(error)
                else:
                    pending.resolve(value)
        except ProtocolError:
            leave = "not Redis's protocol"
        if leave is not None:
            self.lose(f"Redis answered {leave}")

    def _flush(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if self.lost or self._transport is None:
            return
        self._transport.write(b"".join(outgoing))
        if self._watch is None:
            self._watch = self._loop.call_later(self._patience.answer, self._look)

    def _look(self) -> None:
        """Whether the oldest command waits for too long; answers that have arrived were given out just before."""
        self._watch = None
        if self._waiting:
            due = self._waiting[0][1]
            if due <= self._loop.time():
                self.lose("Redis did not answer in time")
            else:
                self._watch = self._loop.call_at(due, self._look)


def _nothing() -> Pending[object]:
    pending: Pending[object] = Pending()
    pending.fail(WireError("no connection to Redis"))
    return pending


def _pass_on(source: Pending[object], to: Pending[object]) -> None:
    def told() -> None:
        try:
            to.resolve(source.result())
        except WireError as error:
            to.fail(error)

    source.on_done(told)


async def open_line(server: Server, patience: Patience, ended: Callable[[], None]) -> Line:
    """Connect, tell who asks, choose the database."""
    _, line = await asyncio.get_running_loop().create_connection(
        lambda: Line(patience, ended),
        server.host,
        server.port,
        ssl=server.tls,
        server_hostname=None if server.tls is None else server.host,
    )
    try:
        if server.password is not None:
            words = (server.password,) if server.user is None else (server.user, server.password)
            await line.call(b"AUTH", *words).wait()
        if server.database:
            await line.call(b"SELECT", server.database).wait()
    except BaseException:
        line.lose("not let in")
        raise
    return line


class RedisWire:
    """A connection that comes back: `locate` finds the server, `prepare` judges it before anything is asked of it."""

    def __init__(
        self,
        locate: Callable[[], Awaitable[Server]],
        prepare: Callable[[Line], Awaitable[None]],
        scripts: Sequence[Script] = (),
        patience: Patience = Patience(),  # frozen
    ) -> None:
        self._locate, self._prepare, self._scripts = locate, prepare, scripts
        self._patience = patience
        self._gone = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self.line: Line | None = None
        """The connection that is judged good; None while there is none."""
        self.trouble: Exception | None = None
        """Why there is none, for a person."""

    def start(self) -> None:
        """Connect, and stay connected, until `close`."""
        self._keeping = asyncio.create_task(self._keep(), name="herse-redis")

    async def close(self) -> None:
        """Give the connection up for good."""
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        if self.line is not None:
            self.line.lose("closed")

    def run(self, script: Script, keys: Sequence[bytes], values: Sequence[Word]) -> Pending[object]:
        """As `Line.run`, on the connection there is; WireError at once if there is none."""
        return _nothing() if self.line is None else self.line.run(script, keys, values)

    def call(self, *words: Word) -> Pending[object]:
        """As `Line.call`, likewise."""
        return _nothing() if self.line is None else self.line.call(*words)

    async def _keep(self) -> None:
        wait = _BACKOFF_FIRST
        while True:
            self._gone.clear()
            try:
                async with asyncio.timeout(self._patience.connection):
                    line = await self._open()
            except (OSError, HerseError, TimeoutError) as error:
                if self.trouble is None:
                    log.warning("redis-unavailable", extra={"error": type(error).__name__})
                self.trouble = error
                await asyncio.sleep(wait * (0.5 + secrets.randbelow(1000) / 1000))
                wait = min(2 * wait, _BACKOFF_MOST)
                continue
            wait, self.trouble = _BACKOFF_FIRST, None
            if not line.lost:
                self.line = line
                await self._gone.wait()

    async def _open(self) -> Line:
        line = await open_line(await self._locate(), self._patience, self._lost)
        try:
            for script in self._scripts:
                await line.call(b"SCRIPT", b"LOAD", script.text).wait()
            await self._prepare(line)
        except BaseException:
            line.lose("not the server to ask")
            raise
        return line

    def _lost(self) -> None:
        self.line = None
        self._gone.set()
