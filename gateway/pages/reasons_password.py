# SPDX-License-Identifier: EUPL-1.2
"""Reasons of a password that must change, told to a person."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import SIGN_IN, Explanation

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.PASSWORD_BREACHED: Explanation(
        403,
        "Mot de passe connu des pirates",
        "Password known to thieves",
        "Ce mot de passe figure dans une liste de mots de passe volés, sur ce site ou ailleurs : d'autres que vous "
        "peuvent l'essayer.",
        "This password stands in a list of stolen passwords, from this site or elsewhere: others than you may try it.",
        "Choisissez-en un nouveau, que vous n'utilisez nulle part ailleurs. Une phrase de cinq mots convient bien.",
        "Choose a new one that you use nowhere else. A phrase of five words does well.",
        SIGN_IN,
    ),
    Reason.PASSWORD_MUST_CHANGE: Explanation(
        403,
        "Nouveau mot de passe demandé",
        "A new password is asked for",
        "Par mesure de sécurité, il vous est demandé de choisir un nouveau mot de passe avant de continuer.",
        "As a security measure, you are asked to choose a new password before you go on.",
        "Choisissez-le maintenant : une minute suffit. Une question : appelez le support de votre portail.",
        "Choose it now: it takes a minute. A question: call your portal's support.",
        SIGN_IN,
    ),
    Reason.PASSWORD_REPEATED: Explanation(
        400,
        "Mot de passe identique à l'ancien",
        "Same password as before",
        "Le nouveau mot de passe est le même que l'ancien.",
        "The new password is the same as the old one.",
        "Choisissez-en un autre : c'est l'ancien qu'il faut remplacer.",
        "Choose another one: it is the old one that has to go.",
        SIGN_IN,
    ),
}
