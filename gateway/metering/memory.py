# SPDX-License-Identifier: EUPL-1.2
"""The meter in this process: exact under any number of parallel requests, because a hit is one call without a pause.

Belongs to the event loop's thread. State is kept by (account, teleservice) as a pair, and for budgets of each holder by
(account, teleservice, holder), never as one joined text, and by nothing a client chooses. Whoever uses an account
without telling who he is, is one holder more: nobody by name. After a start it is rebuilt from the ledger: what was
disclosed stays counted.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gateway.metering.budget import Outcome, Seen, arrange, hit, hit_together, microseconds, remember

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from gateway.model import Budget, Meter, Subject


class MemoryMeter:
    """Budgets of different people, counted in memory."""

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[str, str], Seen] = defaultdict(Seen)
        self._seen_by: defaultdict[tuple[str, str, str | None], Seen] = defaultdict(Seen)
        self._budgets: dict[str, tuple[Budget, ...]] = {}
        self._of_holder: dict[str, tuple[Budget, ...]] = {}

    def __len__(self) -> int:
        """How many accounts (and holders) and teleservices have something counted."""
        return len(self._seen) + len(self._seen_by)

    def hit(self, subject: Subject, teleservice: str, asked: Meter, pseudonym: bytes, at: datetime) -> Outcome:
        """Ask and count in one act (see budget.hit); with budgets of each holder, for both or for neither."""
        account, proved_at = subject.account or "", subject.assurance.stepped_up_at
        self._budgets[teleservice] = budgets = asked.budgets
        if asked.of_holder:
            self._of_holder[teleservice] = asked.of_holder
            parts = (
                (self._seen[account, teleservice], budgets),
                (self._seen_by[account, teleservice, subject.holder], asked.of_holder),
            )
            return hit_together(parts, pseudonym, at, proved_at)
        return hit(self._seen[account, teleservice], budgets, pseudonym, at, proved_at)

    def rebuild(
        self,
        rows: Iterable[tuple[str, str, str | None, bytes, datetime]],
        at: datetime,
        by_holder: frozenset[str] = frozenset(),
    ) -> None:
        """Add look-ups of the ledger (account, teleservice, holder, pseudonym, at), as far back as the longest window.

        `by_holder`: the teleservices that have budgets of each holder.

        Adds to what is counted already, and may be given rows that are: the latest time of a person stands. So it also
        serves when a new policy has a longer window than the one in force.
        """
        for account, teleservice, holder, pseudonym, last in rows:
            remember(self._seen[account, teleservice], pseudonym, last, at)
            if teleservice in by_holder:
                remember(self._seen_by[account, teleservice, holder], pseudonym, last, at)

    def sweep(self, at: datetime) -> int:
        """Forget whoever has nobody left in any window; returns how many. O(state): call it every few minutes.

        What came from the ledger for a teleservice nobody has used since is kept: its windows are not known yet.
        """
        now = microseconds(at)
        empty = [key for key, seen in self._seen.items() if _left(seen, self._budgets.get(key[1]), now)]
        for key in empty:
            del self._seen[key]
        unseen = [key for key, seen in self._seen_by.items() if _left(seen, self._of_holder.get(key[1]), now)]
        for one in unseen:
            del self._seen_by[one]
        return len(empty) + len(unseen)


def _left(seen: Seen, budgets: tuple[Budget, ...] | None, now: int) -> bool:
    """Whether nobody is left in any window."""
    if budgets is None:
        return False
    arrange(seen, budgets, now)
    return not any(seen.windows.values())
