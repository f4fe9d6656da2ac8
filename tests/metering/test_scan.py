# SPDX-License-Identifier: EUPL-1.2
"""scan: every planted number is found wherever the stream is cut, and nothing else."""

from __future__ import annotations

import json
import random
import tracemalloc

import pytest
from metering.test_patient import GENERATED, PROVISIONAL, PUBLISHED

from gateway.metering.patient import nir_key, parse_patient_number
from gateway.metering.scan import Found, Scanner, numbers_in

NIR = "185057800608491"
BARE = NIR[:13]
CORSICAN = "284052A32102552"
WAYS = {
    "bare": "",
    "blank": " ",
    "no-break, UTF-8": "\u00a0",
    "thin": "\u2009",
    "narrow no-break": "\u202f",
    "figure": "\u2007",
    "dot": ".",
    "dash": "-",
    "no-break hyphen": "\u2011",
    "tab": "\t",
    "dash between blanks": " - ",
    "HTML": "&nbsp;",
    "HTML, thin": "&thinsp;",
    "HTML, decimal": "&#160;",
    "HTML, narrow": "&#8239;",
    "HTML, hexadecimal": "&#xA0;",
    "HTML, hexadecimal, narrow": "&#x202f;",
    "JSON": "\\u00a0",
    "JSON, capitals": "\\u202F",
    "JSON, tab": "\\t",
    "URL": "%20",
    "URL, form": "+",
    "URL, no-break": "%C2%A0",
    "URL, narrow": "%E2%80%AF",
}


def grouped(nir: str, separator: str) -> str:
    return separator.join((nir[0], nir[1:3], nir[3:5], nir[5:7], nir[7:10], nir[10:13], nir[13:])).rstrip()


def fed(pieces, *, provisional: bool = False) -> list[Found]:
    scanner = Scanner(provisional=provisional)
    found = [one for piece in pieces for one in scanner.feed(piece)]
    return found + scanner.finish()


def cut_everywhere(text: bytes, *, provisional: bool = False) -> None:
    """Whole, in two at every byte, and byte by byte: the same."""
    whole = numbers_in(text, provisional=provisional)
    for at in range(len(text) + 1):
        assert fed([text[:at], text[at:]], provisional=provisional) == whole, at
    assert fed([text[at : at + 1] for at in range(len(text))], provisional=provisional) == whole


@pytest.mark.parametrize("nir", [*PUBLISHED, *GENERATED])
def test_each_number_is_found_as_the_patient_it_is(nir):
    assert numbers_in(nir.encode()) == [Found(parse_patient_number(nir), 15)]
    assert numbers_in(nir.lower().encode()) == [Found(parse_patient_number(nir), 15)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("nir", [NIR, CORSICAN, CORSICAN.lower(), "292112B03301789"])
def test_each_way_to_write_it_is_found_wherever_it_is_cut(way, nir):
    text = f"<td>n° {grouped(nir, WAYS[way])}</td>".encode()
    assert numbers_in(text) == [Found(nir[:13].upper(), len(text) - len("</td>"))]
    cut_everywhere(text)


@pytest.mark.parametrize("way", WAYS)
def test_a_separator_may_stand_between_any_two_characters(way):
    """But for tabs, which stand between columns: there a number's groups must end."""
    for nir in (NIR, CORSICAN):
        found = [one.number for one in numbers_in(WAYS[way].join(nir).encode())]
        assert found == ([] if "tab" in way else [nir[:13]])


def test_latin_1_is_read_too():
    assert [one.number for one in numbers_in(grouped(NIR, "\u00a0").encode("latin-1"))] == [BARE]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "NIR:{}",
        "n\\u00b0{}",  # the digit before belongs to an escape
        "\\u00e9{}",
        "?q=%3D{}",
        "?q=%23{}",
        "taux 100%{}",
        "C:\\u{}",
        "\\n{}\\n",
        "{}.",
        "{} 12/05/1990",
        "{} 2",
        "2 {}",
        "06 12 34 56 78 {} 75001",
        "{}DUPONT",
        "DUPONT{}",
        "{};{}",
        "20 05 2020 1 85 05 {}",
        "&eacute;{}&eacute;",
        "&#233;{}",
        "100,{}",
    ],
)
def test_what_stands_beside_it_hides_nothing(text):
    for number, nir in (
        (BARE, NIR),
        (BARE, grouped(NIR, " ")),
        (BARE, grouped(NIR, "\u202f")),
        (CORSICAN[:13], CORSICAN),
    ):
        found = [one.number for one in numbers_in(text.replace("{}", nir).encode())]
        assert found.count(number) == text.count("{}")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before_key", [" ", "\t", "-", ".", " - ", "\u202f", "&nbsp;", ""])
def test_the_key_may_stand_apart_in_another_way(way, before_key):
    text = f"{grouped(NIR, WAYS[way])[:-2].removesuffix(WAYS[way])}{before_key}91"
    assert [one.number for one in numbers_in(text.encode())] == [BARE]


def test_columns_may_be_those_of_a_number_from_overseas():
    for text in ("1\t90\t12\t971\t05\t012\t39", "1\t90\t12\t97\t105\t012\t39"):
        assert [one.number for one in numbers_in(text.encode())] == ["1901297105012"]


@pytest.mark.parametrize("text", ["7-1-123-12345678", "7.1.123.12345678", "7\t1\t123\t12345678", "71 123 123 45 678"])
def test_provisional_numbers_may_be_written_apart_too(text):
    assert [one.number for one in numbers_in(text.encode(), provisional=True)] == ["7112312345678"]
    for other in (text.replace("123", "12\t3", 1), "7 1-123 12345678"):
        assert numbers_in(other.encode(), provisional=True) == []


