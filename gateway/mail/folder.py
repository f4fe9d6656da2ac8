# SPDX-License-Identifier: EUPL-1.2
"""The courier without a network: each letter becomes a file `….eml` in a folder, for whoever takes them from there.

A file is there whole or not at all, readable by its owner alone. A letter that comes twice is one file.
"""

from __future__ import annotations

import os
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from gateway.errors import StartError
from gateway.mail.courier import NotSent
from gateway.whole_file import sync

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path


class FolderCourier:
    """Letters as files in one folder, made if it is not there (0700)."""

    def __init__(self, folder: Path) -> None:
        """StartError if the folder cannot be made or written to."""
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StartError(
                f"the folder of letters {folder} cannot be made ({error.strerror}); check mail.folder or state.folder"
            ) from error
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StartError(f"the folder of letters {folder} may not be written to; check its owner and its mode")
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write the file, named by the letter's time and reference. NotSent if the disk does not take it."""
        at = parsedate_to_datetime(message["Date"])
        reference = message["Message-ID"].strip("<>").partition("@")[0]
        name = f"{at:%Y%m%dT%H%M%SZ}-{reference}.eml"
        draft = self._folder / f".{name}.new"
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._folder / name)
            sync(self._folder)  # the name is durable before the letter leaves the outbox
        except OSError as error:
            raise NotSent(f"folder {error.strerror}") from error

    def hang_up(self) -> None:
        """A disk does not keep one waiting."""
