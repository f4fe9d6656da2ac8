# SPDX-License-Identifier: EUPL-1.2
"""What operators switch for everybody: teleservices, the whole portal, announcements; each change with its event.

The change comes first and its event after it, both durable on return: a portal must close also when the ledger fails.
What is over by its time needs no act and makes no event: the event that began it says when it ends.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from gateway.console.asker import asker
from gateway.console.record import Record
from gateway.identity.identifiers import parse_label
from gateway.model import Announcement, Closure, Event, EventKind
from gateway.pages.announcement_words import READY_MADE, Text
from gateway.switches import SwitchError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from gateway.switches import Switchboard

log = logging.getLogger(__name__)

ANNOUNCEMENTS_AT_MOST: Final = 5
"""More of them nobody reads."""
LONGEST_TEXT: Final = 400
_TOLD_OF_TEXT: Final = 200  # characters of it that the event quotes: it has the ledger's 500 for all details


class SwitchOperations:
    """Close and open; set and clear. `append` makes one event durable; `titles`: the teleservices of the policy."""

    def __init__(
        self,
        switchboard: Switchboard,
        append: Callable[[Event], Awaitable[object]],
        titles: Callable[[], Mapping[str, str]],
    ) -> None:
        self._board = switchboard
        self._record = Record(append, None)
        self.titles = titles

    async def close(self, teleservice: str | None, reason: str, until: datetime | None, at: datetime) -> Closure:
        """Close a teleservice, or the whole portal (None). Closed already: another end and reason, the same beginning.

        SwitchError: the policy has none of this name, or `until` is past; nothing is changed.
        """
        why, switches = parse_label(reason, "reason"), self._board.switches.standing(at)
        before = switches.of(teleservice, at)
        if before is None and teleservice is not None:
            self._known(teleservice)
        if until is not None:
            _after(until, at, "--until")
        since = at if before is None else before.since
        closure = Closure(teleservice, since, until, why, asker())
        self._board.write(switches.closed(closure))
        kind = EventKind.PORTAL_CLOSED if teleservice is None else EventKind.TELESERVICE_CLOSED
        log.warning(str(kind), extra={"teleservice": teleservice or "", "by": closure.by or ""})
        ends = "until it is opened" if until is None else f"until {_iso(until)}"
        await self._record(Event(kind, "", at, teleservice=teleservice, reason=why, details=ends))
        return closure

    async def open(self, teleservice: str | None, reason: str, at: datetime) -> None:
        """Open what is closed, whatever the policy has now. SwitchError: it is not closed."""
        why, switches = parse_label(reason, "reason"), self._board.switches.standing(at)
        if switches.of(teleservice, at) is None:
            names = ", ".join(sorted(one.teleservice or "the portal" for one in switches.closures)) or "nothing"
            what = "the portal" if teleservice is None else ascii(teleservice)
            raise SwitchError(f"{what} is not closed; closed now: {names}")
        self._board.write(switches.opened(teleservice))
        kind = EventKind.PORTAL_OPENED if teleservice is None else EventKind.TELESERVICE_OPENED
        log.warning(str(kind), extra={"teleservice": teleservice or "", "by": asker() or ""})
        await self._record(Event(kind, "", at, teleservice=teleservice, reason=why))

    async def announce(self, text: Text, since: datetime, until: datetime, reason: str, at: datetime) -> int:
        """Show a message to all professionals; its number.

        SwitchError: a time or a text is wrong, or there are many already.
        """
        why, texts = parse_label(reason, "reason"), (_line(text.fr, "--fr"), _line(text.en, "--en"))
        since = max(since, at)
        _after(until, since, "--until")
        switches = self._board.switches.standing(at)
        if len(switches.announcements) >= ANNOUNCEMENTS_AT_MOST:
            raise SwitchError(f"there are {ANNOUNCEMENTS_AT_MOST} notices already; first: herse notice clear NUMBER")
        number = 1 + max((one.number for one in switches.announcements), default=0)
        added = Announcement(number, since, until, *texts, why, asker())
        self._board.write(replace(switches, announcements=(*switches.announcements, added)))
        told = f"notice {number}, {_iso(since)} to {_iso(until)}: {texts[0][:_TOLD_OF_TEXT]}"
        await self._record(Event(EventKind.NOTICE_SET, "", at, reason=why, details=told))
        return number

    async def clear(self, number: int | None, reason: str, at: datetime) -> int:
        """Take a message away, or all (None); how many. SwitchError: there is none of this number."""
        why, switches = parse_label(reason, "reason"), self._board.switches.standing(at)
        gone = [one for one in switches.announcements if number in {None, one.number}]
        if not gone:
            numbers = ", ".join(str(one.number) for one in switches.announcements) or "none"
            raise SwitchError(f"there is no notice {'' if number is None else number}; found: {numbers}")
        kept = tuple(one for one in switches.announcements if one not in gone)
        self._board.write(replace(switches, announcements=kept))
        told = f"notices {', '.join(str(one.number) for one in gone)}"
        await self._record(Event(EventKind.NOTICE_CLEARED, "", at, reason=why, details=told))
        return len(gone)

    def listed(self, at: datetime) -> dict[str, Any]:
        """All teleservices, and what is closed of them, as plain values; those closed that the policy has not, too."""
        titles, standing = self.titles(), self._board.switches.standing(at)
        found = {one.teleservice: _closure_text(one) for one in standing.closures}
        names = [*titles, *(name for name in found if name is not None and name not in titles)]
        return {
            "portal": found.get(None),
            "teleservices": [
                {"name": name, "title": titles.get(name), "closed": found.get(name)} for name in dict.fromkeys(names)
            ],
        }

    def announcements(self, at: datetime) -> list[dict[str, Any]]:
        """The messages that are shown, or will be, as plain values."""
        found = self._board.switches.standing(at).announcements
        return [
            {
                **one._asdict(),
                "since": _iso(one.since),
                "until": _iso(one.until),
                "shown": one.shows(at),
            }
            for one in found
        ]

    def _known(self, teleservice: str) -> None:
        titles = self.titles()
        if teleservice not in titles:
            names = ", ".join(sorted(titles))
            raise SwitchError(f"found {teleservice!a} as teleservice; expected one that the policy has: {names}")


def ready_made(about: str) -> Text:
    """A ready-made message. SwitchError: there is none about this."""
    if about not in READY_MADE:
        raise SwitchError(f"found {about!a} as --about; expected one of: {', '.join(READY_MADE)}")
    return READY_MADE[about]


def _after(until: datetime, at: datetime, name: str) -> None:
    if until <= at:
        raise SwitchError(f"found {_iso(until)} as {name}; expected a time after {_iso(at)}. Nothing is changed.")


def _line(text: str, name: str) -> str:
    line = " ".join(text.split())
    if not 0 < len(line) <= LONGEST_TEXT or not line.isprintable():
        raise SwitchError(f"found {len(line)} characters as {name}; expected 1 to {LONGEST_TEXT} printable ones")
    return line


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _closure_text(one: Closure) -> dict[str, Any]:
    until = None if one.until is None else _iso(one.until)
    return {"since": _iso(one.since), "until": until, "reason": one.reason, "by": one.by}
