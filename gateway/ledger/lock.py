# SPDX-License-Identifier: EUPL-1.2
"""One Herse per folder: two writers would split the ledger, two meters would count half each.

An advisory lock (flock) on `herse.lock`, which the kernel gives back when its holder ends, however it ends. The file
stays: removing it would let two processes lock two files of one name. Its content, the holder's pid, is for people.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Final, Self

from gateway.errors import StartError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LOCK_NAME: Final = "herse.lock"
_PID_BYTES: Final = 32


class LedgerLock:
    """A held lock; `close` (or leaving the `with` block) gives it back. Children by fork share it until they end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @property
    def descriptor(self) -> int:
        """For children that are started with it: the lock is held until the last of them has ended."""
        if self._descriptor is None:
            raise ValueError("the lock was given back")
        return self._descriptor

    def close(self) -> None:
        """Give the lock back. May be called twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def hold(folder: Path) -> LedgerLock:
    """Take the folder's lock; StartError if another process has it (naming its pid) or the folder cannot be written."""
    path = folder / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(
            f"{path} cannot be opened ({error.strerror}); expected a folder that exists and that Herse may write to"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        holder = os.pread(descriptor, _PID_BYTES, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise StartError(
            f"{folder} is in use by another Herse (process {holder}); expected one at a time: stop that one first, or "
            "send the command to it while it serves"
        ) from None
    except OSError as error:
        os.close(descriptor)
        raise StartError(f"{path} cannot be locked ({error.strerror}); expected a local disk with room") from error
    return LedgerLock(descriptor)
