# SPDX-License-Identifier: EUPL-1.2
"""Forced sign-out: an operator ends the sessions of some accounts, or of all, at once; each account has its event.

The accounts stay as they are: whoever has the password signs in again. An account that must not is locked instead.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.console.record import Record
from gateway.errors import Refused
from gateway.identity.identifiers import canonical_identifier, parse_label
from gateway.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from gateway.identity.accounts import Accounts
    from gateway.identity.session import Sessions

EVENTS_AT_ONCE = 500
"""Events that are given to the ledger together: far below what it lets wait."""


class SignOutOperations:
    """`append` makes one event durable."""

    def __init__(self, accounts: Accounts, sessions: Sessions, append: Callable[[Event], Awaitable[object]]) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._record = Record(append, None)

    async def sign_out(
        self, identifiers: Sequence[str] | None, reason: str, at: datetime
    ) -> tuple[dict[str, int], list[str]]:
        """End the sessions of these accounts (None: of all); how many of each, and the names that are no account.

        A name that is none keeps nobody else signed in: on a bad day the rest of the list must not wait for it.
        """
        why = parse_label(reason, "reason")
        names, unknown = (None, []) if identifiers is None else self._known(identifiers)
        ended = self._sessions.end_many(names, at)
        told = {**dict.fromkeys(names or (), 0), **ended}
        events = [
            Event(EventKind.SESSIONS_ENDED, name, at, reason=why, details=f"sessions: {count}")
            for name, count in told.items()
        ]
        for first in range(0, len(events), EVENTS_AT_ONCE):
            await asyncio.gather(*map(self._record, events[first : first + EVENTS_AT_ONCE]))
        return told, unknown

    def _known(self, identifiers: Sequence[str]) -> tuple[list[str], list[str]]:
        known: dict[str, None] = {}
        unknown = []
        for typed in identifiers:
            try:
                account = self._accounts.find(typed)
            except Refused:
                account = None
            if account is None:
                unknown.append(typed)
            else:
                known[canonical_identifier(typed)] = None
        return list(known), unknown
