# SPDX-License-Identifier: EUPL-1.2
"""The people in a text of any kind, record by record: the numbers that stand in it, up to each declared border. Pure.

A border is written in the policy, `</tr>` or a line break: behind it the people before it are known, whatever follows.
Without one the text is a single record. What is no text (a zero byte, the mark of another coding) is unreadable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.errors import UnreadableError
from gateway.metering.scan import Scanner
from gateway.model.unread import Unread

if TYPE_CHECKING:
    from gateway.metering.scan import Found

People = tuple[str, ...]
Read = tuple[People, int]
"""The numbers of a record in their order, and the place in the stream just behind it."""

_OF_NUMBERS: Final = frozenset(b"0123456789abcdefABCDEF \t.-+&;#%xX\\uUnspthim")  # and of the separators in them
_OTHER_CODINGS: Final = (b"\xff\xfe", b"\xfe\xff")  # the marks of UTF-16, whatever the head of the answer says


def check_border(border: bytes) -> None:
    """ValueError if numbers could stand over the border: it needs a byte that is no part of any."""
    if not border or set(border) <= _OF_NUMBERS or not border.isascii():
        raise ValueError("a border needs at least one character that can be no part of a number, all of them ASCII")


class TextRecords:
    """Reads one text. It keeps some hundred bytes and the numbers since the last border."""

    def __init__(self, border: bytes | None, *, provisional: bool = False) -> None:
        if border is not None:
            check_border(border)
        self._border = border
        self._scanner = Scanner(provisional=provisional)
        self._begun: list[Found] = []  # numbers behind the last border
        self._kept = b""  # the end of the text, which may be the beginning of a border, or of a mark

    def feed(self, piece: bytes) -> list[Read]:
        """The records that are complete by now. UnreadableError if this is no text."""
        before = self._scanner.seen
        if b"\x00" in piece:
            raise UnreadableError(Unread.BINARY)
        if before < len(_OTHER_CODINGS[0]) and (self._kept + piece).startswith(_OTHER_CODINGS):
            raise UnreadableError(Unread.CHARSET)
        self._begun += self._scanner.feed(piece)
        if self._border is None:
            self._kept = (self._kept + piece)[:1] if before == 0 else b""
            return []
        window, first = self._kept + piece, before - len(self._kept)
        last = window.rfind(self._border)
        if last < 0:
            self._kept = window[-max(len(self._border) - 1, 1) :]
            return []
        self._kept = window[last + len(self._border) :][-max(len(self._border) - 1, 1) :]
        return self._split(window, first)

    def _split(self, window: bytes, first: int) -> list[Read]:
        """One record for each border behind a number; the last border ends one without, if need be."""
        border = self._border or b""
        begun, self._begun = self._begun, []
        records: list[Read] = []
        people: list[str] = []
        end = -1
        for found in begun:
            if found.end > end:
                if people:
                    records.append((tuple(people), end))
                    people = []
                at = window.find(border, max(0, found.end - first))
                if at < 0:
                    self._begun.append(found)
                    continue
                end = first + at + len(border)
            people.append(found.number)
        if people:
            records.append((tuple(people), end))
        last = first + window.rfind(border) + len(border)
        return records if last == end else [*records, ((), last)]

    def finish(self) -> list[Read]:
        """What stands behind the last border, when the text has ended."""
        people = tuple(found.number for found in self._begun + self._scanner.finish())
        return [(people, self._scanner.seen)]
