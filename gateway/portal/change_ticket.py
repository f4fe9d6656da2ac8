# SPDX-License-Identifier: EUPL-1.2
"""Between a right password that must change and the new one: a ticket in a cookie, which is no session.

It opens one page alone, for 15 minutes and 20 tries, in the browser that proved the old password. In memory, bounded.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.cookie import read_cookie
from gateway.model import EventKind, Method
from gateway.portal.answers import redirect, refuse
from gateway.portal.cookies import CHANGE_COOKIE, given, taken_back
from gateway.portal.record import happened, record

if TYPE_CHECKING:
    from starlette.responses import Response

    from gateway.identity.password_change import MustChange
    from gateway.portal.visit import Visit

CHANGE_PATH: Final = "/.herse/password"
LIFETIME: Final = timedelta(minutes=15)
TRIES: Final = 20
MOST: Final = 1_000
ENDED: Final = taken_back(CHANGE_COOKIE)
"""Takes the ticket's cookie back."""


@dataclass(slots=True)
class Ticket:
    """The old password was proved at `at`; `to` is where the person was going."""

    must: MustChange = field(repr=False)
    to: str
    at: datetime
    tries: int = 0


class ChangeTickets:
    """The living tickets, by the SHA-256 of their token; past `most` the oldest makes room."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, Ticket] = OrderedDict()

    def keep(self, must: MustChange, to: str, at: datetime) -> str:
        """A new ticket; returns its token."""
        token = secrets.token_urlsafe(32)
        self._kept[sha256(token.encode()).digest()] = Ticket(must, to, at)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return token

    def find(self, token: bytes, at: datetime) -> Ticket | None:
        """The ticket while it lives."""
        ticket = self._kept.get(sha256(token).digest())
        return ticket if ticket is not None and at - ticket.at < LIFETIME and ticket.tries < TRIES else None

    def drop(self, token: bytes) -> None:
        """It was used."""
        self._kept.pop(sha256(token).digest(), None)


def ticket_of(visit: Visit) -> tuple[bytes, Ticket] | None:
    """The token and the ticket of this browser. None without; Refused(COOKIE_AMBIGUOUS) if there are two cookies."""
    token = read_cookie(visit.headers(b"cookie"), CHANGE_COOKIE)
    ticket = None if token is None else visit.doors.changes.find(token, visit.at)
    return None if token is None or ticket is None else (token, ticket)


async def ask_new_password(visit: Visit, must: MustChange, to: str) -> Response:
    """After a right password that must change: the way to the page that asks for a new one. No session is opened."""
    if must.newly:
        account, reason = must.account.identifier, must.reason
        asked = happened(visit, EventKind.PASSWORD_CHANGE_ASKED, account, method=Method.PASSWORD, reason=reason)
        await record(visit, asked)
    token = visit.doors.changes.keep(must, to, visit.at)
    headers = given(CHANGE_COOKIE, token)
    if visit.json:
        return refuse(visit, Refused(must.reason), headers=headers)
    return redirect(CHANGE_PATH, headers)
