# SPDX-License-Identifier: EUPL-1.2
"""scan_text: whose numbers stand before which border, wherever the text is cut."""

from __future__ import annotations

import pytest
from metering.test_scan import BARE, CORSICAN, NIR, grouped

from gateway.errors import UnreadableError
from gateway.metering.scan_text import TextRecords
from gateway.model.unread import Unread

OTHER = CORSICAN[:13]
ROW = f"<tr><td>Hélène d'Ô</td><td>{grouped(NIR, '&nbsp;')}</td></tr>"
ROWS = f"<table>{ROW}<tr><td>personne</td></tr>{ROW.replace(grouped(NIR, '&nbsp;'), CORSICAN)}</table>".encode()


def read(pieces, border=b"</tr>", **how):
    records = TextRecords(border, **how)
    return [*(one for piece in pieces for one in records.feed(piece)), *records.finish()]


def merged(records):
    """Those that somebody stands in; the others may be left out."""
    return [record for record in records if record[0]]


def test_each_row_has_its_people_wherever_it_is_cut():
    first = ROWS.index(b"</tr>") + 5
    third = ROWS.rindex(b"</tr>") + 5
    assert read([ROWS]) == [((BARE,), first), ((OTHER,), third), ((), len(ROWS))]
    for at in range(len(ROWS)):
        records = read([ROWS[:at], ROWS[at:]])
        assert merged(records) == [((BARE,), first), ((OTHER,), third)], at
        assert [end for _, end in records] == sorted({end for _, end in records}), "each border once, in order"
    bytewise = read([ROWS[at : at + 1] for at in range(len(ROWS))])
    second = ROWS.index(b"</tr>", first) + 5
    assert bytewise == [((BARE,), first), ((), second), ((OTHER,), third), ((), len(ROWS))]


def test_lines_are_records_too():
    text = f"nom;nir\n\nA;{NIR};{CORSICAN}\nB;{grouped(NIR, ' ')}\nC;{CORSICAN}".encode()
    expected = [((BARE, OTHER), text.index(b"\nB") + 1), ((BARE,), text.index(b"\nC") + 1), ((OTHER,), len(text))]
    assert read([text], b"\n") == expected
    for at in range(len(text)):
        assert merged(read([text[:at], text[at:]], b"\n")) == expected, at


def test_somebody_behind_the_last_border_is_not_told_before_the_next_one():
    records = TextRecords(b"\n")
    assert records.feed(f"a\n{NIR} ".encode()) == [((), 2)]
    assert records.feed(b"b") == []
    assert records.feed(b"\nc") == [((BARE,), 20)]
    assert records.finish() == [((), 21)]


def test_a_border_of_two_bytes_may_be_cut():
    records = TextRecords(b"\r\n")
    assert records.feed(f"{NIR}\r".encode()) == []
    assert records.feed(b"\n\r") == [((BARE,), 17)]
    assert records.feed(b"\n") == [((), 19)]


def test_without_a_border_the_text_is_one_record():
    assert read([ROWS[:90], ROWS[90:]], None) == [((BARE, OTHER), len(ROWS))]
    assert read([], None) == [((), 0)]


def test_provisional_numbers_are_people_where_declared():
    assert read([b"7112312345678\n"], b"\n", provisional=True) == [(("7112312345678",), 14), ((), 14)]
    assert read([b"7112312345678\n"], b"\n") == [((), 14), ((), 14)]


@pytest.mark.parametrize("border", [b"\n", None])
def test_what_is_no_text_is_unreadable(border):
    for text, why in (
        (NIR.encode("utf-16-le"), Unread.BINARY),
        (NIR.encode("utf-32-be"), Unread.BINARY),
        (b"\xff\xfe\xe9\x20", Unread.CHARSET),
        (b"\xfe\xff\x20\xe9", Unread.CHARSET),
    ):
        for size in (1, 2, 3, len(text)):
            with pytest.raises(UnreadableError) as refused:
                read([text[at : at + size] for at in range(0, len(text), size)], border)
            assert refused.value.why is why
    assert read([b"\xff", b"\xff\xfe", b"\xfe\xff"], border)[-1] == ((), 5), "only at the beginning are they a mark"


@pytest.mark.parametrize("border", [b"", b"-", b" ", b"12", b"&nbsp;", "\u00a0".encode(), b"\\u00a0", b"2A"])
def test_a_border_that_a_number_may_stand_over_is_none(border):
    with pytest.raises(ValueError, match="a border needs"):
        TextRecords(border)
