# SPDX-License-Identifier: EUPL-1.2
"""What the holder of an account must know at once, he is told by a letter to the account's address.

Called for the events of one act once they are durable: one act is one letter. A letter that cannot be kept is told to
the log and to the caller, and stops nothing: locking an account must not wait for a disk. Which kinds are told, and in
which words: `pages.letters`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from gateway.errors import HerseError
from gateway.ledger.read import LIMIT_AT_MOST
from gateway.mail.letter import Letter
from gateway.model import AlertReason, EventKind
from gateway.pages import when
from gateway.pages.letters import notice

if TYPE_CHECKING:
    from gateway.identity.accounts import Accounts
    from gateway.ledger.event import StoredEvent
    from gateway.ledger.read import LedgerReader
    from gateway.mail.outbox import Outgoing
    from gateway.model import Event

log = logging.getLogger(__name__)


class Notices:
    """`origin` is where the pages are, as browsers write it."""

    def __init__(self, accounts: Accounts, outbox: Outgoing, origin: str) -> None:
        self._accounts = accounts
        self._outbox = outbox
        self._origin = origin

    def tell(self, *events: Event, to: str | None = None) -> bool:
        """Write what one act did, in one letter for each account: to its address, or to `to`. False: one is missing.

        An account without an address is told nothing, and nothing is missing.
        """
        accounts = dict.fromkeys(event.account for event in events)
        kept = [self._write(name, [event for event in events if event.account == name], to) for name in accounts]
        return all(kept)

    def _write(self, name: str, events: list[Event], to: str | None) -> bool:
        try:
            account = self._accounts.find(name)
            words = None if account is None else notice(events, account.title, self._origin)
            address = to or (account and account.mail)
            if words is not None and address:
                self._outbox.put(Letter(address, *words), events[0].at)
        except HerseError as error:
            kinds = "+".join(event.kind for event in events)
            log.error("notice-not-kept", extra={"kind": kinds, "error": type(error).__name__})  # noqa: TRY400  # values stay out
            return False
        return True


class Alarms:
    """Letters about alerts of high risk, one a day (of Paris) for each account, whichever process raised them.

    They are found in the ledger, which all processes write; those of before the first look were told by then.
    """

    def __init__(self, reader: LedgerReader, notices: Notices) -> None:
        self._reader = reader
        self._notices = notices
        self._after: int | None = None

    async def look(self) -> None:
        """Tell what came since the last look. LedgerUnreadable: nothing was told, and the next look tells it."""
        self._after, due = await asyncio.to_thread(self._due)
        for event in due:
            self._notices.tell(event)

    def _due(self) -> tuple[int, list[Event]]:
        last, found = self._reader.alerts_after(self._after, AlertReason.RISK_HIGH)
        return last, [one.event for one in found if self._first_of_its_day(one)]

    def _first_of_its_day(self, alert: StoredEvent) -> bool:
        """Whether the account had none that day before it; in doubt it had."""
        event = alert.event
        began = when.start_of_day(event.at.astimezone(when.PARIS).date())
        alerts = frozenset({EventKind.ALERTED})
        day = self._reader.events(event.account, alerts, began, None, None, LIMIT_AT_MOST)
        before = any(one.sequence < alert.sequence and one.event.reason == event.reason for one in day)
        return not before and len(day) < LIMIT_AT_MOST
