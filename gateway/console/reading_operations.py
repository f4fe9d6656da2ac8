# SPDX-License-Identifier: EUPL-1.2
"""Who asks the ledger about people is on record before he is answered: `ledger-read`, one event for each account.

The account's owner finds it among his latest events; nothing withholds it. A question about one person has that
person's pseudonym, one about the whole ledger neither. Never here: the answer, a patient number.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from gateway.console.asked import text_of
from gateway.console.record import signed
from gateway.errors import Refused
from gateway.identity.identifiers import AccountError, parse_identifier, parse_label
from gateway.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from gateway.identity.accounts import Accounts

    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_text = partial(text_of, AccountError)

OWNERS_AT_MOST: Final = 500
_PSEUDONYM: Final = re.compile(r"[0-9a-f]{32}")


class ReadingOperations:
    """`append` makes one event durable; LedgerError where it cannot, and then nobody may be answered."""

    def __init__(self, accounts: Accounts, append: Callable[[Event], Awaitable[object]]) -> None:
        self._accounts = accounts
        self._append = append

    def known(self, typed: str) -> str:
        """The account that is meant by what an operator typed; AccountError if there is none."""
        try:
            account = self._accounts.find(typed)
        except Refused:
            account = None
        if account is None:
            name = parse_identifier(typed)
            raise AccountError(
                f"there is no account {name}; expected one of this gateway: compare the identifier with that on the "
                "account's page. Nothing was read."
            )
        return account.identifier

    async def record(
        self, owners: Sequence[str], pseudonym: bytes | None, what: str, reason: str, at: datetime
    ) -> None:
        """Put on record that these accounts' events are read (nobody's: the whole ledger, or one person)."""
        why, details = parse_label(reason, "reason"), parse_label(what, "what is asked")
        events = [
            signed(Event(EventKind.LEDGER_READ, name, at, reason=why, details=details, pseudonym=pseudonym))
            for name in owners or ("",)
        ]
        await asyncio.gather(*map(self._append, events))


def reading_handlers(operations: ReadingOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    """The command by its name, from and to plain JSON values.

    `account` is as an operator typed it and must exist; `owners` are names as the ledger has them.
    """

    async def read(arguments: dict[str, Any]) -> dict[str, Any]:
        typed, owners = arguments.get("account"), arguments.get("owners", [])
        if not isinstance(owners, list) or not all(isinstance(one, str) for one in owners):
            raise AccountError(f"found {owners!a} as owners; expected a list of texts")
        if len(owners) > OWNERS_AT_MOST:
            raise AccountError(f"found {len(owners)} owners; expected at most {OWNERS_AT_MOST} at once")
        known = None if typed is None else await asyncio.to_thread(operations.known, _text(arguments, "account"))
        at = clock()
        names = owners if known is None else [known]
        person = _pseudonym(arguments)
        await operations.record(names, person, _text(arguments, "what"), _text(arguments, "reason"), at)
        return {"account": known, "at": at.isoformat()}

    return {"ledger.read": read}


def _pseudonym(arguments: dict[str, Any]) -> bytes | None:
    if arguments.get("person") is None:
        return None
    text = _text(arguments, "person")
    if not _PSEUDONYM.fullmatch(text):
        raise AccountError("found something else as a person; expected a pseudonym, 32 hexadecimal digits")
    return bytes.fromhex(text)
