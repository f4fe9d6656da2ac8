# SPDX-License-Identifier: EUPL-1.2
"""The people of an incident, one after the other as the ledger gives their look-ups: whom the list will name."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.incident.exposed import categories_of
from gateway.ledger.officer_key import OFFICER_ID_BYTES
from gateway.ledger.seal import KEY_ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.ledger.span import Look

SEALS_OF_ONE_OFFICER: Final = 2
"""Sealed numbers kept of one person for each officer's key, under different data keys: if a row was damaged, another
may open."""


class Sealed(NamedTuple):
    """One sealed number, and the request of its row, which goes into its additional data."""

    request: bytes
    number: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """Everything about one person that the list tells. Times in microseconds since 1970. `seals`: none was sealed."""

    pseudonym: bytes
    categories: tuple[str, ...]
    teleservices: tuple[str, ...]
    accounts: tuple[str, ...]
    first: int
    last: int
    looks: int
    seals: tuple[Sealed, ...]


def people(looks: Iterable[Look], officers: Mapping[bytes, bytes]) -> Iterator[Person]:
    """Each person once, in the order of the pseudonyms. `officers`: whose key the data key of this id is sealed to."""
    for pseudonym, own in groupby(looks, key=attrgetter("pseudonym")):
        if pseudonym is not None:
            yield _person(pseudonym, own, officers)


def officers_of(data_keys: Iterable[bytes]) -> dict[bytes, bytes]:
    """From the ids of data keys to the ids of the officer's keys that open them."""
    return {key[:KEY_ID_BYTES]: key[KEY_ID_BYTES : KEY_ID_BYTES + OFFICER_ID_BYTES] for key in data_keys}


def _person(pseudonym: bytes, own: Iterable[Look], officers: Mapping[bytes, bytes]) -> Person:
    accounts: dict[str, None] = {}
    teleservices: dict[str, None] = {}
    categories: dict[str, None] = {}
    seals: dict[bytes, dict[bytes, Sealed]] = {}
    first = last = looks = 0
    for look in own:
        place = look.place
        accounts[place.account] = None
        teleservices[place.teleservice or ""] = None
        categories.update(dict.fromkeys(categories_of(place.categories)))
        first = look.at if not looks else min(first, look.at)
        last = look.at if not looks else max(last, look.at)
        looks += 1
        if look.sealed is not None and look.request is not None:
            key_id = look.sealed[:KEY_ID_BYTES]
            kept = seals.setdefault(officers.get(key_id, b""), {})
            if len(kept) < SEALS_OF_ONE_OFFICER:
                kept.setdefault(key_id, Sealed(look.request, look.sealed))
    chosen = tuple(one for kept in seals.values() for one in kept.values())
    return Person(
        pseudonym,
        tuple(sorted(categories)),
        tuple(sorted(teleservices)),
        tuple(sorted(accounts)),
        first,
        last,
        looks,
        chosen,
    )
