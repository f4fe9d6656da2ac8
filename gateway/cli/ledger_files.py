# SPDX-License-Identifier: EUPL-1.2
"""The files that `herse ledger` reads and makes: texts whole or a clear sentence, new files whole or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.errors import StartError
from gateway.whole_file import appearing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def text_of(path: Path) -> str:
    """What stands in a text file; StartError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise StartError(f"{path} cannot be read ({found}); expected a text file of the ledger's") from None


@contextmanager
def made(path: Path) -> Iterator[Path]:
    """A new file of the ledger's, whole or not at all."""
    try:
        with appearing(path) as draft:
            yield draft
    except FileExistsError:
        raise StartError(f"{path} exists already; expected a new name: nothing is written over") from None
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}; expected a place this user may write to, with room") from None
