# SPDX-License-Identifier: EUPL-1.2
"""Real servers as children: a free port, a folder and a log each, ready before use, gone after it.

A child runs in a process group of its own, so that its workers go with it. Only groups started here are ever signalled.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from support.warm import fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from support.warm import Forked

LOOPBACK = "127.0.0.1"
# Below those that the system lends to clients (from 32768): one of these is not taken between asking and listening.
_LOWEST_PORT, _PORTS = 18_000, 14_000


def free_port() -> int:
    """A port on loopback that nobody listens on right now, and that the system gives to no client of its own accord."""
    while True:
        port = _LOWEST_PORT + secrets.randbelow(_PORTS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind((LOOPBACK, port))
            return port


def accepts(port: int) -> Callable[[], bool]:
    """A readiness probe: somebody accepts connections on this loopback port."""

    def probe() -> bool:
        with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return True
        return False

    return probe


def wait_until(what: str, probe: Callable[[], bool], seconds: float = 20.0) -> None:
    """Ask until the answer is yes; TimeoutError with `what` if it never is."""
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not so after {seconds:.0f} s")
        time.sleep(0.02)


class DiedError(RuntimeError):
    """A child ended before it was ready, or while it was needed; the message carries its log."""


class Process:
    """A child with a log. As a context manager: ready on entry, terminated on exit (killed if it will not go).

    `kill()` is kill -9 for the whole group, `stop()` a polite end that gives the exit code; both may be called inside.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        folder: Path,
        *,
        ready: Callable[[], bool] | None = None,
        environment: Mapping[str, str] | None = None,
        name: str | None = None,
        seconds: float = 20.0,
    ) -> None:
        self.command = [str(word) for word in command]
        self.folder = folder
        self.name = name or self.command[0].rpartition("/")[2]
        self.log = folder / f"{self.name}.log"
        self._ready = ready
        self._environment = {**os.environ, **(environment or {})}
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | Forked | None = None

    @property
    def pid(self) -> int:
        """The child's id; it keeps it until it is reaped here."""
        return self._running().pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._running().poll()

    def start(self) -> Self:
        """Start, and wait until ready; DiedError or TimeoutError with the log if that never comes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._child = self._begin()
        try:
            wait_until(f"{self.name} ready", self._alive_and_ready, self._seconds)
        except TimeoutError as error:
            self.kill()
            raise TimeoutError(f"{error}\n{self.output()}") from None
        return self

    def stop(self, seconds: float = 10.0) -> int:
        """SIGTERM, then SIGKILL after `seconds`; what is left of the group is killed. Gives the exit code."""
        child = self._running()
        if child.poll() is None:
            child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
        return self.kill()

    def kill(self) -> int:
        """kill -9 for the child and everything it started; gives the exit code."""
        child = self._running()
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        return child.wait()

    def wait(self, seconds: float = 20.0) -> int:
        """Wait until it ends by itself; gives the exit code."""
        return self._running().wait(seconds)

    def output(self, last: int = 20_000) -> str:
        """The end of the log, for a person."""
        text = self.log.read_bytes().decode(errors="replace") if self.log.exists() else ""
        return f"--- log of {self.name} ({' '.join(self.command)}) ---\n{text[-last:]}"

    def _begin(self) -> subprocess.Popen[bytes] | Forked:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _alive_and_ready(self) -> bool:
        code = self.returncode
        if code is not None and self._ready is not None:
            raise DiedError(f"{self.name} ended with {code} before it was ready\n{self.output()}")
        return self._ready is None or self._ready()

    def _running(self) -> subprocess.Popen[bytes] | Forked:
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._child

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            error.add_note(self.output())


class Warm(Process):
    """The same for a module of Python whose imports are done already (`support.warm`)."""

    def __init__(self, module: str, words: Sequence[str], folder: Path, **more: Any) -> None:
        super().__init__([sys.executable, "-m", module, *words], folder, **more)

    def _begin(self) -> Forked:
        _, _, module, *words = self.command
        return fork(module, words, self.folder, self._environment, self.log)


@contextmanager
def deaf_port() -> Iterator[int]:
    """A loopback port that takes connections and never says a word: for time-outs."""
    with socket.socket() as deaf:
        deaf.bind((LOOPBACK, 0))
        deaf.listen()
        yield deaf.getsockname()[1]
