# SPDX-License-Identifier: EUPL-1.2
"""What a request head must be to be passed on: one well-formed Host of ours, one framing, one target, plain names.

Two servers that read one message differently are how requests are smuggled, so whatever has two readings is refused
(RFC 9112 sections 3.2, 6.1 and 11; RFC 9110 section 5.1). No I/O here: the wire and the ASGI adapter judge alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import Refused
from gateway.model import Reason
from gateway.policy.target import canonical

if TYPE_CHECKING:
    from gateway.upstream.exchange import Headers

METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")}
_WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS"))
_HOST = re.compile(rb"[A-Za-z0-9.\-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_TOKEN = re.compile(rb"[!#$%&'*+.^`|~0-9a-z\-]+")  # RFC 9110 token without `_`: servers fold it into `-`
_JUDGED = frozenset((b"host", b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"expect"))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may send, in bytes and counts, and how slowly, in seconds."""

    hosts: frozenset[str]
    head_bytes: int = 32_768
    header_count: int = 100
    url_bytes: int = 8_192
    body_bytes: int = 1_073_741_824
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    idle_seconds: float = 75.0
    connections: int = 10_000


class Head(NamedTuple):
    """A judged head. `length` is None for a chunked body, 0 for none."""

    method: str
    path: str
    query: bytes
    headers: Headers
    host: str
    length: int | None
    upgrade: bool
    expects: bool


def judge(method: bytes, target: bytes, version: str, fields: Headers, limits: Limits) -> Head:
    """Judge a head, or raise `Refused` with the reason. Cost: one pass over the fields."""
    if version not in {"1.1", "1.0"}:
        raise Refused(Reason.MALFORMED_REQUEST)
    name = METHODS.get(method)
    if name is None:
        raise Refused(Reason.NOT_IMPLEMENTED)
    if len(target) > limits.url_bytes:
        raise Refused(Reason.URL_TOO_LONG)
    path, query = canonical(target)
    headers: Headers = []
    special: dict[bytes, bytes] = {}
    for raw, value in fields:
        field = raw.lower()
        if not _TOKEN.fullmatch(field):
            raise Refused(Reason.MALFORMED_REQUEST)
        headers.append((field, value))
        if field in _JUDGED:
            if field in special:
                if field != b"connection":
                    raise Refused(Reason.MALFORMED_REQUEST)
                value = special[field] + b"," + value  # noqa: PLW2901  # a list field: its lines are one value
            special[field] = value
    host = _host(special.get(b"host"), limits.hosts)
    length = _framing(special, version)
    if length != 0 and name in _WITHOUT_BODY:
        raise Refused(Reason.MALFORMED_REQUEST)
    if length is not None and length > limits.body_bytes:
        raise Refused(Reason.BODY_TOO_LARGE)
    upgrade = b"upgrade" in special and _upgrades(special, name, length)
    return Head(name, path, query, headers, host, length, upgrade, _expects(special))


def _host(value: bytes | None, hosts: frozenset[str]) -> str:
    if value is None or not _HOST.fullmatch(value):
        raise Refused(Reason.MALFORMED_REQUEST)
    host = value.decode("ascii").lower()
    if host not in hosts:
        raise Refused(Reason.HOST_UNKNOWN)
    return host


def _framing(special: dict[bytes, bytes], version: str) -> int | None:
    coding = special.get(b"transfer-encoding")
    length = special.get(b"content-length")
    if coding is not None:
        if length is not None or version == "1.0":
            raise Refused(Reason.MALFORMED_REQUEST)
        if coding.lower() != b"chunked":
            raise Refused(Reason.NOT_IMPLEMENTED)
        return None
    if length is None:
        return 0
    if not _LENGTH.fullmatch(length):
        raise Refused(Reason.MALFORMED_REQUEST)
    return int(length)


def _upgrades(special: dict[bytes, bytes], method: str, length: int | None) -> bool:
    """Only a WebSocket, only by GET without a body; an Upgrade that Connection does not name is no upgrade."""
    named = [token.strip(b" \t").lower() for token in special.get(b"connection", b"").split(b",")]
    if b"upgrade" not in named:
        return False
    if special[b"upgrade"].lower() != b"websocket":
        raise Refused(Reason.NOT_IMPLEMENTED)
    if method != "GET" or length != 0:
        raise Refused(Reason.MALFORMED_REQUEST)
    return True


def _expects(special: dict[bytes, bytes]) -> bool:
    expect = special.get(b"expect")
    if expect is not None and expect.lower() != b"100-continue":
        raise Refused(Reason.MALFORMED_REQUEST)
    return expect is not None
