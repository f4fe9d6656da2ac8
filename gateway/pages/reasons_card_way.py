# SPDX-License-Identifier: EUPL-1.2
"""Reasons on the way to the card host and back, told to a person. What is wrong with a card itself stands elsewhere."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import CARD, HOME, SIGN_IN, Explanation

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.CARD_UNKNOWN: Explanation(
        403,
        "Carte reconnue, mais liée à aucun compte",
        "Card recognised, but linked to no account",
        "Votre carte est valable, mais aucun compte de ce portail n'est enregistré à votre numéro RPPS.",
        "Your card is valid, but no account of this portal is registered under your RPPS number.",
        "Connectez-vous avec l'identifiant de votre cabinet ou officine. Pour y lier votre carte, appelez le support "
        "de votre portail.",
        "Sign in with the identifier of your practice. To have your card linked to it, call your portal's support.",
        SIGN_IN,
    ),
    Reason.CARD_OF_ANOTHER: Explanation(
        403,
        "Cette carte n'est pas celle d'un titulaire du compte",
        "This card is not that of a holder of the account",
        "Vous êtes connecté à un compte dont le porteur de cette carte n'est pas titulaire.",
        "You are signed in to an account of which the bearer of this card is no holder.",
        "Présentez la carte d'un titulaire du compte, ou déconnectez-vous pour entrer avec cette carte dans le sien.",
        "Present the card of a holder of the account, or sign out to enter with this card the account it belongs to.",
        CARD,
    ),
    Reason.CARD_TICKET_WRONG: Explanation(
        401,
        "La lecture de carte a expiré",
        "The card reading has expired",
        "Le retour de la carte a déjà servi, a attendu plus d'une minute, ou n'a pas été demandé dans ce navigateur.",
        "The way back from the card has been used, has waited for over a minute, or was not asked for in this browser.",
        "Recommencez avec la carte, dans un seul onglet. Ne suivez pas un lien reçu par message.",
        "Start over with the card, in one tab only. Do not follow a link received in a message.",
        CARD,
    ),
    Reason.CARD_MISSING: Explanation(
        401,
        "Aucune carte n'a été présentée",
        "No card was presented",
        "Votre navigateur n'a présenté aucun certificat de carte.",
        "Your browser presented no certificate of a card.",
        "Vérifiez que le lecteur est branché, la carte insérée et la Cryptolib CPS installée, fermez toutes les "
        "fenêtres du navigateur, puis recommencez.",
        "Check that the reader is plugged in, the card inserted and Cryptolib CPS installed, close all windows of the "
        "browser, then start over.",
        CARD,
    ),
    Reason.CARD_HANDSHAKE_FAILED: Explanation(
        401,
        "La carte n'a pas pu être lue",
        "The card could not be read",
        "Un certificat présenté depuis votre réseau vient d'être refusé : ce n'était pas le certificat "
        "d'authentification d'une carte CPS.",
        "A certificate presented from your network has just been refused: it was not the authentication certificate "
        "of a CPS card.",
        "Fermez toutes les fenêtres du navigateur et recommencez en choisissant le certificat d'authentification de "
        "votre carte. Si cela persiste, appelez le support de votre portail.",
        "Close all windows of the browser and start over, choosing the authentication certificate of your card. If it "
        "goes on, call your portal's support.",
        CARD,
    ),
    Reason.CARD_NOT_SET_UP: Explanation(
        404,
        "La carte n'est pas lue par ce portail",
        "This portal does not read cards",
        "La connexion par carte n'est pas en service sur ce portail.",
        "Signing in by card is not in service on this portal.",
        "Connectez-vous avec votre identifiant et un code à 6 chiffres. Pour toute question, appelez le support de "
        "votre portail.",
        "Sign in with your identifier and a 6-digit code. For any question, call your portal's support.",
        HOME,
    ),
}
