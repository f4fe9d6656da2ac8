# SPDX-License-Identifier: EUPL-1.2
"""What is switched off now, and the one file that keeps it over a restart, in every process of a gateway.

The process with the commands writes the file whole, then acts by it; the others look five times a second whether it
is another one. They need nobody for that: a closed teleservice stays closed while the desk is away. A file that cannot
be read stops a start; while serving, what was in force stays in force. Nothing is decided here.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from gateway.errors import HerseError, StartError
from gateway.model import Announcement, Closure, Switches
from gateway.whole_file import replace

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

SWITCHES_FILE: Final = "switches.json"
"""Its name in `state.folder`."""
LOOK_SECONDS: Final = 0.2
VERSION: Final = 1
_NOTHING: Final = Switches()


class SwitchError(HerseError):
    """What an operator asks for cannot be switched; the sentence says why. Nothing is changed."""


class SwitchesDoor(Protocol):
    """What the hallway asks at each request."""

    @property
    def closed(self) -> Switches | None:
        """What is closed; None where nothing is."""


class AllOpen:
    """The twin for a hallway that nobody switches: a drill's."""

    closed: Switches | None = None


ALL_OPEN: Final = AllOpen()


class Switchboard:
    """The switches of a process. Without a file nothing is switched; StartError if there is one that is unreadable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.closed: Switches | None = None
        """What is closed; None where nothing is."""
        self._stamp = self._seen()
        try:
            self._put(_read(path))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StartError(
                f"{path} does not tell what is closed ({_why(error)}); expected the file that `herse teleservice close`"
                " and its like write. Restore it from a backup; moved away, everything is open."
            ) from None

    @property
    def switches(self) -> Switches:
        """Everything that is switched, what is over by its time too."""
        return self._switches

    def write(self, switches: Switches) -> None:
        """Durable, then in force here. SwitchError: the disk refuses, and nothing is changed."""
        try:
            replace(self._path, text_of(switches))
        except OSError as error:
            raise SwitchError(
                f"{self._path} cannot be written ({error.strerror}); nothing is changed. Make room on the disk."
            ) from error
        self._put(switches)

    async def look(self) -> None:
        """Take over what another process has written."""
        stamp = self._seen()
        if stamp == self._stamp:
            return
        try:
            self._put(switches_of(self._path.read_text(encoding="utf-8")))
        except OSError as error:  # gone, or not to be read now: what was in force stays, and the next look tries again
            log.error("switches-unreadable", extra={"error": _why(error)})  # noqa: TRY400
            return
        except (ValueError, KeyError, TypeError) as error:
            log.error("switches-unreadable", extra={"error": _why(error)})  # noqa: TRY400
        else:
            log.info("switches-in-force", extra={"closed": len(self._switches.closures)})
        self._stamp = stamp

    def _put(self, switches: Switches) -> None:
        self._switches = switches
        self.closed = switches if switches.closures else None

    def _seen(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size


def text_of(switches: Switches) -> str:
    """The file's text, for people to read too."""
    closures, announcements = ([_plain(one) for one in many] for many in (switches.closures, switches.announcements))
    told = {"version": VERSION, "closed": closures, "notices": announcements}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def switches_of(text: str) -> Switches:
    """The switches of a file's text. ValueError, KeyError, TypeError: it is none that this version writes."""
    found = json.loads(text)
    if found["version"] != VERSION:
        raise ValueError(f"found version {found['version']!a}, expected {VERSION}")
    closures = tuple(_closure(**one) for one in found["closed"])
    if len({one.teleservice for one in closures}) < len(closures):
        raise ValueError("one is closed twice")
    return Switches(closures, tuple(_announcement(**one) for one in found["notices"]))


def _read(path: Path) -> Switches:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _NOTHING
    return switches_of(text)


def _plain(one: Closure | Announcement) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in one._asdict().items()}


def _closure(*, teleservice: Any, since: Any, until: Any, reason: Any, by: Any) -> Closure:
    name = None if teleservice is None else _text(teleservice)
    end = None if until is None else _moment(until)
    return Closure(name, _moment(since), end, _text(reason), None if by is None else _text(by))


def _announcement(*, number: Any, since: Any, until: Any, fr: Any, en: Any, reason: Any, by: Any) -> Announcement:
    if type(number) is not int:
        raise ValueError(f"found {number!a} as number of a notice")
    told = (_text(fr), _text(en), _text(reason), None if by is None else _text(by))
    return Announcement(number, _moment(since), _moment(until), *told)


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise TypeError(f"found {found!a}, expected a text")
    return found


def _moment(found: Any) -> datetime:
    at = datetime.fromisoformat(_text(found))
    if at.tzinfo is None:
        raise ValueError(f"found {found!a}, expected a moment with its offset from UTC")
    return at


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)
