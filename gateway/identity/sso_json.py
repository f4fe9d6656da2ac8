# SPDX-License-Identifier: EUPL-1.2
"""The strict reader of what a provider sends, in a token or around it. Pure: bytes in, one object out, or Refused.

Two readers must never see two things in one text: a name that stands twice has no value here.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from gateway.errors import Refused
from gateway.model import Reason


def read_object(data: bytes) -> dict[str, Any]:
    """One JSON object in UTF-8: no name twice, no NaN, no nesting that exhausts us; Refused otherwise."""
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused(Reason.SSO_ANSWER_INVALID) from None
    if not isinstance(found, dict):
        raise Refused(Reason.SSO_ANSWER_INVALID)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
