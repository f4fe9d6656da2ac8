# SPDX-License-Identifier: EUPL-1.2
"""The wire to the provider, with limits: no redirect, no proxy of the environment, no compression, so many bytes, so
much time. A flood of ours never becomes a flood at the provider (`Held`).

Nothing here knows a claim or a token. What fails is Refused: unreachable, or an answer that must not be used.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

import httpx

from gateway.errors import Refused, StartError
from gateway.identity.sso_settings import ClientAuth
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime, timedelta

    from gateway.identity.sso_settings import SsoSettings

T = TypeVar("T")
_OK = 200
_SERVER_ERRORS = 500
_TOO_MANY = 429
_CONNECTIONS = 32


class AnswerTooLargeError(httpx.DecodingError):
    """The provider sends more than we read, or compressed what we asked plain."""


class _Bounded(httpx.AsyncByteStream):
    """A body of at most so many bytes."""

    def __init__(self, inner: httpx.AsyncByteStream, most: int) -> None:
        self._inner = inner
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._most
        async for piece in self._inner:
            left -= len(piece)
            if left < 0:
                raise AnswerTooLargeError("too many bytes")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class Transport(httpx.AsyncBaseTransport):
    """One pool of connections to the provider, shared by all calls; every answer bounded."""

    def __init__(self, settings: SsoSettings) -> None:
        limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS // 4)
        self._most = settings.answer_bytes
        self._inner = httpx.AsyncHTTPTransport(verify=tls_context(settings), limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send; the answer's body is counted while it is read."""
        request.headers["Accept-Encoding"] = "identity"
        answer = await self._inner.handle_async_request(request)
        # Compressed bytes would be counted before they grow.
        if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
            await answer.aclose()
            raise AnswerTooLargeError("compressed")
        if isinstance(answer.stream, httpx.AsyncByteStream):
            answer.stream = _Bounded(answer.stream, self._most)
        return answer

    async def close(self) -> None:
        """Close the pool. Not `aclose`: a client that ends with its call would close it for all."""
        await self._inner.aclose()


def tls_context(settings: SsoSettings) -> ssl.SSLContext:
    """TLS to the provider, with our certificate if it knows us by that; StartError if a file cannot be used."""
    try:
        context = ssl.create_default_context(cafile=settings.authority)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.client_auth is ClientAuth.TLS and settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.certificate_key)
    except (OSError, ssl.SSLError) as error:
        files = [str(one) for one in (settings.authority, settings.certificate, settings.certificate_key) if one]
        raise StartError(
            f"sso certificates: {', '.join(files)} cannot be used ({error}); expected readable PEM files, key and "
            "certificate of one pair"
        ) from None
    return context


@asynccontextmanager
async def calling(settings: SsoSettings) -> AsyncIterator[None]:
    """Around one call to the provider: whatever the wire does, it ends in time and as a Refused."""
    try:
        async with asyncio.timeout(settings.answer_within.total_seconds()):
            yield
    except httpx.HTTPStatusError as error:
        refuse_status(error.response.status_code)
    except (httpx.DecodingError, httpx.RemoteProtocolError, httpx.InvalidURL):
        raise Refused(Reason.SSO_ANSWER_INVALID) from None
    except (TimeoutError, httpx.HTTPError, OSError):
        raise Refused(Reason.SSO_UNREACHABLE) from None


async def fetch(transport: Transport, settings: SsoSettings, url: str, *, token: str | None = None) -> httpx.Response:
    """GET an address of the provider; any answer but 200 is Refused, a redirect too."""
    headers = {"Accept": "application/json, application/jwt"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    async with calling(settings):
        client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, timeout=None)  # noqa: S113  # `calling` ends it
        answer = await client.get(url, headers=headers)
    if answer.status_code != _OK:
        refuse_status(answer.status_code)
    return answer


def refuse_status(status: int) -> NoReturn:
    """The provider is out of order (5xx, 429), or answers what it must not."""
    down = status >= _SERVER_ERRORS or status == _TOO_MANY
    raise Refused(Reason.SSO_UNREACHABLE if down else Reason.SSO_ANSWER_INVALID)


class Held(Generic[T]):
    """Something fetched from the provider: kept for `lifetime`, and asked for at most once per `interval`.

    A failed attempt counts as one: while the provider is down nobody waits for it but the first.
    """

    def __init__(self, fetch: Callable[[], Awaitable[T]], interval: timedelta, lifetime: timedelta) -> None:
        self._fetch = fetch
        self._interval = interval
        self._lifetime = lifetime
        self._lock = asyncio.Lock()
        self._tried_at: datetime | None = None
        self._got: tuple[T, datetime] | None = None
        self._failure = Reason.SSO_UNREACHABLE

    async def get(self, at: datetime, wanted: Callable[[T], bool] = lambda _: True) -> T:
        """What is held, fetched anew if it is too old or not what is `wanted` (and the interval allows it)."""
        held = self._fresh(at)
        if held is not None and wanted(held):
            return held
        async with self._lock:
            held = self._fresh(at)
            if held is not None and wanted(held):
                return held
            # A clock set back must not stop us from ever asking again.
            if self._tried_at is None or abs(at - self._tried_at) >= self._interval:
                held = await self._ask(at, held)
            if held is None:
                raise Refused(self._failure)
            return held

    def put(self, value: T, at: datetime) -> None:
        """It was fetched by another way."""
        self._got = (value, at)

    async def _ask(self, at: datetime, held: T | None) -> T | None:
        self._tried_at = at
        self._failure = Reason.SSO_UNREACHABLE
        try:
            got = await self._fetch()
        except Refused as refusal:
            self._failure = refusal.reason
            return held
        self._got = (got, at)
        return got

    def _fresh(self, at: datetime) -> T | None:
        if self._got is None or abs(at - self._got[1]) >= self._lifetime:
            return None
        return self._got[0]
