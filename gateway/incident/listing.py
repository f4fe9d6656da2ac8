# SPDX-License-Identifier: EUPL-1.2
"""The list to inform people one by one, as a file of lines: CSV for people, JSON Lines for programs.

CSV as French spreadsheets open it, with French words: semicolons, UTF-8, times of Paris. A cell that a spreadsheet
would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import lru_cache
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
_SECOND: Final = 1_000_000
_QUARTER: Final = 900
_TO_QUOTE: Final = frozenset('";,\r\n\t')
_encoded: Final = json.JSONEncoder(ensure_ascii=False).encode
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
    return csv_row(COLUMNS) if ending == "csv" else ""


def csv_line(person: Person, number: str | None) -> str:
    """One row of the CSV."""
    return csv_row(
        (
            number or "",
            _in_french(person.categories),
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
    return f"{_encoded(told)}\n"


def cell(text: str) -> str:
    """The text, such that no spreadsheet calculates it."""
    return f"'{text}" if text[:1] in _FORMULA and text else text


def csv_row(cells: tuple[str, ...]) -> str:
    """These cells as a line of CSV, safe to open in a spreadsheet."""
    return f"{';'.join(map(_quoted, cells))}\r\n"


def _quoted(text: str) -> str:
    """As RFC 4180 has it; by hand, since a writer of `csv` for each line costs more than the line."""
    text = cell(text)
    if _TO_QUOTE.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _in_paris(at: int) -> str:
    seconds = at // _SECOND
    there = EPOCH + timedelta(seconds=seconds + _ahead(seconds // _QUARTER))
    return f"{there:%d/%m/%Y %H:%M:%S}"


@lru_cache(maxsize=4_096)
def _ahead(quarter: int) -> int:
    """How many seconds Paris is ahead of UTC in this quarter of an hour; it has only ever changed at one."""
    there = (EPOCH + timedelta(seconds=quarter * _QUARTER)).astimezone(PARIS)
    return int((there.utcoffset() or timedelta()).total_seconds())


@lru_cache(maxsize=1_024)
def _in_french(categories: tuple[str, ...]) -> str:
    return category_names(categories)
