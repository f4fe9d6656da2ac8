# SPDX-License-Identifier: EUPL-1.2
"""The builder of the mail room: settings -> outbox, courier, delivery. Commands use its outbox alone.

Without `[mail]` letters become files in `state/letters/`: they wait there for somebody, and the log says so at start.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from gateway.mail.delivery import Delivery
from gateway.mail.folder import FolderCourier
from gateway.mail.outbox import Outbox
from gateway.mail.outbox_file import OUTBOX_FILE, create_outbox
from gateway.mail.smtp import SmtpCourier, SmtpServer
from gateway.notices import Notices
from gateway.settings_mail import read_password, split_server

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from contextlib import ExitStack
    from datetime import datetime
    from pathlib import Path

    from gateway.identity.accounts import Accounts
    from gateway.mail.courier import Courier
    from gateway.mail.outbox import Sealing
    from gateway.settings import Settings
    from gateway.settings_mail import Mail

log = logging.getLogger(__name__)

LETTERS_FOLDER: Final = "letters"
"""In `state.folder`: where letters lie without `[mail]`."""
_NOBODY: Final = "herse@herse.invalid"


def open_outbox(folder: Path, sealing: Sealing) -> Outbox:
    """The outbox of a state folder, made at its first use. StartError if it cannot be used."""
    path = folder / OUTBOX_FILE
    if not path.exists():
        create_outbox(path)
    return Outbox(path, sealing)


class PostOffice:
    """The mail room of a running gateway. `stack` closes it."""

    def __init__(
        self,
        settings: Settings,
        accounts: Accounts,
        sealing: Sealing,
        clock: Callable[[], datetime],
        stack: ExitStack,
    ) -> None:
        """StartError: the outbox, a folder, an authority or a password file is not usable."""
        self.outbox = open_outbox(settings.state.folder, sealing)
        stack.callback(self.outbox.close)
        self.notices = Notices(accounts, self.outbox, settings.public.origin)
        self._stay = settings.mail is None
        self._delivery = _delivery(settings, self.outbox, clock)

    async def serve(self, stop: asyncio.Event) -> None:
        """Send letters until `stop`."""
        if self._stay:
            log.warning("letters-stay-here", extra={"folder": LETTERS_FOLDER})
        await self._delivery.run(stop)


def _delivery(settings: Settings, outbox: Outbox, clock: Callable[[], datetime]) -> Delivery:
    mail = settings.mail
    if mail is None:
        return Delivery(outbox, FolderCourier(settings.state.folder / LETTERS_FOLDER), _NOBODY, clock)
    return Delivery(outbox, _courier(mail), mail.sender, clock)


def _courier(mail: Mail) -> Courier:
    if mail.folder is not None:
        return FolderCourier(mail.folder)
    host, port = split_server(mail.smtp or "")
    password = None if mail.password_file is None else read_password(mail.password_file)
    return SmtpCourier(SmtpServer(host, port, mail.tls or "starttls", mail.user, password, mail.authority))
