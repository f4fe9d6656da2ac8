# SPDX-License-Identifier: EUPL-1.2
"""What operators ask of retention: a round now, with a reason. Every deletion event of that round tells who asked, why.

A round may last longer than whoever typed the command waits: then it goes on in the server. Never here: which rows go.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol

from gateway.console.asker import asker
from gateway.errors import HerseError
from gateway.identity.identifiers import parse_label

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Awaitable, Callable

    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

WAIT_SECONDS: Final = 20.0
_LONGEST_NAME: Final = 64


class Deleter(Protocol):
    """The one of the ledger (`retention_gate`)."""

    async def round(self, note: str | None = None) -> Counter[str]:
        """Delete all that is due: how many rows of each class went."""
        ...


class RetentionOperations:
    """`wait_seconds`: how long an answer is waited for."""

    def __init__(self, deleter: Deleter, wait_seconds: float = WAIT_SECONDS) -> None:
        self._deleter = deleter
        self._wait_seconds = wait_seconds
        self._going_on: set[asyncio.Task[Counter[str]]] = set()

    async def now(self, reason: str) -> dict[str, int] | None:
        """How many rows of each class went; None: it goes on."""
        why = parse_label(reason, "reason")
        note = f"asked by {(asker() or 'unknown')[:_LONGEST_NAME]}: {why}"
        task = asyncio.create_task(self._deleter.round(note))
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        done, _ = await asyncio.wait([task], timeout=self._wait_seconds)
        return dict(task.result()) if done else None


def retention_handlers(operations: RetentionOperations) -> dict[str, Handler]:
    """The command by its name, from and to plain JSON values."""

    async def now(asked: dict[str, Any]) -> dict[str, Any]:
        reason = asked.get("reason")
        if not isinstance(reason, str):
            raise HerseError(f"found {reason!a} as reason; expected a text")
        gone = await operations.now(reason)
        return {"done": gone is not None, "gone": gone or {}}

    return {"ledger.retention": now}
