# SPDX-License-Identifier: EUPL-1.2
"""Reading a form that is kept over a step-up, so that it can be sent again as it was. Pure."""

from __future__ import annotations

from urllib.parse import parse_qsl

FIELDS_AT_MOST = 200
_FORM_TYPE = b"application/x-www-form-urlencoded"


def read_form(content_type: bytes, body: bytes) -> tuple[tuple[str, str], ...] | None:
    """The fields in their order, or None if this is no form that a page could send again."""
    if content_type.split(b";", 1)[0].strip().lower() != _FORM_TYPE:
        return None
    try:
        fields = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=FIELDS_AT_MOST,
        )
    except ValueError:
        return None
    return tuple(fields)
