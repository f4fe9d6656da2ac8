# SPDX-License-Identifier: EUPL-1.2
"""What happens on these pages, told to the ledger: always about an account that exists, never a secret or a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import Event, EventKind, Reason

if TYPE_CHECKING:
    from gateway.identity.session import Session
    from gateway.portal.visit import Visit


def happened(
    visit: Visit,
    kind: EventKind,
    account: str,
    *,
    session: Session | None = None,
    method: str | None = None,
    reason: Reason | None = None,
) -> Event:
    """One event of this visit."""
    return Event(
        kind,
        account,
        visit.at,
        session=None if session is None else session.reference,
        network=visit.network,
        device=visit.device,
        method=method,
        reason=None if reason is None else str(reason),
    )


async def record(visit: Visit, *events: Event) -> None:
    """Make events durable before going on. LedgerError if they cannot be."""
    await visit.doors.ledger.append(events).wait()


def need_ledger(visit: Visit) -> None:
    """Before anything is tried, used up or told: Refused(LEDGER_UNAVAILABLE) for everybody alike once it has failed."""
    if visit.doors.ledger.failed:
        raise Refused(Reason.LEDGER_UNAVAILABLE)


def note_failure(visit: Visit, kind: EventKind, identifier: str, method: str, reason: Reason) -> None:
    """Append a failed try, if the account exists; unknown identifiers leave no row.

    Not waited for: an answer that took a commit longer for known accounts would tell which exist. What the throttle
    turned away is not recorded again, so a flood of tries is no flood of rows.
    """
    if reason in {Reason.THROTTLED, Reason.BUSY}:
        return
    try:
        account = visit.doors.accounts.find(identifier)
    except Refused:  # nobody can be called so
        return
    if account is not None:
        visit.doors.ledger.append([happened(visit, kind, account.identifier, method=method, reason=reason)])
