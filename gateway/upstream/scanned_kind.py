# SPDX-License-Identifier: EUPL-1.2
"""Whether an answer is of a kind whose people can be read, by its head alone. Pure: lines of a head in, why not out.

What is packed is not unpacked: nothing but `identity` was asked for, and a packed answer may hold a thousand times its
size. Charsets are those that write digits and separators as ASCII does, as far as the scanner knows them.
"""

from __future__ import annotations

from typing import Final

from gateway.model.unread import Unread

_TEXTS: Final = frozenset(
    b"application/" + name for name in (b"json", b"xml", b"javascript", b"x-javascript", b"x-ndjson", b"csv", b"x-csv")
)
_TEXT_SUFFIXES: Final = (b"+json", b"+xml")
_NEVER: Final = frozenset((b"text/event-stream", b"text/rtf"))  # without an end, or with escapes of its own
_CHARSETS: Final = frozenset(
    (b"utf-8", b"utf8", b"us-ascii", b"iso-8859-1", b"iso-8859-15", b"latin1", b"windows-1252")
)
_UTF_8: Final = frozenset((b"utf-8", b"utf8"))


def says_json(lines: bytes) -> bool:
    """Whether an answer with these lines says once that it is JSON."""
    types = _types(lines)
    return len(types) == 1 and _is_json(types[0].partition(b";")[0].strip(b" \t").lower())


def unread_kind(lines: bytes, *, as_json: bool) -> Unread | None:
    """Why an answer with these lines (see answer) cannot be read; None if it can.

    `as_json`: it is to be read as one JSON document, else as any text.
    """
    fields = _fields(lines)
    codings = [value.strip().lower() for name, value in fields if name.lower() == b"content-encoding"]
    if any(coding not in {b"", b"identity"} for coding in codings):
        return Unread.CODED
    types = _types(lines)
    if len(types) != 1:
        return Unread.KIND
    kind, *parameters = [part.strip(b" \t").lower() for part in types[0].split(b";")]
    if not (_is_json(kind) if as_json else _is_text(kind)):
        return Unread.KIND
    named = [part.partition(b"=")[2].strip(b' \t"') for part in parameters if part.startswith(b"charset")]
    if len(named) > 1 or not (_UTF_8 if as_json else _CHARSETS).issuperset(named):
        return Unread.CHARSET
    return None


def _fields(lines: bytes) -> list[tuple[bytes, bytes]]:
    parts = (line.partition(b":") for line in lines.split(b"\r\n")[1:])
    return [(name, value) for name, _, value in parts]


def _types(lines: bytes) -> list[bytes]:
    return [value for name, value in _fields(lines) if name.lower() == b"content-type"]


def _is_json(kind: bytes) -> bool:
    return kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))


def _is_text(kind: bytes) -> bool:
    if kind.startswith(b"text/"):
        return kind not in _NEVER
    return kind in _TEXTS or kind.endswith(_TEXT_SUFFIXES)
