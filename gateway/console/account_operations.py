# SPDX-License-Identifier: EUPL-1.2
"""What operators do to accounts: each change with its event, in one place for the running server and for off line use.

The change comes first and its event after it, both durable on return. If the event cannot be recorded, the error says
that the change stands. Nothing here opens a file or a socket.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.console.asked import text_of, texts_of
from gateway.console.record import Record
from gateway.identity.accounts import AccountError, Holder
from gateway.identity.identifiers import parse_label
from gateway.model import Event, EventKind, Reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from gateway.identity.accounts import Account, Accounts
    from gateway.identity.session import Sessions
    from gateway.notices import Notices

    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_text = partial(text_of, AccountError)
_texts = partial(texts_of, AccountError)

LONGEST_INVITATION = timedelta(days=30)
EVENTS_AT_ONCE = 500
"""Events of a campaign that are given to the ledger together: far below what it lets wait."""


class AccountOperations:
    """Create, invite, lock, unlock, wake, ask for new passwords.

    `append` makes one event durable; `notices` writes to the holder what he must know at once.
    """

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        append: Callable[[Event], Awaitable[object]],
        notices: Notices | None = None,
    ) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._record = Record(append, notices)

    async def create(  # noqa: PLR0917  # the whole row, in its order
        self,
        identifier: str,
        title: str,
        profession: str,
        rpps: str | None,
        holders: tuple[Holder, ...],
        at: datetime,
        mail: str | None = None,
    ) -> Account:
        """A new account; AccountError for a bad value or a taken identifier."""
        account = self._accounts.create(identifier, title, profession, rpps, holders, at, mail)
        await self._record(Event(EventKind.ACCOUNT_CREATED, account.identifier, at))
        return account

    async def invite(self, identifier: str, at: datetime, valid_for: timedelta) -> tuple[Account, str, datetime]:
        """The account, its new one-time code and the moment it dies; AccountError: unknown, locked, or too long."""
        if not timedelta(0) < valid_for <= LONGEST_INVITATION:
            raise AccountError(
                f"found {valid_for} as time of an invitation; expected at most {LONGEST_INVITATION.days} days"
            )
        code = self._accounts.invite(identifier, at, valid_for)
        account = self._expected(identifier)
        await self._record(Event(EventKind.INVITED, account.identifier, at))
        return account, code, at + valid_for

    async def lock(self, identifier: str, reason: str, at: datetime) -> tuple[Account, int]:
        """Lock, and end its sessions: the account, and how many ended."""
        why = parse_label(reason, "reason")
        account = self._accounts.lock(identifier, at)
        ended = self._sessions.end_all(account.identifier, at)
        await self._record(Event(EventKind.ACCOUNT_LOCKED, account.identifier, at, reason=why))
        return account, ended

    async def unlock(self, identifier: str, reason: str, at: datetime) -> Account:
        """Unlock; counted failures are forgotten."""
        why = parse_label(reason, "reason")
        account = self._accounts.unlock(identifier, at)
        await self._record(Event(EventKind.ACCOUNT_UNLOCKED, account.identifier, at, reason=why))
        return account

    async def report(self, identifier: str, event: int | None, reason: str, at: datetime) -> Account:
        """Put on record that the professional says it was not him: which of his events, if he names one."""
        account = self._expected(identifier)
        details = None if event is None else f"event {event}"
        why = parse_label(reason, "reason")
        await self._record(Event(EventKind.REPORTED, account.identifier, at, reason=why, details=details))
        return account

    async def wake(self, identifier: str, reason: str, at: datetime) -> str:
        """Wake an account that sleeps, after a check of who asks; its canonical identifier."""
        why = parse_label(reason, "reason")
        name = self._accounts.dormancy.wake(identifier, at)
        await self._record(Event(EventKind.ACCOUNT_WOKEN, name, at, reason=why))
        return name

    async def ask_passwords(self, identifiers: Sequence[str] | None, reason: str, at: datetime) -> int:
        """Ask these accounts (None: all with a password) for a new one; returns how many were not asked already.

        AccountError, and nobody is asked, if one of them does not exist or has no password.
        """
        note = parse_label(reason, "reason")
        why = Reason.PASSWORD_MUST_CHANGE
        asked = await asyncio.to_thread(self._accounts.changes.ask, identifiers, why, at, note)
        for first in range(0, len(asked), EVENTS_AT_ONCE):
            await asyncio.gather(
                *(
                    self._record(Event(EventKind.PASSWORD_CHANGE_ASKED, name, at, reason=note))
                    for name in asked[first : first + EVENTS_AT_ONCE]
                )
            )
        return len(asked)

    def _expected(self, identifier: str) -> Account:
        account = self._accounts.find(identifier)
        if account is None:
            raise AccountError(f"account {identifier} is gone meanwhile; look at what else is at work on it")
        return account

    def campaigns(self) -> list[dict[str, Any]]:
        """How far the changes asked for have come, for each reason, as plain values."""
        return [
            {
                "reason": str(one.why),
                "note": one.note,
                "since": one.first_asked_at.isoformat(timespec="seconds"),
                "waiting": one.waiting,
                "done": one.done,
            }
            for one in self._accounts.changes.campaigns()
        ]


def account_handlers(operations: AccountOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    """The commands of accounts by name, from and to plain JSON values. `clock` tells each its time."""

    async def create(arguments: dict[str, Any]) -> dict[str, Any]:
        holders = tuple(_holder(text) for text in _texts(arguments, "holders"))
        account = await operations.create(
            _text(arguments, "identifier"),
            _text(arguments, "title"),
            _text(arguments, "profession"),
            _text(arguments, "rpps") if arguments.get("rpps") is not None else None,
            holders,
            clock(),
            _text(arguments, "mail") if arguments.get("mail") is not None else None,
        )
        return {"identifier": account.identifier}

    async def invite(arguments: dict[str, Any]) -> dict[str, Any]:
        seconds = arguments.get("valid_for_seconds")
        if type(seconds) is not int or not 0 < seconds <= LONGEST_INVITATION.total_seconds():
            raise AccountError(
                f"found {seconds!a} as seconds of an invitation; expected 1 s to {LONGEST_INVITATION.days} days"
            )
        valid_for = timedelta(seconds=seconds)
        account, code, ends = await operations.invite(_text(arguments, "identifier"), clock(), valid_for)
        return {"identifier": account.identifier, "code": code, "valid_until": ends.isoformat(timespec="seconds")}

    async def lock(arguments: dict[str, Any]) -> dict[str, Any]:
        account, ended = await operations.lock(_text(arguments, "identifier"), _text(arguments, "reason"), clock())
        return {"identifier": account.identifier, "sessions_ended": ended}

    async def unlock(arguments: dict[str, Any]) -> dict[str, Any]:
        account = await operations.unlock(_text(arguments, "identifier"), _text(arguments, "reason"), clock())
        return {"identifier": account.identifier}

    async def report(arguments: dict[str, Any]) -> dict[str, Any]:
        event, at = arguments.get("event"), clock()
        if event is not None and (type(event) is not int or event < 1):
            raise AccountError(f"found {event!a} as the event complained of; expected the number of one")
        account = await operations.report(_text(arguments, "identifier"), event, _text(arguments, "reason"), at)
        return {"identifier": account.identifier, "at": at.isoformat()}

    async def wake(arguments: dict[str, Any]) -> dict[str, Any]:
        name = await operations.wake(_text(arguments, "identifier"), _text(arguments, "reason"), clock())
        return {"identifier": name}

    return {
        "account.create": create,
        "account.invite": invite,
        "account.lock": lock,
        "account.unlock": unlock,
        "account.report": report,
        "account.wake": wake,
        **_campaign_handlers(operations, clock),
    }


def _campaign_handlers(operations: AccountOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    async def ask(arguments: dict[str, Any]) -> dict[str, Any]:
        everybody = arguments.get("all") is True
        chosen = _texts(arguments, "accounts")
        if everybody == bool(chosen):
            raise AccountError("expected either accounts by name or all of them")
        asked = await operations.ask_passwords(None if everybody else chosen, _text(arguments, "reason"), clock())
        return {"asked": asked}

    async def status(arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments:
            raise AccountError(f"found {', '.join(sorted(arguments))!a}; expected no argument")
        return {"campaigns": await asyncio.to_thread(operations.campaigns)}

    return {"account.password-campaign": ask, "account.password-campaign-status": status}


def _holder(text: str) -> Holder:
    """`Name` or `Name, RPPS`."""
    name, comma, rpps = text.rpartition(",")
    return Holder(name.strip(), rpps.strip()) if comma else Holder(text)
