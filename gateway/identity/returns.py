# SPDX-License-Identifier: EUPL-1.2
"""Where a person was going before a sign-in or a step-up, kept here under an opaque reference. In memory, 15 minutes.

A path may hold a patient number, and a form too: neither is put in a URL or a cookie, and neither is printed. Only raw
targets of our own origin are kept, which begin with exactly one `/`. A form goes back only to the session it came from.
What anonymous visitors leave never pushes out what signed-in people left.
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
_REFERENCE_BYTES = 16
# One `/`, then printable ASCII without `\` (a browser reads it as `/`) and `#` (not part of a request target).
_OWN_TARGET = re.compile(r"/(?![/\\])[!-~]*")
_FOREIGN_BYTES = re.compile(r"[\\#]")

Form = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Return:
    """A target to go to, and the form to send there again, if any."""

    path: str = field(repr=False)
    form: Form | None = field(repr=False)
    session: str | None
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

    def __init__(self, most: int = 10_000, most_bytes: int = 16_777_216, largest: int = 131_072) -> None:
        self._signed_in = _Shelf(most, most_bytes)
        self._anonymous = _Shelf(most, most_bytes)
        self._largest = min(largest, most_bytes)

    def keep(self, path: str, form: Form | None, session: str | None, at: datetime) -> str:
        """Keep a raw request target, and a form only with the reference of a session; returns an opaque reference.

        A target that is not plainly ours is kept as `/`. Refused(BODY_TOO_LARGE) if it is too much to keep.
        """
        if form is not None and session is None:
            raise ValueError("a form is kept for a session only")
        target = path if _own(path) else "/"
        size = len(target) + sum(len(name) + len(value) for name, value in form or ()) + 100
        if size > self._largest:
            raise Refused(Reason.BODY_TOO_LARGE)
        shelf = self._anonymous if session is None else self._signed_in
        shelf.expire(at)
        reference = secrets.token_urlsafe(_REFERENCE_BYTES)
        shelf.put(reference, Return(target, form, session, at, size))
        return reference

    def find(self, reference: str, session: str | None, at: datetime) -> Return | None:
        """What was kept, while it is fresh; a form only for its own session. May be asked more than once."""
        kept = self._signed_in.get(reference) or self._anonymous.get(reference)
        if kept is None or at - kept.kept_at >= LIFETIME:
            return None
        if kept.form is not None and kept.session != session:
            return None
        return kept if _own(kept.path) else None


def _own(path: str) -> bool:
    """Whether a browser that resolves this target stays on our origin."""
    return _OWN_TARGET.fullmatch(path) is not None and _FOREIGN_BYTES.search(path) is None
