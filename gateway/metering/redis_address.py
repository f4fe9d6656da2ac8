# SPDX-License-Identifier: EUPL-1.2
"""Where Redis is: the URL of the settings, and who is master now. Off the hot path.

    redis://[user[:password]@]host[:port][/database]      rediss:// the same over TLS
    redis+sentinel://[user[:password]@]host[:port],host…/name      the master of that name, as the Sentinels say
    redis+cluster://[user[:password]@]host[:port],host…            every master of the Cluster
    rediss+sentinel:// and rediss+cluster:// the same over TLS

A password is never part of a message.
"""

from __future__ import annotations

import asyncio
from binascii import crc_hqx
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote

from gateway.metering.redis_wire import Patience, Server, WireError, open_line

if TYPE_CHECKING:
    import ssl

    from gateway.metering.redis_wire import Word

Slots: TypeAlias = "dict[tuple[str, int], tuple[tuple[int, int], ...]]"

_KINDS: Final = frozenset({"redis", "redis+sentinel", "redis+cluster"})
_PORT, _SENTINEL_PORT = 6379, 26379
_PATIENCE: Final = Patience(answer=1.0, connection=1.0)
SLOTS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Address:
    """A URL, read. `kind` is redis, redis+sentinel or redis+cluster; `name` the Sentinels' name of the master."""

    kind: str
    hosts: tuple[tuple[str, int], ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0
    name: str = ""
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def server(self, host: str, port: int) -> Server:
        """One server, to be talked to as this URL says."""
        return Server(host, port, self.user, self.password, self.database, self.tls)


def read_address(url: str, tls: ssl.SSLContext | None = None) -> Address:
    """ValueError (what is wrong, without the URL, which may hold a password). `tls` is used if the scheme says so."""
    scheme, separator, rest = url.partition("://")
    secure = scheme.startswith("rediss")
    kind = scheme.replace("rediss", "redis", 1)
    if not separator or kind not in _KINDS:
        raise ValueError("a redis URL begins with redis://, redis+sentinel:// or redis+cluster:// (rediss: over TLS)")
    if secure and tls is None:
        raise ValueError("rediss needs a TLS context")
    authority, _, path = rest.partition("/")
    login, at, listed = authority.rpartition("@")
    user, colon, password = login.partition(":")
    usual = _SENTINEL_PORT if kind == "redis+sentinel" else _PORT
    hosts = tuple(_host(one, usual) for one in listed.split(","))
    if kind == "redis" and len(hosts) > 1:
        raise ValueError("redis:// names one host; several are redis+sentinel:// or redis+cluster://")
    if kind == "redis+sentinel" and not path:
        raise ValueError("redis+sentinel:// ends with /name, the name by which the Sentinels know the master")
    if kind == "redis+cluster" and path:
        raise ValueError("redis+cluster:// has no path: a Cluster has one database")
    if kind == "redis" and path and not path.isdecimal():
        raise ValueError("redis:// may end with /number, a database")
    return Address(
        kind,
        hosts,
        unquote(user) if at and user else None,
        unquote(password) if colon else None,
        int(path) if kind == "redis" and path else 0,
        path if kind == "redis+sentinel" else "",
        tls if secure else None,
    )


def _host(text: str, usual: int) -> tuple[str, int]:
    if text.startswith("["):
        host, _, after = text[1:].partition("]")
        port = after.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if not host or (port and not (port.isdecimal() and 0 < int(port) < 65_536)):  # noqa: PLR2004  # ports end there
        raise ValueError("a host of a redis URL is name, name:port or [IPv6]:port, several separated by commas")
    return host, int(port or usual)


async def find_master(address: Address) -> Server:
    """The server to ask: of a Sentinel URL the master that most of its Sentinels name. WireError if most do not agree.

    A minority may have been cut off with a master that is none any more.
    """
    if address.kind == "redis":
        return address.server(*address.hosts[0])
    words = (b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", address.name)
    asked = (ask(Server(host, port, tls=address.tls), *words) for host, port in address.hosts)
    told = Counter(_pair(one) for one in await asyncio.gather(*asked, return_exceptions=True))
    del told[None]
    where, votes = next(iter(told.most_common(1)), (None, 0))
    if where is None or 2 * votes <= len(address.hosts):
        raise WireError(f"of {len(address.hosts)} Sentinels {votes} name one master of {address.name!r}: not most")
    return address.server(*where)


async def find_slots(address: Address) -> Slots:
    """Every master of a Cluster with its ranges of slots. WireError if no host tells, or some slots have no master."""
    trouble = "none was asked"
    for host, port in address.hosts:
        try:
            told = await ask(address.server(host, port), b"CLUSTER", b"SLOTS")
        except (OSError, TimeoutError, WireError) as error:
            trouble = type(error).__name__
            continue
        masters = _masters(told, host)
        if sum(last - first + 1 for ranges in masters.values() for first, last in ranges) == SLOTS:
            return masters
        trouble = "slots without a master"
    raise WireError(f"no host of the Cluster tells its masters: {trouble}")


async def ask(server: Server, *words: Word) -> object:
    """One question to one server, on a connection of its own."""
    async with asyncio.timeout(_PATIENCE.connection):
        line = await open_line(server, _PATIENCE, lambda: None)
        try:
            return await line.call(*words).wait()
        finally:
            line.lose("asked")


def slot_of(tag: bytes) -> int:
    """The slot of a hash tag in a Cluster."""
    return crc_hqx(tag, 0) % SLOTS


def _pair(told: object) -> tuple[str, int] | None:
    if isinstance(told, list):
        host, port = told
        return host.decode(), int(port)
    return None


def _masters(told: Any, asked: str) -> Slots:
    """Redis gives [first, last, [host, port, …], replicas …]; an empty host is the one that was asked."""
    masters: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for first, last, (host, port, *_), *_ in told:
        masters.setdefault((host.decode() if host else asked, port), []).append((first, last))
    return {where: tuple(sorted(ranges)) for where, ranges in masters.items()}
