# SPDX-License-Identifier: EUPL-1.2
"""One canonical form for every spelling of an account, and nothing that only looks like one (fault I4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.identity.identifiers import (
    AccountError,
    canonical_identifier,
    parse_identifier,
    parse_label,
    parse_profession,
    parse_rpps,
)
from gateway.model import Reason


def wide(text: str) -> str:
    """The full-width forms, which some software takes for the digits."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("750012346", "750012346"),
        (" 75 001 2346 ", "750012346"),
        ("2a0012346", "2A0012346"),
        ("cabinet-roux", "CABINET-ROUX"),
        ("abc", "ABC"),
        ("a" * 32, "A" * 32),
    ],
)
def test_I4_every_spelling_has_one_form(text, canonical):
    assert canonical_identifier(text) == canonical
    assert canonical_identifier(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "", "ab", "a" * 33, "-abc", "a/b/c", "a_b", "a.b@c", "abc\n", "\tabc", "abc\x00", wide("750012346"),
        "straße", "ﬁness", "d\u0131p", "75\u00a00012346", "\ud800abc", "é" * 5,
    ],
)  # fmt: skip
def test_I4_what_only_looks_like_an_identifier_is_refused(text):
    with pytest.raises(Refused) as refused:
        canonical_identifier(text)
    assert refused.value.reason is Reason.CREDENTIALS_WRONG
    with pytest.raises(AccountError, match="expected an AM or FINESS number"):
        parse_identifier(text)


@given(st.text(max_size=40))
def test_I4_the_canonical_form_is_stable_and_plain(text):
    try:
        canonical = canonical_identifier(text)
    except Refused:
        return
    assert canonical.isascii()
    assert canonical_identifier(canonical.lower()) == canonical
    assert parse_identifier(text) == canonical


@pytest.mark.parametrize(
    "number",
    ["99700218896", "10002813839", "10000000009", "10101010105", "99700000005", "10001234565", "1000 1234 565"],
)
def test_a_right_rpps_number(number):
    assert parse_rpps(number) == number.replace(" ", "")


@pytest.mark.parametrize(
    "number",
    [
        "10003456789",
        "",
        "1010101010",
        "101010101050",
        wide("10101010105"),
        "1010101010a",
    ],
)
def test_a_wrong_rpps_number(number):
    with pytest.raises(AccountError, match="expected 11 digits"):
        parse_rpps(number)


@given(st.text("0123456789", min_size=10, max_size=10))
def test_one_check_digit_in_ten_is_right(stem):
    right = 0
    for digit in "0123456789":
        try:
            right += parse_rpps(stem + digit) == stem + digit
        except AccountError:
            continue
    assert right == 1


def test_professions_are_a_closed_list():
    assert parse_profession("pharmacist") == "pharmacist"
    with pytest.raises(AccountError, match="expected one of: pharmacist, physician"):
        parse_profession("Pharmacist")


def test_labels_stay_one_printable_line():
    assert parse_label("  Pharmacie \n du  Port ", "title") == "Pharmacie du Port"
    for text in ("", "   ", "a" * 121, "a\x00b", "a\u202eb"):
        with pytest.raises(AccountError, match="as title"):
            parse_label(text, "title")
