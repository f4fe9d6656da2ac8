# SPDX-License-Identifier: EUPL-1.2
"""The gateway as `herse serve` builds it, but with a ledger that does not sync as said: what tests must see through.

`python weakened_gateway.py SYNCHRONOUS SETTINGS`. Never an option of the real command.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvloop

from gateway.app import Gateway
from gateway.listener.host import PublicListener, listening_socket
from gateway.settings import load_settings, split_address


def main(synchronous: str, file: str) -> None:
    """Serve until it is killed."""
    settings = load_settings(Path(file))
    listening = listening_socket(*split_address(settings.public.listen))
    gateway = Gateway(settings, ledger_synchronous=synchronous)
    listener = PublicListener(gateway.hallway, gateway.pages, gateway.limits(), listening, None)
    uvloop.run(listener.serve(gateway.run_beside))


if __name__ == "__main__":
    main(*sys.argv[1:])
