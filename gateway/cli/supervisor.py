# SPDX-License-Identifier: EUPL-1.2
"""`herse serve --workers N`: holds the folder's lock and the public port, and keeps N processes serving on them.

The first is the desk (`gateway.desk`); without it the others go on, but for the gateway's own pages. One that ends is
started anew after a pause; too many ends within a minute stop everything. Where this process ends first, however, so do
the others: their line to it breaks. No thread runs here, and nothing is served.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections import deque
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

import uvloop

from gateway.ledger.fault import fault_page
from gateway.ledger.lock import hold
from gateway.ledger.store import open_ledger_at
from gateway.listener.host import GRACE_SECONDS, listening_socket
from gateway.settings import split_address

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from pathlib import Path

    from gateway.settings import Settings

log = logging.getLogger("gateway.supervisor")

WORKERS_AT_MOST: Final = 64
READY: Final = b"r"
_ENDS_AT_MOST: Final = 10
_MINUTE: Final = 60.0
_PAUSE_FIRST, _PAUSE_MOST = 0.2, 2.0
_STOP_SECONDS: Final = GRACE_SECONDS + 5.0


def supervise(settings: Settings, text: str, config: Path, workers: int) -> int:
    """Serve until SIGINT or SIGTERM; the exit code. StartError says what keeps everything from starting."""
    with ExitStack() as stack:
        lock = stack.enter_context(hold(settings.state.folder))
        listening = stack.enter_context(listening_socket(*split_address(settings.public.listen)))
        # Looked at once, and whole: the workers open it beside each other.
        open_ledger_at(settings.ledger_place()).close()
        # One that is started anew must not find other settings than the rest were started with.
        kept = os.memfd_create("herse-settings")
        stack.callback(os.close, kept)
        os.write(kept, text.encode())
        page = fault_page()  # a fault of the ledger is one of all, and of whoever is started anew
        stack.callback(os.close, page)
        inherited = (listening.fileno(), kept, page, lock.descriptor)
        command = [sys.executable, "-m", "gateway.cli.worker_process", str(config), *map(str, inherited[:3])]
        return uvloop.run(Supervisor(command, inherited, workers).run())


class Supervisor:
    """Keeps the processes. `command` is given the number of one and its line to here."""

    def __init__(self, command: list[str], inherited: tuple[int, ...], workers: int) -> None:
        self._command = command
        self._inherited = inherited
        self._numbers = range(workers)
        self._running: dict[int, Process] = {}
        self._ends: deque[float] = deque()
        self._stop = asyncio.Event()
        self._stopping: set[int] = set()
        self._code = 0

    async def run(self) -> int:
        """Start all, the desk first, and keep them until a signal comes."""
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(asked, self._stop.set)
        keeping: dict[int, asyncio.Task[None]] = {}
        for number in self._numbers:
            first: asyncio.Future[bool] = loop.create_future()
            keeping[number] = asyncio.create_task(self._keep(number, first))
            if not await first:
                self._stop.set()
            if self._stop.is_set():
                break
        else:
            log.info("all-workers-ready", extra={"workers": len(self._numbers)})
        await self._stop.wait()
        others = [number for number in keeping if number != 0]
        await self._end(others, keeping)  # they finish what they have at the desk
        await self._end([0], keeping)
        return self._code

    async def _keep(self, number: int, first: asyncio.Future[bool]) -> None:
        """One place, and whoever fills it."""
        pause = _PAUSE_FIRST
        while number not in self._stopping:
            begun = time.monotonic()
            process, line = await self._start(number)
            try:
                ready = await self._ready(line, process)
                if not first.done():
                    first.set_result(ready)
                code = await process.wait()
            finally:
                line.close()
                self._running.pop(number, None)
            if number in self._stopping:
                return
            log.error("worker-ended", extra={"number": number, "pid": process.pid, "code": code})
            if not ready and not self._all_began(first):
                self._code = code if code > 0 else 1
                return
            self._count(ready=ready)
            pause = _PAUSE_FIRST if time.monotonic() - begun > _MINUTE else min(2 * pause, _PAUSE_MOST)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), pause)
                return

    def _all_began(self, first: asyncio.Future[bool]) -> bool:
        """Whether this place has been filled before: a fault that is there at the start is one of the start."""
        return first.done() and first.result()

    def _count(self, *, ready: bool) -> None:
        """Ends of those that had served; who cannot even start, as under a policy that was refused, is tried on."""
        now = time.monotonic()
        if ready:
            self._ends.append(now)
        while self._ends and self._ends[0] < now - _MINUTE:
            self._ends.popleft()
        if len(self._ends) > _ENDS_AT_MOST:
            log.error("too-many-ends", extra={"within_seconds": _MINUTE})
            self._code = 1
            self._stop.set()

    async def _start(self, number: int) -> tuple[Process, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                str(number),
                str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(*self._inherited, theirs.fileno()),
            )
        self._running[number] = process
        log.info("worker-started", extra={"number": number, "pid": process.pid})
        return process, ours

    async def _ready(self, line: socket.socket, process: Process) -> bool:
        """Whether it came to serve; it has ended, or is ending, if not."""
        with suppress(OSError):
            if await asyncio.get_running_loop().sock_recv(line, 1) == READY:
                return True
        await process.wait()
        return False

    async def _end(self, numbers: list[int], keeping: dict[int, asyncio.Task[None]]) -> None:
        """Ask these to end, and see to it."""
        self._stopping.update(numbers)
        for number in numbers:
            self._signal(number, signal.SIGTERM)
        tasks = [keeping[number] for number in numbers]
        if tasks and (await asyncio.wait(tasks, timeout=_STOP_SECONDS))[1]:
            for number in numbers:
                self._signal(number, signal.SIGKILL)
            await asyncio.wait(tasks)

    def _signal(self, number: int, what: signal.Signals) -> None:
        process = self._running.get(number)
        if process is not None:
            with suppress(ProcessLookupError):
                process.send_signal(what)
