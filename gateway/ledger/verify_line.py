# SPDX-License-Identifier: EUPL-1.2
"""The second reader's own view of a leaf: rows of a database and lines of an export become entries of one kind. Pure.

An export has a line for each leaf, in order: `["herse-event/1",sequence,…columns…]`, or, where the row was deleted when
its time was over, `["herse-gone/1",number,"leaf hash",event]`, the last being the sequence of the event that told of
it. What is read is written anew and compared. It imports neither leaf nor tree nor checkpoint: a fault of the writer
must not be shared by who checks it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, TypeAlias

from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

VERSION: Final = "herse-event/1"
GONE: Final = "herse-gone/1"
LINE_BYTES_AT_MOST: Final = 1 << 20

Value: TypeAlias = int | str | bytes | None

_ESCAPED: Final = re.compile('["\\\\\x00-\x1f]')
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\f": "\\f", "\b": "\\b"}
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_reading = json.JSONDecoder()


class Entry(NamedTuple):
    """What stands at one place: a leaf's line, or, if its row is gone, the hash the source tells (or None), and the
    event by which it went.

    `number` is None for a row that no leaf is known to hold.
    """

    number: int | None
    sequence: int | None
    line: bytes | None
    gone: bytes | None = None
    by: int | None = None


def from_rows(rows: Iterable[tuple[int | None, int | None, Sequence[Value] | None]]) -> Iterator[Entry]:
    """Entries from (leaf number, sequence, row), the row None where there is none (any more)."""
    for number, sequence, row in rows:
        if row is None or sequence is None:
            yield Entry(number, sequence, None)
            continue
        try:
            yield Entry(number, sequence, written(sequence, row))
        except ValueError as error:
            raise Wrong(
                Finding.CHANGED,
                f"the row is none that Herse writes ({error}); expected one as it was recorded",
                number=number,
                sequence=sequence,
            ) from None


def from_export(file: BinaryIO, first: int = 0) -> Iterator[Entry]:
    """Entries from an export whose first line is leaf `first`; it is read line by line and never held whole."""
    number = first
    while line := file.readline(LINE_BYTES_AT_MOST + 1):
        if not line.endswith(b"\n"):
            what = "has no end" if len(line) > LINE_BYTES_AT_MOST else "is cut off"
            raise Wrong(
                Finding.TRAILING_BYTES,
                f"the line {what} after {len(line)} bytes; expected a line feed after each record, and at most "
                f"{LINE_BYTES_AT_MOST} bytes",
                number=number,
            )
        yield read_line(line[:-1], number)
        number += 1


def read_line(line: bytes, number: int | None) -> Entry:
    """One line of an export, without its line feed, at its place; Wrong if it would not be written so."""
    try:
        text = line.decode()
        found, end = _reading.raw_decode(text)
    except (ValueError, RecursionError):
        raise Wrong(Finding.MALFORMED, "no line of JSON; expected a record of the ledger", number=number) from None
    if end != len(text):
        raise Wrong(
            Finding.TRAILING_BYTES, f"{len(text) - end} characters follow the record; expected none", number=number
        )
    version = found[0] if isinstance(found, list) and found else None
    if version == GONE:
        return _gone(found, line, number)
    if version != VERSION:
        raise Wrong(
            Finding.UNKNOWN_VERSION,
            f"a record of version {version!r}; expected {VERSION!r}: a newer Herse wrote it, and reads it",
            number=number,
        )
    try:
        sequence, row = _row(found)
        same = written(sequence, row) == line
    except ValueError as error:
        raise Wrong(Finding.MALFORMED, f"no record of the ledger ({error})", number=number) from None
    if not same:
        raise Wrong(Finding.MALFORMED, "not the form records are written in", number=number, sequence=sequence)
    return Entry(number, sequence, line)


def written(sequence: int, row: Sequence[Value]) -> bytes:
    """The line of a row; ValueError names the column whose value is none that an event can give."""
    if len(row) != len(COLUMNS):
        raise ValueError(f"{len(row)} columns; expected {len(COLUMNS)}")
    texts = [f'["{VERSION}"', _whole("sequence", sequence)]
    texts += [write(name, value) for (name, write), value in zip(COLUMNS.items(), row, strict=True)]
    return (",".join(texts) + "]").encode()


def _row(found: list[object]) -> tuple[int, list[Value]]:
    """Sequence and row of a parsed line; types that JSON has no words for are judged when it is written anew."""
    values: list[Value] = []
    for place, value in enumerate(found[1:]):
        if value is not None and not isinstance(value, int | str):
            raise ValueError(f"a {type(value).__name__} as value {place}")
        values.append(bytes.fromhex(value) if isinstance(value, str) and place - 1 in _BYTES_AT else value)
    if not values or not isinstance(values[0], int):
        raise ValueError("no sequence")
    return values[0], values[1:]


def _gone(found: list[object], line: bytes, number: int | None) -> Entry:
    place, told, by = found[1:] if len(found) == 4 else (None,) * 3  # noqa: PLR2004  # version, number, hash, event
    # Compared before the hash is taken: what is written so, and has a hash, is numbers and a text.
    same = line == f'["{GONE}",{place},"{told}",{by}]'.encode() and _HASH.fullmatch(str(told))
    if same and isinstance(place, int) and isinstance(by, int):
        return Entry(place, None, None, bytes.fromhex(str(told)), by)
    raise Wrong(
        Finding.MALFORMED,
        "no record of a deleted row; expected its number, its leaf hash and the event that told of it",
        number=number,
    )


def _whole(name: str, value: Value) -> str:
    if type(value) is not int:
        raise ValueError(f"{name} is no whole number")
    return str(value)


def _text(name: str, value: Value) -> str:
    if type(value) is not str:
        raise ValueError(f"{name} is no text")
    return f'"{_ESCAPED.sub(_escape, value)}"'


def _hex(name: str, value: Value) -> str:
    if type(value) is not bytes:
        raise ValueError(f"{name} is no bytes")
    return f'"{value.hex()}"'


def _or_null(write: Callable[[str, Value], str]) -> Callable[[str, Value], str]:
    return lambda name, value: "null" if value is None else write(name, value)


def _escape(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"


COLUMNS: Final[dict[str, Callable[[str, Value], str]]] = {
    "request": _or_null(_hex),
    "at": _whole,
    "kind": _text,
    "account": _text,
    "session": _or_null(_text),
    "network": _or_null(_text),
    "device": _or_null(_text),
    "method": _or_null(_text),
    "teleservice": _or_null(_text),
    "reason": _or_null(_text),
    "pseudonym": _or_null(_hex),
    "status": _or_null(_whole),
    "categories": _or_null(_text),
    "holder": _or_null(_text),
    "delegate": _or_null(_text),
    "details": _or_null(_text),
    "sealed": _or_null(_hex),
}
"""The columns in order, and how each is written."""
_BYTES_AT: Final = frozenset({0, 10, 16})
