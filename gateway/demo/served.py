# SPDX-License-Identifier: EUPL-1.2
"""The portal's own account of whom it disclosed: one line per person, with the operating system before the answer goes.

For tests that compare what was served with what the gateway recorded. The file holds numbers in clear, of fictive
people only; a real portal would never keep one.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gateway.demo.people import Person

_REQUEST = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")


class ServedLog:
    """Appends `<Herse-Request or ->` TAB `<13 characters>` LF per disclosed person; does nothing without a path.

    Written by one `write` on an O_APPEND descriptor, so that a killed process loses no line of an answer that left.
    """

    def __init__(self, path: Path | None) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = None if path is None else os.open(path, flags, 0o600)

    def disclose(self, people: Iterable[Person], request_ids: Sequence[bytes]) -> None:
        """Write down `people` under the request's id, if it has exactly one that is well formed."""
        if self._descriptor is None:
            return
        known = len(request_ids) == 1 and _REQUEST.fullmatch(request_ids[0])
        request = request_ids[0] if known else b"-"
        lines = b"".join(request + b"\t" + person.number.encode("ascii") + b"\n" for person in people)
        written = os.write(self._descriptor, lines)
        if written != len(lines):
            raise OSError(f"served log: {written} of {len(lines)} bytes written")

    def close(self) -> None:
        """Give the descriptor back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
