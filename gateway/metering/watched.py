# SPDX-License-Identifier: EUPL-1.2
"""What is kept of how an account is used: its latest look-ups, its days and its places. Pure; the caller keeps it.

One Watched per account: a ring of the latest people, counts of eight weeks of days (packed: 0.6 kB), counts by
département, and since when each session has worked without a pause. A person looked at again within hours is the same
look-up: who re-reads pages fast is no robot. Everything fits a Redis list (ring) and hashes (days, places, stretches);
`Scene` is what the signals see of it.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.drift import Trail, Yardstick, evidence, trail_of, yardstick_of
from gateway.metering.history import DAYS_KEPT, DAYS_OF_DRIFT, Day, History, history_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR

RING: Final = 64
PERSON_BYTES: Final = 8
_SAME_LOOK: Final = 8 * HOUR
_PAUSE: Final = 10 * MINUTE
"""Between two patients at a counter ten minutes pass many times a day; between two of a robot's they never do."""
_STRETCHES: Final = 16
_PLACES_AT_MOST: Final = 4096
_COUNT_AT_MOST: Final = (1 << 16) - 1
_SAYS: Final = len(Day._fields)
_COLUMNS: Final = _SAYS + 1
"""The last one is what the day says of drift: (evidence + 100) * 100, and 0 before it was asked."""
_SAYS_LEAST: Final = 100
_SAYS_EVERY: Final = 4  # people: asking costs about as much as all other signals together


class Glance(NamedTuple):
    """What is kept of one look-up. `at`: microseconds since 1970; `person`: the first 8 bytes of the pseudonym.

    `in_order`: the number is just before or after one seen shortly before. `far` is filled in by `note`.
    """

    at: int
    new: bool
    missed: bool
    in_order: bool
    departement: str | None
    session: str
    person: bytes = b""
    far: bool = False


class Stretch(NamedTuple):
    """Work of one session without a pause of ten minutes: since when, until when, and how many people."""

    began: int
    latest: int
    people: int


class Usual(NamedTuple):
    """What is worked out once a day: what is usual, how a day is measured, and what the days before it leave behind."""

    history: History
    yardstick: Yardstick | None
    trail: Trail


class Scene(NamedTuple):
    """All that the signals of one account are found in: the ring of the last 24 hours, oldest first, and today.

    `evidence` is what today says of drift, a few people late.
    """

    ring: Sequence[Glance]
    today: Day
    evidence: float
    stretch: Stretch | None
    usual: Usual


_PERSON: Final = itemgetter(Glance._fields.index("person"))
_NEW: Final = itemgetter(Glance._fields.index("new"))


def _no_days() -> array[int]:
    return array("H", bytes(2 * DAYS_KEPT * _COLUMNS))


@dataclass(slots=True)
class Watched:
    """One account. `day` is the latest with a count; `usual` is worked out once a day, None before."""

    ring: deque[Glance] = field(default_factory=lambda: deque(maxlen=RING))
    counts: array[int] = field(default_factory=_no_days)
    day: int = 0
    places: dict[str, int] = field(default_factory=dict)
    stretches: dict[str, Stretch] = field(default_factory=dict)
    usual: Usual | None = None


def in_order(ring: Iterable[Glance], neighbours: Iterable[bytes]) -> bool:
    """Whether one of the numbers just before and after (as pseudonyms) is among the latest."""
    seen = set(map(_PERSON, ring))
    return any(neighbour[:PERSON_BYTES] in seen for neighbour in neighbours)


