# SPDX-License-Identifier: EUPL-1.2
"""What an incident asks the ledger about, and what it is told: values alone. The questions stand in `exposure`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Accounts, from `since` to before `until`, in these teleservices and from these addresses (none named: all)."""

    accounts: tuple[str, ...]
    since: datetime
    until: datetime
    teleservices: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()


class Where(NamedTuple):
    """Where and how somebody was looked up. `categories` as the row has them, a list in JSON."""

    account: str
    teleservice: str | None
    network: str | None
    categories: str | None


class Look(NamedTuple):
    """One look-up: whose, when (microseconds since 1970), its row, where, and for a list the sealed number.

    `pseudonym` is None where data was disclosed and nobody was counted (`uncounted` in the policy).
    """

    pseudonym: bytes | None
    at: int
    sequence: int
    place: Where
    request: bytes | None = None
    sealed: bytes | None = None
