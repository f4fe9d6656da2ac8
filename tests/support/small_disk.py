# SPDX-License-Identifier: EUPL-1.2
"""A disk of a few megabytes: a tmpfs in a mount namespace of its own, which is gone with the last process in it.

Whoever shall see it is started behind `prefix`. No assertions here.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from support.servers import Process

if TYPE_CHECKING:
    from types import TracebackType

_MOUNT = 'mount -t tmpfs -o "size=$2,uid=$3,mode=0700" tmpfs "$1" && touch "$1.mounted" && exec sleep 900'

_PIECE = 4_096


class SmallDisk(Process):
    """As a context manager it is mounted on entry. `path` is where those behind `prefix` find it, empty."""

    def __init__(self, size: str, owner: str | None = None) -> None:
        """`size` as mount takes it; `owner`: a user of this system, or None for ours."""
        self._home = Path(tempfile.mkdtemp(prefix="herse-disk-"))
        self._home.chmod(0o755)  # for the owner, whoever he is
        self.path = self._home / "disk"
        self.path.mkdir()
        uid = os.getuid() if owner is None else pwd.getpwnam(owner).pw_uid
        words = ["unshare", "--mount", "sh", "-c", _MOUNT, "sh", str(self.path), size, str(uid)]
        super().__init__(words, self._home, ready=self.path.with_name("disk.mounted").exists, name="disk")

    @property
    def prefix(self) -> tuple[str, ...]:
        """What makes a command see it."""
        return "nsenter", f"--mount=/proc/{self.pid}/ns/mnt", "--"

    def inside(self) -> Path:
        """Where it is for us."""
        return Path(f"/proc/{self.pid}/root{self.path}")

    def fill(self) -> None:
        """Another tenant takes all that is free."""
        with (self.inside() / "tenant").open("ab", buffering=0) as tenant, suppress(OSError):
            while tenant.write(bytes(_PIECE)) == _PIECE:
                pass

    def empty(self) -> None:
        """The tenant leaves."""
        (self.inside() / "tenant").unlink()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        shutil.rmtree(self._home, ignore_errors=True)
