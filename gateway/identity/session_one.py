# SPDX-License-Identifier: EUPL-1.2
"""One signed-in browser, as it stands in memory, and who is told when it ends. Who keeps it, and where, is not known
here (`session` in the one process that writes, `session_worker` beside it).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from gateway.identity.binding import binding
from gateway.identity.session_rows import subject_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from gateway.model import Subject

log = logging.getLogger(__name__)


class Session:
    """One signed-in browser. `reference` may be shown and recorded; `subject` is replaced whole, never changed."""

    __slots__ = (
        "_watchers",
        "binding",
        "browser",
        "device",
        "digest",
        "ended",
        "expires_at",
        "network",
        "opened_at",
        "reference",
        "seen_at",
        "strangers",
        "subject",
        "suspected",
        "unanswered",
        "written_at",
    )

    def __init__(  # noqa: PLR0917  # one row of the database
        self,
        digest: bytes,
        subject: Subject,
        opened_at: datetime,
        seen_at: datetime,
        expires_at: datetime,
        network: str | None,
        device: str | None,
        browser: str | None = None,
    ) -> None:
        self.digest = digest
        self.subject = subject
        self.reference: str = subject.session or ""
        self.opened_at = opened_at
        self.seen_at = seen_at
        self.expires_at = expires_at
        self.network = network
        self.device = device
        self.browser = browser  # the reference of a known device
        self.binding = binding(network, device)
        self.ended = False
        self.suspected = False  # asked for somebody new from elsewhere, and has not proved afresh
        self.strangers = 0  # people new to the account, seen from elsewhere since the last proof
        self.unanswered = 0  # challenges since the last proof
        self.written_at = seen_at
        self._watchers: dict[Callable[[], None], None] = {}

    def __repr__(self) -> str:
        return f"<Session {self.reference}>"

    def watch(self, callback: Callable[[], None]) -> None:
        """Call back once when it ends; at once if it has. A live stream is cut this way."""
        if self.ended:
            callback()
        else:
            self._watchers[callback] = None

    def unwatch(self, callback: Callable[[], None]) -> None:
        """The stream is over; unknown callbacks are ignored."""
        self._watchers.pop(callback, None)

    def take(self, read: Session) -> None:
        """Become what another process has made of it; who watches it stays, and the latest time it was seen."""
        self.subject, self.expires_at = read.subject, read.expires_at
        self.network, self.device, self.binding = read.network, read.device, read.binding
        self.browser, self.seen_at = read.browser, max(self.seen_at, read.seen_at)

    @property
    def watched(self) -> bool:
        """Whether something lives as long as it does."""
        return bool(self._watchers)

    def finish(self) -> None:
        """It has ended: tell the watchers; one that fails does not stop the others."""
        self.ended = True
        watchers = list(self._watchers)
        self._watchers.clear()
        for callback in watchers:
            try:
                callback()
            except Exception:
                log.exception("a watcher of session %s failed", self.reference)


def session_of(row: Any, absolute: timedelta) -> Session:
    """The session of a row of `stored`."""
    expires_at = min(row.expires_at, row.opened_at + absolute)  # the settings may have become stricter
    bound = (row.network, row.device, row.browser)
    return Session(row.digest, subject_of(row), row.opened_at, row.seen_at, expires_at, *bound)
