# SPDX-License-Identifier: EUPL-1.2
"""Forms that are kept over a step-up."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.forms import FIELDS_AT_MOST, read_form

FORM = b"application/x-www-form-urlencoded"


@pytest.mark.parametrize("content_type", [FORM, FORM + b"; charset=utf-8", b"Application/X-WWW-Form-Urlencoded "])
def test_a_form_keeps_its_fields_and_their_order(content_type):
    assert read_form(content_type, b"b=2&a=1&b=&c=%C3%A9+d") == (("b", "2"), ("a", "1"), ("b", ""), ("c", "é d"))


@pytest.mark.parametrize("content_type", [b"", b"text/plain", b"multipart/form-data; boundary=x", b"application/json"])
def test_another_body_is_no_form(content_type):
    assert read_form(content_type, b"a=1") is None


@pytest.mark.parametrize(
    "body", [b"a", b"a=%ff", b"a=\xc3\xa9", b"a=1&&b=2", b"&".join([b"a=1"] * (FIELDS_AT_MOST + 1))]
)
def test_what_could_not_be_sent_again_as_it_was_is_not_kept(body):
    assert read_form(FORM, body) is None


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1, max_size=20))
def test_every_form_comes_back_as_it_was(fields):
    try:
        body = urlencode(fields).encode("ascii")
    except UnicodeEncodeError:  # lone surrogates have no bytes
        return
    assert read_form(FORM, body) == tuple(fields)
