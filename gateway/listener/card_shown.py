# SPDX-License-Identifier: EUPL-1.2
"""The certificate that a client showed in a TLS 1.2 handshake which OpenSSL then ended because of it. No I/O.

OpenSSL gives only a number (20: unknown issuer, for a test card as for a server's), and keeps the certificate to
itself. It passed in clear, though (RFC 5246 7.4.6), so that our own judge can say what is wrong with it. Nobody proved
to hold its key: what is read here may name a reason, and never admits anybody.
"""

from __future__ import annotations

from typing import Final

HEARD_BYTES: Final = 32_768
"""How much of a handshake is worth keeping: our judge reads no certificate of more than half of it."""

_HANDSHAKE: Final = 22
_CERTIFICATE: Final = 11
_RECORD_HEAD: Final = 5
_MESSAGE_HEAD: Final = 4
_LENGTH: Final = 3


def shown_certificate(heard: bytes) -> bytes | None:
    """The client's own certificate (DER) out of what it sent so far; None if there is none, or not whole."""
    messages = _messages(heard)
    while len(messages) >= _MESSAGE_HEAD:
        kind, body, messages = messages[0], *_sized(messages[1:])
        if kind == _CERTIFICATE and body is not None:
            chain, _ = _sized(body)
            return _sized(chain)[0] or None if chain else None
    return None


def _messages(heard: bytes) -> bytes:
    """The handshake messages of the records before the first of another kind: what follows that one is sealed."""
    found = b""
    while len(heard) > _RECORD_HEAD and heard[0] == _HANDSHAKE:
        end = _RECORD_HEAD + int.from_bytes(heard[3:_RECORD_HEAD], "big")
        found, heard = found + heard[_RECORD_HEAD:end], heard[end:]
    return found


def _sized(data: bytes) -> tuple[bytes | None, bytes]:
    """What a length of three bytes announces, and what follows it; None if it is not all there."""
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "big")
    return (data[_LENGTH:end], data[end:]) if _LENGTH <= end <= len(data) else (None, b"")
