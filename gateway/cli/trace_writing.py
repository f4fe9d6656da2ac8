# SPDX-License-Identifier: EUPL-1.2
"""Writing the lines of a trace one by one: to the terminal as they come, or to a file that appears under its name whole
or not at all, for its owner alone (0600). Memory does not grow with the trace.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gateway.cli.ledger_files import made
from gateway.cli.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from gateway.cli.trace_lines import TraceLines
    from gateway.ledger.event import StoredEvent

_TOLD_EVERY: Final = 1_000


def watched(found: Iterable[StoredEvent], whole: int, out: Path | None) -> Iterator[StoredEvent]:
    """The same, with a bar where the lines do not go to the terminal."""
    progress = Progress(sys.stderr.isatty() and out is not None)
    passed = progress.part("writing", whole)
    try:
        for number, stored in enumerate(found):
            if passed is not None and number % _TOLD_EVERY == 0:
                passed(number)
            yield stored
    finally:
        progress.end()


def write(out: Path | None, form: str, found: Iterable[StoredEvent], lines: TraceLines) -> int:
    """How many lines were written; where there are none, nothing is, not even a heading."""
    written = 0
    with _opened(out) as put:
        for stored in found:
            if not written:
                put(lines.heading(form))
            put(lines.line(form, stored))
            written += 1
    return written


@contextmanager
def _opened(out: Path | None) -> Iterator[Callable[[str], object]]:
    """Where lines go: the terminal as they come, or a file that is there whole or not at all."""
    if out is None:
        yield sys.stdout.write
        return
    with made(out) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        yield file.write
