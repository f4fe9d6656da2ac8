# SPDX-License-Identifier: EUPL-1.2
"""TLS of the card host, by hand over one socket: a new context for each connection.

Why by hand: a server of asyncio or uvloop swallows a failed handshake, and cuts it without the alert by which a browser
knows that the certificate was the fault. Why a context for each connection: OpenSSL resumes TLS 1.2 sessions within one
context even without tickets, and a resumed session would carry the card of the connection before (faults D1).
A terminator in front is met in the same way, by a context of its own kind (`HopTls`).
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from gateway.errors import StartError
from gateway.listener.card_shown import HEARD_BYTES, shown_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

T = TypeVar("T")

LINGER_SECONDS: Final = 2.0
PIECE: Final = 16_384
# OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python does not name: an expired card gets through the handshake, and our
# own check, which looks at everything again, refuses it with a reason that a person can read.
_NO_CHECK_TIME: Final = 0x200000


class CardTls:
    """Certificate, key and accepted authorities, read once: what was good at the start stays in use."""

    def __init__(self, certificate: Path, key: Path, authorities: Sequence[bytes] | str) -> None:
        """`authorities`: each as DER, or all as PEM. StartError if anything cannot be read or used (D3)."""
        self._authorities = authorities if isinstance(authorities, str) else b"".join(authorities)
        self._memory = os.memfd_create("card-host")
        try:
            for path in (certificate, key):
                os.write(self._memory, _read(path) + b"\n")
            self.context()
        except (ssl.SSLError, ValueError):
            self.close()
            raise StartError(
                f"{certificate}, {key}: not a certificate with its own private key in PEM form, not encrypted, "
                "or no authority to verify clients with; expected both for the section [card]"
            ) from None
        except BaseException:
            self.close()
            raise

    def context(self) -> ssl.SSLContext:
        """A context that has never met anybody: about a millisecond."""
        context = self._blank()
        # Cards of the third generation cannot sign what TLS 1.3 asks for (domain 2.4).
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        # Optional: who comes without a card gets a page instead of a browser's error.
        context.verify_mode = ssl.CERT_OPTIONAL
        context.verify_flags |= _NO_CHECK_TIME
        return context

    def _blank(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
        context.set_alpn_protocols(["http/1.1"])
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.load_cert_chain(f"/proc/self/fd/{self._memory}")
        context.load_verify_locations(cadata=self._authorities)
        return context

    def close(self) -> None:
        """Forget the key."""
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1


class HopTls(CardTls):
    """For a terminator on another machine: it must show a certificate of its own, or of an authority of its own."""

    def __init__(self, certificate: Path, key: Path, authority: Path) -> None:
        """`authority`: PEM. StartError if a file cannot be read or used."""
        super().__init__(certificate, key, _read(authority).decode("latin-1"))

    def context(self) -> ssl.SSLContext:
        """A context that lets nobody in without that certificate."""
        context = self._blank()
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the file may hold the terminator's own certificate
        return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartError(
            f"{path}: {error.strerror}; expected the certificate and key of the card listener in PEM form "
            "(`herse certs dev` makes throw-away ones)"
        ) from None


class Talk:
    """One accepted socket under TLS. The caller sets the deadlines; `ConnectionError` if the other side went away."""

    def __init__(self, link: socket.socket, context: ssl.SSLContext) -> None:
        self._link = link
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._heard: bytearray | None = bytearray()

    async def handshake(self) -> None:
        """Shake hands. ssl.SSLError if it fails (SSLCertVerificationError: by the certificate); the alert is sent."""
        try:
            await self._step(self._tls.do_handshake)
        except ssl.SSLError:
            with suppress(OSError):
                async with asyncio.timeout(LINGER_SECONDS):
                    await self._leave()
            raise
        self._heard = None

    @property
    def shown(self) -> bytes | None:
        """The certificate that a handshake failed by, as far as it was seen: nobody proved to hold its key."""
        return None if self._heard is None else shown_certificate(bytes(self._heard))

    @property
    def certificate(self) -> bytes | None:
        """The client's certificate as DER. None without one, and if the session was resumed, which cannot be."""
        return None if self._tls.session_reused else self._tls.getpeercert(binary_form=True)

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        try:
            return await self._step(lambda: self._tls.read(PIECE))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def finish(self, data: bytes) -> None:
        """Send the last bytes and the end of TLS, then let the other side close: a reset would lose the answer."""
        self._tls.write(data)
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        await self._leave()

    async def _leave(self) -> None:
        await self._flush()
        await let_close(self._link)

    async def _step(self, act: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        while True:
            try:
                found = act()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await loop.sock_recv(self._link, PIECE)
                if not data:
                    raise ConnectionResetError("the other side went away") from None
                self._in.write(data)
                if self._heard is not None:
                    self._heard += data[: HEARD_BYTES - len(self._heard)]
            else:
                await self._flush()
                return found

    async def _flush(self) -> None:
        if data := self._out.read():
            await asyncio.get_running_loop().sock_sendall(self._link, data)


async def let_close(link: socket.socket) -> None:
    """End our side, and wait for the other's end: closing at once would reset what is still under way."""
    link.shutdown(socket.SHUT_WR)
    loop = asyncio.get_running_loop()
    while await loop.sock_recv(link, PIECE):
        pass
