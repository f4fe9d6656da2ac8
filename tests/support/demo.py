# SPDX-License-Identifier: EUPL-1.2
"""`herse demo` as a child, on free ports and in a folder of its own, and what its `accounts.json` lets a script do.

Nothing is shortened: whoever wants in signs in. No assertions here.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp

from support.servers import Process, accepts, free_port, wait_until
from support.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP_SECONDS = 30
_MARGIN_SECONDS = 5


@dataclass
class Account:
    """One line of `accounts.json`; `code()` is its authenticator application."""

    identifier: str
    title: str
    password: str = field(repr=False)
    totp_secret: str = field(repr=False)
    _last: int = 0

    def code(self) -> str:
        """Give a code that was not given before and is good for the next seconds.

        The gateway takes each step once, and the step before and after the current one: so three codes are there at
        once, and the fourth has to wait.
        """
        while True:
            now = time.time()
            step = max(int(now + _MARGIN_SECONDS) // STEP_SECONDS - 1, self._last + 1)
            if step <= int(now) // STEP_SECONDS + 1:
                self._last = step
                return pyotp.TOTP(self.totp_secret).generate_otp(step)
            time.sleep(0.2)

    def wrong_code(self) -> str:
        """Six digits that no step of the last and the next minutes has."""
        step, totp = int(time.time()) // STEP_SECONDS, pyotp.TOTP(self.totp_secret)
        near = {totp.generate_otp(step + drift) for drift in range(-3, 10)}
        return next(code for code in (f"{number:06}" for number in range(1000)) if code not in near)


class Demo(Process):
    """Portal and gateway; ready on entry, both gone on exit. `folder` must be empty."""

    def __init__(self, folder: Path) -> None:
        self.port, self.portal_port, self.card_port = free_port(), free_port(), free_port()
        self.origin = f"https://localhost:{self.port}"
        self.served_log = folder / "served.log"
        self.certs = folder / "certs"
        words = ["demo", "--dir", "demo", "--certs", "certs", "--port", str(self.port)]
        words += ["--portal-port", str(self.portal_port), "--served-log", "served.log"]
        words += ["--card-port", str(self.card_port)]
        words += ["--policy", str(ROOT / "policies" / "demo.yaml")]
        command = [sys.executable, "-m", "gateway.cli", *words]
        super().__init__(command, folder, ready=self._both_accept, name="demo", seconds=60)
        self._accounts: dict[str, Account] = {}
        self._successor: Process | None = None

    def _both_accept(self) -> bool:
        return all(accepts(port)() for port in (self.port, self.portal_port, self.card_port))

    @property
    def settings_file(self) -> Path:
        """What `herse ... --config` takes."""
        return self.folder / "demo" / "herse.toml"

    def trust(self) -> ssl.SSLContext:
        """What a client uses that trusts the demo's authority alone."""
        return ssl.create_default_context(cafile=str(self.certs / "authority.pem"))

    def account(self, role: str) -> Account:
        """Who plays `pharmacist`, `gp` or `leaked`; one object per role, so that it knows which codes it gave."""
        if not self._accounts:
            rows = json.loads((self.folder / "demo" / "accounts.json").read_text("utf-8"))
            keys = ("identifier", "title", "password", "totp_secret")
            self._accounts = {row["role"]: Account(*(row[key] for key in keys)) for row in rows}
        return self._accounts[role]

    def served(self) -> list[str]:
        """The number of everybody whom the portal gave away, in order."""
        lines = self.served_log.read_text("ascii").splitlines() if self.served_log.exists() else []
        return [line.partition("\t")[2] for line in lines]

    @contextmanager
    def without_portal(self) -> Iterator[None]:
        """Kill the portal for as long as the block lasts; its successor ends with the demo."""
        (pid,) = self._portals() if self._successor is None else (self._successor.pid,)
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        os.kill(pid, signal.SIGKILL)
        wait_until("portal gone", lambda: not accepts(self.portal_port)())
        if self._successor is not None:
            self._successor.kill()
        self._successor = Process(command, self.folder, ready=accepts(self.portal_port), name="portal")
        try:
            yield
        finally:
            self._successor.start()

    def stop(self, seconds: float = 10.0) -> int:
        """See Process."""
        if self._successor is not None:
            self._successor.stop()
        return super().stop(seconds)

    def _portals(self) -> Iterator[int]:
        for word in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii").split():
            if b"gateway.demo" in Path(f"/proc/{word}/cmdline").read_bytes().split(b"\0"):
                yield int(word)
