# SPDX-License-Identifier: EUPL-1.2
"""The admin socket: how `herse` commands reach the running server, as one line of JSON each way over a Unix socket.

    {"command": "account.lock", "arguments": {...}}  ->  {"ok": true, "result": {...}} or {"ok": false, "error": "..."}

Only the user that runs the server, and root, are answered (mode 0600, and SO_PEERCRED). A request's size and time are
bounded. What the commands do is told by the handlers given.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import stat
import struct
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from gateway.console.asker import asked_by, unix_user
from gateway.errors import HerseError, StartError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    Handlers = Mapping[str, Callable[[dict[str, Any]], dict[str, Any] | Awaitable[dict[str, Any]]]]

log = logging.getLogger(__name__)

SOCKET_FILE = "admin.sock"  # its name in state.folder
LONGEST_LINE = 65_536
READ_SECONDS = 5.0
_CONNECT_SECONDS = 2.0
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_LONGEST_PATH = 107  # bytes, of sockaddr_un


class NoServer(HerseError):
    """No server listens on the admin socket."""


class AdminSocket:
    """A listening admin socket; `close` also removes its file."""

    def __init__(self, server: asyncio.Server, path: Path) -> None:
        self._server = server
        self._path = path

    async def close(self) -> None:
        """Stop listening. Commands that run are finished by their own tasks."""
        self._path.unlink(missing_ok=True)
        self._server.close()
        await self._server.wait_closed()


async def serve_admin(path: Path, handlers: Handlers, *, read_seconds: float = READ_SECONDS) -> AdminSocket:
    """Listen. StartError if another server does, or if something else is at this path."""
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise StartError(f"the admin socket {path} has too long a path; expected at most {_LONGEST_PATH} bytes.")
    _remove_stale(path)
    listening = _bound(path)
    try:
        server = await asyncio.start_unix_server(
            lambda reader, writer: _answer(reader, writer, handlers, read_seconds), sock=listening, limit=LONGEST_LINE
        )
    except BaseException:
        listening.close()
        raise
    return AdminSocket(server, path)


def _bound(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(os.fspath(path))
        path.chmod(0o600)  # nobody can connect before `listen`, so there is no moment with other rights
    except OSError as error:
        listening.close()
        raise StartError(f"the admin socket {path} cannot be made ({error.strerror}). Check state.folder.") from error
    return listening


def _remove_stale(path: Path) -> None:
    """Remove what a dead server left; never a living one's socket, never another kind of file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise StartError(f"{path} is not a socket; expected nothing there, or a dead server's socket. Move it away.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_SECONDS)
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise StartError(f"{path} does not tell whether a server is behind it ({error.strerror}).") from error
    raise StartError(f"another server listens on {path}; stop it first, or use another state.folder.")


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handlers: Handlers, read_seconds: float
) -> None:
    try:
        pid, uid = _peer(writer)
        if uid in {0, os.geteuid()}:
            with asked_by(unix_user(pid, uid)):
                reply = await _reply(reader, handlers, read_seconds)
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        else:
            log.warning("a stranger's connection to the admin socket was closed")
    except ConnectionError:
        log.info("a command left before its answer")
    finally:
        writer.close()


def _peer(writer: asyncio.StreamWriter) -> tuple[int, int]:
    peer = writer.get_extra_info("socket")
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(credentials)
    return pid, uid


async def _reply(reader: asyncio.StreamReader, handlers: Handlers, read_seconds: float) -> dict[str, Any]:
    try:
        async with asyncio.timeout(read_seconds):
            line = await reader.readuntil(b"\n")
        handler, arguments = _parse(line, handlers)
        result = handler(arguments)
        return {"ok": True, "result": await result if isawaitable(result) else result}
    except HerseError as error:
        return {"ok": False, "error": str(error)}
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return {"ok": False, "error": f"expected one line of at most {LONGEST_LINE} bytes within {read_seconds:g} s"}
    except Exception:
        log.exception("a command failed")
        return {"ok": False, "error": "the server failed at this command; its log says where"}


def _parse(line: bytes, handlers: Handlers) -> tuple[Callable[[dict[str, Any]], Any], dict[str, Any]]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        request = None
    match request:
        case {"command": str(command), "arguments": dict(arguments), **more} if not more:
            if command in handlers:
                return handlers[command], arguments
            raise HerseError(f"the server knows no command {command!a}; expected one of: {', '.join(sorted(handlers))}")
        case _:
            raise HerseError('expected {"command": "...", "arguments": {...}} on one line')


def call(path: Path, command: str, arguments: dict[str, Any], *, timeout_seconds: float = 30.0) -> dict[str, Any]:
    """Ask the running server. NoServer if none listens; HerseError with its sentence if it says no."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(os.fspath(path))
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NoServer(f"no server listens on {path}") from error
        except OSError as error:
            raise HerseError(f"the admin socket {path} cannot be used ({error}). Run as the server's user.") from error
        try:
            connection.sendall(json.dumps({"command": command, "arguments": arguments}).encode() + b"\n")
            answer = connection.makefile("rb").readline(LONGEST_LINE * 16)
        except OSError as error:
            raise HerseError(f"the server did not finish {command} ({error}); look whether it was done") from error
    return _result(answer, path)


def _result(answer: bytes, path: Path) -> dict[str, Any]:
    try:
        reply = json.loads(answer)
    except ValueError:
        reply = None
    match reply:
        case {"ok": True, "result": dict(result)}:
            return result
        case {"ok": False, "error": str(error)}:
            raise HerseError(error)
        case _:
            raise HerseError(f"the answer from {path} is none; expected one from the server. Run as the server's user.")
