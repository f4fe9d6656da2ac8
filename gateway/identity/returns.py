# SPDX-License-Identifier: EUPL-1.2
"""Where a person was going before a sign-in or a step-up, kept here under an opaque reference. In memory, 15 minutes.

A path may hold a patient number: it is not put in a URL or a cookie, and not printed. Only raw targets of our own
origin are kept, which begin with exactly one `/`. What anonymous visitors leave never pushes out what signed-in people
left. What a person had written is kept elsewhere (`kept_work`).
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from datetime import datetime

LIFETIME = timedelta(minutes=15)
REFERENCE_BYTES = 16
LARGEST = 131_072
_OVERHEAD = 100
# One `/`, then printable ASCII without `\` (a browser reads it as `/`) and `#` (not part of a request target).
_OWN_TARGET = re.compile(r"/(?![/\\])[!-~]*")
_FOREIGN_BYTES = re.compile(r"[\\#]")


@dataclass(frozen=True, slots=True)
class Return:
    """A target to go to; `lost`: what was sent there could not be kept, and the person has to be told."""

    path: str = field(repr=False)
    lost: bool
    kept_at: datetime
    size: int


class _Shelf:
    """Returns in order of age, bounded by count and bytes: the oldest make room."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._room = size
        self._kept: OrderedDict[str, Return] = OrderedDict()

    def put(self, reference: str, value: Return) -> None:
        self._kept[reference] = value
        self._room -= value.size
        while self._room < 0 or len(self._kept) > self._count:
            _, oldest = self._kept.popitem(last=False)
            self._room += oldest.size

    def get(self, reference: str) -> Return | None:
        return self._kept.get(reference)

    def expire(self, at: datetime) -> None:
        while self._kept and at - next(iter(self._kept.values())).kept_at >= LIFETIME:
            _, oldest = self._kept.popitem(last=False)
            self._room += oldest.size


class Returns:
    """`most` returns and `most_bytes` in each of two shelves: with a session, and without."""

    def __init__(self, most: int = 10_000, most_bytes: int = 16_777_216, largest: int = LARGEST) -> None:
        self._signed_in = _Shelf(most, most_bytes)
        self._anonymous = _Shelf(most, most_bytes)
        self._largest = min(largest, most_bytes)

    def keep(self, path: str, at: datetime, *, signed_in: bool = False, lost: bool = False) -> str:
        """Keep a raw request target; returns an opaque reference.

        A target that is not plainly ours is kept as `/`. Refused(BODY_TOO_LARGE) if it is too much to keep.
        """
        demand_room(path, self._largest)
        reference = secrets.token_urlsafe(REFERENCE_BYTES)
        self.put(reference, path, at, signed_in=signed_in, lost=lost)
        return reference

    def put(self, reference: str, path: str, at: datetime, *, signed_in: bool, lost: bool) -> None:
        """As `keep`, under a reference that was drawn elsewhere."""
        target = path if is_own_target(path) else "/"
        shelf = self._signed_in if signed_in else self._anonymous
        shelf.expire(at)
        shelf.put(reference, Return(target, lost, at, len(target) + _OVERHEAD))

    def find(self, reference: str, at: datetime) -> Return | None:
        """What was kept, while it is fresh. May be asked more than once."""
        kept = self._signed_in.get(reference) or self._anonymous.get(reference)
        if kept is None or at - kept.kept_at >= LIFETIME:
            return None
        return kept if is_own_target(kept.path) else None


def demand_room(path: str, largest: int = LARGEST) -> None:
    """Refused(BODY_TOO_LARGE) if this is too much to keep."""
    if is_own_target(path) and len(path) + _OVERHEAD > largest:
        raise Refused(Reason.BODY_TOO_LARGE)


def is_own_target(path: str) -> bool:
    """Whether a browser that resolves this target stays on our origin."""
    return _OWN_TARGET.fullmatch(path) is not None and _FOREIGN_BYTES.search(path) is None
