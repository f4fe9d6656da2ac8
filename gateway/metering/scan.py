# SPDX-License-Identifier: EUPL-1.2
"""Finds the patient numbers in a text that comes in pieces, by their shape and their key. Pure; bounded memory.

A number is 15 characters of a NIR whose key is right, or, only where asked for, 13 of a provisional number. Between two
characters there may be up to three separators of one kind: blanks, dots or dashes (with blanks around them), or tabs
where a group ends; before the key of any kind. Were all mixed, every row of figures would hold somebody. They may stand
in UTF-8, in Latin-1, or as HTML, JSON or URL write them. A number stands in no longer run of digits: 15 among 16 that
touch are none. Of numbers that overlap, all are found: rather one too many. Never found, since no text holds them as
characters in a row: a number cut by tags or line breaks, drawn in a picture, in other digits, or without its key.

Most texts hold nothing, and a look at their shadow tells so: digits are one letter, separators nothing, the rest a
break. Only where digits are left in a row is anything matched, and only where the key is right is it matched exactly.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.patient import nir_key

if TYPE_CHECKING:
    from collections.abc import Iterator


def _escape(sign: bytes, rest: bytes) -> re.Pattern[bytes]:
    """What writes a separator, where it can matter: behind a character of a number, or the end of another separator."""
    return re.compile(sign + b"(?<=[0-9ABab \\t.+;tfF\\x00\\x80-\\xaf-]" + sign + b")(?:" + rest + b")")


# What writes one separator with several characters becomes one and zero bytes: every place stays the same.
_ESCAPES: Final = (
    (
        b"&",
        _escape(
            b"&",
            rb"(?:nbsp|thinsp|ensp|emsp|#(?:32|160|819[2-9]|820[0-3]|820[89]|821[0-3]|8239)"
            rb"|#[xX](?:20|[aA]0|20(?:0[0-9abAB]|1[0-5]|2[fF])));",
        ),
    ),
    (b"\\", _escape(rb"\\", rb"t|u(?:0009|0020|00[aA]0|20(?:0[0-9abAB]|1[0-5]|2[fF]))")),
    (b"%", _escape(b"%", rb"20|09|[cC]2%[aA]0|[eE]2%80%(?:8[0-9abAB]|9[0-5]|[aA][fF])")),
)
_WRITES_TAB: Final = re.compile(rb"\\t|\\u0009|%09")
_WRITES_DASH: Final = re.compile(rb"[ux]201[0-5];?$|#8(?:20[89]|21[0-3]);|%80%9[0-5]")
_COMMONEST: Final = (b"&nbsp;", b" \x00\x00\x00\x00\x00")
_LONGEST_SEPARATOR: Final = 9  # %E2%80%AF
_SEPARATORS: Final = 3  # as in "084 - 91"
_WIDEST: Final = _SEPARATORS * _LONGEST_SEPARATOR
_NIR_LENGTH: Final = 15
_SPAN: Final = _NIR_LENGTH + (_NIR_LENGTH - 1) * _WIDEST
_BEFORE: Final = 7  # what stands before a number may be an escape of six
_KEPT: Final = _SPAN + _BEFORE + 1  # and what follows it is one byte
_SLICES: Final = (16_384, 2_048)  # how a hit is narrowed down

_BLANK: Final = b"(?:[ +]\\x00{0,8}|\\xc2?\\xa0|\\xe2\\x80[\\x80-\\x8b\\xaf])"
_TAB: Final = b"\\t\\x00{0,8}"
_DOT: Final = b"\\.\\x00{0,8}"
_DASH: Final = b"(?:-\\x00{0,8}|\\xe2\\x80[\\x90-\\x95])"
_ANY: Final = b"(?:" + b"|".join((_BLANK, _TAB, _DOT, _DASH)) + b"){0,3}"
_TABS: Final = b"(?:" + _TAB + b"){0,3}"
_KINDS: Final = (
    _BLANK + b"{0,3}",
    _TABS,
    *(b"(?:" + _BLANK + b"?" + sign + _BLANK + b"?)?" for sign in (_DOT, _DASH)),
)


_GROUPS: Final = (1, 3, 5, 7, 8, 10)  # sex, year, month, département of two or three, commune, order
_GROUPS_PROVISIONAL: Final = (1, 2, 5)


def _spelled(kind: bytes, characters: list[bytes], groups: tuple[int, ...], key: bytes) -> re.Pattern[bytes]:
    """One way to write a number. Tabs stand between columns, so they are read only where a group ends."""
    gaps = [kind if kind is not _TABS or place in groups else b"" for place in range(len(characters))]
    between = gaps[6]
    characters = [one.replace(b"GAP", between) for one in characters]
    written = b"".join(gap + one for gap, one in zip([b"", *gaps[1:]], characters, strict=True))
    return re.compile(written + key.replace(b"GAP", between) + b"(?![0-9])")


_DIGIT: Final = b"[0-9]"
_NIR: Final = tuple(
    _spelled(
        kind,
        [b"[1-478]", *[_DIGIT] * 4, b"(?:[0-9]GAP(?=[0-9])|2GAP(?=[ABab]))", b"[0-9ABab]", *[_DIGIT] * 6],
        _GROUPS,
        _ANY + b"[0-9]GAP[0-9]",
    )
    for kind in _KINDS
)
_PROVISIONAL: Final = tuple(
    _spelled(kind, [b"[5-8]", b"[12]", *[_DIGIT] * 11], _GROUPS_PROVISIONAL, b"") for kind in _KINDS
)

# The shadows. Deleted: every byte that can be part of a separator.
_BLANKS: Final = bytes((*b" \t.-+\x00\xa0\xc2\xe2", *range(0x80, 0x8C), *range(0x90, 0x96), 0xAF))


def _table(**classes: bytes) -> bytes:
    """A translation: each byte to the letter of its class, everything else to a break."""
    table = bytearray(b"\n" * 256)
    for letter, members in classes.items():
        for member in members:
            table[member] = ord(letter)
    return bytes(table)


_FLAT: Final = _table(N=b"0123456789", A=b"ABab")
# Every byte in its place: F may begin a NIR, N is any other digit, G a part of a gap; the rest tells an escape.
_IN_PLACE: Final = _table(F=b"123478", N=b"0569", A=b"ABab", G=_BLANKS, h=b"cdefCDEF", u=b"u", b=b"\\", p=b"%")
_ROW, _CORSICAN_ROW, _SHORT_ROW = b"N" * 15, b"NNNNNNANNNNNNNN", b"N" * 13

# The last digit of an escape touches the number in the text, and not in what is read.
_BEGINS: Final = b"(?:(?<![FN]%b)|(?<=bu[FNAh]{4}%b)|(?<=p[FNAh]{2}%b))"
_GAP_SHADOW: Final = b"G{0,%d}" % _WIDEST
_NIR_SHADOW: Final = re.compile(
    b"F"
    + _BEGINS.replace(b"%b", b"F")
    + b"(?=[FNAG]{14})(?=("  # the short look spares most of the long one
    + b"".join(_GAP_SHADOW + (b"[FNA]" if place == 6 else b"[FN]") for place in range(1, 15))  # noqa: PLR2004  # 2A, 2B
    + b")(?![FN]))"
)
_PROVISIONAL_SHADOW: Final = re.compile(
    b"[FN]" + _BEGINS.replace(b"%b", b"[FN]") + b"(?=(" + (_GAP_SHADOW + b"[FN]") * 12 + b")(?![FN]))"
)


class Found(NamedTuple):
    """A patient's canonical number (see patient), and the place in the stream just behind its last character."""

    number: str
    end: int


