# SPDX-License-Identifier: EUPL-1.2
"""The browser behind a visit: the cookie by which it is known again, and what a sign-in makes of it.

A browser becomes known by a right sign-in alone, after the event that tells of it is on record. A cookie that is not
quite one of ours, or stands there twice, is none: that browser is new, which is told, and nobody is kept out by it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.cookie import read_cookie
from gateway.identity.devices import LIFETIME, new_browser, reference_of
from gateway.portal.cookies import DEVICE_COOKIE, given

if TYPE_CHECKING:
    from gateway.identity.devices import Device
    from gateway.portal.answers import Headers
    from gateway.portal.visit import Visit

_SECRET: Final = re.compile(rb"[A-Za-z0-9_-]{43}")


class KnownDevice:
    """The browser of a visit that signs in to an account. `known` is None for a new one.

    By `delegation` (its reference) it is known as the delegate's, and stays new as the holder's.
    """

    def __init__(self, visit: Visit, account: str, delegation: str | None = None) -> None:
        self._visit = visit
        self._account = account
        presented = _presented(visit)
        self._secret = presented or new_browser()
        self._name = self._secret if delegation is None else f"{self._secret}.{delegation}"
        self.reference = reference_of(account, self._name)
        self.known: Device | None = visit.doors.devices.find(account, self._name, visit.at) if presented else None

    def keep(self) -> None:
        """Known from now on; its cookie goes out with the answer."""
        visit = self._visit
        if self.known is None or self.known.due(visit.at):
            visit.doors.devices.keep(self._account, self._name, visit.device, visit.at)
        visit.known_by = self._secret


def device_cookie(visit: Visit) -> Headers:
    """Gives the browser its secret, anew at each sign-in; nothing in answers that open no session."""
    return () if visit.known_by is None else given(DEVICE_COOKIE, visit.known_by, LIFETIME)


def _presented(visit: Visit) -> str | None:
    try:
        value = read_cookie(visit.headers(b"cookie"), DEVICE_COOKIE)
    except Refused:
        return None
    return value.decode() if value is not None and _SECRET.fullmatch(value) else None
