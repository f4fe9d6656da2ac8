# SPDX-License-Identifier: EUPL-1.2
"""The one reading of a request target: raw bytes in, decoded path and raw query out, or a refusal.

The portal gets the raw bytes, so a target that two servers might read differently is refused here rather than repaired:
there is one spelling per path. Nothing in this file looks at rules, methods or hosts.

Plain characters of a path are RFC 3986 `pchar` without `;` (some servers cut a segment there). Encoded may be only what
a correct client cannot write plainly: space, `"<>[]^`{|}` and UTF-8 beyond ASCII. A segment never ends in a dot: that
covers `.` and `..`, and names that some file systems trim.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote_to_bytes

from gateway.errors import Refused
from gateway.model import Reason

_PCHAR = rb"[A-Za-z0-9\-._~!$&'()*+,=:@]"
_SAFE = "-._~!$&'()*+,=:@/"

# Linear: `/` begins a segment and stands in none, so nothing is read in two ways. Possessive runs of one class only: a
# possessive group matches wrongly in Python before 3.11.5 (CPython issue 106052).
PLAIN = (
    rb"(/|(?:/" + _PCHAR + rb"++(?<!\.))+/?)"  # path
    rb"(?:\?([\x21\x22\x24-\x7e]*+))?"  # query: visible ASCII but `#`
)
"""The targets without an encoding in their path, as a pattern: such a path is its own decoded form."""
_PLAIN = re.compile(PLAIN)
_QUERY = re.compile(rb"[\x21\x22\x24-\x7e]*+")
_ENCODED = re.compile(
    rb"(?:/(?:" + _PCHAR + rb"++|%20|%22|%3[CcEe]|%5[BbDdEe]|%60|%7[BbCcDd]|%[89A-Fa-f][0-9A-Fa-f])+(?<!\.))+/?"
)
# What no reading makes a path of: outside visible ASCII, characters RFC 3986 has no place for, or a broken escape.
_NO_TARGET = re.compile(rb"[^\x21-\x7e]|[\"#<>\[\]^`{|}]|%(?![0-9A-Fa-f]{2})")

# Characters that some systems drop before they compare (Unicode Default_Ignorable_Code_Point outside category Cf), and
# the look-alikes that Windows maps to `/` and `\` when it turns text into a code page.
_DROPPED_OR_MAPPED = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
    "\u00a5\u20a9\u2044\u2215\u2216\u29f5\u29f8\u29f9]"
)


def canonical(target: bytes) -> tuple[str, bytes]:
    """Decoded path and raw query (without `?`, empty if there is none) of a raw origin-form target.

    Raises Refused(MALFORMED_REQUEST) for what is no request target at all, Refused(PATH_AMBIGUOUS) for a path that has
    another, plainer spelling or that two servers might read differently.
    """
    plain = _PLAIN.fullmatch(target)
    if plain is not None:
        return plain[1].decode("ascii"), plain[2] or b""
    raw, _, query = target.partition(b"?")
    if not raw.startswith(b"/") or _NO_TARGET.search(raw) or not _QUERY.fullmatch(query):
        raise Refused(Reason.MALFORMED_REQUEST)
    if not _ENCODED.fullmatch(raw):
        raise Refused(Reason.PATH_AMBIGUOUS)
    try:
        path = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(Reason.MALFORMED_REQUEST) from None
    if "/ " in path or " /" in path or path.endswith(" ") or not all(map(_stands_alone, set(path))):
        raise Refused(Reason.PATH_AMBIGUOUS)
    return path, query


def spelled(path: str) -> bytes:
    """The one spelling of a decoded path: `canonical(spelled(path)) == (path, b"")` for every path it accepts."""
    return quote(path, safe=_SAFE).encode("ascii")


def _stands_alone(character: str) -> bool:
    """Whether no folding turns this character into ASCII, and nothing drops it or leaves it unseen."""
    if character.isascii():
        return True
    if unicodedata.category(character)[0] in "CZ" or _DROPPED_OR_MAPPED.match(character):
        return False
    compatible = unicodedata.normalize("NFKC", character)
    forms = (form for one in (character, compatible) for form in (one, one.lower(), one.upper(), one.casefold()))
    return not any(part.isascii() for form in forms for part in unicodedata.normalize("NFKC", form))
