# SPDX-License-Identifier: EUPL-1.2
"""Shapes of the fictive insurance numbers: which kinds there are, and a bijection between counters and numbers.

Pure: no clock, no random, nothing stored. A number is one word out of each alphabet of its kind, written one after the
other, 13 characters in all. A counter below `Kind.people` is spread over all numbers of that shape by a three-round
Feistel walk over two halves, which is undone exactly: so a number tells its counter, and no table is needed.
The numbers are invented; some may by chance belong to somebody. They are for demos and tests only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from math import prod

_SHAPE = re.compile(r"[1-8][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}(?P<key>[0-9]{2})?")
_KEYLESS = re.compile(r"[5-8][12][0-9]{11}")
_CORSICA = {"2A": "19", "2B": "18"}
_MASK = (1 << 64) - 1


def mix(value: int, salt: int) -> int:
    """A well-stirred 48-bit number out of two small ones (multiply and shift, as in SplitMix64). Not secret."""
    stirred = ((value + salt + 1) * 0x9E3779B97F4A7C15) & _MASK
    stirred = ((stirred ^ (stirred >> 31)) * 0xBF58476D1CE4E5B9) & _MASK
    return stirred >> 16


def _counted(first: int, last: int, width: int) -> tuple[str, ...]:
    return tuple(f"{value:0{width}d}" for value in range(first, last + 1))


def _walked(values: tuple[int, int], sizes: tuple[int, int], salts: tuple[int, ...]) -> tuple[int, int]:
    front, back = values
    front_size, back_size = sizes
    front = (front + mix(back, salts[0])) % front_size
    back = (back + mix(front, salts[1])) % back_size
    return (front + mix(back, salts[2])) % front_size, back


def _unwalked(values: tuple[int, int], sizes: tuple[int, int], salts: tuple[int, ...]) -> tuple[int, int]:
    front, back = values
    front_size, back_size = sizes
    front = (front - mix(back, salts[2])) % front_size
    back = (back - mix(front, salts[1])) % back_size
    return (front - mix(back, salts[0])) % front_size, back


@dataclass(frozen=True)
class Kind:
    """One kind of number: its alphabets from left to right, and how many fictive people bear such a number.

    `fronts` is the number of alphabets in the first half of the Feistel walk; `keyed` tells whether a two-digit key
    follows when the number is written out.
    """

    name: str
    people: int
    fronts: int
    alphabets: tuple[tuple[str, ...], ...]
    keyed: bool = True

    @cached_property
    def _sizes(self) -> tuple[int, int]:
        lengths = [len(alphabet) for alphabet in self.alphabets]
        return prod(lengths[: self.fronts]), prod(lengths[self.fronts :])

    @cached_property
    def _salts(self) -> tuple[int, ...]:
        return tuple(mix(sum(self.name.encode()), turn) for turn in range(3))

    @cached_property
    def _places(self) -> tuple[tuple[int, int, dict[str, int]], ...]:
        places = []
        start = 0
        for alphabet in self.alphabets:
            end = start + len(alphabet[0])
            places.append((start, end, {word: digit for digit, word in enumerate(alphabet)}))
            start = end
        return tuple(places)

    @property
    def capacity(self) -> int:
        """How many different numbers have this shape."""
        return prod(self._sizes)

    def number(self, counter: int) -> str:
        """Write the number of `counter` (0 <= counter < people), 13 characters without key."""
        back_size = self._sizes[1]
        front, back = _walked(divmod(counter, back_size), self._sizes, self._salts)
        rest = front * back_size + back
        words = []
        for alphabet in reversed(self.alphabets):
            rest, digit = divmod(rest, len(alphabet))
            words.append(alphabet[digit])
        return "".join(reversed(words))

    def counter(self, number: str) -> int | None:
        """Undo `number`: the counter, or None when the shape is another kind's or nobody bears the number."""
        whole = 0
        for start, end, digits in self._places:
            digit = digits.get(number[start:end])
            if digit is None:
                return None
            whole = whole * len(digits) + digit
        back_size = self._sizes[1]
        front, back = _unwalked(divmod(whole, back_size), self._sizes, self._salts)
        counter = front * back_size + back
        return counter if counter < self.people else None


