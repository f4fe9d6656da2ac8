# SPDX-License-Identifier: EUPL-1.2
"""A card listener in a thread of its own, under uvloop as in production, with a clock that a test can move.

And clients that present certificates to it: bare TLS, and curl. No assertions here.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import threading
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import uvloop
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.identity.card import verify_card
from gateway.identity.tickets import Tickets, state_of
from gateway.listener.card_header import Direct
from gateway.listener.card_host import CardDoor, CardHost, CardLimits
from gateway.listener.card_tls import CardTls
from support.servers import LOOPBACK
from support.tls import Authority

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from gateway.identity.card import CardHolder
    from gateway.identity.revocation import RevocationLists
    from gateway.identity.tickets import Redeemed
    from gateway.identity.trust import CardTrust
    from gateway.listener.card_header import Fronted

PUBLIC: Final = "https://localhost:8443"
HERE: Final = "192.0.2.14"


@dataclass
class Presented:
    """What came of one visit: the status and `Location`, or nothing and what the client said of the handshake."""

    status: int | None
    location: str
    said: str


class RunningCardHost:
    """Serves on entry, gone on exit. `at` moves its clock; `trust` and `lists` may be exchanged between visits."""

    def __init__(
        self,
        folder: Path,
        trust: CardTrust,
        lists: RevocationLists,
        limits: CardLimits | None = None,
        *,
        front: Fronted | None = None,
        at_port: int | None = None,
    ) -> None:
        """`front`: certificates come in a field, from a terminator; `at_port`: where browsers meet that one."""
        self.server = Authority(folder)
        self.trust, self.lists = trust, lists
        self.at: datetime | None = None
        self.tickets = Tickets(most_of_network=10_000)
        self.failed: Exception | None = None
        chain, key = self.server.issue("localhost", LOOPBACK)
        self._tls = CardTls(chain, key, trust.ssl_context_anchors())
        self._listening = socket.create_server((LOOPBACK, 0))
        self.inner_port: int = self._listening.getsockname()[1]
        self.port = at_port or self.inner_port
        self.origin = f"https://localhost:{self.port}"
        door = CardDoor(PUBLIC, self.origin, self.tickets, self._consult, self._verify, self.clock)
        self._host = CardHost(door, front or Direct(self._tls), self._listening, limits)
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve()), daemon=True)
        self._ready = threading.Event()

    def clock(self) -> datetime:
        return self.at or datetime.now(UTC)

    async def _consult(self, certificate: bytes, at: datetime) -> None:
        """Nobody is asked."""

    def _verify(self, certificate: bytes, at: datetime) -> CardHolder:
        if self.failed is not None:
            raise self.failed
        return verify_card(certificate, (), at, self.trust, self.lists)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._host.serve(self._stop)

    def waiting(self) -> str:
        """Somebody sets out; gives his secret."""
        return self.tickets.begin("", HERE, self.clock())

    def redeem(self, presented: Presented, secret: str) -> Redeemed:
        """What the ticket of a visit is worth in the browser that set out."""
        return self.tickets.redeem(presented.location.partition("?ticket=")[2], secret, self.clock())

    def curl(self, path: str, *words: str | Path) -> Presented:
        """A visit by curl; `words` are more arguments, such as `--cert FILE`."""
        command = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", str(self.server.certificate)]
        command += ["--noproxy", "*", "--write-out", "%{http_code} %{redirect_url}", "--output", "/dev/null"]
        run = subprocess.run(
            [*command, *map(str, words), f"{self.origin}{path}"], capture_output=True, text=True, check=False
        )
        status, _, location = run.stdout.partition(" ")
        return Presented(int(status) or None, location, run.stderr)

    def present(self, certificate: Path | None, secret: str | None = None, *words: str | Path) -> Presented:
        """Go with a certificate (PEM with its key) where the waiting page leads; `words` as for `curl`."""
        path = f"/card?state={state_of(secret or self.waiting())}"
        return self.curl(path, *(() if certificate is None else ("--cert", certificate)), *words)

    def ask(self, secret: str, *fields: tuple[str, bytes], source: str = LOOPBACK) -> Presented:
        """As a terminator asks, in plain HTTP, from an address of this machine; `fields` beside the Host."""
        lines = [f"GET /card?state={state_of(secret)} HTTP/1.1".encode(), f"Host: localhost:{self.port}".encode()]
        lines += [name.encode() + b": " + value for name, value in fields]
        with socket.create_connection((LOOPBACK, self.port), timeout=10, source_address=(source, 0)) as link:
            link.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
            answer = b"".join(iter(lambda: link.recv(65_536), b"")).decode()
        location = answer.partition("\r\nlocation: ")[2].partition("\r\n")[0]
        return Presented(int(answer.split(" ", 2)[1]), location, answer)

    def client(self, certificate: Path | None = None) -> ssl.SSLContext:
        """TLS 1.2 with a certificate, or without one."""
        context = ssl.create_default_context(cafile=str(self.server.certificate))
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context

    def connect(self, seconds: float = 10.0) -> socket.socket:
        """A bare connection."""
        return socket.create_connection((LOOPBACK, self.port), timeout=seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        self._tls.close()


def pem_file(path: Path, certificate: x509.Certificate, key: RSAPrivateKey) -> Path:
    """Certificate and key in one file, as curl and OpenSSL take them."""
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.touch(mode=0o600)
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return path


def byte_sequence(der: bytes) -> bytes:
    """A certificate as RFC 9440 has it in `Client-Cert`."""
    return b":" + b64encode(der) + b":"


def escaped_pem(der: bytes) -> bytes:
    """A certificate as nginx writes `$ssl_client_escaped_cert`."""
    return quote(ssl.DER_cert_to_PEM_cert(der), safe="").encode()
