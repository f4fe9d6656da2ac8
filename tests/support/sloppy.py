# SPDX-License-Identifier: EUPL-1.2
"""A portal that reads paths as carelessly as any server ever did, and gives a secret away for what then looks right.

Every known way of reading a path differently from the server before it, all at once: what no spelling gets out of this
one, no single careless portal gives away. It trusts whoever reaches it.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from support.servers import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Generator

SECRET = b"SECRET"
ONE_PATIENT = re.compile(r"(/api)?/infopatient/[0-9]+")
ANY_PATIENT = re.compile(rf"{ONE_PATIENT.pattern}(/.*)?|/patients|/aat")
_OVERLONG = {b"\xc0\xaf": b"/", b"\xe0\x80\xaf": b"/", b"\xc0\xae": b".", b"\xe0\x80\xae": b"."}
_REWRITES = (
    "x-original-url",
    "x-rewrite-url",
    "x-forwarded-uri",
    "x-original-uri",
    "x-forwarded-path",
    "x-replaced-path",
)
_UNICODE_ESCAPE = re.compile(rb"%u([0-9A-Fa-f]{4})")


def readings(target: str) -> set[str]:
    """Every path that some server might see in a request target (as Latin-1 text)."""
    found = set()
    for whole in {target, urlsplit(target).path or "/", re.split(r"[?#]", target)[0]}:
        decoded = whole.encode("latin-1", "replace")
        for _ in range(3):
            found |= _folded(decoded)
            decoded = _decoded(decoded)
    return found


def is_sensitive(target: str, sensitive: re.Pattern[str] = ANY_PATIENT) -> bool:
    """Whether any reading of the target is a page about a patient."""
    return any(sensitive.fullmatch(reading) for reading in readings(target))


def _decoded(raw: bytes) -> bytes:
    raw = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)).encode("utf-8", "replace"), raw)
    decoded = unquote_to_bytes(raw)
    for overlong, plain in _OVERLONG.items():
        decoded = decoded.replace(overlong, plain)
    return decoded


def _folded(raw: bytes) -> set[str]:
    folded = set()
    for text in (raw.decode("utf-8", "ignore"), raw.decode("latin-1")):
        for normal in (text, unicodedata.normalize("NFKC", text), unicodedata.normalize("NFKC", text).casefold()):
            for cut in (normal, normal.partition("\0")[0]):
                folded.add(_resolved(cut))
                folded.add(_resolved("".join(one for one in cut if one.isprintable())))
    return folded


def _resolved(path: str) -> str:
    segments: list[str] = []
    plain = path.lower().translate({ord("\\"): "/", 0x2044: "/", 0x2215: "/", 0x29F8: "/", 0x3002: "."})
    for segment in plain.split("/"):
        name = segment.partition(";")[0].strip(" \t")
        if name == "..":
            segments = segments[:-1]
        elif name.rstrip(". "):
            segments.append(name.rstrip(". "))
    return "/" + "/".join(segments)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        """Any method will do."""
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.rfile.read(int(self.headers.get("content-length", "0")))
        targets = [self.path, *(self.headers.get(name, "") for name in _REWRITES)]
        body = (
            SECRET if any(target and is_sensitive(target, self.server.sensitive) for target in targets) else b"nothing"
        )
        self.send_response_only(200)
        self.send_header("x-shown", body.decode("ascii"))  # so that an answer to HEAD tells it too
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    sensitive = ANY_PATIENT


@contextmanager
def sloppy_portal(sensitive: re.Pattern[str] = ANY_PATIENT) -> Generator[int]:
    """The port it listens on, while it does; `sensitive` is what a path must read as to get the secret."""
    server = _Server((LOOPBACK, 0), _Handler)
    server.sensitive = sensitive
    thread = threading.Thread(target=server.serve_forever, name="sloppy portal", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
