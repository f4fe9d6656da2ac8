# SPDX-License-Identifier: EUPL-1.2
"""What an operator does to the mail address of an account: the change, its event, and a letter to the old address.

In that order, each durable before the next; whatever is missing at the end is said, and what stands is said too.
Whether the address is the holder's, the operator has made sure of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.console.record import signed
from gateway.errors import HerseError, LedgerError
from gateway.identity.accounts import AccountError
from gateway.identity.identifiers import parse_identifier, parse_label
from gateway.identity.mail_address import parse_mail_address
from gateway.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.identity.mail_address import MailAddresses
    from gateway.notices import Notices

    Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class MailOperations:
    """Give an account another address, or none. `append` makes one event durable."""

    def __init__(
        self, addresses: MailAddresses, append: Callable[[Event], Awaitable[object]], notices: Notices
    ) -> None:
        self._addresses = addresses
        self._append = append
        self._notices = notices

    async def change(self, identifier: str, address: str | None, reason: str, at: datetime) -> tuple[str, bool]:
        """The account, and whether an old address was told. AccountError: unknown, or a bad value; nothing is done."""
        why = parse_label(reason, "reason")
        new = None if address is None else parse_mail_address(address)
        account = parse_identifier(identifier)
        old = self._addresses.set(account, new)
        event = signed(Event(EventKind.MAIL_CHANGED, account, at, reason=why))
        try:
            await self._append(event)
        except LedgerError as error:
            raise LedgerError(
                f"the address of account {account} is changed, but the event could not be recorded, and the old"
                f" address is not told: {error}"
            ) from error
        if old is not None and not self._notices.tell(event, to=old):
            raise HerseError(
                f"the address of account {account} is changed and recorded, but the letter to the old address could"
                " not be kept: tell the holder another way"
            )
        return account, old is not None


def mail_handlers(operations: MailOperations, clock: Callable[[], datetime]) -> dict[str, Handler]:
    """The command by its name, from and to plain JSON values."""

    async def change(arguments: dict[str, Any]) -> dict[str, Any]:
        texts = [arguments.get(name) for name in ("identifier", "address", "reason")]
        identifier, address, reason = texts
        if not isinstance(identifier, str) or not isinstance(reason, str) or not isinstance(address, str | None):
            raise AccountError("expected texts as identifier and reason, and a text or nothing as address")
        account, told = await operations.change(identifier, address, reason, clock())
        return {"identifier": account, "address": address is not None, "told": told}

    return {"account.mail": change}
