# SPDX-License-Identifier: EUPL-1.2
"""The list to inform people one by one, as a file of lines: CSV for people, JSON Lines for programs.

CSV as French spreadsheets open it, with French words: semicolons, UTF-8, times of Paris. A cell that a spreadsheet
would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Final

from gateway.incident.incident import IncidentError
from gateway.ledger.event import EPOCH
from gateway.pages.category_words import category_names
from gateway.pages.when import PARIS, iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.incident.people import Person

COLUMNS: Final = (
    "nir",
    "categories",
    "premiere",
    "derniere",
    "consultations",
    "comptes",
    "teleservices",
    "reference",
)
"""The first line of the CSV. `reference`: the pseudonym of a person whose number is not known, else empty."""
_FORMULA: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a cell must not begin with (OWASP, CSV injection); the full-width signs count in some spreadsheets."""


def format_of(path: Path) -> str:
    """`csv` or `jsonl`, by the name of the file; IncidentError for any other."""
    for ending in ("csv", "jsonl"):
        if path.name.lower().endswith(f".{ending}"):
            return ending
    raise IncidentError(f"found {path.name!a} as the list to write; expected a name that ends in .csv or .jsonl")


def writer_of(ending: str) -> Callable[[Person, str | None], str]:
    """The line of one person and his number (None: not known), with its line feed."""
    return csv_line if ending == "csv" else json_line


def heading_of(ending: str) -> str:
    """What stands before the people."""
    return _joined(COLUMNS) if ending == "csv" else ""


def csv_line(person: Person, number: str | None) -> str:
    """One row of the CSV."""
    return _joined(
        (
            number or "",
            category_names(person.categories),
            _in_paris(person.first),
            _in_paris(person.last),
            str(person.looks),
            " ".join(person.accounts),
            " ".join(person.teleservices),
            "" if number else person.pseudonym.hex(),
        )
    )


def json_line(person: Person, number: str | None) -> str:
    """One object."""
    told = {
        "nir": number,
        "categories": person.categories,
        "first": iso(EPOCH + timedelta(microseconds=person.first)),
        "last": iso(EPOCH + timedelta(microseconds=person.last)),
        "looks": person.looks,
        "accounts": person.accounts,
        "teleservices": person.teleservices,
        "reference": None if number else person.pseudonym.hex(),
    }
    return json.dumps(told, ensure_ascii=False) + "\n"


def cell(text: str) -> str:
    """The text, such that no spreadsheet calculates it."""
    return f"'{text}" if text[:1] in _FORMULA and text else text


def _joined(cells: tuple[str, ...]) -> str:
    line = StringIO()
    csv.writer(line, delimiter=";", lineterminator="\r\n").writerow([cell(text) for text in cells])
    return line.getvalue()


def _in_paris(at: int) -> str:
    return (EPOCH + timedelta(microseconds=at)).astimezone(PARIS).strftime("%d/%m/%Y %H:%M:%S")
