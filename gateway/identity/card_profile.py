# SPDX-License-Identifier: EUPL-1.2
"""What an IGC-Santé certificate says of its bearer and its card, read element by element from the signed DER. Pure.

The subject is never turned into a DN string: that loses where one attribute ends and the next begins. Only the shape of
the real profile passes: one RDN of several values, {given name, common name, surname}, each attribute once (OU may
repeat), UTF8String or PrintableString without control characters. Whether the certificate can be believed is no
business of this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.identity.identifiers import AccountError, parse_rpps


class CardType(StrEnum):
    """The card types of table G02: professional, in training, employee of a structure, other staff."""

    CPS = "CPS"
    CPF = "CPF"
    CPE = "CPE"
    CPA = "CPA"


class ProfileError(ValueError):
    """The certificate has not the real profile; nothing of it may be believed."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who the subject names. `title` is the profession in clear French text."""

    common_name: str
    given_name: str
    family_name: str
    title: str


_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_OID: Final = 0x06
_INTEGER: Final = 0x02
_BITS: Final = 0x03
_OCTETS: Final = 0x04
_UTF8: Final = 0x0C
_PRINTABLE: Final = 0x13
_CONTEXT_0: Final = 0xA0
_LONG_FORM: Final = 0x80
_MOST_LENGTH_BYTES: Final = 4

_COMMON_NAME: Final = b"\x55\x04\x03"
_SURNAME: Final = b"\x55\x04\x04"
_COUNTRY: Final = b"\x55\x04\x06"
_UNIT: Final = b"\x55\x04\x0b"
_TITLE: Final = b"\x55\x04\x0c"
_GIVEN_NAME: Final = b"\x55\x04\x2a"
_NAMES: Final = frozenset({_COMMON_NAME, _SURNAME, _GIVEN_NAME})

_TYPES: Final = {0: CardType.CPS, 1: CardType.CPF, 2: CardType.CPE, 3: CardType.CPA}
_PRINTABLE_TEXT: Final = re.compile(r"[A-Za-z0-9 '()+,\-./:=?]*")
# What would divide a DN string: no name of a person holds one, so one that does is made to be misread somewhere.
_DIVIDERS: Final = frozenset(',=+<>#;"\\')
_LONGEST_NAME: Final = 64
_CARD_NUMBER: Final = re.compile(r"[0-9A-Z]{4,20}/[0-9A-Z]{4,20}")

_RPPS_ID: Final = re.compile(r"8([0-9]{11})")
_ADELI_ID: Final = re.compile(r"0(?:[0-9]{2}|2[AB])[0-9]{7}")
_ADELI_TEST_ID: Final = re.compile(r"0[0-9A-Z]{9}")
# <kind of structure><its number>/<number inside it>: FINESS, SIREN, SIRET, or the number of a practice.
_STAFF_ID: Final = re.compile(r"[13-6](?:[0-9]{2}|2[AB])[0-9]{7,12}/[0-9A-Za-z]{1,32}")
_STAFF_TEST_ID: Final = re.compile(r"[13-6][0-9A-Z]{9,14}/[0-9A-Za-z]{1,32}")


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each DER element in a row; ProfileError unless they fill `data` to its end."""
    found, place = [], 0
    while place < len(data):
        tag, size, place = _head(data, place)
        content = data[place : place + size]
        if len(content) != size:
            raise ProfileError("an element is longer than what holds it")
        found.append((tag, content))
        place += size
    return found


def _head(data: bytes, place: int) -> tuple[int, int, int]:
    """(tag, length, place of the content): one-byte tags, definite and shortest lengths alone."""
    tag, first = data[place], data[place + 1 : place + 2]
    if not first:
        raise ProfileError("an element without a length")
    if first[0] < _LONG_FORM:
        return tag, first[0], place + 2
    count = first[0] - _LONG_FORM
    digits = data[place + 2 : place + 2 + count]
    size = int.from_bytes(digits, "big")
    if not 1 <= count <= _MOST_LENGTH_BYTES or len(digits) != count or digits[0] == 0 or size < _LONG_FORM:
        raise ProfileError("a length that is not in its one DER form")
    return tag, size, place + 2 + count


def _inside(data: bytes, tag: int) -> bytes:
    """The content of the one element that `data` is, which must have this tag."""
    found = elements(data)
    if len(found) != 1 or found[0][0] != tag:
        raise ProfileError("not the one element expected")
    return found[0][1]


def check_signature_form(certificate: bytes) -> None:
    """ProfileError unless the signature is a BIT STRING of whole bytes.

    Other readers drop up to seven last bits unseen: one signature would have several forms, and one card several
    fingerprints.
    """
    parts = elements(_inside(certificate, _SEQUENCE))
    if not parts or parts[-1][0] != _BITS or parts[-1][1][:1] != b"\0":
        raise ProfileError("a signature that is not made of whole bytes")


def subject_of(tbs_certificate: bytes) -> bytes:
    """The content of the subject Name of a version 3 certificate's signed part (RFC 5280 4.1)."""
    fields = elements(_inside(tbs_certificate, _SEQUENCE))
    # [0] version, serial, signature, issuer, validity, subject, …
    if len(fields) <= 5 or fields[0][0] != _CONTEXT_0 or fields[5][0] != _SEQUENCE:  # noqa: PLR2004  # the sixth field
        raise ProfileError("no version 3 certificate")
    return fields[5][1]


