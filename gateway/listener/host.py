# SPDX-License-Identifier: EUPL-1.2
"""Hosting the wire by uvicorn: sockets, TLS, signals and the graceful stop are its business, the protocol is ours."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from gateway.errors import StartError
from gateway.listener.cold import Entrance
from gateway.listener.doors import Doors
from gateway.listener.wire import WireProtocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator
    from pathlib import Path

    from gateway.listener.cold import ASGIApp
    from gateway.listener.doors import Doorman
    from gateway.listener.strict import Limits

GRACE_SECONDS = 15
BACKLOG = 4096


def listening_socket(host: str, port: int) -> socket.socket:
    """Bind before anything else starts; StartError if the port is taken or not ours to take."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise StartError(
            f"{host}:{port}: {error.strerror}; expected a free port of this machine: "
            "stop the other program, or choose another port"
        ) from None
    return found


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with forward secrecy only; StartError if a file cannot be read or used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    for path in (certificate, key):
        try:
            path.open("rb").close()
        except OSError as error:
            raise StartError(
                f"{path}: {error.strerror}; expected the certificate and key of the public listener in PEM form "
                "(`herse certs dev` makes throw-away ones)"
            ) from None
    try:
        context.load_cert_chain(certificate, key)
    except (ssl.SSLError, ValueError):
        raise StartError(
            f"{certificate}, {key}: not a certificate with its own private key in PEM form, not encrypted"
        ) from None
    return context


class _Server(uvicorn.Server):
    """uvicorn's server, except that a signal ends `serve` normally: whoever called it still has things to close."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        handled = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self.handle_exit) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class PublicListener:
    """The public listener: one socket, the hallway behind it, the gateway's own pages beside it."""

    def __init__(
        self, hallway: Doorman, pages: ASGIApp, limits: Limits, listening: socket.socket, tls: ssl.SSLContext | None
    ) -> None:
        self._listening = listening
        self._hallway, self._pages, self._limits = hallway, pages, limits
        config = uvicorn.Config(
            app=_nothing,
            http=self._protocol,  # type: ignore[arg-type]  # a factory serves as the class
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        )
        self._server = _Server(config)
        state = self._server.server_state
        self._doors = Doors(Entrance(hallway, pages, state.tasks), limits)

    def _protocol(self, config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> WireProtocol:  # noqa: ARG002
        return WireProtocol(self._doors, server_state, _loop or asyncio.get_running_loop())

    async def serve(self, beside: Callable[[asyncio.Event], Awaitable[None]]) -> None:
        """Serve until SIGINT or SIGTERM; `beside` runs for as long."""
        stop = asyncio.Event()
        other = asyncio.ensure_future(beside(stop))
        other.add_done_callback(self._beside_ended)
        try:
            await self._server.serve(sockets=[self._listening])
        finally:
            stop.set()
            await other

    def _beside_ended(self, other: asyncio.Future[None]) -> None:
        if not other.cancelled() and other.exception() is not None:
            self._server.should_exit = True  # a gateway that cannot be administered does not go on half


async def _nothing(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
    raise RuntimeError("the wire answers by itself; uvicorn's application is never called")
