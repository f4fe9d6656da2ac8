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
from gateway.policy.target import PLAIN, canonical
from gateway.upstream.exchange import Fields

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
    stalled_seconds: float = 60.0  # how long a client may take nothing of its answer
    connections: int = 10_000


# The first line of most requests, and a whole head without a body that begins with one; its end is what may repeat.
PLAIN_GET = re.compile(rb"GET (" + PLAIN + rb")")
_WHOLE_HEAD = re.compile(rb"GET [\x21-\x7e]++( HTTP/1\.1\r\n(?:[^\r\n]++\r\n)+\r\n)")


def repeatable(data: bytes) -> bytes:
    """What follows the target in a read that is exactly one head; empty if it is not."""
    head = _WHOLE_HEAD.fullmatch(data)
    return b"" if head is None else head[1]


class Judged(NamedTuple):
    """Fields that passed, of them those that say how the message ends and goes on, and which host they name."""

    fields: Fields
    special: dict[bytes, bytes]
    host: str


class Head(NamedTuple):
    """A judged head. `length` is None for a chunked body, 0 for none."""

    method: str
    path: str
    query: bytes
    fields: Fields
    host: str
    length: int | None
    upgrade: bool
    expects: bool
    http11: bool


def judge(method: bytes, target: bytes, version: str, judged: Judged, limits: Limits) -> Head:
    """Judge a head whose fields passed, or raise `Refused` with the reason."""
    if version not in {"1.1", "1.0"}:
        raise Refused(Reason.MALFORMED_REQUEST)
    name = METHODS.get(method)
    if name is None:
        raise Refused(Reason.NOT_IMPLEMENTED)
    if len(target) > limits.url_bytes:
        raise Refused(Reason.URL_TOO_LONG)
    path, query = canonical(target)
    fields, special, host = judged
    http11 = version == "1.1"
    if not special:
        return Head(name, path, query, fields, host, 0, False, False, http11)
    length = _framing(special, version)
    if length != 0 and name in _WITHOUT_BODY:
        raise Refused(Reason.MALFORMED_REQUEST)
    if length is not None and length > limits.body_bytes:
        raise Refused(Reason.BODY_TOO_LARGE)
    upgrade = b"upgrade" in special and _upgrades(special, name, version, length)
    expects = _expects(special) and http11
    return Head(name, path, query, fields, host, length, upgrade, expects, http11)


def judge_fields(fields: Headers, limits: Limits) -> Judged:
    """Judge the fields as they came, in one pass, or raise `Refused`."""
    if len(fields) > limits.header_count:
        raise Refused(Reason.HEAD_TOO_LARGE)
    headers: Headers = []
    special: dict[bytes, bytes] = {}
    for raw, value in fields:
        name, judged = _KNOWN.get(raw) or _learn(raw)
        headers.append((name, value))
        if judged:
            if name in special:
                if name != b"connection":
                    raise Refused(Reason.MALFORMED_REQUEST)
                value = special[name] + b"," + value  # noqa: PLW2901  # a list field: its lines are one value
            special[name] = value
    host = _host(special.pop(b"host", None), limits.hosts)
    if special.keys() == {b"connection"}:  # says nothing without an upgrade: hop-by-hop names are dropped elsewhere
        special = {}
    return Judged(Fields(headers), special, host)


def weigh(target: bytes, fields: Headers, limits: Limits) -> None:
    """Refuse a head that is too heavy: for whoever received more bytes than a head may have."""
    if len(target) + sum(len(name) + len(value) for name, value in fields) > limits.head_bytes:
        raise Refused(Reason.HEAD_TOO_LARGE)


# Names as they come on the wire, judged once: (lower case, whether its value is judged). Bounded, for names are the
# client's to choose.
_KNOWN: dict[bytes, tuple[bytes, bool]] = {}
_KNOWN_AT_MOST = 2_000
_KNOWN_BYTES = 64


def _learn(raw: bytes) -> tuple[bytes, bool]:
    name = raw.lower()
    if not _TOKEN.fullmatch(name):
        raise Refused(Reason.MALFORMED_REQUEST)
    known = (name, name in _JUDGED)
    if len(_KNOWN) < _KNOWN_AT_MOST and len(raw) <= _KNOWN_BYTES:
        _KNOWN[raw] = known
    return known


def _host(value: bytes | None, hosts: frozenset[str]) -> str:
    host = "" if value is None else value.decode("latin-1").lower()
    if host in hosts:
        return host
    if value is None or not _HOST.fullmatch(value):
        raise Refused(Reason.MALFORMED_REQUEST)
    raise Refused(Reason.HOST_UNKNOWN)


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


def _upgrades(special: dict[bytes, bytes], method: str, version: str, length: int | None) -> bool:
    """Only a WebSocket, only by GET without a body; an Upgrade that Connection does not name is no upgrade."""
    named = [token.strip(b" \t").lower() for token in special.get(b"connection", b"").split(b",")]
    if b"upgrade" not in named:
        return False
    if special[b"upgrade"].lower() != b"websocket":
        raise Refused(Reason.NOT_IMPLEMENTED)
    if method != "GET" or version == "1.0" or length != 0:
        raise Refused(Reason.MALFORMED_REQUEST)
    return True


def _expects(special: dict[bytes, bytes]) -> bool:
    expect = special.get(b"expect")
    if expect is not None and expect.lower() != b"100-continue":
        raise Refused(Reason.MALFORMED_REQUEST)
    return expect is not None