def test_what_stands_before_a_slice_is_seen_from_it():
    """Wherever a slice begins: a digit that touches the number from there, and an escape that does not."""
    for before in range(2_040, 2_056):
        longer = b"x" * before + b"9" + NIR.encode() + b"x" * 2_000
        assert numbers_in(longer) == []
        escaped = b"x" * before + b"\\u00e9" + NIR.encode() + b"x" * 2_000
        assert [one.number for one in numbers_in(escaped)] == [BARE]


def test_blanks_of_all_sorts_are_one_kind():
    text = "1&nbsp;85 05\u202f78+006&#8201;084\\u00a091"
    assert [one.number for one in numbers_in(text.encode())] == [BARE]


@pytest.mark.parametrize("code", [0x2010, 0x2011, 0x2013])
def test_dashes_are_read_however_they_are_written(code):
    url = "".join(f"%{one:02X}" for one in chr(code).encode())
    for dash in (chr(code), f"&#{code};", f"&#x{code:x};", f"\\u{code:04x}", url):
        assert [one.number for one in numbers_in(grouped(NIR, dash).encode())] == [BARE], dash
        assert numbers_in(f"1{dash}85 05 78 006 084 91".encode()) == [], dash


@pytest.mark.parametrize(
    "text",
    [
        "185057800608437",  # wrong key
        "185057800608400",
        "1850578006084",  # no key
        "18505780060849",
        "9185057800608491",  # 15 digits among 16
        "1850578006084919",
        "0" * 40 + NIR,
        "985057800608491",
        "185052C00408495",
        "1850A2800608491",
        "185051A00408495",
        "18505A200408495",
        "1850\n57800608491",
        "1 85 05 78    006 084 91",  # four blanks are no gap
        "1 85 05.78 006 084 91",  # a row of figures has all kinds
        "1 85 05 78\t006 084 91",
        "1.85-05.78.006.084.91",
        "185057800608\t491",  # two columns: a professional's number and an amount
        "1 - 85 05 78 006 084 91",
        "1\\u201185\\t05&#8201;78 006 084 91",
        "<b>1</b> 85 05 78 006 084 91",  # cut by tags: not found, and written down so
        "1&eacute;85057800608491",
        "1\u00e985057800608491",
        "１８５０５７８００６０８４９１",  # noqa: RUF001  # full-width digits
        "",
    ],
)  # fmt: skip
def test_what_is_no_number_is_not_found(text):
    assert numbers_in(text.encode()) == []
    cut_everywhere(text.encode())


@pytest.mark.parametrize("number", PROVISIONAL)
def test_provisional_numbers_are_found_only_where_declared(number):
    for text in (number, " ".join(number), f"<td>{number[:7]}&nbsp;{number[7:]}</td>", f"{number} {NIR}"):
        encoded = text.encode()
        assert number not in {one.number for one in numbers_in(encoded)}
        assert number in {one.number for one in numbers_in(encoded, provisional=True)}
        cut_everywhere(encoded, provisional=True)
    for text in (f"1{number}", f"{number}1", f"9{number[1:]}", f"{number[0]}3{number[2:]}", number[:-1]):
        assert numbers_in(text.encode(), provisional=True) == []


def test_of_numbers_that_overlap_all_are_found():
    """A false one that ends inside a true one must not swallow it."""
    false = next(n for n in range(10**7) if nir_key(f"2{n:07d}18505") == 78)
    text = f"2 {false:07d} 1 85 05 78 006 084 91".encode()
    assert [one.number for one in numbers_in(text)] == [f"2{false:07d}18505", BARE]


def lines(kind: str, count: int) -> tuple[bytes, list[str]]:
    """A document that looks real, and the people in it, in order."""
    chosen = random.Random(count)
    people, rows = [], []
    for place in range(count):
        nir = chosen.choice([*PUBLISHED, *GENERATED])
        people.append(parse_patient_number(nir))
        written = grouped(nir, chosen.choice(list(WAYS.values())[:12])) if kind != "json" else nir
        rows.append((place, "Hélène d'Ô", written, f"{place % 28 + 1:02d}/05/1985", "01 42 34 56 78"))
    if kind == "json":
        text = json.dumps([dict(zip(("id", "nom", "nir", "ne", "tel"), row, strict=True)) for row in rows])
    elif kind == "html":
        text = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    else:
        text = "".join(";".join(map(str, row)) + "\r\n" for row in rows)
    return text.encode(), people


@pytest.mark.parametrize("kind", ["json", "html", "csv"])
def test_every_person_of_a_document_is_found_cut_at_every_byte(kind):
    text, people = lines(kind, 12)
    whole = fed([text])
    assert [one.number for one in whole] == people
    for at in range(len(text) + 1):
        assert fed([text[:at], text[at:]]) == whole


@pytest.mark.parametrize("kind", ["json", "html", "csv"])
def test_every_person_of_a_long_document_is_found(kind):
    """Longer than the slices the scanner looks at, so that numbers stand over all of their borders."""
    text, people = lines(kind, 400)
    for size in (7, 400, 401, 2047, 2048, 65_536):
        found = fed([text[at : at + size] for at in range(0, len(text), size)])
        assert [one.number for one in found] == people, size
    for shift in range(0, 2_500, 7):
        assert [one.number for one in numbers_in(b"." * shift + grouped(NIR, " - ").encode())] == [BARE]


def test_some_hundred_bytes_are_kept_whatever_comes():
    scanner = Scanner(provisional=True)
    piece = b"1 " * 600
    scanner.feed(piece)
    tracemalloc.start()
    for _ in range(20):
        scanner.feed(piece)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 4_096
    assert scanner.seen == 21 * len(piece)
