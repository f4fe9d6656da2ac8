# SPDX-License-Identifier: EUPL-1.2
"""Where an account is at home: the networks from which a second factor or a card was given for it lately.

A session that turns up there was not carried off by a stranger: its holder changes between two lines, or comes home.
The ledger is asked when a session has moved, once for each session and network. An answer that cannot be had is no.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gateway.identity.network import network_prefix
from gateway.ledger.event import LedgerUnreadable
from gateway.model import EventKind, Level, Method
from gateway.model.assurance import COUNTS_FOR

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.identity.session import Session
    from gateway.ledger.read import LedgerReader

log = logging.getLogger(__name__)

HOME_FOR: Final = timedelta(days=30)
_PROOFS: Final = frozenset({EventKind.SIGN_IN, EventKind.STEP_UP})
_STRONG: Final = frozenset(method.value for method in COUNTS_FOR[Level.MFA] if method is not Method.RECOVERY)
_PROOFS_AT_MOST: Final = 500
_ANSWERS_AT_MOST: Final = 10_000


class Homes:
    """Answers by the ledger, kept for as long as there is room."""

    def __init__(self, reader: LedgerReader) -> None:
        self._reader = reader
        self._answers: OrderedDict[tuple[str, str], bool] = OrderedDict()

    def known(self, session: Session, bound: tuple[str, str], at: datetime) -> bool:
        """Whether a session that is used from `bound` (network, client) is at home there, with the client it had."""
        network, client = bound
        if client != session.binding.client:
            return False
        key = session.reference, network
        if key not in self._answers:
            if len(self._answers) >= _ANSWERS_AT_MOST:
                self._answers.popitem(last=False)
            self._answers[key] = self._proved_from(session.subject.account or "", network, at)
        return self._answers[key]

    def _proved_from(self, account: str, network: str, at: datetime) -> bool:
        try:
            found = self._reader.events(account, _PROOFS, at - HOME_FOR, limit=_PROOFS_AT_MOST)
        except LedgerUnreadable as error:
            log.warning("homes-unknown", extra={"error": str(error)})
            return False
        strong = (one.event for one in found if not _STRONG.isdisjoint((one.event.method or "").split("+")))
        return any(network_prefix(event.network or "") == network for event in strong)
