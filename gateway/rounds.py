# SPDX-License-Identifier: EUPL-1.2
"""Work that comes round every so many seconds while a process serves. Whatever fails in one round, the next begins."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger("gateway.app")


async def repeat(seconds: float, act: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Act every so many seconds until `stop`."""
    while not stop.is_set():
        try:
            await act()
        except Exception as error:  # noqa: BLE001  # a failed round is told, and the next one tries again
            log.error("round-failed", extra={"error": type(error).__name__})  # noqa: TRY400
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            continue
