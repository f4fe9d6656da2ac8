# SPDX-License-Identifier: EUPL-1.2
"""`herse serve --workers N` on a house, and which of its processes has a connection: no assertions here.

Who takes a connection is the kernel's choice. A test that wants a certain worker looks at who took it, and tries again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.link import Link
from support.redis_server import RedisServer
from support.servers import Process, accepts, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from support.house import House

_TRIES = 400


@contextmanager
def together(folder: Path, workers: int) -> Iterator[dict[str, dict[str, object]]]:
    """The settings that so many workers need: several have a Redis, which runs for as long as the block lasts."""
    if workers == 1:
        yield {}
        return
    with RedisServer(folder / "redis") as redis:
        yield {"redis": {"url": redis.url}}


class Crew(Process):
    """The supervisor and its processes; ready once all of them serve. Of one worker it is that process alone.

    `prefix` wraps the command. What is told is told since this start: a log goes on over several.
    """

    def __init__(self, house: House, workers: int, prefix: tuple[str, ...] = ()) -> None:
        self.house = house
        self.workers = workers
        self._begun = 0
        words = ["-m", "gateway.cli", "serve", "--config", str(house.settings_file), "--workers", str(workers)]
        super().__init__(
            [*prefix, sys.executable, *words], house.folder, ready=self._all_ready, name="crew", seconds=60
        )

    def start(self) -> Self:
        """See Process."""
        self._begun = self.log.stat().st_size if self.log.exists() else 0
        return super().start()

    def told(self, event: str) -> list[dict[str, Any]]:
        """The lines of the log with this event."""
        found = []
        for line in self.log.read_bytes()[self._begun :].splitlines() if self.log.exists() else []:
            with suppress(ValueError):
                found.append(json.loads(line))
        return [one for one in found if one["event"] == event]

    def tells(self, event: str) -> list[dict[str, Any]]:
        """The lines of the log with this event, at least one: it is waited for."""
        wait_until(f"{event} is told", lambda: bool(self.told(event)), 30)
        return self.told(event)

    def pids(self) -> dict[int, int]:
        """The pid of each number, as it was last started; 0 is the desk."""
        if self.workers == 1:
            return {0: self.pid}
        return {int(one["number"]): int(one["pid"]) for one in self.told("worker-started")}

    def kill_worker(self, number: int) -> None:
        """kill -9 of one process."""
        os.kill(self.pids()[number], signal.SIGKILL)

    @contextmanager
    def paused(self, number: int) -> Iterator[None]:
        """SIGSTOP of one process for as long as the block lasts."""
        pid = self.pids()[number]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def linked(self) -> bool:
        """Whether every worker hears the desk."""
        heard, lost = ([one["worker"] for one in self.told(event)] for event in ("desk-heard", "desk-lost"))
        return all(heard.count(number) > lost.count(number) for number in range(1, self.workers))

    def taken_by(self, link: Link) -> int:
        """The number of the process that serves this connection."""
        port = link.connect().getsockname()[1]
        found: list[int] = []

        def taken() -> bool:
            inode = _inode(self.house.port, port)
            found[:] = [number for number, pid in self.pids().items() if inode and _has(pid, inode)]
            return bool(found)

        wait_until("somebody takes the connection", taken)
        return found[0]

    @contextmanager
    def links(self, cookie: str | None = None) -> Iterator[dict[int, Link]]:
        """One connection to each process, by its number."""
        found: dict[int, Link] = {}
        with ExitStack() as stack:
            for _ in range(_TRIES):
                link = stack.enter_context(Link(self.house.port, cookie, seconds=30))
                found.setdefault(self.taken_by(link), link)
                if len(found) == self.workers:
                    break
            else:
                raise TimeoutError(f"after {_TRIES} connections only {sorted(found)} have taken one")
            yield dict(sorted(found.items()))

    def _all_ready(self) -> bool:
        if self.workers == 1:
            return len(self.told("serving")) > 0 and accepts(self.house.port)()
        return len(self.told("all-workers-ready")) > 0 and self.linked()


def _inode(here: int, there: int) -> str | None:
    """The server's side of a connection on loopback, in the kernel's table."""
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        local, remote = (int(fields[place].rpartition(":")[2], 16) for place in (1, 2))
        if (local, remote) == (here, there):
            return fields[9]
    return None


def _has(pid: int, inode: str) -> bool:
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                if descriptor.readlink().name == f"socket:[{inode}]":
                    return True
    return False
