# SPDX-License-Identifier: EUPL-1.2
"""The profile read element by element: DER in its one form, one shape of subject, the private extensions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.card_profile import (
    CardType,
    Person,
    ProfileError,
    check_signature_form,
    elements,
    read_card_number,
    read_card_type,
    read_category,
    read_person,
    read_principal,
    read_rpps,
    subject_of,
)

UTF8, PRINTABLE = 0x0C, 0x13


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 + len(digits)]) + digits + content


def attribute(kind: int, text: str | bytes, tag: int = UTF8) -> bytes:
    content = text if isinstance(text, bytes) else text.encode()
    return tlv(0x30, tlv(0x06, bytes([0x55, 0x04, kind])) + tlv(tag, content))


def rdn(*attributes: bytes) -> bytes:
    return tlv(0x31, b"".join(attributes))


COUNTRY = rdn(attribute(6, "FR", PRINTABLE))
TITLE = rdn(attribute(12, "Médecin"))
CN, SN, GN = attribute(3, "899700075122"), attribute(4, "RIVIÈRE"), attribute(42, "INÈS")
NAMES = rdn(CN, SN, GN)
GOOD = COUNTRY + TITLE + NAMES


def test_a_person_is_read_in_whatever_order_the_values_stand():
    expected = Person("899700075122", "INÈS", "RIVIÈRE", "Médecin")
    assert read_person(GOOD) == read_person(NAMES + COUNTRY + TITLE) == expected
    assert read_person(COUNTRY + TITLE + rdn(GN, CN, SN)) == expected


def test_an_attribute_nobody_reads_may_stand_there_once_and_units_repeat():
    unit = rdn(attribute(11, "10B0057881"))
    place = rdn(attribute(8, "Paris (75)", PRINTABLE))
    assert read_person(COUNTRY + place + unit + unit + TITLE + NAMES) == read_person(GOOD)
    with pytest.raises(ProfileError, match="repeated"):
        read_person(COUNTRY + place + place + TITLE + NAMES)


@pytest.mark.parametrize(
    "subject",
    {
        "nothing": b"",
        "no names": COUNTRY + TITLE,
        "names twice": COUNTRY + TITLE + NAMES + NAMES,
        "an empty RDN": GOOD + rdn(),
        "not a SET": COUNTRY + TITLE + tlv(0x30, CN + SN + GN),
        "an attribute that is no SEQUENCE": COUNTRY + TITLE + rdn(CN, SN, tlv(0x31, GN[2:])),
        "a type that is no OID": COUNTRY + rdn(tlv(0x30, tlv(0x02, b"\x01") + tlv(UTF8, b"x"))) + TITLE + NAMES,
        "three parts": COUNTRY + rdn(tlv(0x30, GN[2:] + tlv(UTF8, b"x"))) + TITLE + NAMES,
        "two given names, no surname": COUNTRY + TITLE + rdn(CN, GN, GN),
        "four values": COUNTRY + TITLE + rdn(CN, SN, GN, attribute(65, "X")),
        "IA5String": COUNTRY + TITLE + rdn(CN, attribute(4, "X", 0x16), GN),
        "T61String": COUNTRY + TITLE + rdn(CN, attribute(4, "X", 0x14), GN),
        "BMPString": COUNTRY + TITLE + rdn(CN, attribute(4, b"\0X", 0x1E), GN),
        "not UTF-8": COUNTRY + TITLE + rdn(CN, attribute(4, b"\xe9"), GN),
        "overlong UTF-8": COUNTRY + TITLE + rdn(CN, attribute(4, b"A\xc0\x80"), GN),
        "NUL": COUNTRY + TITLE + rdn(CN, attribute(4, "A\0B"), GN),
        "an at sign in a PrintableString": COUNTRY + TITLE + rdn(CN, attribute(4, "A@B", PRINTABLE), GN),
        "NUL in a PrintableString": COUNTRY + TITLE + rdn(CN, attribute(4, "A\0", PRINTABLE), GN),
        "a space at the end": COUNTRY + TITLE + rdn(CN, attribute(4, "A "), GN),
        "a no-break space": COUNTRY + TITLE + rdn(CN, attribute(4, "A\u00a0B"), GN),
        "empty": COUNTRY + TITLE + rdn(CN, attribute(4, ""), GN),
        "65 characters": COUNTRY + TITLE + rdn(CN, attribute(4, "A" * 65), GN),
        "a plus sign": COUNTRY + TITLE + rdn(CN, attribute(4, "A+B"), GN),
        "a backslash": COUNTRY + TITLE + rdn(CN, attribute(4, "A\\"), GN),
        "no country": TITLE + NAMES,
        "country in lower case": rdn(attribute(6, "fr")) + TITLE + NAMES,
        "no title": COUNTRY + NAMES,
        "cut short": GOOD[:-1],
    }.values(),
)
def test_any_other_shape_is_refused(subject):
    with pytest.raises(ProfileError):
        read_person(subject)


@pytest.mark.parametrize(
    "data",
    {
        "a tag alone": b"\x04",
        "longer than the rest": b"\x04\x02a",
        "indefinite": b"\x04\x80a\0\0",
        "long form of a short length": b"\x04\x81\x01a",
        "a zero before the length": b"\x04\x82\x00\x80" + b"a" * 128,
        "length cut short": b"\x04\x82\x01",
        "a length of five bytes": b"\x04\x85\x01\0\0\0\0",
    }.values(),
)
def test_a_length_has_one_form(data):
    with pytest.raises(ProfileError):
        elements(data)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=300)), max_size=5))
def test_elements_gives_back_what_was_written(pairs):
    assert elements(b"".join(tlv(tag, content) for tag, content in pairs)) == pairs


@given(st.binary(max_size=60))
def test_whatever_is_read_was_written_so(data):
    try:
        pairs = elements(data)
    except ProfileError:
        return
    assert b"".join(tlv(tag, content) for tag, content in pairs) == data


def test_the_subject_is_the_sixth_field_of_a_version_3_certificate():
    name = tlv(0x30, GOOD)
    five = tlv(0xA0, b"\x02\x01\x02") + tlv(2, b"\x01") + 3 * tlv(0x30, b"")
    assert subject_of(tlv(0x30, five + name + tlv(0x30, b"key"))) == GOOD
    odd = (five, five + tlv(0x31, GOOD), tlv(2, b"\x01") + 4 * tlv(0x30, b"") + name)
    for fields in odd:
        with pytest.raises(ProfileError, match="version 3"):
            subject_of(tlv(0x30, fields))
    for whole in (tlv(0x31, five + name), tlv(0x30, five + name) + tlv(5, b""), b""):
        with pytest.raises(ProfileError, match="one element"):
            subject_of(whole)


def test_a_signature_is_made_of_whole_bytes():
    body = tlv(0x30, b"tbs") + tlv(0x30, b"algorithm")
    check_signature_form(tlv(0x30, body + tlv(0x03, b"\0\x80")))
    for last in (tlv(0x03, b"\x01\x80"), tlv(0x03, b""), tlv(0x04, b"\0\x80"), b""):
        with pytest.raises(ProfileError, match="whole bytes"):
            check_signature_form(tlv(0x30, body + last))
    with pytest.raises(ProfileError, match="whole bytes"):
        check_signature_form(tlv(0x30, b""))


def test_the_tables_of_the_extensions():
    assert [read_category(bytes([4, 1, value])) for value in (0x00, 0x02, 0x80)] == [0x00, 0x02, 0x80]
    assert [read_card_type(bytes([2, 1, value])) for value in range(4)] == list(CardType)
    assert read_card_number(b"\x13\x158025000001/2600301752") == "8025000001/2600301752"
    assert read_principal(b"\x0c\x0b1@carte.cps") == "1@carte.cps"


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (read_category, b"\x04\x02\x80\x80"),
        (read_category, b"\x04\x00"),
        (read_category, b"\x02\x01\x80"),
        (read_card_type, b"\x02\x01\x04"),
        (read_card_type, b"\x02\x01\xff"),
        (read_card_type, b"\x02\x02\x00\x01"),
        (read_card_type, b"\x04\x01\x00"),
        (read_card_number, b"\x0c\x158025000001/2600301752"),
        (read_card_number, b"\x13\x0a8025000001"),
        (read_card_number, b"\x13\x168025000001/2600301752 "),
        (read_principal, b"\x13\x011"),
        (read_principal, b"\x0c\x01\x00"),
    ],
)
def test_an_extension_of_another_shape_is_refused(read, value):
    with pytest.raises(ProfileError):
        read(value)


@pytest.mark.parametrize("rpps", ["10000000009", "10101010105", "99700000005", "99700218896", "99900023351"])
def test_an_rpps_number_is_read_in_either_mode(rpps):
    for card_type in CardType:
        for sandbox in (True, False):
            assert read_rpps(f"8{rpps}", card_type, sandbox=sandbox) == rpps


@pytest.mark.parametrize(
    ("common_name", "card_type", "production", "sandbox"),
    [
        ("0751123456", CardType.CPS, True, True),
        ("02A1234567", CardType.CPS, True, True),
        ("00B7010446", CardType.CPS, False, True),
        ("3750012346/EMP0001", CardType.CPE, True, True),
        ("30B0057881/CPET0002", CardType.CPE, False, True),
        ("3760021832/000000018", CardType.CPA, True, True),
        ("3750012346/EMP0001", CardType.CPS, False, False),
        ("810003456789", CardType.CPS, False, False),
        ("8100000000099", CardType.CPS, False, False),
        ("81000000000", CardType.CPS, False, False),
        ("8 10000000009", CardType.CPS, False, False),
        ("9750012346/EMP0001", CardType.CPE, False, False),
        ("3750012346/", CardType.CPE, False, False),
        ("3750012346/A/B", CardType.CPE, False, False),
        ("8\u0661" + "0" * 10, CardType.CPS, False, False),
        ("899700075122\n", CardType.CPS, False, False),
        ("", CardType.CPS, False, False),
    ],
)
def test_shapes_of_national_identifiers(common_name, card_type, production, sandbox):
    for mode, allowed in ((False, production), (True, sandbox)):
        if allowed:
            assert read_rpps(common_name, card_type, sandbox=mode) is None
        else:
            with pytest.raises(ProfileError):
                read_rpps(common_name, card_type, sandbox=mode)


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 65_536])
def test_a_length_has_one_form_in_each_size(size):
    assert elements(tlv(0x04, b"x" * size)) == [(0x04, b"x" * size)]


@pytest.mark.parametrize(
    "data", [b"\x04\x81\x01x", b"\x04\x82\x00\x80" + b"x" * 128, b"\x04\x80", b"\x04\x82\x80", b"\x04"]
)
def test_a_length_in_another_form_is_refused(data):
    with pytest.raises(ProfileError):
        elements(data)
