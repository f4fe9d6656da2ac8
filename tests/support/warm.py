# SPDX-License-Identifier: EUPL-1.2
"""Commands of Python as children of a process that did their imports before: a start costs a fork, and no two seconds.

Each child is a process of its own, in a group, folder and environment of its own, and runs its module from the first
line, as `python -m` does; nothing is built before the fork, only imported. What is about the interpreter's own start, a
wrapped command or several processes takes `servers.Process`. No assertions here.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gateway.cli.nouns import NOUNS

ROOT: Final = Path(__file__).parents[2]
# What commands, a gateway and the stand-in portal load until they serve; what is missing here costs time alone.
_IMPORTED: Final = ("gateway.app", "gateway.demo.server", *(f"gateway.cli.{noun}" for noun in NOUNS))
_LATER: Final = ("sqlalchemy.dialects.sqlite.pysqlite", "uvicorn.lifespan.off", "encodings.idna", "stringprep")
_ORDER_BYTES: Final = 1 << 17
_FOREVER: Final = 4096

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Order = dict[str, Any]
"""The module and its words, and where, with what and into which file it runs."""


def _gone() -> NoReturn:
    raise RuntimeError("the warm process has ended; what it said stands above, in the tests' own errors")


class Forked:
    """A forked child, as `subprocess.Popen` would show it: its id is its own until it was waited for."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._told = link.makefile("r", encoding="ascii")
        self.pid = int(self._told.readline() or _gone())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends; its exit code."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"forked {self.pid}", timeout or 0.0)
        return code

    def terminate(self) -> None:
        """SIGTERM, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _ended(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._link], [], [], seconds)[0]:
            self.returncode = int(self._told.readline() or _gone())
            self._told.close()
            self._link.close()  # from here on its id may be another's
        return self.returncode


def fork(
    module: str,
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    *,
    errors: Path | None = None,
    typed: Path = Path(os.devnull),
) -> Forked:
    """Run a module in a new child: what it says goes to a log, its errors to another if one is named."""
    files = [str(typed), str(log), str(errors or log)]
    order: Order = {"module": module, "words": list(words), "folder": str(folder), "files": files}
    ours, theirs = socket.socketpair()
    with theirs:
        told = json.dumps(order | {"environment": dict(environment)}).encode()
        with _ONE_AT_A_TIME:
            socket.send_fds(_warm()[1], [told], [theirs.fileno()])
    return Forked(ours)


def run(command: Sequence[str], folder: Path, *, typed: str = "", seconds: float = 60.0) -> CompletedProcess[str]:
    """`python -m ...` from beginning to end, as `subprocess.run` shows it."""
    _, _, module, *words = command
    with TemporaryDirectory() as kept:
        files = [Path(kept, name) for name in ("typed", "said", "errors")]
        files[0].write_text(typed, encoding="utf-8")
        child = fork(module, words, folder, os.environ, files[1], errors=files[2], typed=files[0])
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            raise
        said, errors = (one.read_text(encoding="utf-8") for one in files[1:])
    return CompletedProcess(command, code, said, errors)


def end() -> None:
    """Let the warm process go, if there is one."""
    if _warm.cache_info().currsize:
        process, line = _warm()
        line.close()
        process.wait(10)
        _warm.cache_clear()


_ONE_AT_A_TIME: Final = threading.Lock()


@cache
def _warm() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "support.warm", str(theirs.fileno())],
            cwd="/",
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return process, ours


# ---- the warm process itself; descriptors are plain numbers there, so that no object of its own closes a child's


def _next_order(line: int) -> Order:
    """Fork for each order; returns in the children alone. Ends when whoever orders is gone."""
    asked = socket.socket(fileno=line)
    watched = select.poll()
    watched.register(line, select.POLLIN)
    running: dict[int, tuple[int, int]] = {}  # by the descriptor that is watched: the child, and who waits for it
    while True:
        for ready, _ in watched.poll():
            if ready != line:
                watched.unregister(ready)
                _tell_or_bury(watched, running, ready)
                continue
            told, links, _, _ = socket.recv_fds(asked, _ORDER_BYTES, 1)
            if not told:
                os._exit(0)
            pid = os.fork()
            if pid == 0:
                asked.detach()
                order: Order = json.loads(told)
                return order
            os.write(links[0], b"%d\n" % pid)
            ended = os.pidfd_open(pid)
            running[ended] = (pid, links[0])
            watched.register(ended, select.POLLIN)


def _tell_or_bury(watched: select.poll, running: dict[int, tuple[int, int]], ready: int) -> None:
    """A child has ended: tell its code, and keep its id until it was heard; or that was heard: give the id back."""
    pid, link = running.pop(ready)
    if ready == link:
        os.waitpid(pid, 0)
    else:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        status = 0 if found is None else found.si_status
        code = status if found is not None and found.si_code == os.CLD_EXITED else -status
        running[link] = (pid, link)
        watched.register(link, 0)  # a hang-up is always told
        try:
            os.write(link, b"%d\n" % code)
        except BrokenPipeError:
            return
    os.close(ready)


def _become(order: Order) -> None:
    """What lies between a fork and the first line of a command that was started afresh."""
    os.setsid()
    os.chdir(order["folder"])
    for place, path in enumerate(order["files"]):
        opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT if place else os.O_RDONLY, 0o644)
        os.dup2(opened, place)
    os.closerange(3, _FOREVER)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["", *order["words"]]
    sys.path[0] = order["folder"]


if __name__ == "__main__":
    for name in (*_IMPORTED, *_LATER):
        import_module(name)
    if threading.active_count() != 1:
        raise SystemExit("support.warm: an import has started a thread; expected none, or no child could be forked")
    gc.collect()
    gc.freeze()
    taken = _next_order(int(sys.argv[1]))
    _become(taken)
    runpy.run_module(taken["module"], run_name="__main__", alter_sys=True)
