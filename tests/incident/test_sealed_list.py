# SPDX-License-Identifier: EUPL-1.2
"""sealed_list: what one side writes the other reads, and whatever was cut, added or changed on the way is told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.incident.incident import IncidentError
from gateway.incident.people import Person, Sealed
from gateway.incident.sealed_list import LONGEST_LINE, SealedList, ending, heading, key_line, person_line

KEYS = [b"key-0001officer1" + b"m" * 40, b"key-0002officer1" + b"m" * 40]
NAMES = st.lists(st.text(max_size=8), max_size=3).map(tuple)
SEALS = st.lists(st.builds(Sealed, st.binary(max_size=16), st.binary(max_size=40)), max_size=3).map(tuple)
TIMES = st.integers(0, 10**17)
PEOPLE = st.lists(
    st.builds(Person, st.binary(max_size=16), NAMES, NAMES, NAMES, TIMES, TIMES, TIMES, SEALS), max_size=4
)


def written(people) -> list[str]:
    return [heading("2026-11-20-1", 2, 9), *map(key_line, KEYS), *map(person_line, people), ending(len(people))]


PERSON = Person(b"p" * 16, ("identity",), ("infopatient",), ("A12",), 1, 2, 1, (Sealed(b"r" * 16, b"sealed"),))
LINES = written([PERSON, PERSON])


def read(lines) -> list[Person]:
    found = SealedList(lines, "list.jsonl")
    found.data_keys()
    return list(found.people())


@given(PEOPLE)
def test_it_is_read_as_it_was_written(people):
    found = SealedList(written(people), "list.jsonl")
    assert (found.incident, found.looks) == ("2026-11-20-1", 9)
    assert found.data_keys() == KEYS
    assert list(found.people()) == people


@pytest.mark.parametrize("left", range(len(LINES)))
def test_a_list_that_was_cut_is_told_at_its_line(left):
    with pytest.raises(IncidentError, match=rf"list\.jsonl, line {left + 1}: not as it was written"):
        read(LINES[:left])
    with pytest.raises(IncidentError, match=rf"line {left + 1}:"):
        read([*LINES[:left], LINES[left][: len(LINES[left]) // 2]])


def test_what_was_taken_out_or_added_is_told():
    for lines in (LINES[:3] + LINES[4:], [*LINES, LINES[3]], [*LINES[:4], LINES[3], *LINES[4:]], LINES[:1] + LINES[2:]):
        with pytest.raises(IncidentError, match="not as it was written"):
            read(lines)


def changed(place: int, **values: object) -> list[str]:
    line = json.dumps(json.loads(LINES[place]) | values)
    return [*LINES[:place], line, *LINES[place + 1 :]]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["nir;categories\n"],
        ["[]\n"],
        [LINES[1]],
        changed(0, **{"herse-sealed-list": 2}),
        changed(0, data_keys="2"),
        changed(0, looks=None),
        changed(1, data_key="xyz"),
        changed(1, data_key=7),
        changed(3, pseudonym="xyz"),
        changed(3, accounts="A12"),
        changed(3, accounts=[1]),
        changed(3, first="1"),
        changed(3, first=-1),
        changed(3, last=10**18),
        changed(3, looks=True),
        changed(3, seals=[["00"]]),
        changed(3, seals=7),
        changed(5, end=3),
        changed(5, end=None),
        [*LINES[:3], "[" * 100_000],
        [*LINES[:3], f'{{"pad":"{"x" * LONGEST_LINE}"}}'],
    ],
)
def test_what_is_no_sealed_list_is_told(lines):
    with pytest.raises(IncidentError, match="Export the list again"):
        read(lines)
