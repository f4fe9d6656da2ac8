# SPDX-License-Identifier: EUPL-1.2
"""What the client asks for in `Accept`: a page or JSON (RFC 9110, 12.5.1).

Content negotiation only, and bounded: a header that does not parse counts as absent, never as an error.
"""

from __future__ import annotations

from typing import Final

LONGEST: Final = 1024
"""Bytes of an `Accept` or `Accept-Language` header that are read at all."""


def qualities(header: bytes) -> dict[str, float]:
    """Each item of a comma-separated preference header, lower case, with its quality (0.0 to 1.0; the highest wins)."""
    found: dict[str, float] = {}
    for item in header[:LONGEST].decode("ascii", "replace").lower().split(","):
        name, *parameters = (part.strip(" \t") for part in item.split(";"))
        if name:
            found[name] = max(found.get(name, 0.0), _quality(parameters))
    return found


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            digits = parameter[2:]
            plain = digits.replace(".", "", 1)
            known = plain.isascii() and plain.isdigit() and len(digits) <= len("0.999")
            return min(float(digits), 1.0) if known else 0.0
    return 1.0


def prefers_json(accept: bytes) -> bool:
    """Whether JSON is named and liked more than HTML. `*/*`, nothing, or a tie means a page."""
    asked = qualities(accept)
    json = max(asked.get("application/json", 0.0), asked.get("application/problem+json", 0.0))
    html = max(asked.get("text/html", 0.0), asked.get("application/xhtml+xml", 0.0))
    return json > html
