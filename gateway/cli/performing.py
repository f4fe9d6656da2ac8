# SPDX-License-Identifier: EUPL-1.2
"""What commands change is changed by the running server, which alone may write then; without one it is done here, off
line, under the ledger's lock. Both do the same, by the handlers of `console`, and record it the same.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from gateway.console.admin_socket import SOCKET_FILE, NoServer, call
from gateway.console.asker import asked_by, unix_user

if TYPE_CHECKING:
    from gateway.settings import Settings


def perform(settings: Settings, command: str, values: dict[str, Any]) -> dict[str, Any]:
    """Ask the running server; if there is none, do it here under the ledger's lock."""
    try:
        return call(settings.state.folder / SOCKET_FILE, command, values)
    except NoServer:
        from gateway.cli.off_line import perform_off_line  # noqa: PLC0415  # whoever asks a server waits for none of it

        with asked_by(unix_user(os.getpid(), os.geteuid())):
            return asyncio.run(perform_off_line(settings, command, values))
