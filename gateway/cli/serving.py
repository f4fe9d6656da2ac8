# SPDX-License-Identifier: EUPL-1.2
"""What every process that serves does: build, serve on a bound socket, and log JSON lines to standard error."""

from __future__ import annotations

import gc
import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import uvloop

from gateway.listener.host import PublicListener, tls_context

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from gateway.app import Gateway
    from gateway.settings import Settings
    from gateway.worker import Worker

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}


def serve_on(
    settings: Settings,
    listening: socket.socket,
    build: Callable[[], Gateway | Worker],
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve on a bound socket what `build` gives; `ready` once requests are taken."""
    public = settings.public
    try:
        tls = None if public.certificate is None or public.key is None else tls_context(public.certificate, public.key)
        gateway = build()
    except BaseException:
        listening.close()
        raise
    try:
        listener = PublicListener(gateway.hallway, gateway.pages, gateway.limits(), listening, tls)
        # What is built now lives as long as the process, and requests leave no cycles: collect rarely.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        uvloop.run(_serve(gateway, listener, ready))
    finally:
        gateway.close()


async def _serve(gateway: Gateway | Worker, listener: PublicListener, ready: Callable[[], None]) -> None:
    await gateway.start()
    public, portal = gateway.settings.public, gateway.settings.portal
    log = logging.getLogger("gateway.serve")
    log.info("serving", extra={"origin": public.origin, "listen": public.listen, "portal": portal.url})
    ready()
    await listener.serve(gateway.run_beside)


def start_log(level: str, worker: int | None = None) -> None:
    """Log JSON lines to standard error; `worker` is told in each, where there are several."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines(worker))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in ("uvicorn", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _JsonLines(logging.Formatter):
    """One line per record: time, level, logger, event and its fields. Tracebacks stay out: they hold values."""

    def __init__(self, worker: int | None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **self._worker,
        }
        line |= {key: str(value) for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=True)
