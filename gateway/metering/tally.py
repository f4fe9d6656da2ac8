# SPDX-License-Identifier: EUPL-1.2
"""Different people in sliding windows of several lengths at once: who is inside, how many, who leaves next. Pure.

One ordered dictionary for each length (pseudonym -> moment, oldest first, in microseconds since 1970). Whoever has left
is dropped from the front, each once, so that it is O(1) amortised; counting since a proof walks back over at most as
many as the budget has places, and only while older ones are inside. Moments never fall from one `put` to the next.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Window: TypeAlias = "OrderedDict[bytes, int]"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
NEVER = 1 << 62


class Tally:
    """Windows of some lengths over the same people. `earlier` waits to be sorted into the windows that come."""

    __slots__ = ("earlier", "spans", "windows")

    def __init__(self) -> None:
        self.windows: dict[timedelta, Window] = {}
        self.spans: list[tuple[Window, int]] = []
        self.earlier: dict[bytes, int] = {}

    def have(self, lengths: Iterable[timedelta]) -> None:
        """Have a window for each of these lengths, too; none is ever given up: another rule may ask it again."""
        missing = [length for length in dict.fromkeys(lengths) if length not in self.windows]
        if missing or self.earlier:
            known = _merged([self.earlier, *self.windows.values()])
            self.windows = {length: OrderedDict(known) for length in (*self.windows, *missing)}
            self.spans = [(window, span(length)) for length, window in self.windows.items()]
            self.earlier = {}

    def drop(self, now: int, coming: int) -> int:
        """Forget who has left by now; until when everybody inside stays, whoever comes from `coming` on included."""
        until = NEVER
        for window, length in self.spans:
            gone = now - length
            while window and next(iter(window.values())) <= gone:
                window.popitem(last=False)
            until = min(until, next(iter(window.values()), coming) + length)
        return until

    def put(self, pseudonym: bytes, now: int, into: list[Window]) -> None:
        """Seen now, in all windows; those that had no such person are added to `into`."""
        for window, _ in self.spans:
            if pseudonym in window:
                window[pseudonym] = now
                window.move_to_end(pseudonym)
            else:
                window[pseudonym] = now
                into.append(window)

    def remember(self, pseudonym: bytes, moment: int) -> None:
        """Known from the ledger: the latest moment stands. Sorted in by the next `have`."""
        self.earlier[pseudonym] = max(moment, self.earlier.get(pseudonym, moment))

    def empty(self) -> bool:
        """Whether nobody is left in any window, and none waits to be sorted in."""
        return not self.earlier and not any(self.windows.values())


def count_inside(window: Window, people: int, since: int | None) -> tuple[int, int | None]:
    """How many count, told no further than `people`, and the moment of the oldest of them: when he leaves, one is less.

    With `since`, those from before it do not count.
    """
    oldest = next(iter(window.values()), None)
    if since is not None and oldest is not None and oldest < since:
        return _count_since(since, window, people)
    count = len(window)
    if count > people:
        return people, next(islice(window.values(), count - people, None), None)
    return count, oldest


def _count_since(since: int, window: Window, people: int) -> tuple[int, int | None]:
    count, oldest = 0, None
    for moment in islice(reversed(window.values()), people):
        if moment < since:
            break
        count, oldest = count + 1, moment
    return count, oldest


def seconds_until_left(moment: int | None, length: int, now: int) -> int:
    """Whole seconds until someone of that moment leaves the window (nobody inside: the whole window)."""
    left = (now if moment is None else moment) + length - now
    return -(-left // _SECOND)


@lru_cache(maxsize=1024)
def microseconds(at: datetime) -> int:
    """An aware time as whole microseconds since 1970; kept, since one look-up asks it of the same times over again."""
    return (at - _EPOCH) // _MICROSECOND


def span(length: timedelta) -> int:
    """A length of time in microseconds."""
    return length // _MICROSECOND


def _merged(found: Iterable[dict[bytes, int]]) -> list[tuple[bytes, int]]:
    """All people of several dictionaries with their latest moment, oldest first."""
    latest: dict[bytes, int] = {}
    for people in found:
        for pseudonym, moment in people.items():
            latest[pseudonym] = max(moment, latest.get(pseudonym, moment))
    return sorted(latest.items(), key=lambda one: one[1])