class Scanner:
    """Scans one stream. It keeps some hundred bytes of it, whatever comes."""

    __slots__ = ("_kept", "_provisional", "seen")

    def __init__(self, *, provisional: bool = False) -> None:
        self._provisional = provisional
        self._kept = b""
        self.seen = 0  # bytes so far

    def feed(self, piece: bytes) -> list[Found]:
        """The numbers known by now: those that end before the last byte of the piece, each told once."""
        window = self._kept + piece
        before, first = len(self._kept), self.seen - len(self._kept)
        self.seen += len(piece)
        self._kept = window[-_KEPT:]
        found = numbers_in(window, provisional=self._provisional)
        return [Found(number, first + end) for number, end in found if before <= end < len(window)]

    def finish(self) -> list[Found]:
        """The numbers that end where the stream does."""
        found = numbers_in(self._kept, provisional=self._provisional)
        return [Found(number, self.seen) for number, end in found if end == len(self._kept)]


def numbers_in(text: bytes, *, provisional: bool = False) -> list[Found]:
    """The numbers of a whole text, in the order of their ends."""
    if b"&" in text:
        text = text.replace(*_COMMONEST)
    for sign, escape in _ESCAPES:
        if sign in text:
            text = escape.sub(_plain, text)
    found: list[Found] = []
    for begin, end in _spots(text, 0, len(text), _SLICES, provisional=provisional):
        found += _nirs(text, begin, end)
        if provisional:
            found += _provisionals(text, begin, end)
    found.sort(key=_end)
    return found


def _end(found: Found) -> int:
    return found.end


def _plain(escape: re.Match[bytes]) -> bytes:
    written = escape[0].lower()
    sign = b"\t" if _WRITES_TAB.search(written) else b"-" if _WRITES_DASH.search(written) else b" "
    return sign.ljust(len(written), b"\x00")


def _worth(text: bytes, provisional: bool) -> bool:
    """Whether enough digits stand in a row."""
    shadow = text.translate(_FLAT, _BLANKS)
    return _ROW in shadow or _CORSICAN_ROW in shadow or (provisional and _SHORT_ROW in shadow)


def _spots(
    text: bytes, begin: int, end: int, slices: tuple[int, ...], *, provisional: bool
) -> Iterator[tuple[int, int]]:
    """The slices, (begin, end), that a number may begin in."""
    if not _worth(text[begin : end + _SPAN], provisional):
        return
    if not slices or end - begin <= slices[-1]:
        yield begin, end
        return
    for at in range(begin, end, slices[0]):
        yield from _spots(text, at, min(at + slices[0], end), slices[1:], provisional=provisional)


def _begun(shadow_of: re.Pattern[bytes], text: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Where in a slice something of the right length begins, and where that ends."""
    first = max(0, begin - _BEFORE)
    shadow = text[first : end + _SPAN + 1].translate(_IN_PLACE)
    for match in shadow_of.finditer(shadow, begin - first):
        if match.start() >= end - first:
            return
        yield first + match.start(), first + match.end(1)


def _nirs(text: bytes, begin: int, end: int) -> Iterator[Found]:
    for start, behind in _begun(_NIR_SHADOW, text, begin, end):
        number = text[start:behind].translate(None, _BLANKS).decode("ascii").upper()
        if _key_right(number) and any(spelled.match(text, start) for spelled in _NIR):
            yield Found(number[:13], behind)


def _key_right(number: str) -> bool:
    if not number.isdecimal() and number[5:7] not in {"2A", "2B"}:
        return False
    return nir_key(number[:13]) == int(number[13:])


def _provisionals(text: bytes, begin: int, end: int) -> Iterator[Found]:
    for start, behind in _begun(_PROVISIONAL_SHADOW, text, begin, end):
        if any(spelled.match(text, start) for spelled in _PROVISIONAL):
            yield Found(text[start:behind].translate(None, _BLANKS).decode("ascii"), behind)
