# SPDX-License-Identifier: EUPL-1.2
"""Twenty million people by arithmetic, and the demo's own."""

from __future__ import annotations

from random import Random

import pytest

from gateway.demo.people import COUNT, number_of
from gateway.drill.people import MANY_PEOPLE, DemoPeople, ManyPeople
from gateway.metering.patient import parse_patient_number


def test_each_of_twenty_million_has_a_number_of_his_own_and_is_found_by_it():
    people = ManyPeople()
    indexes = [0, 1, MANY_PEOPLE - 1, *range(0, MANY_PEOPLE, 9_973)]
    numbers = [people.number(index) for index in indexes]
    assert [people.find(number) for number in numbers] == indexes
    assert len(set(numbers)) == len(set(indexes))
    assert all(parse_patient_number(number) == number for number in numbers[:500])


@pytest.mark.parametrize("index", [-1, MANY_PEOPLE])
def test_nobody_stands_outside_the_list(index):
    with pytest.raises(ValueError, match=str(index)):
        ManyPeople().number(index)


@pytest.mark.parametrize(
    "number",
    [
        *("3500101001001", "1490101001001", "1501301001001", "1500196001001", "150012A001001", "1500120001001"),
        *("1500101401001", "1500101001000", "1500101001999", "7112345678901"),
    ],
)
def test_a_number_of_nobody_is_not_found(number):
    assert ManyPeople().find(number) is None


def test_the_demos_people_are_the_demos():
    people = DemoPeople()
    assert people.count == COUNT
    assert people.number(12_345) == number_of(12_345)
    assert people.find(number_of(12_345)) == 12_345
    assert people.find(number_of(54_321)) == 54_321
    assert people.find("1500101001001") is None


def test_people_of_a_departement_are_drawn_as_often_as_told(residents):
    rng, people = Random(2), residents.people
    drawn = [residents.draw("69", 0.5, rng) for _ in range(2_000)]
    share = sum(people.number(index)[5:7] == "69" for index in drawn) / len(drawn)
    assert share == pytest.approx(0.51, abs=0.04)
