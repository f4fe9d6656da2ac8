# SPDX-License-Identifier: EUPL-1.2
"""Writing the list: sealed, or opened with the officer's key. It appears under its name whole, or not at all.

People pass through one by one; the list is on disk, synced, before it has its name, and never replaces a file. A try
that was broken half-way is repeated from the beginning, which costs minutes and gives the same list: half a list that
is gone on with would have to be trusted, and lies about with patient numbers in it. What a killed try leaves, a hidden
draft, the next one takes away (`clear_left`).
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from typing import TYPE_CHECKING, Final, TextIO

from gateway.incident import sealed_list
from gateway.incident.incident import IncidentError
from gateway.incident.listing import format_of, heading_of, writer_of
from gateway.whole_file import appearing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from gateway.incident.people import Person
    from gateway.incident.unsealing import Unsealing

_TOLD_EVERY: Final = 1_000


def write_sealed(
    path: Path,
    incident: str,
    data_keys: Sequence[bytes],
    people: Iterable[Person],
    *,
    looks: int,
    told: Callable[[int], None] | None = None,
) -> int:
    """The sealed list; how many people. IncidentError: there is nobody, or it cannot be written."""
    with _list_at(path) as file:
        file.write(sealed_list.heading(incident, len(data_keys), looks))
        file.writelines(map(sealed_list.key_line, data_keys))
        written = _write_all(file, map(sealed_list.person_line, people), told)
        file.write(sealed_list.ending(written))
    return written


def write_opened(
    path: Path,
    people: Iterable[Person],
    unsealing: Unsealing,
    *,
    incomplete: bool = False,
    told: Callable[[int], None] | None = None,
) -> int:
    """The list with numbers, CSV or JSON Lines by its name; how many people. IncidentError as `write_sealed`, and if
    somebody's number does not open, unless `incomplete`.
    """
    ending = format_of(path)
    line_of = writer_of(ending)
    with _list_at(path) as file:
        file.write(heading_of(ending))
        written = _write_all(file, (line_of(person, unsealing.number(person)) for person in people), told)
        if not incomplete:
            unsealing.check_whole()
    return written


def clear_left(path: Path) -> int:
    """Take away the drafts of this list that broken tries left; how many. IncidentError: somebody writes one now."""
    of_it = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.new")
    try:
        left = [one for one in path.parent.iterdir() if of_it.fullmatch(one.name)]
        for draft in left:
            with draft.open("rb") as file:
                flock(file, LOCK_EX | LOCK_NB)
                draft.unlink()
    except BlockingIOError:
        raise IncidentError(
            f"{path} is being written by another command now; expected one at a time: wait for it, or name another file"
        ) from None
    except OSError as error:
        raise IncidentError(
            f"what an earlier try left beside {path} cannot be taken away ({error}); expected a folder of yours: "
            "it may hold patient numbers"
        ) from error
    return len(left)


def _write_all(file: TextIO, lines: Iterable[str], told: Callable[[int], None] | None = None) -> int:
    written = 0
    for line in lines:
        file.write(line)
        written += 1
        if told is not None and written % _TOLD_EVERY == 0:
            told(written)
    if not written:
        raise IncidentError(
            "nobody was looked up by these accounts in this interval: there is nobody to list. Compare accounts, "
            "interval and teleservices with `herse incident show`. Nothing is written."
        )
    return written


@contextmanager
def _list_at(path: Path) -> Iterator[TextIO]:
    try:
        with appearing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
            flock(file, LOCK_EX)  # `clear_left` sees that it is not left but written
            yield file
    except FileExistsError:
        raise IncidentError(
            f"{path} exists already; expected no file there: name another one, or move it away"
        ) from None
    except OSError as error:
        raise IncidentError(
            f"{path} cannot be written ({error.strerror}); expected a folder of yours, on a disk with room that knows "
            "hard links (a memory stick often does not: copy the list there afterwards). Nothing is left under that "
            "name: mend it, then do it again."
        ) from error
