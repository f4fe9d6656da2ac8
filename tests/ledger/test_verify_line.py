# SPDX-License-Identifier: EUPL-1.2
"""verify_line: the second reader writes what the first one seals, and reads nothing that neither would write."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger import event, leaf
from gateway.ledger.leaf import leaf_data
from gateway.ledger.verify_line import (
    COLUMNS,
    LINE_BYTES_AT_MOST,
    VERSION,
    Entry,
    from_export,
    from_rows,
    read_line,
    written,
)
from gateway.ledger.wrong import Finding, Wrong
from support.small_ledger import an_event

ROW = event.row(an_event(1))
LINE = leaf_data(7, ROW)
texts = st.text(st.characters(exclude_categories=["Cs"]))
rows = st.tuples(
    st.none() | st.binary(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    texts,
    texts,
    *[st.none() | texts] * 6,
    st.none() | st.binary(max_size=20),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    *[st.none() | texts] * 4,
    st.none() | st.binary(max_size=20),
)


def finding(line, number=3):
    with pytest.raises(Wrong) as found:
        read_line(line, number)
    assert found.value.number == number
    return found.value.finding


def test_both_readers_know_the_same_columns_and_version():
    assert tuple(COLUMNS) == event.COLUMNS
    assert VERSION == leaf.RECORD


@given(rows, st.integers(0, 2**63 - 1))
def test_both_write_the_same_line_and_it_is_read_again(row, sequence):
    line = leaf_data(sequence, row)
    assert written(sequence, row) == line
    assert read_line(line, 3) == Entry(3, sequence, line)


def test_controls_are_escaped_alike():
    row = (*ROW[:3], "".join(map(chr, range(0x100))) + "\u2028\u2029", *ROW[4:])
    assert written(1, row) == leaf_data(1, row)


def test_rows_of_a_database_become_entries():
    told = [(0, 7, ROW), (1, 8, None), (None, 9, ROW), (2, None, None)]
    assert list(from_rows(told)) == [
        Entry(0, 7, LINE),
        Entry(1, 8, None),
        Entry(None, 9, leaf_data(9, ROW)),
        Entry(2, None, None),
    ]


@pytest.mark.parametrize("column", range(len(COLUMNS)))
@pytest.mark.parametrize("wrong", [1.5, True, ["x"]])
def test_a_row_with_a_value_of_another_type_is_changed(column, wrong):
    with pytest.raises(Wrong, match=rf"leaf 5 \(sequence 7\): the row is none.*{tuple(COLUMNS)[column]}") as found:
        list(from_rows([(5, 7, (*ROW[:column], wrong, *ROW[column + 1 :]))]))
    assert found.value.finding is Finding.CHANGED


@pytest.mark.parametrize(
    "row", [ROW[:-1], (*ROW, None), (), (*ROW[:3], None, *ROW[4:]), (*ROW[:3], "\ud800", *ROW[4:])]
)
def test_what_is_no_row_is_changed(row):
    with pytest.raises(Wrong, match="the row is none that Herse writes") as found:
        list(from_rows([(5, 7, row)]))
    assert found.value.finding is Finding.CHANGED


def test_an_export_is_read_line_by_line():
    gone = f'["herse-gone/1",1,"{"ab" * 32}",40]'.encode()
    assert list(from_export(BytesIO(LINE + b"\n" + gone + b"\n"))) == [
        Entry(0, 7, LINE),
        Entry(1, None, None, b"\xab" * 32, 40),
    ]
    assert list(from_export(BytesIO(b""))) == []


@pytest.mark.parametrize("end", [LINE, LINE[:20], b"x" * (LINE_BYTES_AT_MOST + 5) + b"\n"])
def test_an_export_that_is_cut_off_or_has_no_end_says_where(end):
    with pytest.raises(Wrong, match=r"leaf 1: the line (is cut off|has no end) after") as found:
        list(from_export(BytesIO(LINE + b"\n" + end)))
    assert found.value.finding is Finding.TRAILING_BYTES


def test_a_line_of_exactly_the_limit_is_read():
    long = (*ROW[:6], "x" * 1_000, *ROW[7:])
    long = (*ROW[:6], "x" * (1_000 + LINE_BYTES_AT_MOST - 1 - len(written(1, long))), *ROW[7:])
    line = written(1, long) + b"\n"
    assert len(line) == LINE_BYTES_AT_MOST
    assert list(from_export(BytesIO(line))) == [Entry(0, 1, line[:-1])]


@pytest.mark.parametrize("place", range(len(LINE)))
def test_a_byte_changed_is_another_line_or_none(place):
    changed = LINE[:place] + bytes([LINE[place] ^ 1]) + LINE[place + 1 :]
    try:
        entry = read_line(changed, 3)
    except Wrong:
        return
    assert entry.line == changed != LINE


@pytest.mark.parametrize(
    ("wrong", "due"),
    [
        (b"", Finding.MALFORMED),
        (b"\xff", Finding.MALFORMED),
        (b"[" * 100_000, Finding.MALFORMED),
        (b'["herse-event/1",' + b"1" * 5_000 + b"]", Finding.MALFORMED),
        (b" " + LINE, Finding.MALFORMED),
        (LINE + b" ", Finding.TRAILING_BYTES),
        (LINE + LINE, Finding.TRAILING_BYTES),
        (LINE + b"\n" + LINE, Finding.TRAILING_BYTES),
        (LINE + b"\0", Finding.TRAILING_BYTES),
        (b"{}", Finding.UNKNOWN_VERSION),
        (b"[]", Finding.UNKNOWN_VERSION),
        (b"null", Finding.UNKNOWN_VERSION),
        (LINE.replace(b"herse-event/1", b"herse-event/2"), Finding.UNKNOWN_VERSION),
        (b'["herse-event/1"]', Finding.MALFORMED),
        (b'["herse-event/1",7]', Finding.MALFORMED),
        (LINE.replace(b'/1",7', b'/1","7"'), Finding.MALFORMED),
        (LINE.replace(b",7,", b",7.0,"), Finding.MALFORMED),
        (LINE.replace(b",7,", b",07,"), Finding.MALFORMED),
        (LINE.replace(b",7,", b",7, "), Finding.MALFORMED),
        (LINE.replace(b",7,", b",true,"), Finding.MALFORMED),
        (LINE.replace(b",7,", b",null,"), Finding.MALFORMED),
        (LINE.replace(b",200,", b",[],"), Finding.MALFORMED),
        (LINE.replace(b",200,", b",2.5,"), Finding.MALFORMED),
        (LINE[:-1] + b",null]", Finding.MALFORMED),
        (LINE.replace(b"lookup", b"\\u006cookup"), Finding.MALFORMED),
        (LINE.replace(b"lookup", b"\\ud800"), Finding.MALFORMED),
    ],
)
def test_a_line_that_is_not_written_so_is_refused(wrong, due):
    assert wrong != LINE
    assert finding(wrong) is due


def test_hex_is_written_in_one_way_only():
    request = ROW[0].hex().encode()
    assert request in LINE
    for wrong in (request.upper(), request[:-1], request + b"0", request[:2] + b" " + request[2:], b"zz"):
        assert finding(LINE.replace(request, wrong)) is Finding.MALFORMED


@pytest.mark.parametrize(
    "members",
    [
        [],
        [1],
        [1, "ab" * 32],
        [1, "ab" * 32, 40, 3],
        [True, "ab" * 32, 40],
        ["1", "ab" * 32, 40],
        [1.0, "ab" * 32, 40],
        [1, "AB" * 32, 40],
        [1, "ab" * 31, 40],
        [1, None, 40],
        [None, "ab" * 32, 40],
        [1, "ab" * 32, True],
        [1, "ab" * 32, "40"],
        [1, "ab" * 32, None],
    ],
)
def test_a_deleted_row_is_told_in_one_way_only(members):
    line = json.dumps(["herse-gone/1", *members], separators=(",", ":")).encode()
    assert finding(line) is Finding.MALFORMED
    assert finding(f'["herse-gone/1", 1,"{"ab" * 32}",40]'.encode()) is Finding.MALFORMED
