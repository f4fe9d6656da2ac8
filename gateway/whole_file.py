# SPDX-License-Identifier: EUPL-1.2
"""A new file appears under its name whole, on disk, and over no other file; or there is none. One that is written again
and again (`replace`) has either what it held or all of what is new.

It is made beside its place under a hidden name, for its owner alone (0600), synced, and given its name by a hard link,
which unlike a rename never replaces. The name itself is synced last: a synced file whose name is lost is lost. What
stops in between leaves at most a hidden draft.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from errno import EEXIST
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEFT_BY_SQLITE: Final = ("-wal", "-shm")


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """The draft, to be filled, and closed, inside; `path` is durable after. FileExistsError: something is there."""
    if os.path.lexists(path):
        raise FileExistsError(EEXIST, os.strerror(EEXIST), str(path))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        yield draft
        sync(draft)
        path.hardlink_to(draft)
        sync(path.parent)
    finally:
        for suffix in ("", *_LEFT_BY_SQLITE):
            Path(f"{draft}{suffix}").unlink(missing_ok=True)


def replace(path: Path, text: str) -> None:
    """Put this text in the place of what the file holds, durable on return. OSError: it holds what it held."""
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file's content durable, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
