# SPDX-License-Identifier: EUPL-1.2
"""Where the certificate of a visit comes from: the handshake, or a field that a named TLS terminator adds (faults E4).

A field is worth what its sender is worth, since it proves no key: it is believed from the addresses in the settings
alone, once, in the one form that was chosen. Any other field of that family ends the visit, whoever sends it. What the
terminator says of the certificate is not read: it is judged in full by the same judge as that of a handshake.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import unquote_to_bytes

from gateway.errors import Refused
from gateway.listener.card_request import BadRequestError, Fault
from gateway.listener.card_tls import PIECE, Talk, let_close
from gateway.model import Reason

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

    from gateway.listener.card_tls import CardTls

CLIENT_CERT: Final = "client-cert"
_CHAIN: Final = b"client-cert-chain"
# Where servers and load balancers put certificates. `_` and `-` are one: some fold the one into the other.
_FAMILY: Final = frozenset(
    {
        CLIENT_CERT.encode(),
        _CHAIN,
        b"ssl-client-cert",
        b"x-ssl-client-cert",
        b"x-ssl-cert",
        b"x-client-cert",
        b"x-arr-clientcert",
        b"x-amzn-mtls-clientcert",
        b"x-forwarded-client-cert",
        b"x-forwarded-tls-client-cert",
    }
)
_BYTE_SEQUENCE: Final = re.compile(rb":([A-Za-z0-9+/]+={0,2}):")
_ESCAPED: Final = re.compile(rb"(?:[A-Za-z0-9._~+/=-]|%[0-9A-Fa-f]{2})+")
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE-----\n?")


class Conversation(Protocol):
    """One accepted socket, with TLS (`card_tls.Talk`) or without."""

    async def handshake(self) -> None:
        """Agree on how to talk."""
        ...

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        ...

    async def finish(self, data: bytes) -> None:
        """Send the last bytes and let the other side close."""
        ...


class PlainTalk:
    """A conversation without TLS, on this machine alone: the settings see to that."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    async def handshake(self) -> None:
        """Nothing to agree on."""

    async def read(self) -> bytes:
        """The next bytes; empty at the end."""
        return await asyncio.get_running_loop().sock_recv(self._link, PIECE)

    async def finish(self, data: bytes) -> None:
        """Send the last bytes and let the other side close."""
        await asyncio.get_running_loop().sock_sendall(self._link, data)
        await let_close(self._link)


class Direct:
    """Browsers come themselves: the certificate is that of the handshake, and no field may speak of one."""

    def __init__(self, tls: CardTls) -> None:
        self._tls = tls

    def names(self, peer: str) -> bool:  # noqa: ARG002  # nobody comes on behalf of many
        """Whether this address is that of a named terminator."""
        return False

    def talk(self, link: socket.socket) -> Conversation:
        """Under TLS with a card, if there is one."""
        return Talk(link, self._tls.context())

    def admit(self, peer: str) -> None:
        """Whoever comes is heard."""

    def certificate(self, talk: Conversation, fields: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        """The certificate of the handshake (DER), None without one; BadRequestError if a field speaks of one too."""
        if any(_folded(name) in _FAMILY for name, _ in fields) or not isinstance(talk, Talk):
            raise BadRequestError(Fault.FIELD_NOT_BELIEVED)
        return talk.certificate


class Fronted:
    """Browsers come through a TLS terminator at one of `peers`. `field` is None for RFC 9440, else nginx's."""

    def __init__(self, peers: frozenset[str], field: str | None, tls: CardTls | None) -> None:
        """`tls` shakes hands with the terminator itself; None: plain HTTP on this machine."""
        self._peers = peers
        self._field = (field or CLIENT_CERT).lower().encode()
        self._read: Callable[[bytes], bytes] = read_byte_sequence if field is None else read_escaped_pem
        self._passed_over = frozenset({_CHAIN} if field is None else ())
        self._tls = tls

    def names(self, peer: str) -> bool:
        """Whether this address is that of a named terminator."""
        return peer.removeprefix("::ffff:") in self._peers  # as a socket for both families writes IPv4

    def talk(self, link: socket.socket) -> Conversation:
        """Under TLS if the terminator has to show who it is."""
        return PlainTalk(link) if self._tls is None else Talk(link, self._tls.context())

    def admit(self, peer: str) -> None:
        """BadRequestError for anybody but the terminator."""
        if not self.names(peer):
            raise BadRequestError(Fault.NOT_THE_TERMINATOR)

    def certificate(self, talk: Conversation, fields: Iterable[tuple[bytes, bytes]]) -> bytes | None:  # noqa: ARG002  # that of the handshake is the terminator's
        """The certificate in the one field (DER), None without the field.

        BadRequestError for a second one and for fields of other forms; Refused for what is no certificate. The chain
        of RFC 9440 is passed over: authorities come from our own folder.
        """
        found = []
        for name, value in fields:
            if name == self._field:
                found.append(value)
            elif _folded(name) in _FAMILY | {self._field} and name not in self._passed_over:
                raise BadRequestError(Fault.FIELD_OF_ANOTHER_FORM)
        if len(found) > 1:
            raise BadRequestError(Fault.FIELD_REPEATED)
        return self._read(found[0]) if found else None


def read_byte_sequence(value: bytes) -> bytes:
    """`:base64:` (RFC 9440, RFC 8941 3.3.5), without parameters and in its one spelling; Refused otherwise."""
    found = _BYTE_SEQUENCE.fullmatch(value)
    if found is None:
        raise Refused(Reason.CARD_MALFORMED)
    return _bytes_of(found[1])


def read_escaped_pem(value: bytes) -> bytes:
    """`$ssl_client_escaped_cert`: one PEM certificate, percent-encoded once; Refused otherwise."""
    found = _PEM.fullmatch(unquote_to_bytes(value)) if _ESCAPED.fullmatch(value) else None
    if found is None:
        raise Refused(Reason.CARD_MALFORMED)
    return _bytes_of(found[1].replace(b"\n", b""))


def _bytes_of(text: bytes) -> bytes:
    try:
        found = b64decode(text, validate=True)
    except ValueError:
        raise Refused(Reason.CARD_MALFORMED) from None
    if b64encode(found) != text:
        raise Refused(Reason.CARD_MALFORMED)
    return found


def _folded(name: bytes) -> bytes:
    return name.replace(b"_", b"-")
