# SPDX-License-Identifier: EUPL-1.2
"""What operators and agents have changed, told to the ledger, and then to the holder: one act, one letter.

The change stands already: if its event cannot be recorded, the error says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.model import Event
    from gateway.notices import Notices


class Record:
    """`append` makes one event durable; `notices` writes to the holder what he must know at once."""

    def __init__(self, append: Callable[[Event], Awaitable[object]], notices: Notices | None) -> None:
        self._append = append
        self._notices = notices

    async def __call__(self, *events: Event) -> None:
        """Make the events of one act durable, in their order. LedgerError: those from one of them on are missing."""
        durable: list[Event] = []
        try:
            for event in events:
                await self._append(event)
                durable.append(event)
        except LedgerError as error:
            missing = events[len(durable)]
            raise LedgerError(
                f"the change to account {missing.account} is made, but its event {missing.kind} could not be recorded:"
                f" {error}"
            ) from error
        finally:
            if self._notices is not None and durable:
                self._notices.tell(*durable)
