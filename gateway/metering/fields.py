# SPDX-License-Identifier: EUPL-1.2
"""Names and values of a query, a form or a JSON document, read as a portal reads them, or refused. Pure.

Readers differ on what is not quite right: repeated names, `;` between fields, bad escapes, other encodings, names that
differ by case or brackets. None of that is repaired here: MALFORMED when it cannot be decoded in one way alone,
AMBIGUOUS when two portals could see two different things. Sources: URL Standard (form encoding), RFC 8259, RFC 6901.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from typing import Any, Final, NoReturn
from urllib.parse import unquote_to_bytes

from gateway.errors import Refused
from gateway.model import Reason

FIELDS_AT_MOST: Final = 1_000
DEPTH_AT_MOST: Final = 32

# What a browser may send unescaped, and `%` only before two hexadecimal digits; `;` is looked at apart.
_ENCODED: Final = re.compile(rb"(?:[!-$&-~]++|%[0-9A-Fa-f]{2})*")
# A string is one token (also one that never ends), so that brackets within it do not count.
_JSON_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
_ARRAY_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_POINTER_ESCAPE: Final = re.compile(r"~(?![01])")


def ambiguous() -> Refused:
    """Two readers could read two different numbers."""
    return Refused(Reason.PATIENT_NUMBER_AMBIGUOUS)


def malformed() -> Refused:
    """Cannot be read, or is no number."""
    return Refused(Reason.PATIENT_NUMBER_MALFORMED)


def pairs(encoded: bytes) -> list[tuple[str, str]]:
    """The fields of a query or form body, decoded, in order. `+` is a space."""
    if b";" in encoded:  # a separator for some, a character for others
        raise ambiguous()
    if not _ENCODED.fullmatch(encoded) or encoded.count(b"&") >= FIELDS_AT_MOST:
        raise malformed()
    found = []
    for field in encoded.split(b"&"):
        if field:
            name, _, value = field.partition(b"=")
            found.append((_decoded(name), _decoded(value)))
    return found


def resembles(found: str, ours: str) -> bool:
    """Whether some portal could take the name for ours: case, width, accents, brackets, blanks, `.` for `_`, NUL."""
    return _folded(found, "[" in ours) == _ours(ours)


def media_type(content_type: bytes) -> tuple[bytes, bool]:
    """The media type in lower case, and whether it is sent as UTF-8 or says nothing else."""
    name, *parameters = content_type.lower().split(b";")
    plain = all(one.strip(b" \t") in {b"", b"charset=utf-8", b'charset="utf-8"'} for one in parameters)
    return name.strip(b" \t"), plain


def pointer_tokens(pointer: str) -> list[str]:
    """The names along a JSON pointer; ValueError if it is none (RFC 6901, section 3)."""
    if (pointer and not pointer.startswith("/")) or _POINTER_ESCAPE.search(pointer):
        raise ValueError(f"{pointer!r} is no JSON pointer; expected a '/' before each name, '~' only in '~0' and '~1'")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def json_value(body: bytes, tokens: list[str]) -> str:
    """The text a JSON pointer's tokens lead to; MISSING if there is none, MALFORMED if it is no text."""
    value = _document(body)
    for token in tokens:
        value = _child(value, token)
    if value is None:
        raise Refused(Reason.PATIENT_NUMBER_MISSING)
    if not isinstance(value, str):
        raise malformed()
    return value


def _decoded(encoded: bytes) -> str:
    try:
        return unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise malformed() from None


@lru_cache(maxsize=256)
def _ours(name: str) -> str:
    return _folded(name, "[" in name)


def _folded(name: str, brackets: bool) -> str:
    folded = name.lower() if name.isascii() else _plain_letters(name)
    folded = folded.partition("\0")[0]
    if not brackets:
        folded = folded.partition("[")[0]
    folded = "".join(character for character in folded if character.isprintable())
    return folded.strip(" ").replace(" ", "_").replace(".", "_")


def _plain_letters(name: str) -> str:
    """Letters without width, case or marks. The dotless i equals `i` where case is ignored by way of capitals."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).replace("\u0131", "i")


def _document(body: bytes) -> Any:
    depth = 0
    for token in _JSON_TOKEN.finditer(body):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
        if depth > DEPTH_AT_MOST:
            raise malformed()
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except ValueError:
        raise malformed() from None


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ambiguous()
    return found


def _no_constant(_name: str) -> NoReturn:
    raise malformed()


def _child(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        if any(name != token and resembles(name, token) for name in value):
            raise ambiguous()
        return value.get(token)
    if isinstance(value, list) and _ARRAY_INDEX.fullmatch(token) and int(token) < len(value):
        return value[int(token)]
    raise Refused(Reason.PATIENT_NUMBER_MISSING)
