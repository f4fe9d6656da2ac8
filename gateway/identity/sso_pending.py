# SPDX-License-Identifier: EUPL-1.2
"""Sign-ins begun at the provider and not yet ended: in memory, each bound to one browser, single use, bounded.

The reference travels through the provider (`state`); the browser's value lies in a `__Host-` cookie. Neither works
without the other, so nobody can end in your browser what was begun in his (login CSRF, GHSA-fg6f-75jq-6523).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from gateway.errors import Refused
from gateway.identity.sso_settings import LEEWAY
from gateway.model import Reason

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")
LIFETIME: Final = timedelta(minutes=10)
MOST: Final = 10_000
_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_value() -> str:
    """256 random bits, as a reference or as a browser's value."""
    return secrets.token_urlsafe(32)


def browser_value(brought: str | None) -> str:
    """The value a browser brought, if it is one of our shape (a second tab keeps the first one's); else a new one."""
    return brought if brought is not None and _VALUE.fullmatch(brought) else new_value()


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    value: T
    browser: bytes
    at: datetime


class PendingSignIns(Generic[T]):
    """Values by reference and browser; past `most` the oldest makes room. Only digests of both are kept."""

    def __init__(self, lifetime: timedelta = LIFETIME, most: int = MOST) -> None:
        self._lifetime = lifetime
        self._most = most
        self._kept: OrderedDict[bytes, _Kept[T]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<PendingSignIns {len(self._kept)}>"

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, value: T, browser: str, at: datetime, reference: str | None = None) -> str:
        """Keep a value for this browser; the reference to find it by, a new one if none is given."""
        reference = reference or new_value()
        self._kept[_digest(reference)] = _Kept(value, _digest(browser), at)
        while len(self._kept) > self._most or self._is_over(next(iter(self._kept.values())), at):
            self._kept.popitem(last=False)
        return reference

    def find(self, reference: str | None, browser: str | None, at: datetime) -> T:
        """The value, which stays; Refused(SSO_STATE_WRONG) if there is none for this browser, or no longer."""
        kept = self._kept.get(_digest(reference or ""))
        if kept is None or browser is None or not secrets.compare_digest(kept.browser, _digest(browser)):
            raise Refused(Reason.SSO_STATE_WRONG)
        if self._is_over(kept, at):
            self.drop(reference)
            raise Refused(Reason.SSO_STATE_WRONG)
        return kept.value

    def take(self, reference: str | None, browser: str | None, at: datetime) -> T:
        """`find`, and nobody will find it again."""
        value = self.find(reference, browser, at)
        self.drop(reference)
        return value

    def drop(self, reference: str | None) -> None:
        """It ended."""
        self._kept.pop(_digest(reference or ""), None)

    def _is_over(self, kept: _Kept[T], at: datetime) -> bool:
        # A clock set far back ends it too: nothing is valid for longer than it was promised.
        return not -LEEWAY <= at - kept.at < self._lifetime


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
