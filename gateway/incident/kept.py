# SPDX-License-Identifier: EUPL-1.2
"""Where incidents are kept: one small file each in `state/incidents`, written whole, for the gateway's user alone.

Files and not rows, so that on a bad day they can be read, copied and kept apart without any database. Who writes holds
the folder's lock, or is the server that does. Never here: a patient, or a pseudonym.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gateway.incident.incident import IncidentError, as_text, load_incident
from gateway.whole_file import appearing, replace, sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from gateway.incident.incident import Incident
    from gateway.ledger.span import Span

INCIDENTS_FOLDER: Final = "incidents"
_ID: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[1-9][0-9]{0,5}")
_SUFFIX: Final = ".json"


class Incidents:
    """The incidents of one gateway, in a folder that is made with the first of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, at: datetime, made: Callable[[str], Incident]) -> Incident:
        """A new one, durable: its number is the day (UTC) and how many-th it is; `made` gives it for that number."""
        with _told(self._folder):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            sync(self._folder.parent)
            number = 1
            while True:
                incident = made(f"{at:%Y-%m-%d}-{number}")
                try:
                    with appearing(self._path(incident.id)) as draft:
                        draft.write_text(as_text(incident), encoding="utf-8")
                except FileExistsError:
                    number += 1
                else:
                    return incident

    def put(self, incident: Incident) -> None:
        """In the place of what was kept under its number, whole or not at all."""
        with _told(self._folder):
            replace(self._path(incident.id), as_text(incident))

    def find(self, number: str) -> Incident:
        """IncidentError with what there is, if there is none of that number."""
        try:
            if _ID.fullmatch(number):
                path = self._path(number)
                return load_incident(path.read_text(encoding="utf-8"), str(path))
        except FileNotFoundError:
            pass
        except (OSError, UnicodeDecodeError) as error:
            raise IncidentError(f"incident {number} cannot be read ({error}); restore it from a backup") from error
        known = ", ".join(self.numbers()) or "none yet"
        raise IncidentError(f"there is no incident {number!a}; expected one of: {known}")

    def numbers(self) -> list[str]:
        """Of all that are kept, oldest first."""
        try:
            names = [path.name for path in self._folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise IncidentError(
                f"{self._folder} cannot be read ({error.strerror}): run as the gateway's user"
            ) from error
        found = [name.removesuffix(_SUFFIX) for name in names if _ID.fullmatch(name.removesuffix(_SUFFIX))]
        return sorted(found, key=lambda number: (number[:10], int(number[11:])))

    def open_spans(self) -> list[Span]:
        """What of the ledger the open ones are about, and nobody may delete. IncidentError: it cannot be known."""
        found = (self.find(number) for number in self.numbers())
        return [incident.span for incident in found if incident.closed_at is None]

    def _path(self, number: str) -> Path:
        return self._folder / f"{number}{_SUFFIX}"


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise IncidentError(
            f"{folder} cannot be written ({error.strerror}); expected a folder of the gateway's user on a disk with "
            "room: mend it, and do this again"
        ) from error
