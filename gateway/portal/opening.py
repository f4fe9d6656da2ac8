# SPDX-License-Identifier: EUPL-1.2
"""How every session begins, a holder's and a delegate's: first on record, then in this browser.

`record_opening` makes it durable, and with it the end of the browser's earlier session: it ended because this one
began. If the ledger fails, the new session is ended again, the earlier one goes on, and no token leaves. `enter` then
puts the new one in the earlier one's place, keeps the account in use, and makes the browser known, unless a lock or a
change of password has ended the session meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import LedgerError
from gateway.model import EventKind
from gateway.portal.record import happened, record

if TYPE_CHECKING:
    from gateway.identity.accounts import Account
    from gateway.identity.session import Session
    from gateway.model import Event
    from gateway.portal.known_device import KnownDevice
    from gateway.portal.visit import Visit


async def record_opening(visit: Visit, session: Session, *events: Event) -> None:
    """Make `events` of a session just opened durable. LedgerError: it is ended again."""
    earlier = visit.session
    if earlier is not None and not earlier.ended and earlier.subject.account is not None:
        events = (happened(visit, EventKind.SIGN_OUT, earlier.subject.account, session=earlier), *events)
    try:
        await record(visit, *events)
    except LedgerError:
        visit.doors.sessions.end(session, visit.at)
        raise


def enter(visit: Visit, account: Account, session: Session, browser: KnownDevice) -> None:
    """Put a session that is on record in the place of this browser's earlier one."""
    if visit.session is not None:
        visit.doors.sessions.end(visit.session, visit.at)
    visit.doors.accounts.dormancy.used(account, visit.at)
    if not session.ended:
        browser.keep()
    visit.session = session
