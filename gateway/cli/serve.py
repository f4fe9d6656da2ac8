# SPDX-License-Identifier: EUPL-1.2
"""`herse serve --config FILE`: the real thing. Everything that can be wrong is looked at before the port opens."""

from __future__ import annotations

import gc
import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from gateway.app import Gateway
from gateway.listener.host import PublicListener, listening_socket, tls_context
from gateway.settings import load_settings, split_address

if TYPE_CHECKING:
    import argparse

    from gateway.settings import Settings

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `serve`."""
    parser = subparsers.add_parser("serve", help="serve the portal behind the gateway")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    settings = load_settings(arguments.config)
    start_log(settings.log.level)
    serve(settings)
    return 0


def serve(settings: Settings, *, test_cost: bool = False) -> None:
    """Build the gateway and serve it. HerseError says what keeps it from starting. `test_cost`: see Gateway."""
    public = settings.public
    tls = None if public.certificate is None or public.key is None else tls_context(public.certificate, public.key)
    listening = listening_socket(*split_address(public.listen))
    try:
        gateway = Gateway(settings, test_cost=test_cost)
    except BaseException:
        listening.close()
        raise
    try:
        listener = PublicListener(gateway.hallway, gateway.pages, gateway.limits(), listening, tls)
        # What is built now lives as long as the process, and requests leave no cycles: collect rarely.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        uvloop.run(_serve(gateway, listener))
    finally:
        gateway.close()


async def _serve(gateway: Gateway, listener: PublicListener) -> None:
    await gateway.start()
    public, portal = gateway.settings.public, gateway.settings.portal
    log = logging.getLogger("gateway.serve")
    log.info("serving", extra={"origin": public.origin, "listen": public.listen, "portal": portal.url})
    await listener.serve(gateway.run_beside)


def start_log(level: str) -> None:
    """Log JSON lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("uvicorn", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _JsonLines(logging.Formatter):
    """One line per record: time, level, logger, event and its fields. Tracebacks stay out: they hold values."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {key: str(value) for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=True)
