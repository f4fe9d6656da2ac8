# SPDX-License-Identifier: EUPL-1.2
"""fields: decoded in the one way there is, or refused."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.metering.fields import (
    DEPTH_AT_MOST,
    FIELDS_AT_MOST,
    json_value,
    media_type,
    pairs,
    pointer_tokens,
    resembles,
)


def reason(act) -> str:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason.value.removeprefix("patient-number-")


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=6))
def test_what_a_browser_encodes_is_read_back(fields):
    sendable = [(name, value) for name, value in fields if name or value]
    try:
        encoded = urlencode(sendable).encode()
    except UnicodeEncodeError:
        return
    assert pairs(encoded) == sendable


@given(st.binary(max_size=30))
def test_what_is_read_is_what_a_typical_portal_reads(encoded: bytes):
    try:
        found = pairs(encoded)
    except Refused:
        return
    assert found == parse_qsl(encoded.decode("ascii"), keep_blank_values=True, strict_parsing=False)


def test_empty_fields_are_passed_over():
    assert pairs(b"") == []
    assert pairs(b"&a=1&&b&=c&") == [("a", "1"), ("b", ""), ("", "c")]


@pytest.mark.parametrize(
    "encoded",
    [
        b"a=%",
        b"a=%4",
        b"a=%zz",
        b"a=%u0041",
        b"a=%+1",
        b"a=%FF",
        b"a=%C0%AE",
        b"a=%ED%A0%80",
        b"a=\xe9",
        b"a=1\n",
        b"a b",
    ],
)
def test_what_cannot_be_decoded_in_one_way_is_malformed(encoded: bytes):
    assert reason(lambda: pairs(encoded)) == "malformed"


def test_M1_fields_are_bounded():
    assert len(pairs(b"&".join([b"a"] * FIELDS_AT_MOST))) == FIELDS_AT_MOST
    assert reason(lambda: pairs(b"&" * FIELDS_AT_MOST)) == "malformed"


def test_a_semicolon_is_ambiguous():
    assert reason(lambda: pairs(b"a=1;b=2")) == "ambiguous"
    assert pairs(b"a=1%3Bb") == [("a", "1;b")]


def test_names_that_resemble():
    assert resembles("patient.nir", "patient_nir")
    assert resembles("Patient nir", "patient_nir")
    assert not resembles("nir2", "nir")
    assert not resembles("patient[name]", "patient[nir]")


def test_media_types():
    assert media_type(b"Application/JSON ; charset=UTF-8") == (b"application/json", True)
    assert media_type(b"text/plain;") == (b"text/plain", True)
    assert media_type(b"text/plain; charset=utf-7") == (b"text/plain", False)


@pytest.mark.parametrize("pointer", ["nir", "/a~2", "/a~", "a/b"])
def test_what_is_no_pointer_is_a_fault_of_the_policy(pointer: str):
    with pytest.raises(ValueError, match="no JSON pointer"):
        pointer_tokens(pointer)


def test_pointers_of_the_rfc():
    assert pointer_tokens("") == []
    assert pointer_tokens("/") == [""]
    assert pointer_tokens("/a~1b/m~0n/~01/0") == ["a/b", "m~n", "~1", "0"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"{}", "/nir"),
        (b'{"nir": null}', "/nir"),
        (b"[]", "/0"),
        (b'["1"]', "/1"),
        (b'["1"]', "/00"),
        (b'["1"]', "/-"),
        (b'["1"]', "/nir"),
        (b'{"p": "1"}', "/p/0"),
        (b"null", ""),
    ],
)
def test_nothing_at_the_pointer_is_missing(body: bytes, pointer: str):
    assert reason(lambda: json_value(body, pointer_tokens(pointer))) == "missing"


@pytest.mark.parametrize(
    "body",
    [
        b'{"nir": 185057800608491}',
        b'{"nir": ["1"]}',
        b'{"nir": {}}',
        b'{"nir": true}',
        b'{"nir": "1", "x": NaN}',
        b'{"nir": "1", "x": -Infinity}',
        b'{"nir": "1"} {}',
        b'{"nir": "1",}',
        b"{'nir': '1'}",
        b'{"nir": "\xff"}',
        b'\xef\xbb\xbf{"nir": "1"}',
        '{"nir": "1"}'.encode("utf-16"),
        b'{"nir": "1\n"}',
        b'{"nir": "1", "x": %s}' % (b"9" * 5000),
        b'{"nir',
        b"",
        b"[" * 100_000,
        b'{"nir": "1", "x": ' + b"[" * DEPTH_AT_MOST + b"]" * DEPTH_AT_MOST + b"}",
    ],
)
def test_what_is_no_text_or_no_document_is_malformed(body: bytes):
    assert reason(lambda: json_value(body, ["nir"])) == "malformed"


def test_brackets_in_texts_are_no_depth():
    deep = b"[" * (DEPTH_AT_MOST - 1) + b"]" * (DEPTH_AT_MOST - 1)
    body = b'{"nir": "1", "y": "[[{\\"' + b"{" * 100 + b'", "x": ' + deep + b"}"
    assert json_value(body, ["nir"]) == "1"


@pytest.mark.parametrize(
    "body",
    [
        b'{"nir": "1", "nir": "2"}',
        b'{"nir": "1", "x": [{"a": 1, "a": 1}]}',
        b'{"nir": "1", "ni\\u0072": "2"}',
        b'{"nir": "1", "NIR": "2"}',
        b'{"Nir": "1"}',
    ],
)
def test_a_second_reading_of_the_document_is_ambiguous(body: bytes):
    assert reason(lambda: json_value(body, ["nir"])) == "ambiguous"


def test_names_off_the_way_may_resemble():
    assert json_value(b'{"p": {"nir": "1"}, "x": {"NIR": "2"}, "nir": "3"}', ["p", "nir"]) == "1"
    assert reason(lambda: json_value(b'{"p": {"nir": "1"}, "P": 1}', ["p", "nir"])) == "ambiguous"


@pytest.mark.parametrize("body", [b'"', b'\\"', b'"\\', b"{", b"%", b"a&", b"%41"])
def test_M4_hostile_bodies_cost_little(body: bytes):
    body *= 100_000
    began = time.process_time()
    assert reason(lambda: json_value(body, ["nir"])) == "malformed"
    assert reason(lambda: pairs(body + b"\n")) == "malformed"
    assert time.process_time() - began < 0.5


def test_letters_that_some_portals_fold():
    for name in ("NIR", "n\u0131r", "N\u0130R", "\uff4eir", "n\u00efr", "nir\u200b", "nir\0x", "nir[0]", " nir"):
        assert resembles(name, "nir"), ascii(name)
    assert not resembles("n\u00f8r", "nir")


def test_an_item_of_a_list_is_found():
    assert json_value(b'[{"nir": "1"}, {"nir": "2"}]', ["1", "nir"]) == "2"
