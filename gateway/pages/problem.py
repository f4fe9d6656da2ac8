# SPDX-License-Identifier: EUPL-1.2
"""Refusals as JSON for programs: problem details (RFC 9457), with the remedy a person would read on the page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from gateway.pages.reasons import explanation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.model import Reason
    from gateway.pages.explanation import Explanation
    from gateway.pages.language import Language

PROBLEM_TYPE: Final = "application/problem+json"


def problem(
    reason: Reason,
    language: Language,
    *,
    instance: str | None = None,
    status: int | None = None,
    extra: Mapping[str, Any] | None = None,
    provider: str | None = None,
    told: Explanation | None = None,
) -> bytes:
    """UTF-8 JSON: type, title, status, detail, remedy; `instance` is a request id and becomes a URN.

    `status` overrides the reason's own (an unknown page of the gateway is 404). `extra` members never replace these.
    `provider` stands in the place of Pro Santé Connect, where another one is set. `told` says more than the reason's
    own words do.
    """
    told = (told or explanation(reason)).naming(provider)
    members: dict[str, Any] = dict(extra or {})
    members |= {
        "type": f"urn:herse:reason:{reason}",
        "title": told.title(language),
        "status": told.status if status is None else status,
        "detail": told.sentence(language),
        "remedy": told.remedy(language).replace("\n", " "),
    }
    if instance is not None:
        members["instance"] = f"urn:herse:request:{instance}"
    return json.dumps(members, ensure_ascii=False).encode()
