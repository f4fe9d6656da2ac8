# SPDX-License-Identifier: EUPL-1.2
"""Our cookie is read by exact bytes, or the request is refused (faults 0.2, F1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.identity.cookie import read_cookie
from gateway.model import Reason

NAME = b"__Host-herse"
TOKEN = b"q" * 43
TCHAR = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def refused(*values: bytes) -> bool:
    try:
        read_cookie(values, NAME)
    except Refused as error:
        return error.reason is Reason.COOKIE_AMBIGUOUS
    return False


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], None),
        ([b""], None),
        ([b"a=b; c=d"], None),
        ([NAME + b"=" + TOKEN], TOKEN),
        ([b"a=b; " + NAME + b"=" + TOKEN + b"; c=d"], TOKEN),
        ([b"a=b;" + NAME + b"=" + TOKEN + b";c"], TOKEN),
        ([b"a=b", b"c=d; \t" + NAME + b" \t=\t " + TOKEN + b" "], TOKEN),
        ([NAME + b"="], b""),
        ([NAME + b"=a=b"], b"a=b"),
        # names that hold ours are other names
        ([NAME + b"-console=x; x" + NAME + b"=y; $" + NAME + b"=z"], None),
        ([b"$Version=1; a=" + NAME], None),
        ([b"__host-herse=x; __HOST-HERSE=y"], None),
        # a cookie without a name, whose value reads like ours, is not ours
        ([NAME], None),
        ([b"=" + NAME + b"=x"], None),
        ([b'a="' + NAME + b'=x"'], None),
    ],
)
def test_F1_exact_names_only(values, found):
    assert read_cookie(values, NAME) == found


def test_F1_two_cookies_of_our_name_are_refused():
    assert refused(NAME + b"=a; " + NAME + b"=b")
    assert refused(NAME + b"=a; " + NAME + b"=a")
    assert refused(NAME + b"=a", b"x=y", NAME + b"=b")
    assert refused(NAME + b"=; " + NAME + b"=a")


def test_F1_a_quoted_value_is_refused():
    assert refused(NAME + b'="' + TOKEN + b'"')
    assert refused(NAME + b'= "')


@pytest.mark.parametrize("odd", [byte for byte in range(256) if byte not in TCHAR and byte not in b" \t;="])
def test_F1_a_name_that_is_ours_without_its_odd_edges_is_refused(odd):
    edge = bytes([odd])
    assert refused(edge + NAME + b"=evil")
    assert refused(NAME + edge + b"=evil")
    assert refused(b"a=b; " + edge + b" " + NAME + b" " + edge + b"=evil; " + NAME + b"=" + TOKEN)


@pytest.mark.parametrize("odd", ["\u00a0", "\u0085", "\u2028", "\u3000", "\ufeff", "\x0b", "\x1c"])
def test_F1_odd_edges_in_utf8_are_refused(odd):
    assert refused(odd.encode() + NAME + b"=evil")


@given(st.lists(st.binary(max_size=80), max_size=3))
def test_F1_what_is_read_stands_in_the_header_under_exactly_our_name(pieces):
    header = b"; ".join([*pieces, NAME + b"=" + TOKEN, *pieces])
    try:
        found = read_cookie([header], NAME)
    except Refused:
        return
    assert found == TOKEN


@given(st.binary(max_size=12), st.binary(max_size=12), st.binary(max_size=12))
def test_F1_only_spaces_and_tabs_are_stripped(before, after, value):
    header = before + NAME + after + b"=" + value
    if b";" in header or b"=" in before + after:
        return
    exact = before.strip(b" \t") == b"" and after.strip(b" \t") == b""
    try:
        found = read_cookie([header], NAME)
    except Refused:
        assert not exact or value.strip(b" \t").startswith(b'"')
    else:
        assert (found is not None) == exact
