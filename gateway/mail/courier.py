# SPDX-License-Identifier: EUPL-1.2
"""What every courier is: it takes one message or says why not. And the message itself, made from a letter.

Plain text in UTF-8, marked as written by a machine (RFC 3834), without HTML, pictures or anything else that tells
when it was read.
"""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Protocol

from gateway.errors import HerseError

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.mail.letter import Letter


class NotSent(HerseError):
    """A courier did not take a message. `final`: this one will never be taken. `why` is a code, without an address."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(f"a letter was not sent: {why}")
        self.why = why
        self.final = final


class Courier(Protocol):
    """`FolderCourier` or `SmtpCourier`. Both block: they are called in a thread of their own."""

    def send(self, message: EmailMessage) -> None:
        """Hand the message over; once this returns it is somebody else's. NotSent otherwise."""
        ...

    def hang_up(self) -> None:
        """Called from another thread: a `send` that is at work ends soon, with NotSent."""
        ...


def message_of(letter: Letter, sender: str, reference: str, at: datetime) -> EmailMessage:
    """The message of a letter put at `at`; the same `reference` gives the same Message-ID, however often it is sent."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{reference}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"  # Exchange answers by this header, not by the one above
    message.set_content(letter.text, charset="utf-8", cte="quoted-printable")
    return message
