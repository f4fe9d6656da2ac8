# SPDX-License-Identifier: EUPL-1.2
"""What a provider's answer carries in its query, read strictly. Nothing of it is believed here."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from gateway.errors import Refused
from gateway.model import Reason

QUERY_CHARACTERS: Final = 8_192
_QUERY_FIELDS: Final = 16


def read_callback(query: str) -> dict[str, Any]:
    """The parameters of an answer; one that stands twice, and one that cannot be read, is Refused."""
    if len(query) > QUERY_CHARACTERS or not query.isascii():
        raise Refused(Reason.SSO_ANSWER_INVALID)
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_QUERY_FIELDS
        )
    except ValueError:
        raise Refused(Reason.SSO_ANSWER_INVALID) from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(Reason.SSO_ANSWER_INVALID)
    return found
