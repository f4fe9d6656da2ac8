# SPDX-License-Identifier: EUPL-1.2
"""The 510,000 fictive insured persons of the demo, each derived from an index. Nothing is stored, nothing is real.

Pure: no clock, no random, no I/O. Names, birth dates and rights follow from the index alone, so two processes agree
about every person. A number may by chance belong to a living person: for demos and tests only.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from itertools import accumulate

from gateway.demo.names import MEN, SURNAMES, WOMEN
from gateway.demo.number import KINDS, Kind, canonical, key_of, mix, written

COUNT = 510_000
_NEWEST_YEAR = 25  # two-digit years up to this one are read as 20xx
# Neighbours in the index stand far apart in the row of kinds: a step coprime with COUNT, near its golden section.
_STEP, _SHIFT = 315_199, 77_777
_STEP_BACK = pow(_STEP, -1, COUNT)
_STARTS = tuple(accumulate((kind.people for kind in KINDS[:-1]), initial=0))


@dataclass(frozen=True, slots=True)
class Birth:
    """A birth date; month and day are None where the number knows no month."""

    year: int
    month: int | None
    day: int | None

    @property
    def iso(self) -> str:
        """`YYYY-MM-DD`, or `YYYY` alone."""
        return str(self.year) if self.month is None else f"{self.year}-{self.month:02d}-{self.day:02d}"

    @property
    def french(self) -> str:
        """As French forms write it."""
        return f"{self.year} (mois inconnu)" if self.month is None else f"{self.day:02d}/{self.month:02d}/{self.year}"


@dataclass(frozen=True, slots=True)
class Rights:
    """Rights of an insured person: the declared general practitioner, 100 % cover, and `C2S` or `AME` if any."""

    declared_gp: str | None
    full_cover: bool
    complement: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """One fictive insured person. `number` is canonical, 13 characters; `sex` is `F` or `M`."""

    index: int
    kind: str
    number: str
    key: str | None
    sex: str
    name: str
    first_names: tuple[str, ...]
    birth: Birth
    rights: Rights

    @property
    def written_number(self) -> str:
        """The number in groups, with its key."""
        return written(self.number)


def number_of(index: int) -> str:
    """Canonical number of the person at `index`; ValueError outside 0 <= index < COUNT."""
    return _bearer(index)[1]


def index_of(number: str) -> int | None:
    """Index of the person who bears this canonical number, or None."""
    for kind, start in zip(KINDS, _STARTS, strict=True):
        counter = kind.counter(number)
        if counter is not None:
            return (start + counter - _SHIFT) * _STEP_BACK % COUNT
    return None


def person(index: int) -> Person:
    """Derive the person at `index`; ValueError outside 0 <= index < COUNT."""
    kind, number = _bearer(index)
    # The first digit tells the sex in every kind: odd for men (1, 3, 5, 7), even for women.
    sex = "M" if number[0] in "1357" else "F"
    given = MEN if sex == "M" else WOMEN
    first = mix(index, 1) % len(given)
    second = (first + 1 + mix(index, 2) % (len(given) - 1)) % len(given)
    return Person(
        index=index,
        kind=kind.name,
        number=number,
        key=f"{key_of(number):02d}" if kind.keyed else None,
        sex=sex,
        name=SURNAMES[mix(index, 3) % len(SURNAMES)],
        first_names=(given[first], given[second]),
        birth=_birth(kind, number, index),
        rights=_rights(kind, index),
    )


def find(text: str) -> Person | None:
    """Find who bears the number `text` (13 or 15 characters, spaces allowed); None if malformed or nobody's."""
    number = canonical(text)
    index = None if number is None else index_of(number)
    return None if index is None else person(index)


def _bearer(index: int) -> tuple[Kind, str]:
    if not 0 <= index < COUNT:
        raise ValueError(f"index {index} found, 0 to {COUNT - 1} expected")
    position = (index * _STEP + _SHIFT) % COUNT
    kind, start = next(
        (kind, start) for kind, start in zip(KINDS, _STARTS, strict=True) if position < start + kind.people
    )
    return kind, kind.number(position - start)


def _birth(kind: Kind, number: str, index: int) -> Birth:
    if kind.keyed:
        digits, month = int(number[1:3]), int(number[3:5])
        year = digits + (2000 if digits <= _NEWEST_YEAR else 1900)
    else:  # these numbers tell nothing of the birth
        year, month = 1940 + mix(index, 4) % 66, 1 + mix(index, 5) % 12
    if kind.name == "month-unknown":
        return Birth(year, None, None)
    return Birth(year, month, 1 + mix(index, 6) % monthrange(year, month)[1])


def _rights(kind: Kind, index: int) -> Rights:
    gp = f"Dr {SURNAMES[mix(index, 7) % len(SURNAMES)]}" if mix(index, 8) % 10 else None
    if kind.name == "passing-migrant":
        return Rights(declared_gp=None, full_cover=False, complement="AME")
    return Rights(
        declared_gp=gp,
        full_cover=mix(index, 9) % 6 == 0,
        complement="C2S" if mix(index, 10) % 9 == 0 else None,
    )
