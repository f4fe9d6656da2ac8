# SPDX-License-Identifier: EUPL-1.2
"""scan_json: whose record ends where, wherever the document is cut; and all that two readers could read differently."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metering.test_scan import BARE, CORSICAN, NIR, grouped

from gateway.errors import UnreadableError
from gateway.metering.scan_json import JsonRecords
from gateway.model.unread import Unread

OTHER = CORSICAN[:13]
LIMIT = 4_096


def read(pieces, people="/patients", numbers=("/nir",), limit=LIMIT):
    records = JsonRecords(people, numbers, limit)
    return [*(one for piece in pieces for one in records.feed(piece)), *records.finish()]


def why(document: bytes, **how) -> Unread:
    """The same wherever it is cut."""
    told = set()
    for pieces in ([document], [document[at : at + 1] for at in range(len(document))]):
        with pytest.raises(UnreadableError) as refused:
            read(pieces, **how)
        told.add(refused.value.why)
    assert len(told) == 1, told
    return told.pop()


DOCUMENT = json.dumps(
    {
        "total": 3,
        "note": 'a "quoted" \\ [brace} é',
        "other": {"patients": [1, {"nir": "not here"}], "none": None},
        "patients": [
            {"nom": 'D"U\\P]{ONT', "nir": NIR, "droits": [["a", {"b": []}], {}]},
            {"nir": grouped(CORSICAN, " "), "nom": "é" * 40},
            {"nir": BARE, "x": [1.5, -2e9, True, None, "\ud83d\ude00"]},
        ],
        "next": {"page": 2, "patients": []},
    },
    indent=1,
).encode()


def test_each_element_ends_where_it_ends_wherever_it_is_cut():
    whole = read([DOCUMENT])
    assert [people for people, _ in whole] == [(BARE,), (OTHER,), (BARE,), ()]
    elements = [json.dumps(one) for one in json.loads(DOCUMENT)["patients"]]
    begins = 0
    for (_, end), element in zip(whole, elements, strict=False):
        begins = DOCUMENT.index(b"{", max(begins, DOCUMENT.index(b'"patients": [\n  {\n   "nom"')))
        assert json.dumps(json.loads(DOCUMENT[begins:end])) == element
        begins = end
    assert whole[-1][1] == len(DOCUMENT)
    for at in range(len(DOCUMENT) + 1):
        assert read([DOCUMENT[:at], DOCUMENT[at:]]) == whole, at
    assert read([DOCUMENT[at : at + 1] for at in range(len(DOCUMENT))]) == whole


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
ELEMENTS = st.builds(
    lambda more, nir: {**{name: value for name, value in more.items() if name.lower() != "n"}, "n": nir},
    st.dictionaries(st.sampled_from(["a", "b\\", 'c"', "é", "d]"]), VALUES, max_size=4),
    st.sampled_from([NIR, CORSICAN, grouped(NIR, " ")]),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(ELEMENTS, max_size=6),
    st.dictionaries(st.sampled_from(["x", "y", "p2"]), VALUES, max_size=3),
    st.sampled_from([None, 1]),
    st.booleans(),
    st.integers(1, 40),
)
def test_random_documents_in_random_pieces_are_read_as_json_reads_them(elements, around, indent, escaped, size):
    document = json.dumps({**around, "p": elements, **{f"{name}z": one for name, one in around.items()}}, indent=indent)
    encoded = json.dumps(json.loads(document), indent=indent, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    records = read([encoded[at : at + size] for at in range(0, len(encoded), size)], "/p", ["/n"], 10**6)
    numbers = {NIR: BARE, grouped(NIR, " "): BARE, CORSICAN: OTHER}
    assert [people for people, _ in records] == [*((numbers[one["n"]],) for one in elements), ()]
    assert all(encoded[:end].endswith(b"}") for _, end in records[:-1])
    assert records[-1] == ((), len(encoded))


@pytest.mark.parametrize(
    ("document", "people", "numbers", "expected"),
    [
        (f'["{NIR}", "{CORSICAN}"]', "", [""], [(BARE,), (OTHER,), ()]),
        (f'[["a", "{NIR}"]]', "", ["/1"], [(BARE,), ()]),
        (f'{{"nir": "{NIR}"}}', "", ["/nir"], [(BARE,), ()]),
        (f'{{"a": {{"nir": "{NIR}"}}, "b": 1}}', "/a", ["/nir"], [(BARE,), ()]),
        (f'[{{"a": "{NIR}", "b": {{"c": "{CORSICAN}"}}}}]', "", ["/a", "/b/c"], [(BARE, OTHER), ()]),
        (f'{{"a~/b": ["{NIR}"]}}', "/a~0~1b", [""], [(BARE,), ()]),
        (f'{{"\\u0061": ["{NIR}"]}}', "/a", [""], [(BARE,), ()]),
        (f'{{"a\\"": ["{NIR}"]}}', '/a"', [""], [(BARE,), ()]),
        (f'["\\u0031{NIR[1:]}"]', "", [""], [(BARE,), ()]),
        (f'{{"nir": "{NIR}", "x": {"[" * 31 + "]" * 31}}}', "", ["/nir"], [(BARE,), ()]),
        ("[]", "", [""], [()]),
        (' {"a" : [ ] } ', "/a", [""], [()]),
        ('{"b": "a", "c": ["a"], "a": []}', "/a", [""], [()]),
    ],
)
def test_where_pointers_lead(document, people, numbers, expected):
    encoded = document.encode()
    for pieces in ([encoded], [encoded[at : at + 1] for at in range(len(encoded))]):
        assert [one for one, _ in read(pieces, people, numbers)] == expected


ONE = f'{{"nir": "{NIR}"}}'


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("", Unread.BROKEN),
        ('{"patients": [' + ONE, Unread.BROKEN),
        ('{"patients": [' + ONE + "]", Unread.BROKEN),
        ('{"patients": [' + ONE[:-1], Unread.BROKEN),
        ('{"patients": [' + ONE + ",]}", Unread.BROKEN),
        ('{"patients": [,' + ONE + "]}", Unread.BROKEN),
        ('{"patients": [' + ONE + ONE + "]}", Unread.BROKEN),
        ('{"patients": [' + ONE + "]]", Unread.BROKEN),
        ('{"patients": [' + ONE + "}]", Unread.BROKEN),
        ('{"patients": [' + ONE + "], }", Unread.BROKEN),
        ('{"patients": [' + ONE + "]} x", Unread.BROKEN),
        ('{"patients": [' + ONE + ']} {"patients": [' + ONE + "]}", Unread.BROKEN),
        ('{"patients": [' + ONE + '], "patients": [' + ONE + "]}", Unread.BROKEN),
        ('{"patients": [' + ONE + '], "p\\u0061tients": [' + ONE + "]}", Unread.BROKEN),
        ('{"a": 1, "a": 2, "patients": [' + ONE + "]}", Unread.BROKEN),
        ('{"a": NaN, "patients": [' + ONE + "]}", Unread.BROKEN),
        ('{"a": "\\x", "patients": []}', Unread.BROKEN),
        ('{"\\x": 1, "patients": []}', Unread.BROKEN),
        ('{a: 1, "patients": []}', Unread.BROKEN),
        ('{"patients": []', Unread.BROKEN),
        ('{"patients": [], "a', Unread.BROKEN),
        ("]", Unread.BROKEN),
        ('{"patients": []}}', Unread.BROKEN),
        ("[" * 40, Unread.BROKEN),
        ('{"patients": [{"nir": "' + NIR + '", "x": ' + "[" * 1_500 + "]" * 1_500 + "}]}", Unread.BROKEN),
        ('{"patients": [NaN]}', Unread.BROKEN),
        ('{"patients": [{"nir": "' + NIR + '", "x": NaN}]}', Unread.BROKEN),
        ('{"patients": [{"nir": "' + NIR + '", "nir": "' + NIR + '"}]}', Unread.BROKEN),
        ('{"patients": [{"nir": "' + NIR + '", "x": ]}]}', Unread.BROKEN),
        ('{"patients": [{"nir": "' + NIR + '", "x": "\\x"}]}', Unread.BROKEN),
        ('{"patients": ["' + NIR + '\n"]}', Unread.BROKEN),
        ('{"patients": [{"nir": "' + NIR + '", "x": ' + "[" * 2_100 + "]" * 2_100 + "}]}", Unread.BROKEN),
        ('{"patients": [{"nir": "' + NIR + '", "x": "' + "y" * LIMIT + '"}]}', Unread.TOO_LARGE),
        ('{"x": "' + "y" * LIMIT + '", "patients": []}', Unread.TOO_LARGE),
        ('{"patients": [' + ONE + '], "x": "' + "y" * LIMIT, Unread.TOO_LARGE),
        ('{"patients": {"1": ' + ONE + "}}", Unread.NO_NUMBER),
        ('{"patients": [{"nir": null}]}', Unread.NO_NUMBER),
        ('{"patients": [{"nir": ""}]}', Unread.NO_NUMBER),
        ('{"patients": [{"nir": "185057800608437"}]}', Unread.NO_NUMBER),
        ('{"patients": [{"nir": 185057800608491}]}', Unread.NO_NUMBER),
        ('{"patients": [{"nir": "' + NIR + '", "NIR": "' + CORSICAN + '"}]}', Unread.NO_NUMBER),
        ('{"patients": [{}]}', Unread.NO_NUMBER),
        ('{"patients": [[]]}', Unread.NO_NUMBER),
        ('{"patients": [{"nir": ["' + NIR + '"]}]}', Unread.NO_NUMBER),
        ('{"patients": [["' + NIR + '"]]}', Unread.NO_NUMBER),
        ('{"patients": [null]}', Unread.NO_NUMBER),
        ('{"patients": ["x"]}', Unread.NO_NUMBER),
        ("{}", Unread.ELSEWHERE),
        ('{"patients": null}', Unread.ELSEWHERE),
        ('{"patients": "x"}', Unread.ELSEWHERE),
        ('{"a": {"patients": [1]}}', Unread.ELSEWHERE),
        ('[{"patients": [1]}]', Unread.ELSEWHERE),
        ('"patients"', Unread.ELSEWHERE),
        ("null", Unread.ELSEWHERE),
    ],
)  # fmt: skip
def test_what_has_two_readings_or_none_is_unreadable(document, expected):
    assert why(document.encode()) is expected


def test_bytes_that_are_no_utf_8_are_unreadable_wherever_they_stand():
    for encoded in (
        b'{"a": "\xe9", "patients": []}',
        b'{"patients": [{"nir": "%b", "a": "\xe9"}]}' % NIR.encode(),
        b'{"patients": [], "a": "\xc3"}',
        b'\xef\xbb\xbf{"patients": []}',
        '{"patients": []}'.encode("utf-16-be"),
    ):
        assert why(encoded) is Unread.BROKEN


def test_what_is_unsound_before_the_array_is_told_before_anybody_leaves():
    records = JsonRecords("/patients", ["/nir"], LIMIT)
    with pytest.raises(UnreadableError):
        records.feed(b'{"a": tru, "patients": [')


def test_one_bracket_too_deep_is_unreadable():
    document = f'[{{"nir": "{NIR}", "x": {"[" * 32 + "]" * 32}}}]'
    assert why(document.encode(), people="") is Unread.BROKEN


@pytest.mark.parametrize("number", ["/1", "/01", "/-", "/x", "/9"])
def test_a_place_in_an_array_is_written_in_one_way(number):
    document = f'[["a", "{NIR}"]]'.encode()
    if number == "/1":
        assert read([document], "", [number]) == [((BARE,), len(document) - 1), ((), len(document))]
    else:
        assert why(document, people="", numbers=[number]) is Unread.NO_NUMBER


def test_the_limit_is_of_each_record_and_not_of_the_whole():
    element = b'{"nir": "%b", "x": "%b"},' % (NIR.encode(), b"y" * 900)
    document = b'{"patients": [' + element * 50 + element[:-1] + b"]}"
    assert len(document) > 10 * LIMIT
    assert len(read([document])) == 52


def test_a_pointer_that_is_none_is_told_at_once():
    for people, numbers in (("patients", ["/nir"]), ("/patients", ["nir"])):
        with pytest.raises(ValueError, match="no JSON pointer"):
            JsonRecords(people, numbers, LIMIT)
