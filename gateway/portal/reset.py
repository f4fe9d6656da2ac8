# SPDX-License-Identifier: EUPL-1.2
"""The pages of a forgotten password: ask for a letter, choose a new password by its link, then sign in as always.

Asking is answered alike for everybody, before anything is looked up: the account, the letter and the event come after,
in one worker. The new password opens no session, ends all there were, and puts the account in quarantine.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.password import TooWeak
from gateway.mail.letter import Letter
from gateway.model import Event, EventKind, Reason
from gateway.pages.letters import reset_letter
from gateway.pages.password_words import advice
from gateway.portal.answers import again, as_json, html, redirect, refuse
from gateway.portal.forms import read_form
from gateway.portal.record import happened, need_ledger, record
from gateway.portal.sign_in import LONGEST_SHOWN

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from gateway.identity.accounts import Account
    from gateway.portal.doors import Doors
    from gateway.portal.visit import Visit

log = logging.getLogger(__name__)

MAIL: Final = "mail"
"""The method of what was done through the mailbox, as events name it."""
MOST_WAITING: Final = 1_000
_ASK_PATH: Final = "/.herse/reset"
_AFTER: Final = "/.herse/sign-in?after=reset"
_OF_THE_PASSWORD: Final = frozenset({Reason.PASSWORD_TOO_WEAK, Reason.PASSWORD_BREACHED, Reason.BUSY, Reason.THROTTLED})


@dataclass(frozen=True, slots=True)
class _Asking:
    name: str
    at: datetime
    network: str
    device: str


class Reset:
    """The two pages. They share what waits to be looked up, and let one change at a time be told and made."""

    def __init__(self) -> None:
        self._waiting: deque[_Asking] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def show_ask(self, visit: Visit) -> Response:
        """The form for an identifier; or, after it, what happens now: the same for everybody."""
        if visit.query("asked"):
            return as_json(visit, {"asked": True}) if visit.json else html(visit, "reset_asked")
        return html(visit, "reset", typed="", alert=None)

    async def ask(self, visit: Visit) -> Response:
        """An identifier in; the same answer out, whoever that is."""
        fields = await read_form(visit)
        need_ledger(visit)
        identifier = fields.get("identifier", "")
        try:
            name = visit.doors.ways_back.resets.admit(identifier, visit.network)
        except Refused as refused:
            return again(visit, "reset", refused, typed=identifier[:LONGEST_SHOWN])
        if name is not None:
            asking = _Asking(name, visit.at, visit.network, visit.device)
            visit.doors.later(lambda: self._later(visit.doors, asking))
        return as_json(visit, {"asked": True}) if visit.json else redirect(f"{_ASK_PATH}?asked=1")

    async def show_new(self, visit: Visit) -> Response:
        """The form for a new password. Opening it uses nothing up: mail scanners open links too."""
        ticket = visit.query("ticket")
        visit.doors.ways_back.resets.find(ticket, visit.at)
        return html(visit, "reset_new", ticket=ticket, alert=None, advice=[])

    async def set_new(self, visit: Visit) -> Response:
        """The new password in; no session out, but the way to sign in."""
        fields = await read_form(visit)
        need_ledger(visit)
        ticket, password = fields.get("ticket", ""), fields.get("password", "")
        try:
            encoded = await visit.doors.ways_back.resets.hash_new(ticket, password, visit.network, visit.at)
        except Refused as refused:
            if refused.reason not in _OF_THE_PASSWORD:
                return refuse(visit, refused)
            told = advice(refused.weaknesses, visit.language) if isinstance(refused, TooWeak) else []
            return again(visit, "reset_new", refused, ticket=ticket, advice=told)
        async with self._one_at_a_time:
            await _change(visit, ticket, encoded)
        return as_json(visit, {"next": "/.herse/sign-in"}) if visit.json else redirect(_AFTER)

    def _later(self, doors: Doors, asking: _Asking) -> None:
        """After the answer. Past the bound nothing more is taken: whoever gets no letter asks again."""
        if len(self._waiting) >= MOST_WAITING:
            log.warning("reset-not-taken")
            return
        self._waiting.append(asking)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(doors))

    async def _work(self, doors: Doors) -> None:
        while self._waiting:
            try:
                await _answer_by_mail(doors, self._waiting.popleft())
            except Exception as error:  # noqa: BLE001  # the next one's letter does not depend on it
                log.error("reset-failed", extra={"error": type(error).__name__})  # noqa: TRY400  # values stay out


async def _answer_by_mail(doors: Doors, asking: _Asking) -> None:
    """The ticket and its letter, if the account may have one; that it was asked for is told of any that exists."""
    asked = await asyncio.to_thread(doors.ways_back.resets.ask, asking.name, asking.at)
    if asked is None:
        return
    event = Event(EventKind.RESET_ASKED, asking.name, asking.at, network=asking.network, device=asking.device)
    doors.ledger.append([event])  # not waited for, as `note_failure` does
    if asked.ticket is not None and asked.account.mail is not None:
        words = reset_letter(doors.origin, asked.ticket, asking.at, asking.network)
        await asyncio.to_thread(doors.outbox.put, Letter(asked.account.mail, *words), asking.at)


async def _change(visit: Visit, ticket: str, encoded_hash: str) -> Account:
    """Tell the ledger, then set the password and end the sessions, with nothing in between on this thread."""
    resets = visit.doors.ways_back.resets
    account = resets.find(ticket, visit.at)  # again: another form with this ticket may have been first
    name = account.identifier
    kinds = [EventKind.PASSWORD_SET] + [EventKind.QUARANTINE_BEGUN] * (account.quarantined_at is None)
    await record(visit, *(happened(visit, kind, name, method=MAIL) for kind in kinds))
    if account.quarantined_at is not None and resets.find(ticket, visit.at).quarantined_at is None:  # ended meanwhile
        await record(visit, happened(visit, EventKind.QUARANTINE_BEGUN, name, method=MAIL))
    account = resets.finish(ticket, encoded_hash, visit.at)
    visit.doors.sessions.end_all(name, visit.at)
    return account
