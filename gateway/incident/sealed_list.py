# SPDX-License-Identifier: EUPL-1.2
"""The list still sealed: what the operator hands to the officer, who opens it on a machine of his own.

JSON Lines: a heading, the data keys (sealed to the officer), one line for each person, and an end with their number, so
that a file cut on its way is seen. Bytes are in hexadecimal. Read strictly, line by line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from gateway.incident.incident import IncidentError
from gateway.incident.people import Person, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VERSION: Final = 1
LONGEST_LINE: Final = 1_000_000
_COUNT_LIMIT: Final = 250_000_000_000_000_000
"""Microseconds since 1970 up to the year 9892."""
_encoded: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_HEADING: Final = "herse-sealed-list"


def heading(incident: str, data_keys: int, looks: int) -> str:
    """The first line; `looks`: how many look-ups the people were read from."""
    return _line({_HEADING: VERSION, "incident": incident, "data_keys": data_keys, "looks": looks})


def key_line(data_key: bytes) -> str:
    """A data key as its row has it."""
    return _line({"data_key": data_key.hex()})


def person_line(person: Person) -> str:
    """One person."""
    return _line(
        {
            "pseudonym": person.pseudonym.hex(),
            "categories": person.categories,
            "teleservices": person.teleservices,
            "accounts": person.accounts,
            "first": person.first,
            "last": person.last,
            "looks": person.looks,
            "seals": [[one.request.hex(), one.number.hex()] for one in person.seals],
        }
    )


def ending(people: int) -> str:
    """The last line."""
    return _line({"end": people})


class SealedList:
    """A sealed list, read as it comes: `data_keys` first, then `people` to their end. IncidentError names the line."""

    def __init__(self, lines: Iterable[str], name: str) -> None:
        self._lines = iter(lines)
        self._name = name
        self._number = 0
        found = self._next("the heading of a sealed list")
        if found.get(_HEADING) != VERSION or any(type(found.get(key)) is not int for key in ("data_keys", "looks")):
            raise self._wrong(f"the heading of a sealed list of version {VERSION}, from `herse incident export`")
        self.incident = str(found.get("incident"))
        self.looks: int = found["looks"]
        self._keys: int = found["data_keys"]

    def data_keys(self) -> list[bytes]:
        """The data keys as their rows had them."""
        expected = f"{self._keys} data keys after the heading"
        keys = []
        for _ in range(self._keys):
            try:
                keys.append(bytes.fromhex(self._next(expected)["data_key"]))
            except (KeyError, TypeError, ValueError):
                raise self._wrong(expected) from None
        return keys

    def people(self) -> Iterator[Person]:
        """Each person; the list must end as it was ended."""
        read = 0
        while True:
            found = self._next("a person, or the end of the list: it was cut")
            if "end" in found:
                break
            yield self._person(found)
            read += 1
        if found["end"] != read or next(self._lines, None) is not None:
            raise self._wrong(f"the end after {read} people, and nothing after it")

    def _person(self, found: dict[str, Any]) -> Person:
        try:
            return Person(
                pseudonym=bytes.fromhex(found["pseudonym"]),
                categories=_texts(found["categories"]),
                teleservices=_texts(found["teleservices"]),
                accounts=_texts(found["accounts"]),
                first=_count(found["first"]),
                last=_count(found["last"]),
                looks=_count(found["looks"]),
                seals=tuple(Sealed(bytes.fromhex(one), bytes.fromhex(other)) for one, other in found["seals"]),
            )
        except (KeyError, TypeError, ValueError):
            raise self._wrong("a person of a sealed list") from None

    def _next(self, expected: str) -> dict[str, Any]:
        self._number += 1
        try:
            line = next(self._lines, "")
            found = json.loads(line) if len(line) <= LONGEST_LINE else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._wrong(expected)
        return found

    def _wrong(self, expected: str) -> IncidentError:
        return IncidentError(
            f"{self._name}, line {self._number}: not as it was written; expected {expected}. Export the list again, "
            "and compare the sizes of both files."
        )


def _line(values: dict[str, Any]) -> str:
    return f"{_encoded(values)}\n"


def _count(found: object) -> int:
    if type(found) is not int or not 0 <= found < _COUNT_LIMIT:
        raise ValueError("no count, and no time")
    return found


def _texts(found: list[Any]) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise TypeError("no list of texts")
    return tuple(found)
