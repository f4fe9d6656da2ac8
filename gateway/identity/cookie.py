# SPDX-License-Identifier: EUPL-1.2
r"""Our cookie out of the raw Cookie header: pure, on bytes, exact. No other cookie is read here.

A neighbour host can plant cookies in a browser, and some parsers strip odd bytes (`\xa0`, `\x85`) from a name until
it becomes ours. So: two cookies of our name, a name that only becomes ours without its odd edges, or a quoted value
refuse the whole request. The value itself is judged by whoever looks it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.model import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

# RFC 9110 `tchar`: the only bytes a cookie name may hold. All others are odd at the edge of a name.
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ODD = bytes(byte for byte in range(256) if byte not in _TOKEN)


def read_cookie(values: Sequence[bytes], name: bytes) -> bytes | None:
    """Value of the one cookie called `name` in all Cookie header lines; None without; or Refused(COOKIE_AMBIGUOUS)."""
    found: bytes | None = None
    for value in values:
        if name not in value:
            continue
        for pair in value.split(b";"):
            if name not in pair:
                continue
            key, equals, rest = pair.partition(b"=")
            if not equals:
                continue  # a cookie without name, whose value reads like ours: never ours
            if key.strip(b" \t") == name:
                content = rest.strip(b" \t")
                if found is not None or content[:1] == b'"':
                    raise Refused(Reason.COOKIE_AMBIGUOUS)
                found = content
            elif key.strip(_ODD) == name:
                raise Refused(Reason.COOKIE_AMBIGUOUS)
    return found
