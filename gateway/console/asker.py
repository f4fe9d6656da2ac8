# SPDX-License-Identifier: EUPL-1.2
"""Who asks for an operator's act: the Unix user, by the kernel's word and no word of the command's own.

Behind `sudo` every command is the server's user or root: where the machine notes who signed in to it (the audit's
login uid, which only root can set), that name is told first. It goes with the task that does the act, off line with
the whole command.
"""

from __future__ import annotations

import pwd
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASKER: Final[ContextVar[str | None]] = ContextVar("asker", default=None)
_UNSET: Final = 0xFFFFFFFF  # of a login uid: the machine does not note them


def asker() -> str | None:
    """Whoever asks for what is done now; None: nobody has said."""
    return _ASKER.get()


@contextmanager
def asked_by(who: str) -> Iterator[None]:
    """What is done inside, this one asks for."""
    before = _ASKER.set(who)
    try:
        yield
    finally:
        _ASKER.reset(before)


def unix_user(pid: int, uid: int) -> str:
    """Who runs a process: `herse`, or `anne as root` where it is known who signed in to the machine."""
    name, signed_in = _name(uid), _login_uid(pid)
    return name if signed_in is None or signed_in == uid else f"{_name(signed_in)} as {name}"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _login_uid(pid: int) -> int | None:
    try:
        found = int(Path(f"/proc/{pid}/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if found == _UNSET else found