def read_person(subject: bytes) -> Person:
    """The person that a subject Name (its content) names; ProfileError for any other shape than the real profile's."""
    rdns = [_attributes(tag, content) for tag, content in elements(subject)]
    several = [rdn for rdn in rdns if len(rdn) != 1]
    if len(several) != 1 or len(several[0]) != len(_NAMES) or {kind for kind, _ in several[0]} != _NAMES:
        raise ProfileError("not exactly one RDN of several values, which holds the three names")
    kinds = [kind for rdn in rdns for kind, _ in rdn if kind != _UNIT]
    if len(kinds) != len(set(kinds)):
        raise ProfileError("an attribute is repeated")
    values = {kind: text for rdn in rdns for kind, text in rdn}
    if values.get(_COUNTRY) != "FR":
        raise ProfileError("the country is not FR")
    named = Person(values[_COMMON_NAME], values[_GIVEN_NAME], values[_SURNAME], values.get(_TITLE, ""))
    for text in (named.common_name, named.given_name, named.family_name, named.title):
        if not 0 < len(text) <= _LONGEST_NAME or _DIVIDERS & set(text):
            raise ProfileError("a name is missing, too long, or holds what divides a DN")
    return named


def _attributes(tag: int, content: bytes) -> list[tuple[bytes, str]]:
    """The (type, text) pairs of one RDN."""
    if tag != _SET:
        raise ProfileError("an RDN that is no SET")
    pairs = []
    for kind, pair in elements(content):
        parts = elements(pair)
        if kind != _SEQUENCE or len(parts) != 2 or parts[0][0] != _OID:  # noqa: PLR2004  # type and value
            raise ProfileError("an attribute that is no type and value")
        pairs.append((parts[0][1], _text(*parts[1])))
    return pairs


def _text(tag: int, content: bytes) -> str:
    """The text of a string; other string types, control characters and borders of spaces are refused."""
    if tag not in {_UTF8, _PRINTABLE}:
        raise ProfileError("a string type other than UTF8String and PrintableString")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ProfileError("a string that is not UTF-8") from None
    if tag == _PRINTABLE and not _PRINTABLE_TEXT.fullmatch(text):
        raise ProfileError("a PrintableString with a character that it cannot hold")
    if not text.isprintable() or text != text.strip():
        raise ProfileError("a string with a character that is not seen")
    return text


def read_category(value: bytes) -> int:
    """Product category (1.2.250.1.71.1.2.5, table G01) from the extension's value; 0x80 is the test bit."""
    content = _inside(value, _OCTETS)
    if len(content) != 1:
        raise ProfileError("a product category of another length than one byte")
    return content[0]


def read_card_type(value: bytes) -> CardType:
    """Card type (1.2.250.1.71.1.2.2, table G02) from the extension's value."""
    content = _inside(value, _INTEGER)
    if len(content) != 1 or content[0] not in _TYPES:
        raise ProfileError("a card type that is not in table G02")
    return _TYPES[content[0]]


def read_card_number(value: bytes) -> str:
    """`<issuer>/<card number>` (1.2.250.1.71.1.2.3) from the extension's value."""
    text = _text(_PRINTABLE, _inside(value, _PRINTABLE))
    if not _CARD_NUMBER.fullmatch(text):
        raise ProfileError("no card number")
    return text


def read_principal(value: bytes) -> str:
    """The user principal name of an otherName: one UTF8String."""
    return _text(_UTF8, _inside(value, _UTF8))


def read_rpps(common_name: str, card_type: CardType, *, sandbox: bool) -> str | None:
    """Check that the common name is an idNat that this card may carry; its RPPS number if it is one (Luhn checked).

    ADELI numbers have no checksum; letters in them, and in the FINESS of test staff, are shapes of the sandbox.
    """
    by_rpps = _RPPS_ID.fullmatch(common_name)
    if by_rpps:
        try:
            return parse_rpps(by_rpps[1])
        except AccountError:
            raise ProfileError("an RPPS number whose last digit is wrong") from None
    if (_ADELI_TEST_ID if sandbox else _ADELI_ID).fullmatch(common_name):
        return None
    if card_type in {CardType.CPE, CardType.CPA} and (_STAFF_TEST_ID if sandbox else _STAFF_ID).fullmatch(common_name):
        return None
    raise ProfileError("no national identifier of a person")