_SEXES = ("1", "2")
_YEARS = _counted(0, 99, 2)
_MONTHS = _counted(1, 12, 2)
_NO_MONTHS = (*_counted(20, 42, 2), *_counted(50, 99, 2))
_MAINLAND = tuple(code for code in _counted(1, 95, 2) if code != "20")
_COMMUNES = _counted(1, 400, 3)
_OVERSEAS = ("971", "972", "973", "974", "975", "976", "977", "978", "986", "987", "988")
_COUNTRIES = ("109", "127", "131", "134", "139", "208", "216", "243", "322", "326", "335", "341", "350", "351", "352")
_ORDERS = _counted(1, 999, 3)
_ORIGINS = ("1", "2")  # how a provisional number came to be, in its second place
_FUNDS = _counted(11, 974, 3)

KINDS: tuple[Kind, ...] = (
    Kind("mainland", 426_000, 3, (_SEXES, _YEARS, _MONTHS, _MAINLAND, _COMMUNES, _ORDERS)),
    Kind("abroad", 38_000, 3, (_SEXES, _YEARS, _MONTHS, ("99",), _COUNTRIES, _ORDERS)),
    Kind("overseas", 20_000, 3, (_SEXES, _YEARS, _MONTHS, _OVERSEAS, _counted(1, 40, 2), _ORDERS)),
    Kind("month-unknown", 8_000, 3, (_SEXES, _YEARS, _NO_MONTHS, ("99",), _COUNTRIES, _ORDERS)),
    Kind("corsica", 6_000, 3, (_SEXES, (*_YEARS[76:], *_YEARS[:26]), _MONTHS, ("2A", "2B"), _COMMUNES, _ORDERS)),
    Kind("corsica-before-1976", 4_000, 3, (_SEXES, _YEARS[26:76], _MONTHS, ("20",), _COMMUNES, _ORDERS)),
    # Years from 30 on: a 13-digit number that begins with 7 or 8 and then 1 or 2 is a provisional one, without key.
    Kind("registering", 4_000, 3, (("3", "4", "7", "8"), _YEARS[30:], _MONTHS, _MAINLAND, _COMMUNES, _ORDERS)),
    Kind("provisional", 3_000, 3, (("7", "8"), _ORIGINS, _FUNDS, *(_counted(0, 9999, 4),) * 2), keyed=False),
    Kind("passing-migrant", 1_000, 3, (("5", "6"), _ORIGINS, _FUNDS, *(_counted(0, 9999, 4),) * 2), keyed=False),
)


def key_of(number: str) -> int:
    """Key of a 13-character number, 1 to 97: 97 - (number mod 97), with 2A read as 19 and 2B as 18."""
    department = number[5:7]
    return 97 - int(number[:5] + _CORSICA.get(department, department) + number[7:]) % 97


def canonical(text: str) -> str | None:
    """Canonical 13 characters of a typed number (13, or 15 with the right key; spaces, lower case), else None."""
    compact = text.replace(" ", "").upper()
    shape = _SHAPE.fullmatch(compact)
    if shape is None:
        return None
    number, key = compact[:13], shape["key"]
    if key is None:
        return number
    if _KEYLESS.fullmatch(number) or int(key) != key_of(number):
        return None
    return number


def written(number: str) -> str:
    """The number as people read it: grouped, with its key where it has one."""
    if _KEYLESS.fullmatch(number):
        return " ".join((number[0], number[1], number[2:5], number[5:9], number[9:]))
    groups = (number[0], number[1:3], number[3:5], number[5:7], number[7:10], number[10:], f"{key_of(number):02d}")
    return " ".join(groups)
