# SPDX-License-Identifier: EUPL-1.2
"""A copy of a ledger's file as it was at one moment, made while the gateway goes on writing; by SQLite's own backup.

The copy is one file: it needs no log beside it, and may be read where nothing can be written. Never here: whether it is
what was signed (the second reader), its name (`whole_file`).
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from gateway.errors import StartError
from gateway.ledger.schema import APPLICATION_ID, BUSY_MILLISECONDS, connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGES: Final = 4_096
"""Pages (16 MiB) copied between two words of progress."""


def copy_ledger(path: Path, draft: Path, passed: Callable[[float], None] | None = None, *, pages: int = PAGES) -> None:
    """Fill a draft with the ledger of this file, not synced yet; StartError if either cannot be used.

    `passed` hears which share is copied.
    """

    def told(_status: int, remaining: int, total: int) -> None:
        if passed is not None and total:
            passed((total - remaining) / total)

    try:
        with closing(connect(path, "ro")) as source, closing(connect(draft, "rw")) as target:
            source.execute(f"pragma busy_timeout={BUSY_MILLISECONDS}")
            (found,) = source.execute("pragma application_id").fetchone()
            if found != APPLICATION_ID:
                raise StartError(f"{path} is no ledger of Herse; expected the file ledger.db of a gateway")
            # One transaction around all steps: each alone would start anew whenever the gateway has written.
            source.execute("begin")
            source.execute("select count(*) from head").fetchone()
            target.execute("pragma synchronous=off")  # it is synced whole, before it has its name
            source.backup(target, pages=pages, progress=told)
            target.execute("pragma journal_mode=delete").fetchone()
    except sqlite3.Error as error:
        raise StartError(
            f"{path} could not be copied ({error}); expected a ledger that can be read, and room for as much again at "
            f"{draft.parent}. Nothing is made."
        ) from error
