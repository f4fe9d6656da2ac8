# SPDX-License-Identifier: EUPL-1.2
"""scan in random pieces reads what a slow reader of its own kind reads: unit by unit, no patterns, no shadows."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st
from metering.test_patient import PROVISIONAL
from metering.test_scan import CORSICAN, NIR, WAYS, fed, grouped

from gateway.errors import Refused
from gateway.metering.patient import parse_patient_number
from gateway.metering.scan import Found, numbers_in


def reference(text: bytes, *, provisional: bool) -> set[Found]:
    """Another reader: units one after the other, no patterns, no shadows."""
    found = set()
    for start in range(len(text)):
        if start and text[start - 1 : start].isdigit() and not _escape_ends(text, start):
            continue
        for length, wanted in ((15, True), (13, provisional)):
            read = _read(text, start, length) if wanted else None
            if read is None or text[read[1] : read[1] + 1].isdigit():
                continue
            characters, end = read
            if length == 13:
                if characters[0] in "5678" and characters[1] in "12" and characters.isdecimal():
                    found.add(Found(characters, end))
                continue
            try:
                if characters[0] in "123478":
                    found.add(Found(parse_patient_number(characters), end))
            except Refused:
                pass
    return found


def _escape_ends(text: bytes, start: int) -> bool:
    hexadecimal = b"0123456789abcdefABCDEF"
    written = text[max(0, start - 6) : start]
    long = len(written) == 6 and written[:2] == b"\\u" and all(one in hexadecimal for one in written[2:])
    short = len(written) >= 3 and written[-3:-2] == b"%" and all(one in hexadecimal for one in written[-2:])
    return long or short


def _read(text: bytes, start: int, length: int) -> tuple[str, int] | None:
    characters, at = "", start
    kinds = {"blank", "tab", "dot", "dash"}
    while True:
        one = text[at : at + 1]
        if not (one.isdigit() or (len(characters) == 6 and one in {b"A", b"B", b"a", b"b"} and characters[5] == "2")):
            return None
        characters += one.decode()
        at += 1
        if len(characters) == length:
            return (characters, at) if kinds else None
        gap = []
        for _ in range(3):
            size, kind = _separator(text, at)
            if not size:
                break
            at += size
            gap.append(kind)
        if len(characters) != 13:
            kinds = {kind for kind in kinds if _fits(gap, kind)}
            if gap and len(characters) not in ((1, 3, 5, 7, 8, 10) if length == 15 else (1, 2, 5)):
                kinds -= {"tab"}


def _fits(gap: list[str], kind: str) -> bool:
    if kind in {"blank", "tab"}:
        return set(gap) <= {kind}
    return not gap or gap in ([kind], ["blank", kind], [kind, "blank"], ["blank", kind, "blank"])


BLANKS = (0x20, 0xA0, *range(0x2000, 0x200C), 0x202F)
DASHES = range(0x2010, 0x2016)


def _spellings() -> dict[bytes, str]:
    """Everything that writes a separator, and what kind it is; escapes in lower case."""
    told = {b" ": "blank", b"+": "blank", b"\xa0": "blank", b"\t": "tab", b".": "dot", b"-": "dash"}
    told |= {chr(one).encode(): "blank" for one in BLANKS} | {chr(one).encode(): "dash" for one in DASHES}
    told |= dict.fromkeys((b"&nbsp;", b"&thinsp;", b"&ensp;", b"&emsp;", b"%20"), "blank")
    told |= {b"\\t": "tab", b"\\u0009": "tab", b"%09": "tab"}
    for kind, points in (("blank", BLANKS), ("dash", DASHES)):
        for point in points:
            told[f"&#{point};".encode()] = told[f"&#x{point:x};".encode()] = told[f"\\u{point:04x}".encode()] = kind
            if point > 0x7F:
                told["".join(f"%{one:02x}" for one in chr(point).encode()).encode()] = kind
    return told


SPELLINGS = _spellings()


def _separator(text: bytes, at: int) -> tuple[int, str]:
    for spelling, kind in SPELLINGS.items():
        written = text[at : at + len(spelling)]
        cased = spelling.startswith((b"&#", b"%", b"\\u")) and written[:2] != b"\\U"
        if written == spelling or (cased and written.lower() == spelling):
            return len(spelling), kind
    return 0, ""


PARTS = st.one_of(
    st.sampled_from([NIR, CORSICAN, CORSICAN.lower(), *PROVISIONAL, "185057800608437", "2A", "1", "85", "7", "0"]),
    st.sampled_from([*WAYS.values(), "\\u00e9", "%3D", "%2", "\\u00", "&nbs", "&#16", "é", "&", "\\", "\x00", "\n"]),
    st.text("0123456789abAB .-\u202f\\u&;%", max_size=4),
    st.builds(grouped, st.sampled_from([NIR, CORSICAN, "785057800608482"]), st.sampled_from(list(WAYS.values()))),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PARTS, max_size=12), st.lists(st.integers(0, 400), max_size=6), st.booleans())
@example(["\\u00e9", NIR], [3], False)
@example(["1", "&#x202F;", "85057800608491"], [5], True)
def test_in_random_pieces_it_reads_what_the_slow_reader_reads(parts, cuts, provisional):
    text = "".join(parts).encode()
    places = sorted({0, *(min(cut, len(text)) for cut in cuts), len(text)})
    pieces = [text[begin:end] for begin, end in pairwise(places)]
    found = fed(pieces, provisional=provisional)
    if b"\x00" not in text:  # a zero byte is no text; the reader of answers refuses it
        assert set(found) == reference(text, provisional=provisional)
    assert sorted(found) == sorted(numbers_in(text, provisional=provisional))
