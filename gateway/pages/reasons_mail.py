# SPDX-License-Identifier: EUPL-1.2
"""Reasons about the mail address of an account, told to a person."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import Explanation, Way

_MAIL: Final = Way("/.herse/account/mail", "Voir mon adresse électronique", "See my mail address")

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.MAIL_ADDRESS_WRONG: Explanation(
        400,
        "Adresse non retenue",
        "Address not taken",
        "Ce n'est pas une adresse électronique complète, ou c'est déjà celle de ce compte.",
        "This is not a complete mail address, or it is the one of this account already.",
        "Vérifiez-la lettre par lettre (exemple : pharmacie@exemple.fr, sans accent ni espace), puis recommencez.",
        "Check it letter by letter (example: pharmacie@exemple.fr, no accents or spaces), then try again.",
        _MAIL,
    ),
    Reason.MAIL_LINK_WRONG: Explanation(
        400,
        "Lien qui ne sert plus",
        "Link that no longer works",
        "Ce lien a déjà servi, a plus de 24 heures, a été remplacé par un plus récent, ou vient d'un autre compte.",
        "This link has been used, is more than 24 hours old, was replaced by a newer one, or is of another account.",
        "L'adresse du compte n'a pas changé. Ouvrez le dernier message reçu, ou demandez un nouveau lien.",
        "The address of the account has not changed. Open the last message received, or ask for a new link.",
        _MAIL,
    ),
    Reason.MAIL_TOO_OFTEN: Explanation(
        429,
        "Un message vient de partir",
        "A message has just been sent",
        "On peut demander un message par minute, et dix par jour.",
        "One may ask for one message a minute, and ten a day.",
        "Regardez aussi dans les courriers indésirables. L'ancienne adresse reste valable.",
        "Look among the unwanted mail too. The old address stays valid.",
        _MAIL,
    ),
    Reason.MAIL_UNAVAILABLE: Explanation(
        503,
        "Messages en panne",
        "Messages out of order",
        "Le message qui doit accompagner ce changement ne peut pas partir ; le changement n'est pas fait.",
        "The message that must go with this change cannot be sent; the change is not made.",
        "Il n'y a rien à corriger de votre côté. Recommencez dans quelques minutes. Aide : le support de votre "
        "portail.",
        "There is nothing to correct on your side. Try again in a few minutes. Help: your portal's support.",
        _MAIL,
    ),
}
