# SPDX-License-Identifier: EUPL-1.2
"""How good a new password is: pure, text in, what is wrong out. Nothing is stored, and no sentence for people is here.

Two rules, both due (CNIL 2022-100, the case with access restriction: `failures` gives at most ten tries in a row):
50 bits as the CNIL counts them, by the characters or, for a phrase of plain words, by its words (seven make 80 bits);
and 10^10 guesses as zxcvbn counts them, which knows words, names, keyboards, dates and repeats. Spaces, accents and
every kind of character are welcome; none is asked for.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from math import log2, prod
from typing import TYPE_CHECKING, Any, Final

from zxcvbn import matching, scoring

from gateway.identity.common_passwords import COMMON

if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST: Final = 12
LONGEST: Final = 128
FEWEST_BITS: Final = 50.0
FEWEST_GUESSES: Final = 10**10
JUDGED: Final = 64
"""Characters that zxcvbn is given, whose time grows with the square: past it a password is only better."""

_MOST_LEET: Final = 16
"""Readings of `4` as a, `1` as i or l that are tried; with more (all such signs: 2,304) zxcvbn takes seconds."""

_BITS_OF_A_WORD: Final = 80 / 7
_SHORTEST_OWN: Final = 3
_CLASSES: Final = ((re.compile("[a-z]"), 26), (re.compile("[A-Z]"), 26), (re.compile("[0-9]"), 10))
_SIGNS: Final = (re.compile("[^a-zA-Z0-9]"), 37)
_BETWEEN_WORDS: Final = re.compile(r"[\s\-_.,;:!?'\u2019]+")
_ALL_MATCHERS: Final = (
    matching.dictionary_match,
    matching.reverse_dictionary_match,
    matching.spatial_match,
    matching.sequence_match,
    matching.regex_match,
    matching.date_match,
)
_COSTLY_MATCHERS: Final = (matching.l33t_match, matching.repeat_match)


class Weakness(StrEnum):
    """What is wrong with a password; a closed list, each with its sentence in `pages.password_words`."""

    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    IDENTIFIER = "identifier"
    TOO_FEW_WORDS = "too-few-words"
    TOO_PLAIN = "too-plain"
    OWN_NAME = "own-name"
    COMMON_WORD = "common-word"
    KEYBOARD = "keyboard"
    REPEAT = "repeat"
    SEQUENCE = "sequence"
    DATE = "date"


# The patterns of zxcvbn that have a sentence of their own.
_OF_PATTERN: Final = {
    "dictionary": Weakness.COMMON_WORD,
    "spatial": Weakness.KEYBOARD,
    "repeat": Weakness.REPEAT,
    "sequence": Weakness.SEQUENCE,
    "date": Weakness.DATE,
    "regex": Weakness.DATE,
}


def weaknesses(password: str, identifier: str = "", names: Iterable[str] = ()) -> tuple[Weakness, ...]:
    """Everything wrong with a password, gravest first; empty: it is good.

    `identifier` must not be in it; `names` (title, holders) and their words are worth nothing in it.
    """
    text = unicodedata.normalize("NFKC", password)
    plain = _plain_weakness(text, identifier, max(len(text), len(password)))
    if plain is not None:
        return (plain,)
    rest = _without_own_words(text, names)
    if not rest:  # which zxcvbn cannot judge
        return (Weakness.OWN_NAME,)
    judged = _most_guessable(rest[:JUDGED])
    if judged["guesses"] >= FEWEST_GUESSES:
        return ()
    found = [] if rest is text else [Weakness.OWN_NAME]
    found += [_OF_PATTERN[match["pattern"]] for match in judged["sequence"] if match["pattern"] in _OF_PATTERN]
    return tuple(dict.fromkeys(found)) or (Weakness.TOO_PLAIN,)


def _plain_weakness(text: str, identifier: str, length: int) -> Weakness | None:
    """What can be told without any dictionary. Digits in groups are digits: spaces do not count."""
    words = _phrase(text)
    faults = (
        (Weakness.TOO_SHORT, len(text) < SHORTEST),
        (Weakness.TOO_LONG, length > LONGEST),
        (Weakness.IDENTIFIER, identifier != "" and identifier.lower() in text.lower()),
        (Weakness.TOO_FEW_WORDS, words is not None and len(words) * _BITS_OF_A_WORD < FEWEST_BITS),
        (Weakness.TOO_PLAIN, words is None and _bits("".join(text.split())) < FEWEST_BITS),
    )
    return next((weakness for weakness, is_so in faults if is_so), None)


def _bits(text: str) -> float:
    """Length times the logarithm of the alphabet, whose classes the CNIL counts as 26, 26, 10 and 37."""
    alphabet = sum(size for class_, size in (*_CLASSES, _SIGNS) if class_.search(text))
    return len(text) * log2(max(alphabet, 1))


def _phrase(text: str) -> set[str] | None:
    """The different words of a text that holds nothing but words, at least two; None for any other."""
    parts = [part for part in _BETWEEN_WORDS.split(text.lower()) if part]
    if len(parts) < 2 or not all(part.isalpha() for part in parts):  # noqa: PLR2004  # one word is no phrase
        return None
    return {part for part in parts if len(part) > 1}


def _without_own_words(text: str, names: Iterable[str]) -> str:
    """The text itself if it holds none of these names; else what is left of it, small letters without accents."""
    rest = plain = _folded(text)
    for name in names:
        whole = _folded(name)
        for word in (whole, "".join(whole.split()), *_BETWEEN_WORDS.split(whole)):
            if len(word) >= _SHORTEST_OWN:
                rest = rest.replace(word, "")
    return text if rest == plain else rest


def _folded(text: str) -> str:
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).lower())  # ℠ is SM before it is sm
    return "".join(one for one in letters if not unicodedata.combining(one))


def _most_guessable(text: str) -> Any:
    """Zxcvbn's verdict: `guesses`, and the `sequence` of matches that they come from.

    Its own entry point keeps words in a global dictionary and tries every reading of `4@8(`; this one does neither,
    so that it may run in threads and takes about a tenth of a second at most.
    """
    dictionaries = {**matching.RANKED_DICTIONARIES, "french": _FRENCH}
    costly = _COSTLY_MATCHERS if _leet_readings(text) <= _MOST_LEET else ()
    found = [one for matcher in (*_ALL_MATCHERS, *costly) for one in matcher(text, _ranked_dictionaries=dictionaries)]
    return scoring.most_guessable_match_sequence(text, sorted(found, key=lambda one: (one["i"], one["j"])))


def _leet_readings(text: str) -> int:
    """At most how many ways zxcvbn would read the digits and signs of a text as letters."""
    table = matching.relevant_l33t_subtable(text, matching.L33T_TABLE)
    signs = [sign for signs in table.values() for sign in signs]
    return prod(len(one) for one in table.values()) << (len(signs) - len(set(signs)))


_FRENCH: Final = matching.build_ranked_dict(COMMON)
