# SPDX-License-Identifier: EUPL-1.2
"""The insured people of a drill: the demo portal's own list, or twenty million by arithmetic on their number.

Each person is an index. The demo's 510,000 come from `gateway.demo.people`; a larger list writes the index itself as a
number (sex, year, month, département, commune, order), so that no table is needed. Numbers may by chance belong to
somebody: for drills only. Never here: who was shown to whom (see `twins`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, Protocol

from gateway.demo.people import COUNT, index_of, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

DEMO_PEOPLE: Final = COUNT
MANY_PEOPLE: Final = 20_000_000
_MAINLAND: Final = [f"{code:02d}" for code in range(1, 96) if code != 20]  # noqa: PLR2004  # Corsica's old number
_STEP: Final = 7_368_787  # coprime with MANY_PEOPLE, so that neighbours in the index are no neighbours in number
_STEP_BACK: Final = pow(_STEP, -1, MANY_PEOPLE)
_SIZES: Final = (2, 50, 12, len(_MAINLAND), 400)  # sex, year, month, département, commune; what is left: the order
_SAMPLE: Final = 100_000
"""So many are enough to know people of every département by."""


class People(Protocol):
    """A list of insured people."""

    count: int

    def number(self, index: int) -> str:
        """The canonical number, 13 characters."""

    def find(self, number: str) -> int | None:
        """Who bears this canonical number; None: nobody of the list."""


class DemoPeople:
    """The demo portal's people. A number once written is found again without arithmetic."""

    def __init__(self) -> None:
        self.count = COUNT
        self._numbers: dict[int, str] = {}
        self._bearers: dict[str, int] = {}

    def number(self, index: int) -> str:
        """See People."""
        number = self._numbers.get(index)
        if number is None:
            number = self._numbers[index] = number_of(index)
            self._bearers[number] = index
        return number

    def find(self, number: str) -> int | None:
        """See People."""
        index = self._bearers.get(number)
        return index_of(number) if index is None else index


class ManyPeople:
    """Twenty million people whose numbers are their index, stirred."""

    def __init__(self) -> None:
        self.count = MANY_PEOPLE

    def number(self, index: int) -> str:
        """See People; ValueError outside the list."""
        if not 0 <= index < MANY_PEOPLE:
            raise ValueError(f"index {index} found, 0 to {MANY_PEOPLE - 1} expected")
        rest = index * _STEP % MANY_PEOPLE
        digits = []
        for size in _SIZES:
            rest, digit = divmod(rest, size)
            digits.append(digit)
        sex, year, month, departement, commune = digits
        return f"{sex + 1}{year + 50}{month + 1:02d}{_MAINLAND[departement]}{commune + 1:03d}{rest + 1:03d}"

    def find(self, number: str) -> int | None:
        """See People."""
        if number[5:7] not in _MAINLAND or not number.isdecimal():
            return None
        digits = (
            int(number[0]) - 1,
            int(number[1:3]) - 50,
            int(number[3:5]) - 1,
            _MAINLAND.index(number[5:7]),
            int(number[7:10]) - 1,
        )
        if not all(0 <= digit < size for digit, size in zip(digits, _SIZES, strict=True)):
            return None
        whole = int(number[10:]) - 1
        for digit, size in zip(reversed(digits), reversed(_SIZES), strict=True):
            whole = whole * size + digit
        return whole * _STEP_BACK % MANY_PEOPLE if 0 <= whole < MANY_PEOPLE else None


class Residents:
    """Who of a list was born where: the people that the portal of one town sees most are born around it."""

    def __init__(self, people: People) -> None:
        self.people = people
        born: defaultdict[str, list[int]] = defaultdict(list)
        step = max(1, people.count // _SAMPLE)
        for index in range(0, people.count, step):
            born[people.number(index)[5:7]].append(index)
        self._born = dict(born)
        self.departements: Sequence[str] = [code for code in _MAINLAND if code in born]

    def draw(self, departement: str, local_share: float, rng: Random) -> int:
        """Somebody: with that probability of the département, else anybody."""
        local = self._born[departement]
        if rng.random() < local_share:
            return local[int(rng.random() * len(local))]
        return int(rng.random() * self.people.count)
