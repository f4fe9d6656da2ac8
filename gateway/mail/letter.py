# SPDX-License-Identifier: EUPL-1.2
"""One letter, plain text to one address, which cannot be built if it could become another one on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from gateway.errors import HerseError
from gateway.model.mail_address import is_mail_address

LONGEST_SUBJECT: Final = 150
LONGEST_TEXT: Final = 20_000


class NoLetter(HerseError):
    """What was to be a letter is none. The message names the part, never what stands in it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """`to` is one plain address; `subject` one line; `text` is lines with line feeds. Its repr tells the subject alone.

    NoLetter: an address of another shape, a line break or an unseen character where it could make a new header.
    """

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if not is_mail_address(self.to):
            raise NoLetter("the address of a letter has not the form name@domain.example in plain ASCII")
        if not 0 < len(self.subject) <= LONGEST_SUBJECT or not _shows(self.subject):
            raise NoLetter(f"the subject of a letter is not 1 to {LONGEST_SUBJECT} printable characters in one line")
        if not 0 < len(self.text) <= LONGEST_TEXT or not all(_shows(line) for line in self.text.split("\n")):
            raise NoLetter(f"the text of a letter is not 1 to {LONGEST_TEXT} printable characters and line feeds")


def _shows(line: str) -> bool:
    """Only what is seen: no controls, no bidirectional marks, no surrogates; the no-break space is one of us."""
    return line.replace("\u00a0", " ").isprintable()