def note(watched: Watched, glance: Glance) -> bool:
    """Keep one look-up, after it was settled. False: the person was seen hours ago at most, nothing changes.

    Times may come out of order by seconds; a glance of a day before the latest counts for the latest.
    """
    if glance.person and glance.person in map(_PERSON, watched.ring) and _again(watched.ring, glance):
        return False
    usual = turn(watched, glance.at // DAY)
    _keep(watched, _counted(watched, glance, usual))
    return True


def note_answer(watched: Watched, glances: Sequence[Glance]) -> bool:
    """Keep an answer that showed several people (at least one); if the same one came within hours, nothing changes.

    Each counts for the day; to the ring they are one look-up, of somebody new if most of them are. The answer goes by
    the name of the first of them in the order of pseudonyms, so that it is known again.
    """
    person = min(map(_PERSON, glances))
    if person and _again(watched.ring, glances[0]._replace(person=person)):
        return False
    usual = turn(watched, glances[0].at // DAY)
    counted = [_counted(watched, glance, usual) for glance in glances]
    new = [glance for glance in counted if glance.new]
    kept = new[0] if 2 * len(new) > len(counted) else min(counted, key=_NEW)
    _keep(watched, kept._replace(person=person))
    return True


def turn(watched: Watched, day: int) -> Usual:
    """What is usual today; worked out anew if `day` (since 1970) is a new one."""
    if watched.usual is not None and day <= watched.day:
        return watched.usual
    before, day = watched.day, max(day, watched.day)
    _clear(watched, day)
    if sum(watched.places.values()) > _PLACES_AT_MOST:
        watched.places = {place: count // 2 for place, count in watched.places.items() if count > 1}
    days = days_of(watched)
    history = history_of(days, watched.places, day)
    yardstick = yardstick_of(history)
    recent = [(number, days[number]) for number in range(day - DAYS_OF_DRIFT, day) if number in days]
    for number, counts in recent:
        if number == before or not _said(watched, number):
            _say(watched, number, counts, yardstick)
    trail = trail_of((counts, _gain(watched, number)) for number, counts in recent)
    watched.usual = Usual(history, yardstick, trail)
    return watched.usual


def add_day(watched: Watched, day: int, counts: Day, places: Iterable[tuple[str, int]] = ()) -> None:
    """Add a whole day, as the ledger tells it after a start. Days that are too old are left out."""
    _clear(watched, max(day, watched.day))
    if day > watched.day - DAYS_KEPT:
        _count(watched, day, counts)
    for place, count in places:
        watched.places[place] = watched.places.get(place, 0) + count
    watched.usual = None


def days_of(watched: Watched) -> dict[int, Day]:
    """The days with a count, by number since 1970."""
    start = (watched.day + 1) % DAYS_KEPT * _COLUMNS
    counts = watched.counts[start:] + watched.counts[:start]
    rows = zip(*(counts[column::_COLUMNS] for column in range(_SAYS)), strict=True)
    return {day: Day(*row) for day, row in enumerate(rows, watched.day - DAYS_KEPT + 1) if any(row)}


def scene_of(watched: Watched, at: int) -> Scene:
    """What the signals see at `at`; the stretch is that of the session of the latest look-up."""
    usual = turn(watched, at // DAY)
    ring, day = list(watched.ring), watched.day
    stretch = watched.stretches.get(ring[-1].session) if ring else None
    return Scene(ring, _day(watched, day), _gain(watched, day), stretch, usual)


def forget(watched: Watched, at: int) -> bool:
    """Let go what no signal asks about any more; whether nothing is left. Call it now and then."""
    while watched.ring and watched.ring[0].at <= at - DAY:
        watched.ring.popleft()
    watched.stretches = {key: one for key, one in watched.stretches.items() if one.latest > at - _PAUSE}
    today = at // DAY
    if today > watched.day:
        watched.usual = None
    return not watched.ring and today >= watched.day + DAYS_KEPT


def _again(ring: Iterable[Glance], glance: Glance) -> bool:
    return any(one.person == glance.person and one.at > glance.at - _SAME_LOOK for one in ring)


def _counted(watched: Watched, glance: Glance, usual: Usual) -> Glance:
    """Count a glance for its day and place; the same, with `far` filled in. Nobody is far while nothing is near."""
    place, near = glance.departement, usual.history.usual
    if place is not None and not glance.missed:
        watched.places[place] = watched.places.get(place, 0) + 1
        if glance.new and near and place not in near:
            glance = glance._replace(far=True)
    _count(watched, watched.day, _as_day(glance, placed=glance.new and bool(near) and place is not None))
    if watched.counts[watched.day % DAYS_KEPT * _COLUMNS] % _SAYS_EVERY == 0:
        _say(watched, watched.day, _day(watched, watched.day), usual.yardstick)
    return glance


def _keep(watched: Watched, glance: Glance) -> None:
    ring = watched.ring
    while ring and ring[0].at <= glance.at - DAY:
        ring.popleft()
    ring.append(glance)
    _stretch(watched.stretches, glance)


def _as_day(glance: Glance, *, placed: bool) -> Day:
    if glance.missed:
        return Day(missed=1)
    return Day(1, glance.new, 0, placed, glance.far)


def _day(watched: Watched, day: int) -> Day:
    start = day % DAYS_KEPT * _COLUMNS
    return Day(*watched.counts[start : start + _SAYS])


def _say(watched: Watched, day: int, counts: Day, yardstick: Yardstick | None) -> None:
    """Keep what a day says of drift; a day without anybody, or without a past to measure it by, says nothing."""
    gain = evidence(yardstick, counts) if yardstick is not None else 0.0
    watched.counts[day % DAYS_KEPT * _COLUMNS + _SAYS] = (
        round((max(gain, -_SAYS_LEAST) + _SAYS_LEAST) * _SAYS_LEAST) or 1
    )


def _said(watched: Watched, day: int) -> int:
    return watched.counts[day % DAYS_KEPT * _COLUMNS + _SAYS]


def _gain(watched: Watched, day: int) -> float:
    said = _said(watched, day)
    return said / _SAYS_LEAST - _SAYS_LEAST if said else 0.0


def _count(watched: Watched, day: int, more: Day) -> None:
    start = day % DAYS_KEPT * _COLUMNS
    counts = watched.counts
    for column, count in enumerate(more, start):
        if count:
            counts[column] = min(counts[column] + count, _COUNT_AT_MOST)


def _clear(watched: Watched, day: int) -> None:
    """Make room up to `day`: what stood in these places is eight weeks old."""
    for one in range(max(watched.day + 1, day - DAYS_KEPT + 1), day + 1):
        start = one % DAYS_KEPT * _COLUMNS
        watched.counts[start : start + _COLUMNS] = array("H", bytes(2 * _COLUMNS))
    watched.day = day


def _stretch(stretches: dict[str, Stretch], glance: Glance) -> None:
    before = stretches.get(glance.session)
    if before is None or glance.at - before.latest > _PAUSE:
        stretches[glance.session] = Stretch(glance.at, glance.at, 1)
    else:
        stretches[glance.session] = Stretch(before.began, max(glance.at, before.latest), before.people + 1)
    if len(stretches) > _STRETCHES:
        del stretches[min(stretches, key=lambda session: stretches[session].latest)]
