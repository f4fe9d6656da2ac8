# SPDX-License-Identifier: EUPL-1.2
"""Who is asking, as the gateway vouches for it: one signed `Herse-Assertion`, checked in full, or nobody.

Lives here: the check of the JWT (ES256 alone) and the cache of the gateway's public keys. Never here: a decision about
what somebody may see, another identity header, a key that came inside the token.
"""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ALGORITHM = "ES256"
LEVELS = frozenset({"password", "mfa", "card"})
_HEADER_NAMES = frozenset({"alg", "typ", "kid"})
_TOKEN = re.compile(rb"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")
_LONGEST = 8192  # characters; a longer token is not the gateway's
_CLOCK_SLACK = timedelta(seconds=5)
_REFETCH_AFTER = timedelta(seconds=30)
_RETRY_AFTER = timedelta(seconds=1)  # the gateway may come up after the portal


class AssertionRefused(Exception):
    """The request carries no assertion that can be believed. The message says which check failed, never the token."""


class KeysUnavailable(Exception):
    """The gateway's public keys could not be read: what was tried and what went wrong."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The person the gateway vouches for: account, title of the account, profession, level of proof, session."""

    account: str
    title: str
    profession: str
    acr: str
    session: str


def _signing_keys(document: Mapping[str, Any]) -> dict[str, ECKey]:
    """Public P-256 keys of a JWK set by `kid`; keys of another type or use are passed over, private parts refused."""
    keys = {}
    for jwk in document.get("keys", ()):
        wanted = jwk.get("kty") == "EC" and jwk.get("crv") == "P-256" and jwk.get("use", "sig") == "sig"
        if wanted and "d" not in jwk and isinstance(jwk.get("kid"), str):
            keys[jwk["kid"]] = ECKey.import_key(jwk)
    return keys


class KeyCache:
    """Public keys of the gateway, fetched when first needed and again for an unknown `kid`, at most every 30 seconds.

    `fetch` returns the JWK set and may block (it runs in a thread); OSError and ValueError mean it failed. After a
    failure the next try may come one second later. A new set replaces the old one whole.
    """

    def __init__(self, fetch: Callable[[], Mapping[str, Any]], refetch_after: timedelta = _REFETCH_AFTER) -> None:
        self._fetch = fetch
        self._refetch_after = refetch_after
        self._keys: dict[str, ECKey] = {}
        self._next_fetch = datetime.min.replace(tzinfo=UTC)
        self._fault: str | None = None
        self._lock = asyncio.Lock()

    async def key(self, kid: str, at: datetime) -> ECKey | None:
        """The key named `kid`, or None. Raises KeysUnavailable while there has never been a readable set."""
        if kid not in self._keys:
            async with self._lock:
                if at >= self._next_fetch:  # whoever waited for the lock finds this set by who held it
                    await self._refresh(at)
        if not self._keys and self._fault is not None:
            raise KeysUnavailable(self._fault)
        return self._keys.get(kid)

    async def _refresh(self, at: datetime) -> None:
        try:
            document = await asyncio.to_thread(self._fetch)
            self._keys = _signing_keys(document)
        except (OSError, ValueError, AttributeError, TypeError, JoseError) as fault:
            self._fault = f"{type(fault).__name__}: {fault}"
            self._next_fetch = at + _RETRY_AFTER
        else:
            self._fault = None
            self._next_fetch = at + self._refetch_after


class AssertionCheck:
    """Checks one header value against one issuer and one audience."""

    def __init__(self, keys: KeyCache, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def visitor(self, values: Sequence[bytes], at: datetime) -> Visitor:
        """Who is asking, by the values of all `Herse-Assertion` fields; raises AssertionRefused or KeysUnavailable."""
        if len(values) != 1:
            raise AssertionRefused(f"{len(values)} assertions found, exactly 1 expected")
        token = values[0]
        key = await self._keys.key(_kid(token), at)
        if key is None:
            raise AssertionRefused("signed by an unknown key")
        try:
            claims = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as fault:
            raise AssertionRefused(f"signature or form: {type(fault).__name__}") from None
        return self._read(claims, at)

    def _read(self, claims: Mapping[str, Any], at: datetime) -> Visitor:
        if claims.get("iss") != self._issuer:
            raise AssertionRefused("another issuer")
        if claims.get("aud") != self._audience:
            raise AssertionRefused("meant for another portal")
        if _instant(claims, "exp") <= at.timestamp():
            raise AssertionRefused("expired")
        if _instant(claims, "iat") > (at + _CLOCK_SLACK).timestamp():
            raise AssertionRefused("issued in the future")
        words = [claims.get(name) for name in ("sub", "name", "profession", "acr", "sid")]
        if not all(isinstance(word, str) and word for word in words):
            raise AssertionRefused("a claim is missing or not a text")
        if claims["acr"] not in LEVELS:
            raise AssertionRefused("an unknown level of proof")
        return Visitor(*words)  # type: ignore[arg-type]  # all five are str, checked above


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AssertionRefused(f"{name} is missing or not a number")
    return value


def _kid(token: bytes) -> str:
    """`kid` of a token whose unverified header already has nothing but the three expected fields."""
    if len(token) > _LONGEST or not _TOKEN.fullmatch(token):
        raise AssertionRefused("too long, or not three parts of base64url")
    try:
        header: object = jws.extract_compact(token).headers()
    except (JoseError, ValueError) as fault:
        raise AssertionRefused(f"form: {type(fault).__name__}") from None
    if not isinstance(header, dict) or set(header) != _HEADER_NAMES:
        raise AssertionRefused("header: alg, typ and kid expected, and nothing else")
    kid = header["kid"]
    if header["alg"] != ALGORITHM or header["typ"] != "JWT" or not isinstance(kid, str):
        raise AssertionRefused("header: alg ES256, typ JWT and a text as kid expected")
    return kid
