# SPDX-License-Identifier: EUPL-1.2
"""The courier by SMTP: one connection for each letter, by TLS with verification, in clear to this machine alone.

What the server says about the letter or its address (RCPT, DATA) with 5xx is final. What it says about us (greeting,
TLS, user, sender), 4xx and every fault of the network are tried again: an operator may mend them.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal

from gateway.errors import StartError
from gateway.mail.courier import NotSent

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

WAIT_SECONDS: Final = 15.0
"""For each answer of the server; the whole of a sending is bounded by `delivery`."""
_FINAL: Final = range(500, 600)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where letters are handed in. `authority`: who signed its certificate, if not one of the system's."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: Path | None = None


class _Line(smtplib.SMTP):
    """smtplib's client, whose socket can be shut by another thread from its first moment, in a TLS handshake too."""

    def __init__(self, server: SmtpServer, tls: ssl.SSLContext, domain: str, wait_seconds: float) -> None:
        super().__init__(local_hostname=domain, timeout=wait_seconds)
        self._host = server.host  # the name that STARTTLS verifies
        self._implicit = tls if server.tls == "tls" else None

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        self.sock = socket.create_connection((host, port), timeout)
        if self._implicit is not None:
            self.sock = self._implicit.wrap_socket(self.sock, server_hostname=host)
        return self.sock


class SmtpCourier:
    """Hands letters to one server. It sends one at a time."""

    def __init__(self, server: SmtpServer, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """StartError: TLS is off and the server is not this machine, or the authority cannot be read."""
        if server.tls == "none" and not _is_here(server.host):
            raise StartError(f"mail.smtp {server.host}: expected TLS, since the server is not this machine's own")
        try:
            self._tls = ssl.create_default_context(cafile=server.authority)
        except (OSError, ssl.SSLError) as error:
            raise StartError(
                f"mail.authority {server.authority} cannot be read ({error}); expected certificates in PEM"
            ) from error
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._server = server
        self._wait = wait_seconds
        self._line: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        """Hand it to the server. NotSent with the server's code, or with the kind of fault."""
        try:
            self._line = line = _Line(self._server, self._tls, _domain(message["From"]), self._wait)
            try:
                self._greet(line)
                self._hand_over(line, message)
                with suppress(smtplib.SMTPException, OSError):
                    line.quit()  # the letter is theirs already
            finally:
                line.close()
                self._line = None
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"smtp {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(type(error).__name__) from None

    def hang_up(self) -> None:
        """Shut the line under a `send`, which then ends with a fault."""
        line = self._line
        sock = None if line is None else line.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _greet(self, line: _Line) -> None:
        code, _ = line.connect(self._server.host, self._server.port)
        if code != 220:  # noqa: PLR2004  # RFC 5321: ready
            raise NotSent(f"smtp {code}")
        line.ehlo_or_helo_if_needed()
        if self._server.tls == "starttls":
            line.starttls(context=self._tls)  # an exception if it is not offered: nothing goes in clear
            line.ehlo_or_helo_if_needed()
        if self._server.user is not None:
            line.login(self._server.user, self._server.password or "")

    def _hand_over(self, line: _Line, message: EmailMessage) -> None:
        try:
            line.sendmail(message["From"], [message["To"]], message.as_bytes())
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise NotSent(f"smtp {code}", final=code in _FINAL) from None
        except smtplib.SMTPDataError as error:
            raise NotSent(f"smtp {error.smtp_code}", final=error.smtp_code in _FINAL) from None


def _domain(address: str) -> str:
    return address.rpartition("@")[2]


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
