# SPDX-License-Identifier: EUPL-1.2
"""What operators and agents have changed, told to the ledger, and then to the holder: one act, one letter.

The change stands already: if its event cannot be recorded, the error says so. Each event names who asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.console.asker import asker
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
                named = signed(event)
                await self._append(named)
                durable.append(named)
        except LedgerError as error:
            missing = events[len(durable)]
            what = f"the change to account {missing.account}" if missing.account else "the change"
            raise LedgerError(f"{what} is made, but its event {missing.kind} could not be recorded: {error}") from error
        finally:
            if self._notices is not None and durable:
                self._notices.tell(*durable)


def signed(event: Event) -> Event:
    """The event with who asked for it, where that is known."""
    who = asker()
    if who is None:
        return event
    asked = f"asked by {who}"
    return event._replace(details=asked if event.details is None else f"{event.details}; {asked}")
