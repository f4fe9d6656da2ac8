# SPDX-License-Identifier: EUPL-1.2
"""The 510,000: all different, each found by the number it bears, every kind in its share, nothing that changes."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.number import KINDS
from gateway.demo.people import COUNT, find, index_of, number_of, person

SHARES = {
    "mainland": 426_000,
    "abroad": 38_000,
    "overseas": 20_000,
    "month-unknown": 8_000,
    "corsica": 6_000,
    "corsica-before-1976": 4_000,
    "registering": 4_000,
    "provisional": 3_000,
    "passing-migrant": 1_000,
}
indexes = st.integers(0, COUNT - 1)


def test_all_510_000_are_different_and_found_by_their_number():
    numbers = [number_of(index) for index in range(COUNT)]
    assert len(set(numbers)) == COUNT == 510_000
    assert all(index_of(number) == index for index, number in enumerate(numbers))


def test_the_shares_of_the_kinds():
    assert {kind.name: kind.people for kind in KINDS} == SHARES
    assert sum(SHARES.values()) == COUNT


def test_each_stretch_of_the_list_holds_many_kinds():
    kinds = Counter(person(index).kind for index in range(5_000))
    assert set(kinds) == set(SHARES)
    assert all(0.5 < kinds[name] / 5_000 / (share / COUNT) < 1.5 for name, share in SHARES.items())


@given(indexes)
def test_a_person_is_found_by_every_spelling_of_the_number(index):
    one = person(index)
    assert one == person(index)
    assert find(one.number) == find(one.written_number) == find(one.number.lower()) == find(f" {one.number} ") == one
    if one.key is not None:
        assert find(one.number + one.key) == one


@given(indexes)
def test_a_person_agrees_with_the_number(index):
    one = person(index)
    assert one.sex == ("M" if int(one.number[0]) % 2 else "F")
    assert len(one.first_names) == len(set(one.first_names)) == 2
    assert one.rights.complement in {None, "C2S", "AME"}
    if one.kind in {"provisional", "passing-migrant"}:
        assert one.key is None
    else:
        assert f"{one.birth.year % 100:02d}" == one.number[1:3]
    if one.kind == "month-unknown":
        assert one.birth.month is one.birth.day is None
        assert one.birth.iso == str(one.birth.year)
        assert "inconnu" in one.birth.french
    else:
        day = date(one.birth.year, one.birth.month, one.birth.day)
        assert one.birth.iso == day.isoformat()
        assert one.birth.french == day.strftime("%d/%m/%Y")
        assert date(1926, 1, 1) <= day <= date(2025, 12, 31)
    if one.kind == "corsica":
        assert one.birth.year >= 1976
    if one.kind == "corsica-before-1976":
        assert one.birth.year < 1976


@given(st.from_regex(r"[12][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9]|75)[0-9]{6}", fullmatch=True))
def test_hardly_any_invented_number_is_somebodys(number):
    found = find(number)
    assert found is None or found.number == number


@pytest.mark.parametrize("index", [-1, COUNT])
def test_there_is_nobody_outside(index):
    with pytest.raises(ValueError, match="expected"):
        person(index)


def test_the_people_never_change():
    """Two processes, and two versions, must agree about everybody: what these say is written down elsewhere."""
    assert [number_of(index) for index in (0, 1, 255_000, COUNT - 1)] == PINNED


PINNED = ["1110978047110", "1551116038371", "2190546229666", "1250732209898"]
