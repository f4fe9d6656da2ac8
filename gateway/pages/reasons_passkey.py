# SPDX-License-Identifier: EUPL-1.2
"""Reasons of passkeys, told to a person."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import HOME, PASSKEYS, Explanation

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.PASSKEY_WRONG: Explanation(
        401,
        "Clé d'accès non reconnue",
        "Passkey not recognised",
        "Cette clé d'accès n'ouvre pas ce compte, ou votre appareil n'a pas vérifié que c'est bien vous.",
        "This passkey does not open this account, or your device did not check that it is you.",
        "Recommencez et confirmez sur l'appareil (doigt, visage, code PIN), ou connectez-vous autrement. Aide : le "
        "support de votre portail.",
        "Try again and confirm on the device (finger, face or PIN), or use another way to sign in. Help: your portal's "
        "support.",
        HOME,
    ),
    Reason.PASSKEY_CLONED: Explanation(
        401,
        "Clé d'accès peut-être copiée",
        "Passkey perhaps copied",
        "Le compteur de cette clé d'accès est revenu en arrière : il en existe peut-être une copie ; elle est refusée.",
        "The counter of this passkey went back: there may be a copy of it; it is refused.",
        "Connectez-vous par un autre moyen, retirez cette clé de votre compte, et appelez le support de votre portail.",
        "Sign in another way, remove this key from your account, and call your portal's support.",
        PASSKEYS,
    ),
    Reason.PASSKEY_EXPIRED: Explanation(
        401,
        "Demande expirée",
        "Request expired",
        "La demande envoyée à votre clé d'accès a plus de 5 minutes, a déjà servi, ou vient d'une autre fenêtre.",
        "The request sent to your passkey is more than 5 minutes old, has been used, or comes from another window.",
        "Recommencez depuis cette page.",
        "Start again from this page.",
        HOME,
    ),
    Reason.PASSKEY_LIMIT: Explanation(
        409,
        "Trop de clés d'accès",
        "Too many passkeys",
        "Un compte peut avoir 10 clés d'accès au plus, et celui-ci les a toutes.",
        "An account may have 10 passkeys at most, and this one has them all.",
        "Retirez une clé qui ne sert plus, puis recommencez.",
        "Remove a key that is no longer used, then try again.",
        PASSKEYS,
    ),
}
