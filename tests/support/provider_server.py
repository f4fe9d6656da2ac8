# SPDX-License-Identifier: EUPL-1.2
"""The HTTP side of the stand-in provider: a server in a thread, requests as values in, answers of any shape out."""

from __future__ import annotations

import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[["Seen", bool], "Answer"]


@dataclass
class Seen:
    """One request that came: its path, fields of query or form, and header (lower case names)."""

    path: str
    fields: dict[str, str]
    header: dict[str, str]


@dataclass
class Answer:
    """An answer of the test's choice. `pause` seconds pass before each piece of the body."""

    status: int = 200
    body: bytes = b"{}"
    header: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    pause: float = 0.0
    pieces: int = 1


class _Server(ThreadingHTTPServer):
    """It takes a flood: with the usual queue of 5 the system drops connections, and a client waits seconds for each."""

    request_queue_size = 128


def serve_in_thread(serve: Serve, tls: ssl.SSLContext | None) -> ThreadingHTTPServer:
    """A server on a free port of loopback. `serve` gets each request, and whether it came with a certificate."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _answer(self, fields: str) -> None:
            header = {name.lower(): value for name, value in self.headers.items()}
            certificate = isinstance(self.connection, ssl.SSLSocket) and bool(self.connection.getpeercert())
            seen = Seen(urlsplit(self.path).path, dict(parse_qsl(fields, keep_blank_values=True)), header)
            answer = serve(seen, certificate)
            self.send_response(answer.status)
            for name, value in answer.header.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            size = -(-len(answer.body) // answer.pieces) or 1
            try:
                for start in range(0, len(answer.body), size):
                    time.sleep(answer.pause)
                    self.wfile.write(answer.body[start : start + size])
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
