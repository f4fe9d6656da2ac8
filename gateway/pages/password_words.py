# SPDX-License-Identifier: EUPL-1.2
"""What is wrong with a password and what would help, in words, by the names of `identity.strength.Weakness`.

Kind, and never the password itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.pages.typography import typeset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.pages.language import Language

WORDS: Final[dict[str, tuple[str, str]]] = {
    "too-short": (
        "Il est trop court : il faut au moins 12 caractères. Ajoutez un ou deux mots.",
        "It is too short: at least 12 characters are needed. Add a word or two.",
    ),
    "too-long": (
        "Il est trop long : 128 caractères au plus.",
        "It is too long: 128 characters at most.",
    ),
    "identifier": (
        "Il contient votre identifiant, que d'autres connaissent. Retirez-le.",
        "It contains your identifier, which others know. Leave it out.",
    ),
    "too-few-words": (
        "Cette phrase compte trop peu de mots : il en faut au moins cinq différents, pris au hasard si possible.",
        "This phrase has too few words: at least five different ones are needed, picked at random if possible.",
    ),
    "too-plain": (
        "Il se devine trop vite. Allongez-le, ou prenez une phrase de cinq mots ; des chiffres seuls ne suffisent pas.",
        "It is guessed too quickly. Make it longer, or take a phrase of five words; digits alone are not enough.",
    ),
    "own-name": (
        "Il contient votre nom ou celui du cabinet, que tout le monde peut lire. Prenez des mots sans rapport.",
        "It contains your name or your practice's, which everybody can read. Take words that have no link with it.",
    ),
    "common-word": (
        "Il repose sur un mot que beaucoup choisissent. Ajoutez deux ou trois mots sans rapport entre eux.",
        "It rests on a word that many people choose. Add two or three words that have nothing to do with each other.",
    ),
    "keyboard": (
        "Il suit les touches voisines du clavier, ce qu'un programme essaie en premier.",
        "It follows neighbouring keys of the keyboard, which a program tries first.",
    ),
    "repeat": (
        "Il répète les mêmes caractères ; une répétition n'ajoute presque rien.",
        "It repeats the same characters; a repetition adds next to nothing.",
    ),
    "sequence": (
        "Il contient une suite telle que abcd ou 1234 ; une suite n'ajoute presque rien.",
        "It contains a sequence such as abcd or 1234; a sequence adds next to nothing.",
    ),
    "date": (
        "Il repose sur une date ou une année, qui se devinent vite.",
        "It rests on a date or a year, which are guessed quickly.",
    ),
}


def advice(weaknesses: Iterable[str], language: Language) -> list[str]:
    """One sentence for each weakness, in its order."""
    return [typeset(WORDS[str(one)][language == "en"], language) for one in weaknesses]
