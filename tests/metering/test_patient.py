# SPDX-License-Identifier: EUPL-1.2
"""patient: every kind of number, and every way to name two patients in one request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.metering.patient import departement, neighbours, nir_key, parse_patient_number, patient_text, text_in_path
from gateway.model import PatientLocator, Place, Reason

PUBLISHED = (
    "255081416802538",
    "295109912611193",
    "284058832102532",
    "284052A32102552",
    "284052B32102579",
    "284202B32102528",
    "284992B32102531",
    "253072B07300470",
    "253072A07300443",
    "269054958815780",
)
GENERATED = (
    "185057800608491",
    "204037505612395",
    "185052A00408495",
    "292112B03301789",
    "170032000400970",
    "190129710501239",
    "288099741124535",
    "195119760800323",
    "281049881800241",
    "168019935211864",
    "170209935200493",
    "255429933001533",
    "160509910902191",
    "269624958815722",
    "140999935207738",
    "185057800607897",
    "185057800607701",
    "785057800608482",
    "885057800608432",
    "385057800608488",
    "485057800608438",
)
PROVISIONAL = (
    "7112312345678",
    "8278965432189",
    "5112312345678",
    "6278965432189",
    "6144100008502",
)
MALFORMED = (
    "185057800608437",  # wrong key
    "185057800608400",  # key 00
    "185437800608436",  # month 43, and the key is 20
    "284058832102530",  # an official example with a wrong key
    "170017510112313",
    "194052203228988",
    "985057800608491",
    "085057800608491",
    "585057800608491",  # 5 and 6 are provisional numbers only
    "18505780060849",  # 14
    "1850578006084910",
    "185052C00408495",
    "18505A200408495",
    "185057800608 4A1",
    "711231234567801",  # a provisional number has no key
    "7312312345678901",
    "１８５０５７８００６０８４９１",  # noqa: RUF001  # full-width digits are not what a portal reads
    "185057800608\u0664\u0669\u0661",
    "185\u00a0057800608491",
    "185\t057800608491",
    "185057800608491\n",
    "185-057-800-608-491",
    "+185057800608491",
    "",
    "x" * 10_000,
    " " * 65 + "185057800608491",
)
NIR = "185057800608491"
CANONICAL = NIR[:13]
FORM = b"application/x-www-form-urlencoded"
JSON = b"application/json"


@pytest.mark.parametrize("number", PUBLISHED + GENERATED)
def test_a_nir_is_accepted_with_and_without_key_and_loses_it(number: str):
    assert parse_patient_number(number) == number[:13]
    assert parse_patient_number(number[:13]) == number[:13]
    assert nir_key(number[:13]) == int(number[13:])


@pytest.mark.parametrize("number", PROVISIONAL)
def test_a_provisional_number_is_accepted_as_it_is(number: str):
    assert parse_patient_number(number) == number


def test_spaces_and_case_name_the_same_patient():
    assert parse_patient_number(" 1 85 05 2a 004 084 95 ") == parse_patient_number("185052A00408495") == "185052A004084"
    assert parse_patient_number("292112b033017 89") == "292112B033017"


def test_a_month_nobody_has_is_the_portals_business():
    assert parse_patient_number("185437800608420") == "1854378006084"


@pytest.mark.parametrize("text", MALFORMED)
def test_anything_else_is_malformed(text: str):
    with pytest.raises(Refused) as refused:
        parse_patient_number(text)
    assert refused.value.reason is Reason.PATIENT_NUMBER_MALFORMED
    assert str(refused.value) == "patient-number-malformed", "the message holds no number"


@given(st.text(max_size=20) | st.from_regex(r"[0-9AB ]{12,16}", fullmatch=True))
def test_a_canonical_number_is_its_own_canonical_form(text: str):
    try:
        canonical = parse_patient_number(text)
    except Refused:
        return
    assert len(canonical) == 13
    assert canonical.isascii()
    assert parse_patient_number(canonical) == canonical


def look(place: Place, name: str = "nir", *, captures=(), query=b"", content_type=b"", body=b"") -> str:
    """What stands for the number, read: the number, or the reason of its refusal."""
    try:
        return parse_patient_number(patient_text(PatientLocator(place, name), captures, query, content_type, body))
    except Refused as refused:
        return refused.reason.value.removeprefix("patient-number-")


def test_the_number_is_found_at_each_place():
    encoded = NIR.encode()
    assert look(Place.PATH, captures=(("year", "2026"), ("nir", NIR))) == CANONICAL
    assert look(Place.QUERY, query=b"a=1&nir=" + encoded + b"&b=") == CANONICAL
    assert look(Place.QUERY, query=b"nir=1+85+05+78+006+084%20%39%31") == CANONICAL
    assert look(Place.FORM, content_type=FORM, body=b"ok=Chercher&nir=" + encoded) == CANONICAL
    assert look(Place.FORM, content_type=FORM + b'; charset="UTF-8"', body=b"nir=" + encoded) == CANONICAL
    assert look(Place.JSON, "/nir", content_type=JSON, body=b'{"nir": "%s"}' % encoded) == CANONICAL
    assert look(Place.JSON, "/p/0/n~1r", content_type=JSON, body=b'{"p": [{"n/r": "%s"}]}' % encoded) == CANONICAL
    assert look(Place.JSON, "", content_type=JSON + b" ;charset=utf-8", body=b'"%s"' % encoded) == CANONICAL


@pytest.mark.parametrize(
    "text", [NIR, CANONICAL, "1 85 05 78 006 084 91", "185052a00408495", " ", "x", " \t", NIR + "é"]
)
def test_a_number_alone_in_the_path_is_read_as_anywhere(text: str):
    try:
        found = parse_patient_number(text_in_path(f"/lookup/{text}/rights", 2))
    except Refused as refused:
        found = refused.reason.value.removeprefix("patient-number-")
    assert found == look(Place.PATH, captures=(("nir", text),))


@pytest.mark.parametrize("place", [Place.PATH, Place.QUERY, Place.FORM])
def test_no_number_is_missing(place: Place):
    assert look(place, content_type=FORM) == "missing"
    assert look(place, captures=(("other", NIR),), query=b"other=1", content_type=FORM, body=b"x=1") == "missing"


def test_an_empty_number_is_missing():
    assert look(Place.QUERY, query=b"nir=") == "missing"
    assert look(Place.QUERY, query=b"nir") == "missing"
    assert look(Place.FORM, content_type=FORM, body=b"nir=+%20") == "missing"
    assert look(Place.PATH, captures=(("nir", " "),)) == "missing"
    assert look(Place.JSON, "/nir", content_type=JSON, body=b'{"nir": ""}') == "missing"


@pytest.mark.parametrize(
    "query",
    [
        b"nir=1&nir=2",
        b"nir=1&nir=1",
        b"nir=1&NIR=2",
        b"NIR=185057800608491",
        b"n%49r=2",
        b"nir=1&ni%72=2",
        b"nir=1&n%C4%B1r=2",  # dotless i
        b"nir=1&n%C4%B0r=2",  # I with a dot
        b"nir=1&%EF%BD%8Eir=2",  # full-width n
        b"nir=1&n%C3%AFr=2",
        b"nir=1&nir%5B%5D=2",
        b"nir=1&nir[0]=2",
        b"nir=1&+nir=2",
        b"nir=1&nir%00x=2",
        b"nir=1&ni%E2%80%8Br=2",  # zero-width space
        b"nir=1;nir=2",
        b"nir=1&a=1;b=2",
        b"nir=1&_method=GET",
        b"nir=1&_METHOD=GET",
    ],
)
def test_J2_a_second_reading_of_the_query_is_ambiguous(query: bytes):
    assert look(Place.QUERY, query=query) == "ambiguous"
    assert look(Place.FORM, content_type=FORM, body=query) == "ambiguous"


def test_a_number_in_two_places_is_ambiguous():
    encoded = b"nir=" + NIR.encode()
    assert look(Place.FORM, query=encoded, content_type=FORM, body=encoded) == "ambiguous"
    assert look(Place.FORM, query=b"Nir=1", content_type=FORM, body=encoded) == "ambiguous"
    assert look(Place.QUERY, query=encoded, content_type=FORM, body=encoded) == "ambiguous"
    assert look(Place.QUERY, query=encoded, content_type=FORM + b"; charset=latin1", body=encoded) == "ambiguous"
    assert look(Place.PATH, captures=(("nir", NIR),), query=encoded) == "ambiguous"
    assert look(Place.PATH, captures=(("nir", NIR), ("nir", NIR))) == "ambiguous"
    assert look(Place.JSON, "/p/nir", query=encoded, content_type=JSON, body=b"{}") == "ambiguous"


def test_N4_a_method_override_is_ambiguous_wherever_it_stands():
    assert look(Place.FORM, query=b"_method=PUT", content_type=FORM, body=b"nir=1") == "ambiguous"
    assert look(Place.PATH, captures=(("nir", NIR),), query=b"_method=PUT") == "ambiguous"
    assert look(Place.PATH, captures=(("nir", NIR),), content_type=FORM, body=b"_method=PUT") == "ambiguous"


def test_a_name_with_brackets_of_its_own_has_siblings():
    body = b"patient%5Bnir%5D=" + NIR.encode() + b"&patient[name]=x"
    assert look(Place.FORM, "patient[nir]", content_type=FORM, body=body) == CANONICAL
    assert look(Place.FORM, "patient[nir]", content_type=FORM, body=body + b"&Patient[nir]=1") == "ambiguous"


@pytest.mark.parametrize(
    "content_type",
    [b"", JSON, b"text/plain", b"multipart/form-data; boundary=x", FORM + b"; charset=utf-16", FORM + b"x"],
)
def test_a_body_of_another_type_is_malformed(content_type: bytes):
    assert look(Place.FORM, content_type=content_type, body=b"nir=" + NIR.encode()) == "malformed"


@pytest.mark.parametrize(
    "content_type", [b"", FORM, b"text/json", b"application/problem+json", JSON + b"; charset=utf-16"]
)
def test_a_document_of_another_type_is_malformed(content_type: bytes):
    assert look(Place.JSON, "/nir", content_type=content_type, body=b'{"nir":"%s"}' % NIR.encode()) == "malformed"


def test_a_body_that_is_no_form_does_not_matter_where_the_number_is_in_the_query():
    assert look(Place.QUERY, query=b"nir=" + NIR.encode(), content_type=b"image/png", body=b"\x89PNG;") == CANONICAL


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("1850578006084", "78"),
        ("1850597105012", "971"),
        ("1850598800012", "988"),
        ("185052A004084", "2A"),
        ("185052B004084", "2B"),
        ("1850599109022", "99"),
        ("7112312345678", None),
        ("5112312345678", None),
    ],
)
def test_where_a_number_was_given(number: str, place: str | None):
    assert departement(number) == place


def test_neighbours_are_the_numbers_just_before_and_after_in_the_same_register():
    assert neighbours("1850578006084") == ("1850578006083", "1850578006085")
    assert neighbours("185052A004000") == ("185052A004001",)
    assert neighbours("1850578006999") == ("1850578006998",)
