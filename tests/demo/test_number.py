# SPDX-License-Identifier: EUPL-1.2
"""Shapes of the fictive numbers: keys by an independent formula, each kind's bijection, what counts as a number."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.number import KINDS, canonical, key_of, written

# Shape of a number with key as the health insurance's own validation library has it, and of those without.
OFFICIAL = re.compile(r"[12]\d{2}(0[1-9]|1[0-2]|[2-9]\d)(\d{2}|2A|2B)\d{3}\d{3}")
SHAPES = {
    "mainland": re.compile(r"[12]\d\d(0[1-9]|1[0-2])(?!20)(0[1-9]|[1-8]\d|9[0-5])\d{6}"),
    "abroad": re.compile(r"[12]\d\d(0[1-9]|1[0-2])99\d{6}"),
    "overseas": re.compile(r"[12]\d\d(0[1-9]|1[0-2])9[78]\d\d{5}"),
    "month-unknown": re.compile(r"[12]\d\d(2\d|3\d|4[0-2]|[5-9]\d)\d{8}"),
    "corsica": re.compile(r"[12](7[6-9]|[89]\d|0\d|1\d|2[0-5])(0[1-9]|1[0-2])2[AB]\d{6}"),
    "corsica-before-1976": re.compile(r"[12](2[6-9]|[3-6]\d|7[0-5])(0[1-9]|1[0-2])20\d{6}"),
    "registering": re.compile(r"[3478][3-9]\d(0[1-9]|1[0-2])\d{8}"),
    "provisional": re.compile(r"[78][12]\d{3}\d{8}"),
    "passing-migrant": re.compile(r"[56][12]\d{3}\d{8}"),
}
_VECTORS = """255081416802538 295109912611193 284058832102532 284052A32102552 284052B32102579 284202B32102528
    284992B32102531 253072B07300470 253072A07300443 269054958815780 185057800607897 185057800607701"""
PUBLIC_VECTORS = _VECTORS.split()

kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def independent_key(number: str) -> int:
    """The rule in its other wording: Corsica's letters count as zero, less one or two million; complement to 97."""
    less = {"A": 1_000_000, "B": 2_000_000}.get(number[6], 0)
    return 97 - (int(number.replace("A", "0").replace("B", "0")) - less) % 97


@kinds
@given(data=st.data())
def test_a_number_tells_its_counter_and_has_its_kinds_shape(kind, data):
    counter = data.draw(st.integers(0, kind.people - 1))
    number = kind.number(counter)
    assert SHAPES[kind.name].fullmatch(number)
    assert kind.counter(number) == counter
    assert [other.name for other in KINDS if other.counter(number) is not None] == [kind.name]
    if number[0] in "12":
        assert OFFICIAL.fullmatch(number)


@kinds
def test_only_the_people_of_a_kind_bear_its_numbers(kind):
    assert kind.capacity >= kind.people
    assert kind.counter(kind.number(kind.people - 1)) == kind.people - 1
    assert kind.counter(kind.number(kind.people)) is None
    assert kind.counter("0000000000000") is None


@pytest.mark.parametrize("vector", PUBLIC_VECTORS)
def test_public_vectors_have_the_key_we_compute(vector):
    assert f"{key_of(vector[:13]):02d}" == vector[13:] == f"{independent_key(vector[:13]):02d}"
    assert canonical(vector) == vector[:13]
    assert canonical(written(vector[:13]).lower()) == vector[:13]


@kinds
@given(data=st.data())
def test_the_key_agrees_with_an_independent_formula(kind, data):
    number = kind.number(data.draw(st.integers(0, kind.people - 1)))
    assert canonical(number) == canonical(written(number)) == number
    if kind.keyed:
        assert 1 <= key_of(number) == independent_key(number) <= 97
        wrong = key_of(number) % 97 + 1
        assert canonical(f"{number}{wrong:02d}") is None
    else:
        assert canonical(f"{number}{key_of(number):02d}") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "185057800608437",  # wrong key
        "185057800608400",
        "18505780060840",
        "1850578006084918",
        "185052C00408495",
        "185A57800608491",
        "0850578006084",
        "9850578006084",
        "1850578006084\n",
        "1850578006084\x00",
        "1-85-05-78-006-084",
        "".join(chr(0xFF10 + int(digit)) for digit in "1850578006084"),  # full-width
        "1\u00a0850578006084",
        "١٨٥٠٥٧٨٠٠٦٠٨٤",
        "711231234567812",  # a provisional number has no key
    ],
)
def test_what_is_no_number(text):
    assert canonical(text) is None


@given(st.text())
def test_any_text_is_a_number_or_not(text):
    number = canonical(text)
    assert number is None or re.fullmatch(r"[1-8][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}", number)
