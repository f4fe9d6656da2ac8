# SPDX-License-Identifier: EUPL-1.2
"""The people in a JSON answer that comes in pieces: the elements of one array, each with its numbers. Pure.

The array is named by a pointer (RFC 6901), the numbers by pointers within its elements. Only the element in hand is
kept, and what stands around the array, each up to a limit. Everything is read as strictly as the body of a request
(fields): a name twice, NaN, bytes that are no UTF-8, an end that does not come, a second such array, or an element
without its number make the answer unreadable from there on. If the pointer leads to an object, that is the one record.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gateway.errors import Refused, UnreadableError
from gateway.metering.fields import DEPTH_AT_MOST, pointer_tokens, resembles
from gateway.metering.patient import parse_patient_number
from gateway.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.metering.scan_text import Read

_SIGN: Final = re.compile(rb'"[^"\\]*"|["\[\]{},:]')
# Within a record only brackets count: strings are stepped over, several at once.
_BRACKET: Final = re.compile(rb'(?:"[^"\\]*"[^"\[\]{}]*){1,32}|["\[\]{}]')
_IN_STRING: Final = re.compile(rb'["\\]')
_NO_BLANK: Final = re.compile(rb"[^ \t\r\n]")
_PLAIN: Final = b"-0123456789tfn"  # how a value without brackets and quotes begins
_INDEX: Final = re.compile("0|[1-9][0-9]{0,8}")
_CLOSERS: Final = {b"{": b"}", b"[": b"]"}


class JsonRecords:
    """Reads one document. `people` leads to the array, `numbers` from an element to the numbers of the people in it.

    ValueError if one of them is no pointer. `limit`: how many bytes an element may have, and all around the array.
    """

    def __init__(self, people: str, numbers: Sequence[str], limit: int) -> None:
        self._way = pointer_tokens(people)
        self._numbers = [pointer_tokens(number) for number in numbers]
        self._limit = limit
        self._seen = 0
        self._around = bytearray()  # the document without the elements
        self._record = bytearray()
        self._open: list[bytes] = []  # brackets around the place, and the name it has in each
        self._names: list[str | None] = []
        self._name_at = 0  # where in `_around` the latest string begins
        self._depth = 0  # of brackets within the record
        self._alone = False  # the record is no element
        self._found = False
        self._due = b""  # between elements: what may come
        self._string = self._escaped = False
        self._read: Callable[[bytes, int, list[Read]], int] = self._read_around

    def feed(self, piece: bytes) -> list[Read]:
        """The records that are complete by now. UnreadableError if this is not what the policy says it is."""
        records: list[Read] = []
        at = 0
        while at < len(piece):
            at = self._read(piece, at, records)
        self._seen += len(piece)
        return records

    def finish(self) -> list[Read]:
        """What stands behind the array, when the document has ended."""
        if self._open or self._string or self._read != self._read_around:
            raise UnreadableError(Unread.BROKEN)
        _strict(bytes(self._around))
        if not self._found:
            raise UnreadableError(Unread.ELSEWHERE)
        return [((), self._seen)]

    # around the array

    def _read_around(self, piece: bytes, at: int, _records: list[Read]) -> int:
        if self._string:
            end, ends = self._pass_string(piece, at)
            self._keep(self._around, piece[at:end])
            if ends:
                self._name()
            return end
        sign = _SIGN.search(piece, at)
        if sign is None:
            self._keep(self._around, piece[at:])
            return len(piece)
        self._keep(self._around, piece[at : sign.end()])
        self._sign(sign[0])
        return sign.end()

    def _sign(self, sign: bytes) -> None:
        if sign[:1] == b'"':
            self._name_at = len(self._around) - len(sign)
            if len(sign) == 1:
                self._string = True
            else:
                self._name()
        elif sign in _CLOSERS:
            self._begin(sign)
        elif sign == b",":
            if self._open and self._open[-1] == b"{":
                self._names[-1] = None
        elif sign != b":":
            if not self._open or _CLOSERS[self._open.pop()] != sign:
                raise UnreadableError(Unread.BROKEN)
            self._names.pop()

    def _name(self) -> None:
        """A string has ended: the first of a member is its name."""
        if self._open and self._open[-1] == b"{" and self._names[-1] is None:
            self._names[-1] = _strict(bytes(self._around[self._name_at :]))

    def _begin(self, sign: bytes) -> None:
        if self._names != self._way or b"[" in self._open:
            if len(self._open) >= DEPTH_AT_MOST:
                raise UnreadableError(Unread.BROKEN)
            self._open.append(sign)
            self._names.append(None)
            return
        self._found = True
        if sign == b"{":
            self._around[-1:] = b"["
        # Before anything leaves: what stands before the array must be sound, mean what was read, and hold no other one.
        _strict(bytes(self._around) + b"]" + b"".join(_CLOSERS[one] for one in reversed(self._open)))
        self._alone = sign == b"{"
        if self._alone:
            self._around += b"]"
            self._begin_record(sign)
        else:
            self._due = b'{["]'
            self._read = self._read_between

    # between elements

    def _read_between(self, piece: bytes, at: int, _records: list[Read]) -> int:
        sign = _NO_BLANK.search(piece, at)
        if sign is None:
            return len(piece)
        if sign[0] not in self._due:
            plain = b"{" in self._due and sign[0] in _PLAIN
            raise UnreadableError(Unread.NO_NUMBER if plain else Unread.BROKEN)
        if sign[0] == b"]":
            self._keep(self._around, b"]")
            self._read = self._read_around
        elif sign[0] == b",":
            self._due = b'{["'
        else:
            self._begin_record(sign[0])
        return sign.end()

    # within a record

    def _begin_record(self, sign: bytes) -> None:
        self._record = bytearray(sign)
        self._string = sign == b'"'
        self._depth = 0 if self._string else 1
        self._read = self._read_record

    def _read_record(self, piece: bytes, at: int, records: list[Read]) -> int:
        if self._string:
            end, _ = self._pass_string(piece, at)
        else:
            sign = _BRACKET.search(piece, at)
            end = len(piece) if sign is None else sign.end()
            if sign is not None:
                self._depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(sign[0], 0)
                self._string = sign[0] == b'"'
                if self._depth > DEPTH_AT_MOST:
                    raise UnreadableError(Unread.BROKEN)
        self._keep(self._record, piece[at:end])
        if self._depth == 0 and not self._string:
            records.append((self._people(), self._seen + end))
            self._due = b",]"
            self._read = self._read_around if self._alone else self._read_between
        return end

    def _people(self) -> tuple[str, ...]:
        record, self._record = _strict(bytes(self._record)), bytearray()
        try:
            return tuple(parse_patient_number(_text_at(record, number)) for number in self._numbers)
        except Refused:
            raise UnreadableError(Unread.NO_NUMBER) from None

    # both

    def _pass_string(self, piece: bytes, at: int) -> tuple[int, bool]:
        """Go on in a string as far as one step leads: to where, and whether the string ends there."""
        if self._escaped:
            self._escaped = False
            return at + 1, False
        sign = _IN_STRING.search(piece, at)
        if sign is None:
            return len(piece), False
        self._string = self._escaped = sign[0] == b"\\"
        return sign.end(), not self._string

    def _keep(self, kept: bytearray, more: bytes) -> None:
        if len(kept) + len(more) > self._limit:
            raise UnreadableError(Unread.TOO_LARGE)
        kept += more


def _text_at(value: Any, way: list[str]) -> str:
    """The text a pointer's tokens lead to; NO_NUMBER if there is none, or two readers could take two for it."""
    for token in way:
        if isinstance(value, dict):
            if _taken_for(token, *value):
                raise UnreadableError(Unread.NO_NUMBER)
            value = value.get(token)
        elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
        else:
            value = None
    if not isinstance(value, str):
        raise UnreadableError(Unread.NO_NUMBER)
    return value


@lru_cache(maxsize=64)  # the same names stand in every record
def _taken_for(token: str, *names: str) -> bool:
    return any(name != token and resembles(name, token) for name in names)


def _strict(document: bytes) -> Any:
    try:
        return json.loads(document.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise UnreadableError(Unread.BROKEN) from None


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a name twice")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("a number that JSON does not have")
