# SPDX-License-Identifier: EUPL-1.2
"""What the holder of an account must know at once, he is told by a letter to the account's address.

Called for the events of one act once they are durable: one act is one letter. A letter that cannot be kept is told to
the log and to the caller, and stops nothing: locking an account must not wait for a disk. Which kinds are told, and in
which words: `pages.letters`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gateway.errors import HerseError
from gateway.mail.letter import Letter
from gateway.pages.letters import notice

if TYPE_CHECKING:
    from gateway.identity.accounts import Accounts
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
