# SPDX-License-Identifier: EUPL-1.2
"""What a teleservice's answers show, and how it is read: Answers, and the two ways to find the people in one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JsonAnswers:
    """People stand in one array: `people` is the pointer (RFC 6901) to it, `numbers` lead to those of an element."""

    people: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextAnswers:
    """People are whose numbers stand in the text. `border` ends a record; None: the whole text is one.

    `provisional`: provisional numbers too, which have no key to tell them from any other 13 digits.
    """

    border: bytes | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Answers:
    """Obligation: count and record everybody whom the answer shows, before he leaves.

    Answers that say they are JSON are read as `json` if that is declared, the others as `text`. `hold_bytes`: how much
    is kept back until a record is complete. `passes`: what cannot be read leaves all the same. `people_at_most`: for so
    many there must be room before the portal is asked.
    """

    json: JsonAnswers | None = None
    text: TextAnswers | None = None
    people_at_most: int | None = None
    hold_bytes: int = 1024 * 1024
    passes: bool = False
