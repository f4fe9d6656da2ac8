# SPDX-License-Identifier: EUPL-1.2
"""That a write of the ledger has failed: one fault for all that write to it, appenders and the tree, in all processes.

After a failed write or fsync nobody knows what the disk holds, whichever of them it hit: so one stops all, at once, and
for as long as the gateway runs. A worker that is started anew finds the fault as it was told; only a start of the whole
gateway, which reads the ledger through first, begins without one. Never here: who fails, and what a caller is told.
"""

from __future__ import annotations

import mmap
import os
from typing import Final

_PAGE: Final = mmap.PAGESIZE
_LENGTH: Final = slice(1, 3)
_TEXT: Final = 3


class Fault:
    """Of the writers of one process."""

    def __init__(self) -> None:
        self._why: str | None = None

    @property
    def why(self) -> str | None:
        """The sentence of the first failure; None: nothing has failed."""
        return self._why

    def tell(self, why: str) -> None:
        """A write has failed. What was told before stays. Any thread may call it."""
        if self._why is None:
            self._why = why


class SharedFault(Fault):
    """Of all processes that share a page of memory. To ask costs no system call."""

    def __init__(self, descriptor: int) -> None:
        """Of `fault_page`, or inherited from who called it; it may be closed afterwards."""
        super().__init__()
        self._page = mmap.mmap(descriptor, _PAGE)

    @property
    def why(self) -> str | None:
        """See Fault."""
        if self._why is None and self._page[0]:
            end = _TEXT + int.from_bytes(self._page[_LENGTH], "big")
            self._why = self._page[_TEXT:end].decode(errors="replace")
        return self._why

    def tell(self, why: str) -> None:
        """See Fault."""
        if self.why is None:
            told = why.encode(errors="replace")[: _PAGE - _TEXT]
            self._page[1 : _TEXT + len(told)] = len(told).to_bytes(2, "big") + told
            self._page[0] = 1  # only now is there something to be read
            self._why = why


def fault_page() -> int:
    """The descriptor of a page that says nothing yet, for the processes of one start."""
    descriptor = os.memfd_create("herse-ledger-fault")
    os.truncate(descriptor, _PAGE)
    return descriptor
