# SPDX-License-Identifier: EUPL-1.2
"""What happens on these pages, told to the ledger: always about an account that exists, never a secret or a code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import ANONYMOUS, Event, EventKind, Reason

if TYPE_CHECKING:
    from gateway.identity.accounts import Account
    from gateway.identity.session import Session
    from gateway.model import Method
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
    """One event of this visit, under the name of the person whose session it is, where that is known."""
    subject = ANONYMOUS if session is None else session.subject
    return Event(
        kind,
        account,
        visit.at,
        session=None if session is None else session.reference,
        network=visit.network,
        device=visit.device,
        method=method,
        reason=None if reason is None else str(reason),
        holder=subject.holder,
        delegate=None if subject.delegation is None else subject.delegation.reference,
    )


async def record(visit: Visit, *events: Event) -> bool:
    """Make events durable before going on, then tell the holder what he must know at once.

    False if a letter to him could not be kept, which stops nothing by itself. LedgerError: not durable, nobody is told.
    """
    await visit.doors.ledger.append(events).wait()
    return visit.doors.notices.tell(*events)


async def record_password(visit: Visit, account: Account, methods: tuple[Method, ...]) -> None:
    """That a new password is about to be set, by whom has proved himself so."""
    await record(visit, happened(visit, EventKind.PASSWORD_SET, account.identifier, method="+".join(methods)))


def need_ledger(visit: Visit) -> None:
    """Before anything is tried, used up or told: Refused(LEDGER_UNAVAILABLE) for everybody alike once it has failed."""
    if visit.doors.ledger.failed:
        raise Refused(Reason.LEDGER_UNAVAILABLE)


def note_failure(visit: Visit, kind: EventKind, identifier: str, method: str, reason: Reason) -> None:
    """Append a failed try, if the account exists; unknown identifiers leave no row.

    Only once the answer is on its way: one that took a look into the database, or a commit, longer for known accounts
    would tell which exist (`make timing`). What the throttle turned away is not recorded again, so a flood of tries is
    no flood of rows.
    """
    if reason not in {Reason.THROTTLED, Reason.BUSY}:
        visit.doors.later(lambda: _note(visit, kind, identifier, method, reason))


def _note(visit: Visit, kind: EventKind, identifier: str, method: str, reason: Reason) -> None:
    try:
        account = visit.doors.accounts.find(identifier)
    except Refused:  # nobody can be called so
        return
    if account is not None:
        visit.doors.ledger.append([happened(visit, kind, account.identifier, method=method, reason=reason)])
