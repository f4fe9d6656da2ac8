# SPDX-License-Identifier: EUPL-1.2
"""What a worker and the desk tell each other of the watch over accounts, as JSON has it: notes, what they raised, and
the risks that stand. No patient: of a pseudonym its first bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.metering.risks import Standing
from gateway.metering.watching import Note, Raised
from gateway.metering.watching_afar import Told
from gateway.model import Finding, Risk, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PERSON: Final = Note._fields.index("person")
"""Behind it the neighbours: these two are bytes."""


def looks_text(looks: Iterable[Told]) -> list[Any]:
    """What was looked up."""
    return [[one.together, [_note_text(note) for note in one.notes]] for one in looks]


def looks_of(told: list[Any]) -> list[Told]:
    """What was looked up, from `looks_text`."""
    return [Told(tuple(_note_of(note) for note in notes), together) for together, notes in told]


def found_text(found: Mapping[int, Raised]) -> list[Any]:
    """What was raised, by the place of the look-up."""
    return [[place, raised.risk, raised.findings] for place, raised in found.items()]


def found_of(told: list[Any]) -> dict[int, Raised]:
    """What was raised, from `found_text`."""
    return {place: Raised(Risk(risk), tuple(map(_finding_of, findings))) for place, risk, findings in told}


def risks_of(told: list[Any]) -> list[Standing]:
    """The risks that stand; a Standing is its own text."""
    return [Standing(account, Risk(risk), since, until) for account, risk, since, until in told]


def _note_text(note: Note) -> list[Any]:
    before, after = note[:_PERSON], note[_PERSON + 2 :]
    return [*before, note.person.hex(), [one.hex() for one in note.neighbours], *after]


def _note_of(told: list[Any]) -> Note:
    note = Note._make(told)
    return note._replace(person=bytes.fromhex(told[_PERSON]), neighbours=tuple(map(bytes.fromhex, told[_PERSON + 1])))


def _finding_of(told: list[Any]) -> Finding:
    signal, risk, figures = told
    return Finding(Signal(signal), Risk(risk), tuple((name, value) for name, value in figures))
