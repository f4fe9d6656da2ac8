# SPDX-License-Identifier: EUPL-1.2
"""Authenticator secrets that were shown but not yet confirmed: in memory, bound to one session, 15 minutes, bounded.

They never travel back from the browser, so nobody can have a secret of his own choice linked to an account.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

LIFETIME: Final = timedelta(minutes=15)
MOST: Final = 1_000


class PendingSecrets:
    """At most one secret per session; the oldest makes room past `most`."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, tuple[str, datetime]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<PendingSecrets {len(self._kept)}>"

    def keep(self, session: str, secret: str, at: datetime) -> None:
        """Keep a secret for a session reference, in place of an earlier one."""
        self._kept.pop(session, None)
        self._kept[session] = (secret, at)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def find(self, session: str, at: datetime) -> str | None:
        """The secret of a session while it is fresh."""
        secret, kept_at = self._kept.get(session, (None, at))
        return secret if at - kept_at < LIFETIME else None

    def drop(self, session: str) -> None:
        """It was linked, or is no longer wanted."""
        self._kept.pop(session, None)
