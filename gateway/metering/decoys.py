# SPDX-License-Identifier: EUPL-1.2
"""Numbers that nobody has: whoever asks for one works through a list. Pure: text in, pseudonyms out.

A decoy must not be a living person's number. So each fails its key (15 characters), or carries what is never given: the
commune 000 or the order 000. Anything else is refused with its line. Only pseudonyms are kept, never a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.errors import ConfigurationError, Fault, Refused
from gateway.metering.patient import nir_key, parse_patient_number

if TYPE_CHECKING:
    from collections.abc import Callable

_WRITTEN: Final = re.compile(r"([1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6})([0-9]{2})?")
_NEVER_GIVEN: Final = re.compile(r".{10}000|.{5}(?!9[78]).{2}000.{3}|.{5}9[78].00.{3}")
_EXPECTED: Final = (
    "a number that nobody can have: 15 characters whose key is wrong, or the commune 000 or the order 000; "
    "a number that could be a living person's is no decoy"
)


class Decoys:
    """The decoys of one gateway. `touched` costs one hash for a number with a wrong key, else a look into a set."""

    __slots__ = ("_found", "_pseudonym")

    def __init__(self, found: frozenset[bytes], pseudonym: Callable[[str], bytes]) -> None:
        self._found = found
        self._pseudonym = pseudonym

    def __len__(self) -> int:
        return len(self._found)

    def touched(self, pseudonym: bytes) -> bool:
        """Whether this is the pseudonym of a decoy."""
        return pseudonym in self._found

    def touched_by(self, text: str) -> bool:
        """Whether what was sent, though it is no number, is a decoy."""
        return bool(self._found) and self._pseudonym(_bare(text)) in self._found


def load_decoys(text: str, file: str, pseudonym: Callable[[str], bytes]) -> Decoys:
    """One number a line; spaces do not count, what follows a `#` is a comment. ConfigurationError with all faults."""
    found: set[bytes] = set()
    faults: list[Fault] = []
    for place, line in enumerate(text.splitlines(), 1):
        number = _bare(line.partition("#")[0])
        if number and _nobodys(number):
            found.add(pseudonym(_counted_as(number)))
        elif number:
            faults.append(Fault(file, place, "decoy", f"{len(number)} characters", _EXPECTED))  # the number is not told
    if faults:
        raise ConfigurationError(faults)
    return Decoys(frozenset(found), pseudonym)


def _bare(text: str) -> str:
    return "".join(text.split()).upper()


def _nobodys(number: str) -> bool:
    match = _WRITTEN.fullmatch(number)
    if match is None:
        return False
    canonical, key = match.groups()
    return bool(_NEVER_GIVEN.fullmatch(canonical)) or (key is not None and int(key) != nir_key(canonical))


def _counted_as(number: str) -> str:
    """A number that can be read stands for all its spellings; one with a wrong key for itself."""
    try:
        return parse_patient_number(number)
    except Refused:
        return number
