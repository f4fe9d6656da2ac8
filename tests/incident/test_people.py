# SPDX-License-Identifier: EUPL-1.2
"""people: each person once, with all that was shown of him, and sealed numbers for every officer who may be asked."""

from __future__ import annotations

from gateway.incident.people import officers_of, people
from gateway.ledger.event import microseconds
from support.incident_rows import NOON, look, mark

OFFICERS = {b"key-0001": b"officer1", b"key-0002": b"officer1", b"key-0003": b"officer1", b"key-0004": b"officer2"}


def sealed(key: int) -> bytes:
    return b"key-%04d" % key + b"counter." + b"ciphertext"


def test_each_person_is_told_once_with_everything():
    looks = [
        look(1, 60, "B12", teleservice="patients", categories='["rights"]'),
        look(1, 0, "A12", categories='["identity", "birth"]'),
        look(1, 30, "A12", teleservice=None, categories=None),
        look(2, 5),
    ]
    first, second = people(looks, {})
    assert (first.pseudonym, second.pseudonym) == (mark(1), mark(2))
    assert first.categories == ("birth", "identity", "rights")
    assert first.accounts == ("A12", "B12")
    assert first.teleservices == ("", "infopatient", "patients")
    assert (first.first, first.last) == (microseconds(NOON), microseconds(NOON) + 60_000_000)
    assert (first.looks, second.looks) == (3, 1)
    assert second.seals == ()


def test_whom_the_ledger_does_not_know_is_nobody_to_list():
    assert list(people([look(None), look(None, 5)], {})) == []


def test_two_seals_of_each_officer_are_kept_under_different_keys():
    looks = [look(1, place, sealed=sealed(key)) for place, key in enumerate((1, 1, 2, 3, 4, 9))]
    (person,) = people(looks, OFFICERS)
    assert [one.number[:8] for one in person.seals] == [b"key-0001", b"key-0002", b"key-0004", b"key-0009"]
    assert {one.request for one in person.seals} == {b"r" * 16}


def test_a_row_of_a_data_key_tells_whose_it_is():
    rows = [key + officer + b"message" for key, officer in OFFICERS.items()]
    assert officers_of(rows) == OFFICERS
