# SPDX-License-Identifier: EUPL-1.2
"""Which of the two languages a page speaks: French first, English for who prefers it.

From `Accept-Language` (RFC 9110, 12.5.4) and nothing else: no cookie, no guess from the address.
"""

from __future__ import annotations

from typing import Final, Literal

from gateway.pages.accept import qualities

Language = Literal["fr", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")


def language(accept_language: bytes) -> Language:
    """`en` if some English is liked more than every French; `fr` in all other cases, and on a tie."""
    asked = qualities(accept_language)
    return "en" if _liked("en", asked) > max(_liked("fr", asked), asked.get("*", 0.0)) else "fr"


def _liked(tongue: str, asked: dict[str, float]) -> float:
    return max((q for name, q in asked.items() if name == tongue or name.startswith(tongue + "-")), default=0.0)
