# SPDX-License-Identifier: EUPL-1.2
"""listing: what people and programs read, and nothing that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.incident.incident import IncidentError
from gateway.incident.listing import COLUMNS, cell, csv_line, format_of, heading_of, json_line, writer_of
from gateway.incident.people import Person
from gateway.ledger.event import microseconds
from support.incident_rows import NOON, mark

AT = microseconds(NOON)
PERSON = Person(mark(1), ("identity", "rights"), ("infopatient",), ("A12", "B12"), AT, AT + 61_000_000, 3, ())


def parsed(line: str) -> list[str]:
    (row,) = csv.reader(StringIO(line), delimiter=";")
    return row


def test_a_row_of_the_csv_is_for_people_in_French():
    told = dict(zip(COLUMNS, parsed(csv_line(PERSON, "1900751234001")), strict=True))
    assert told == {
        "nir": "1900751234001",
        "categories": "nom et prénom, droits à l'assurance maladie (médecin traitant, C2S, AME, exonérations)",
        "premiere": "20/11/2026 13:00:00",
        "derniere": "20/11/2026 13:01:01",
        "consultations": "3",
        "comptes": "A12 B12",
        "teleservices": "infopatient",
        "reference": "",
    }
    assert parsed(heading_of("csv")) == list(COLUMNS)
    assert csv_line(PERSON, "1").endswith("\r\n")


def test_a_line_of_json_is_for_programs():
    assert json.loads(json_line(PERSON, "1900751234001")) == {
        "nir": "1900751234001",
        "categories": ["identity", "rights"],
        "first": "2026-11-20T12:00:00Z",
        "last": "2026-11-20T12:01:01Z",
        "looks": 3,
        "accounts": ["A12", "B12"],
        "teleservices": ["infopatient"],
        "reference": None,
    }
    assert heading_of("jsonl") == ""


def test_who_has_no_number_has_a_reference():
    assert parsed(csv_line(PERSON, None))[0] == ""
    assert parsed(csv_line(PERSON, None))[-1] == mark(1).hex()
    told = json.loads(json_line(PERSON, None))
    assert (told["nir"], told["reference"]) == (None, mark(1).hex())


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_cell_that_would_be_calculated_is_text(sign):
    assert cell(f"{sign}1+1") == f"'{sign}1+1"
    evil = Person(mark(1), (), (f"{sign}cmd",), (f"{sign}HYPERLINK()",), AT, AT, 1, ())
    row = parsed(csv_line(evil, f"{sign}2"))
    assert [row[0], row[5], row[6]] == [f"'{sign}2", f"'{sign}HYPERLINK()", f"'{sign}cmd"]


@given(st.text(max_size=20))
def test_no_cell_begins_with_a_formula_and_every_text_is_kept(text):
    assert cell(text).lstrip("'") == text.lstrip("'")
    assert cell(text)[:1] not in set("=+-@\t\r\n") or not text


def test_the_name_of_the_file_chooses_the_format():
    assert format_of(Path("a/list.CSV")) == "csv"
    assert writer_of("csv") is csv_line
    assert format_of(Path("list.jsonl")) == "jsonl"
    assert writer_of("jsonl") is json_line
    for name in ("list.xlsx", "csv", "list.json", "list"):
        with pytest.raises(IncidentError, match=r"\.csv or \.jsonl"):
            format_of(Path(name))
