# SPDX-License-Identifier: EUPL-1.2
"""How accounts are used and which risks stand, written down at times and at the end: no restart blinds the watch.

The ledger tells days and people; it does not know where patients come from. The file holds counts by account, no
patient. One that is missing, damaged or of another version is no reason not to start: the ledger tells what it can.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from gateway.metering.history import Day
from gateway.metering.risks import Standing
from gateway.metering.watching import KNOWN_BEFORE, WATCHED_FOR, Past, Use
from gateway.model import Risk
from gateway.whole_file import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gateway.metering.watching import Watching
    from gateway.model import PastLook

VERSION: Final = 1
_COLUMNS: Final = 1 + len(Day._fields)


def write_uses(path: Path, uses: Iterable[Use], risks: Iterable[Standing], at: datetime) -> None:
    """Put the uses in the place of what was written before, whole or not at all. OSError if the disk refuses."""
    used = [use._asdict() for use in uses]
    replace(path, json.dumps({"version": VERSION, "at": at.isoformat(), "uses": used, "risks": list(risks)}))


def read_uses(path: Path) -> tuple[datetime | None, list[Use], list[Standing]]:
    """When it was written, and what; None and nothing if there is no such file that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["version"] != VERSION:
            return None, [], []
        at = datetime.fromisoformat(found["at"]).astimezone(UTC)
        uses = [
            Use(str(one["account"]), [_numbers(day) for day in one["days"]], _places(one["places"]))
            for one in found["uses"]
        ]
        risks = [_standing(one) for one in found["risks"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None, [], []
    return at, uses, risks


def resume(path: Path, watching: Watching, looks_since: Callable[[datetime], Iterable[PastLook]], at: datetime) -> None:
    """Go on watching after a start: as it was written down, or else as the ledger tells it."""
    written_at, uses, risks = read_uses(path)
    watching.restore(uses)
    for standing in risks:
        watching.risks.take(standing)
    if written_at is None:
        learn(watching, looks_since, at)


def learn(watching: Watching, looks_since: Callable[[datetime], Iterable[PastLook]], at: datetime) -> None:
    """What the ledger tells: days, and no places."""
    past = Past(at - WATCHED_FOR)
    for look in looks_since(at - WATCHED_FOR - KNOWN_BEFORE):
        past.add(look)
    watching.rebuild(past, at)


def _numbers(day: object) -> tuple[int, ...]:
    if not isinstance(day, list) or len(day) != _COLUMNS or not all(type(one) is int and one >= 0 for one in day):
        raise ValueError("no counts of a day")
    return tuple(day)


def _places(found: object) -> dict[str, int]:
    if not isinstance(found, dict) or not all(type(count) is int and count >= 0 for count in found.values()):
        raise ValueError("no counts of places")
    return found


def _standing(found: list[Any]) -> Standing:
    account, risk, since, until = found
    if type(since) is not int or type(until) is not int:
        raise ValueError("no moments of a risk")
    return Standing(str(account), Risk(risk), since, until)
