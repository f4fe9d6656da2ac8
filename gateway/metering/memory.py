# SPDX-License-Identifier: EUPL-1.2
"""The meter in this process: exact under any number of parallel requests, because a hit is one call without a pause.

Belongs to the event loop's thread. State is kept by (account, teleservice) as a pair, never as one joined text, and by
nothing a client chooses. After a start it is rebuilt from the ledger: what was disclosed stays counted.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gateway.metering.budget import Outcome, Seen, arrange, hit, microseconds, remember

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gateway.model import Budget


class MemoryMeter:
    """Budgets of different people, counted in memory."""

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[str, str], Seen] = defaultdict(Seen)
        self._budgets: dict[str, tuple[Budget, ...]] = {}

    def __len__(self) -> int:
        """How many accounts and teleservices have something counted."""
        return len(self._seen)

    def hit(  # noqa: PLR0917  # the words of budget.hit, after whose it is
        self,
        account: str,
        teleservice: str,
        budgets: tuple[Budget, ...],
        pseudonym: bytes,
        at: datetime,
        proved_at: datetime | None,
    ) -> Outcome:
        """Ask and count in one act (see budget.hit)."""
        self._budgets[teleservice] = budgets
        return hit(self._seen[account, teleservice], budgets, pseudonym, at, proved_at)

    def rebuild(self, rows: Iterable[tuple[str, str, bytes, datetime]], at: datetime) -> None:
        """Add look-ups of the ledger (account, teleservice, pseudonym, at), at least as far back as the longest window.

        Adds to what is counted already, and may be given rows that are: the latest time of a person stands. So it also
        serves when a new policy has a longer window than the one in force.
        """
        for account, teleservice, pseudonym, last in rows:
            remember(self._seen[account, teleservice], pseudonym, last, at)

    def sweep(self, at: datetime) -> int:
        """Forget whoever has nobody left in any window; returns how many. O(state): call it every few minutes.

        What came from the ledger for a teleservice nobody has used since is kept: its windows are not known yet.
        """
        now = microseconds(at)
        empty = []
        for key, seen in self._seen.items():
            budgets = self._budgets.get(key[1])
            if budgets is None:
                continue
            arrange(seen, budgets, now)
            if not any(seen.windows.values()):
                empty.append(key)
        for key in empty:
            del self._seen[key]
        return len(empty)
