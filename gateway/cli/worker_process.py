# SPDX-License-Identifier: EUPL-1.2
"""One process of `herse serve --workers N`, started by `supervisor` alone: number 0 is the desk.

    CONFIG LISTENING SETTINGS FAULT NUMBER LINE

The name of the settings file, and descriptors: the public socket, the settings' text, the page on which a fault of the
ledger is told to all, and the line to the supervisor.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.serving import serve_on, start_log
from gateway.cli.supervisor import READY
from gateway.errors import HerseError
from gateway.ledger.fault import SharedFault
from gateway.settings import parse_settings

if TYPE_CHECKING:
    from gateway.app import Gateway
    from gateway.ledger.fault import Fault
    from gateway.settings import Settings
    from gateway.worker import Worker


def main(config: str, listening: str, kept: str, page: str, number: str, line: str) -> int:  # noqa: PLR0917
    """Serve until SIGTERM, or until the supervisor is gone."""
    told = socket.socket(fileno=int(line))
    threading.Thread(target=_until_alone, args=(told,), name="line", daemon=True).start()
    text = os.pread(int(kept), os.fstat(int(kept)).st_size, 0).decode()
    try:
        settings = parse_settings(text, config, Path(config).resolve().parent)
        start_log(settings.log.level, int(number))
        shared = socket.socket(fileno=int(listening))
        desk = int(number) == 0
        serve_on(
            settings,
            shared,
            lambda: _built(settings, SharedFault(int(page)), desk=desk),
            lambda: told.sendall(READY),
        )
    except HerseError as error:
        print(f"herse: {error}", file=sys.stderr)
        return 2
    return 0


def _built(settings: Settings, fault: Fault, *, desk: bool) -> Gateway | Worker:
    if desk:
        from gateway.app import Gateway  # noqa: PLC0415  # what has pages takes long to load, and only one has them

        return Gateway(settings, desk=True, fault=fault)
    from gateway.worker import Worker  # noqa: PLC0415

    return Worker(settings, fault)


def _until_alone(told: socket.socket) -> None:
    """Nobody would start this process anew any more, nor stop it: end as if asked to."""
    with suppress(OSError):
        told.recv(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
