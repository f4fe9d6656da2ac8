# SPDX-License-Identifier: EUPL-1.2
"""Which header fields cross the gateway, in each direction. Pure: bytes in, bytes out.

What a client says of itself is never believed: forwarded, identity and certificate fields are dropped whole families at
a time, and ours are written last, after the hop-by-hop fields of RFC 9110 section 7.6.1 are gone.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

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
    b"x-host",
    b"request-uri",
    b"x-request-uri",
    b"x-waws-unencoded-url",
}
_NEVER_ASKED_FAMILIES = (
    b"herse-",
    b"x-forwarded",
    b"x-original",
    b"x-rewrite",  # with these four, some server reads another path than the one that was judged
    b"x-replaced",
    b"x-override",
    b"x-envoy",
    b"x-http-host",
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
_NEVER_ANSWERED = HOP_BY_HOP | {b"content-length", b"clear-site-data", b"alt-svc", b"service-worker-allowed", b"date"}
_CACHING = frozenset((b"cache-control", b"expires", b"pragma", b"etag", b"last-modified", b"age"))
NO_STORE = (b"cache-control", b"no-store")


class Kind(Enum):
    """What happens to a field, by its name alone."""

    PASSED = 1
    DROPPED = 2
    CONNECTION = 3
    COOKIE = 4  # Cookie of a request, Set-Cookie of an answer: looked into
    CACHING = 5  # dropped from private answers
    PARTIAL = 6  # dropped where the whole answer is metered


class _Names:
    """Names as they come, each judged once. Bounded: names are the other side's to choose."""

    def __init__(self, judge: Callable[[bytes], Kind]) -> None:
        self._judge = judge
        self._known: dict[bytes, tuple[bytes, Kind]] = {}
        self.get = self._known.get

    def learn(self, raw: bytes) -> tuple[bytes, Kind]:
        name = raw.lower()
        known = (name, self._judge(name))
        if len(self._known) < _KNOWN_AT_MOST and len(raw) <= _KNOWN_BYTES:
            self._known[raw] = known
        return known


def _asked(name: bytes) -> Kind:
    if name == b"connection":
        return Kind.CONNECTION
    if name in _NEVER_ASKED or name.startswith(_NEVER_ASKED_FAMILIES):
        return Kind.DROPPED
    if name == b"cookie":
        return Kind.COOKIE
    return Kind.PARTIAL if name in _CONDITIONAL else Kind.PASSED


def judge_answered(name: bytes) -> Kind:
    """What happens to a field of an answer, by its lower-case name."""
    if name == b"connection":
        return Kind.CONNECTION
    if name in _NEVER_ANSWERED or name.startswith(b"herse-"):
        return Kind.DROPPED
    if name == b"set-cookie":
        return Kind.COOKIE
    if name in _CACHING:
        return Kind.CACHING
    return Kind.PARTIAL if name == b"accept-ranges" else Kind.PASSED


_KNOWN_AT_MOST = 2_000
_KNOWN_BYTES = 64
_ASKED = _Names(_asked)
_ANSWERED = _Names(judge_answered)
_PLAIN_CONNECTION = frozenset((b"keep-alive", b"close"))
# By names of their own: looking a member up in its class is slow, and every field of every request does.
_PASSED, _CONNECTION, _COOKIE, _PARTIAL, _CACHING_FIELD = (
    Kind.PASSED,
    Kind.CONNECTION,
    Kind.COOKIE,
    Kind.PARTIAL,
    Kind.CACHING,
)


def to_portal(fields: Fields, own_cookies: bytes, *, metered: bool) -> Fields:
    """Give the client's fields that may reach the portal.

    `own_cookies` is the prefix of the gateway's cookie names: those never leave. A metered teleservice answers whole
    and uncompressed, so ranges, conditions and encodings are dropped too.
    """
    kept: Fields = []
    named: list[bytes] = []
    for field in fields:
        raw, value = field
        name, kind = _ASKED.get(raw) or _ASKED.learn(raw)
        if kind is _PASSED:
            kept.append(field)
        elif kind is _CONNECTION:
            named.append(value)
        elif kind is _COOKIE:
            rest = without_cookies(value, own_cookies)
            if rest:
                kept.append((name, rest))
        elif kind is _PARTIAL and not metered:
            kept.append(field)
    if named:
        kept = _without_named(kept, named)
    if metered:
        kept.append((b"accept-encoding", b"identity"))
    return kept


def to_client(fields: Fields, own_cookies: bytes, *, private: bool, metered: bool) -> Fields:
    """Give the portal's fields that may reach the client, names in lower case.

    The portal can neither set nor clear what belongs to the gateway. `private` answers are never stored anywhere.
    """
    kept: Fields = []
    named: list[bytes] = []
    for raw, value in fields:
        name, kind = _ANSWERED.get(raw) or _ANSWERED.learn(raw)
        if kind is _PASSED:
            kept.append((name, value))
        elif kind is _CONNECTION:
            named.append(value)
        elif kind is _COOKIE:
            if not sets_own(value, own_cookies):
                kept.append((name, value))
        elif (kind is _CACHING_FIELD and not private) or (kind is _PARTIAL and not metered):
            kept.append((name, value))
    if named:
        kept = _without_named(kept, named)
    if private:
        kept.append(NO_STORE)
    return kept


def lines_of(fields: Fields) -> bytes:
    """The fields as they are written into a head: each with the line break before it."""
    return b"".join([b"\r\n%b: %b" % field for field in fields])


def _without_named(fields: Fields, connection: list[bytes]) -> Fields:
    """Drop the fields that Connection declares hop-by-hop."""
    if len(connection) == 1 and connection[0].lower() in _PLAIN_CONNECTION:
        return fields
    named = {token.strip(b" \t").lower() for value in connection for token in value.split(b",")}
    return [field for field in fields if field[0] not in named]


def without_cookies(value: bytes, prefix: bytes) -> bytes:
    """Drop the gateway's own cookies from a Cookie value, and keep the others as they came."""
    if prefix not in value:
        return value
    pieces = (piece for piece in value.split(b";") if not piece.strip(b" \t").startswith(prefix))
    return b";".join(pieces).strip(b" \t;")


# Some readers strip odd bytes before a name (\xa0, \x85 and controls), and some write a cookie without a name as its
# value alone (`=name=value`): both would make ours of another.
_BEFORE_A_NAME = bytes(range(0x21)) + b"=\x7f\x85\xa0\xc2"


def sets_own(value: bytes, prefix: bytes) -> bool:
    """Whether some reader would take a Set-Cookie value for one of the gateway's own cookies."""
    return value.lstrip(_BEFORE_A_NAME).lower().startswith(prefix.lower())
