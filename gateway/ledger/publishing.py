# SPDX-License-Identifier: EUPL-1.2
"""Where checkpoints go, so that a tail that was cut shows: out of the reach of whoever can write to the ledger.

    file:/mnt/worm/checkpoints.txt      one note after the other, an empty line between them, synced
    syslog:/dev/log   syslog:192.0.2.7:514   one line of JSON each: {"checkpoint": "…"} (a socket, or UDP)
    https://audit.example/herse         POST, text/plain; any 2xx is a receipt (plain http to this machine alone)
    mail:dpo@portail.example            a letter, once a day

Blocking: one thread. A failed sending is the caller's to tell and to try again; a newer checkpoint says all that an
older one said. Never here: when a checkpoint is due.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from gateway.errors import HerseError
from gateway.whole_file import replace

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 5.0
"""How long one sending may take."""
_PRIORITY: Final = 13 * 8 + 5  # RFC 5424: facility log audit, severity notice
_PORTS: Final = 65_536


class NotSent(HerseError):
    """A checkpoint did not arrive. The message names the destination, and why."""


class Destination(Protocol):
    """One place that checkpoints go to."""

    @property
    def name(self) -> str:
        """As the settings name it."""
        ...

    def send(self, note: str) -> None:
        """Hand over a checkpoint; NotSent if it did not arrive."""
        ...


@dataclass(frozen=True, slots=True)
class ToFile:
    """Appended to a file, best on storage that can be added to alone."""

    path: Path

    @property
    def name(self) -> str:
        """See Destination."""
        return f"file:{self.path}"

    def send(self, note: str) -> None:
        """See Destination."""
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                whole = f"{note}\n".encode()
                if os.write(descriptor, whole) != len(whole):
                    raise NotSent(f"{self.name}: only a part was written; expected a disk with room")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise NotSent(f"{self.name}: {error.strerror}; expected a file that Herse may append to") from None


@dataclass(frozen=True, slots=True)
class ToSyslog:
    """One datagram each, to a local socket or a host by UDP: whether it arrived, nobody is told."""

    address: str | tuple[str, int]

    @property
    def name(self) -> str:
        """See Destination."""
        return f"syslog:{self.address if isinstance(self.address, str) else ':'.join(map(str, self.address))}"

    def send(self, note: str) -> None:
        """See Destination."""
        line = f"<{_PRIORITY}>herse: {json.dumps({'checkpoint': note})}".encode()
        family = socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET
        if not isinstance(self.address, str) and ip_address(self.address[0]).version != 4:  # noqa: PLR2004
            family = socket.AF_INET6
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as sending:
                sending.settimeout(SECONDS)
                sending.sendto(line, self.address)
        except OSError as error:
            raise NotSent(f"{self.name}: {error.strerror or error}; expected a log that takes datagrams") from None


@dataclass(frozen=True, slots=True)
class ToNewest:
    """The newest alone, in the place of the one before: what a start compares the ledger with (`kept`)."""

    path: Path

    @property
    def name(self) -> str:
        """See Destination."""
        return f"file:{self.path}"

    def send(self, note: str) -> None:
        """See Destination."""
        try:
            replace(self.path, note)
        except OSError as error:
            raise NotSent(f"{self.name}: {error.strerror}; expected a folder that Herse may write to") from None


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_words: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class ToHttp:
    """Posted; a redirect is a failure."""

    url: str

    @property
    def name(self) -> str:
        """See Destination."""
        return self.url

    def send(self, note: str) -> None:
        """See Destination."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "herse"}
        request = Request(self.url, note.encode(), headers, method="POST")  # noqa: S310  # the scheme was looked at
        try:
            with build_opener(_NoRedirect).open(request, timeout=SECONDS):
                return
        except (OSError, HTTPException) as error:
            raise NotSent(f"{self.name}: {error}; expected an answer of 200 to 299 within {SECONDS:g} s") from None


@dataclass(frozen=True, slots=True)
class ToMail:
    """A letter, by whoever sends letters here."""

    address: str
    post: Callable[[str, str], None]

    @property
    def name(self) -> str:
        """See Destination."""
        return f"mail:{self.address}"

    def send(self, note: str) -> None:
        """See Destination."""
        try:
            self.post(self.address, note)
        except HerseError as error:
            raise NotSent(f"{self.name}: {error}") from None


def destination(text: str, post: Callable[[str, str], None]) -> Destination:
    """The destination that the settings name; ValueError says what is expected."""
    kind, _, rest = text.partition(":")
    match kind:
        case "file" if rest.startswith("/"):
            return ToFile(Path(rest))
        case "syslog" if rest.startswith("/"):
            return ToSyslog(rest)
        case "syslog":
            return ToSyslog(_host(rest))
        case "mail" if "@" in rest:
            return ToMail(rest, post)
        case "http" | "https" if _sound(text):
            return ToHttp(text)
    raise ValueError(
        "file:/path, syslog:/dev/log, syslog:192.0.2.7:514, https://host/path (http to this machine alone) or "
        "mail:name@domain.example"
    )


def _host(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        ip_address(host)
        if 0 < int(port) < _PORTS:
            return host, int(port)
    except ValueError:
        pass
    raise ValueError("syslog: with a socket such as /dev/log, or an IP address and a port such as 192.0.2.7:514")


def _sound(url: str) -> bool:
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None:
        return False
    return parts.scheme == "https" or parts.hostname in {"127.0.0.1", "localhost", "::1"}
