# SPDX-License-Identifier: EUPL-1.2
"""Our client on the way through the stand-in provider: begin, go there as a browser would, come back, finish."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gateway.errors import Refused
from gateway.identity.sso import SingleSignOn
from support.provider import settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from gateway.identity.sso_identity import SsoIdentity
    from gateway.model import Reason
    from support.provider import StandInProvider


@asynccontextmanager
async def signing_on(provider: StandInProvider, **changes: Any) -> AsyncIterator[SingleSignOn]:
    """A client with these settings changed."""
    sso = SingleSignOn(settings_for(provider, **changes))
    try:
        yield sso
    finally:
        await sso.close()


def now() -> datetime:
    """The time, as the stand-in tells it too."""
    return datetime.now(UTC)


async def visited(sso: SingleSignOn, provider: StandInProvider, **asked: Any) -> tuple[str, str]:
    """Begin, and let a browser go there and come back: (query, browser value)."""
    begun = await sso.begin(None, now(), **asked)
    return await asyncio.to_thread(provider.visit, begun.url), begun.browser


def sign_in(
    provider: StandInProvider,
    *,
    asked: Mapping[str, Any] | None = None,
    later: timedelta = timedelta(0),
    **changes: Any,
) -> SsoIdentity | Reason:
    """The whole walk; the identity, or the reason it was refused for."""

    async def walk() -> SsoIdentity:
        async with signing_on(provider, **changes) as sso:
            query, browser = await visited(sso, provider, **(asked or {}))
            return await sso.finish(query, browser, now() + later)

    try:
        return asyncio.run(walk())
    except Refused as refusal:
        return refusal.reason
