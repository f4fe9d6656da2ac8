# SPDX-License-Identifier: EUPL-1.2
"""Which header fields cross the gateway, in each direction. Pure: bytes in, bytes out.

What a client says of itself is never believed: forwarded, identity and certificate fields are dropped whole families at
a time, and ours are written last, after the hop-by-hop fields of RFC 9110 section 7.6.1 are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Fields = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade".split()
)
_NEVER_ASKED = HOP_BY_HOP | {
    b"host",
    b"content-length",
    b"expect",
    b"authorization",  # the portal learns who asks from the assertion alone
    b"forwarded",
    b"via",
    b"x-real-ip",
    b"true-client-ip",
    b"client-ip",
    b"client-cert",
    b"client-cert-chain",
    b"remote-user",
    b"x-remote-user",
    b"x-http-method-override",
    b"x-http-method",
    b"x-method-override",
    b"x-rewrite-url",
}
_NEVER_ASKED_FAMILIES = (
    b"herse-",
    b"x-forwarded",
    b"x-original",
    b"x-ssl",
    b"x-client",
    b"x-auth",
    b"x-user",
    b"x-accel",
    b"ssl-",
)
_CONDITIONAL = frozenset(
    b"range if-range if-match if-none-match if-modified-since if-unmodified-since accept-encoding".split()
)
_NEVER_ANSWERED = HOP_BY_HOP | {b"content-length", b"clear-site-data", b"alt-svc", b"service-worker-allowed"}
_CACHING = frozenset((b"cache-control", b"expires", b"pragma", b"etag", b"last-modified", b"age"))
_METERED_ANSWER = frozenset((b"accept-ranges",))
NO_STORE = (b"cache-control", b"no-store")


def named_by_connection(fields: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """Name the fields that a Connection field declares hop-by-hop, lower case."""
    return frozenset(
        token.strip(b" \t").lower()
        for name, value in fields
        if name == b"connection"
        for token in value.split(b",")
        if token
    )


def to_portal(fields: Fields, own_cookies: bytes, *, metered: bool) -> Fields:
    """Give the client's fields that may reach the portal.

    `own_cookies` is the prefix of the gateway's cookie names: those never leave. A metered teleservice answers whole
    and uncompressed, so ranges, conditions and encodings are dropped too.
    """
    named = _NOBODY
    for name, value in fields:
        if name == b"connection" and value.lower() not in _PLAIN_CONNECTION:
            named = named_by_connection(fields)
            break
    kept: Fields = []
    for field in fields:
        name = field[0]
        if name in _NEVER_ASKED or name.startswith(_NEVER_ASKED_FAMILIES) or name in named:
            continue
        if name == b"cookie":
            rest = without_cookies(field[1], own_cookies)
            if rest:
                kept.append((b"cookie", rest))
            continue
        if metered and name in _CONDITIONAL:
            continue
        kept.append(field)
    if metered:
        kept.append((b"accept-encoding", b"identity"))
    return kept


_NOBODY: frozenset[bytes] = frozenset()
_PLAIN_CONNECTION = frozenset((b"keep-alive", b"close"))


def without_cookies(value: bytes, prefix: bytes) -> bytes:
    """Drop the gateway's own cookies from a Cookie value, and keep the others as they came."""
    if prefix not in value:
        return value
    pieces = (piece for piece in value.split(b";") if not piece.strip(b" \t").startswith(prefix))
    return b";".join(pieces).strip(b" \t;")


def to_client(fields: Fields, own_cookies: bytes, *, private: bool, metered: bool) -> Fields:
    """Give the portal's fields that may reach the client, names in lower case.

    The portal can neither set nor clear what belongs to the gateway. `private` answers are never stored anywhere.
    """
    lowered = [(name.lower(), value) for name, value in fields]
    named = _NOBODY
    for name, value in lowered:
        if name == b"connection" and value.lower() not in _PLAIN_CONNECTION:
            named = named_by_connection(lowered)
            break
    kept: Fields = []
    for field in lowered:
        name = field[0]
        if name in _NEVER_ANSWERED or name in named or name.startswith(b"herse-"):
            continue
        if private and name in _CACHING:
            continue
        if metered and name in _METERED_ANSWER:
            continue
        if name == b"set-cookie" and _sets_own(field[1], own_cookies):
            continue
        kept.append(field)
    if private:
        kept.append(NO_STORE)
    return kept


def _sets_own(value: bytes, prefix: bytes) -> bool:
    # Some readers strip odd bytes before a name (\xa0, \x85 and controls), so they are stripped here too.
    name = value.split(b"=", 1)[0].strip(bytes(range(0x21)) + b"\x7f\x85\xa0\xc2")
    return name.lower().startswith(prefix.lower())


def content_length(fields: Fields) -> int | None:
    """Read the one Content-Length of an answer's fields; the parser has refused double and malformed ones."""
    for name, value in fields:
        if name.lower() == b"content-length":
            return int(value)
    return None
