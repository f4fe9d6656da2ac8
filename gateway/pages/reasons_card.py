# SPDX-License-Identifier: EUPL-1.2
"""Reasons why a card itself is refused, told to its bearer: certificate, authority, dates, revocation."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import CARD, HOME, SIGN_IN, Explanation

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.CARD_MALFORMED: Explanation(
        403,
        "Le certificat de la carte est illisible",
        "The certificate of the card cannot be read",
        "Le certificat présenté n'a pas la forme de celui d'une carte CPS ; il n'a pas été utilisé.",
        "The certificate presented has not the form of a CPS card's; it was not used.",
        "Retirez la carte, remettez-la et choisissez le certificat d'authentification de la carte CPS.",
        "Take the card out, put it back in and choose the authentication certificate of the CPS card.",
        CARD,
    ),
    Reason.CARD_NOT_TRUSTED: Explanation(
        403,
        "Certificat d'une autorité inconnue",
        "Certificate of an unknown authority",
        "Le certificat présenté n'a pas été émis par une autorité des cartes de professionnels de santé.",
        "The certificate presented was not issued by an authority of health professionals' cards.",
        "Choisissez le certificat de votre carte CPS, et non celui d'un logiciel ou d'un autre organisme.",
        "Choose the certificate of your CPS card, not that of a program or of another organisation.",
        CARD,
    ),
    Reason.CARD_EXPIRED: Explanation(
        403,
        "Carte expirée",
        "Card expired",
        "La date de fin de validité de cette carte est passée.",
        "The end date of this card has passed.",
        "Utilisez votre nouvelle carte ; si vous ne l'avez pas reçue, demandez-la à l'Agence du numérique en santé.",
        "Use your new card; if you have not received it, ask the Agence du numérique en santé for it.",
        SIGN_IN,
    ),
    Reason.CARD_NOT_YET_VALID: Explanation(
        403,
        "Carte pas encore valable",
        "Card not valid yet",
        "La date de début de validité de cette carte n'est pas encore atteinte.",
        "The start date of this card has not been reached yet.",
        "Utilisez votre carte actuelle jusqu'à cette date, ou appelez le support de votre portail.",
        "Use your present card until that date, or call your portal's support.",
        SIGN_IN,
    ),
    Reason.CARD_REVOKED: Explanation(
        403,
        "Carte mise en opposition",
        "Card revoked",
        "Cette carte a été mise en opposition : elle n'ouvre plus aucun accès.",
        "This card has been revoked: it opens nothing any more.",
        "Utilisez votre nouvelle carte. Si vous n'avez pas demandé l'opposition, appelez le support de votre portail.",
        "Use your new card. If you did not ask for the revocation, call your portal's support.",
        SIGN_IN,
    ),
    Reason.CARD_REVOCATION_STALE: Explanation(
        503,
        "Les oppositions ne peuvent pas être vérifiées",
        "Revocations cannot be checked",
        "La liste des cartes mises en opposition est trop ancienne ici ; dans le doute, aucune carte n'est acceptée.",
        "The list of revoked cards is too old here; in doubt, no card is accepted.",
        "Votre carte n'est pas en cause. Réessayez plus tard, ou connectez-vous par Pro Santé Connect.",
        "Your card is not at fault. Try again later, or sign in through Pro Santé Connect.",
        SIGN_IN,
    ),
    Reason.CARD_NOT_FOR_SIGN_IN: Explanation(
        403,
        "Ce certificat ne sert pas à se connecter",
        "This certificate is not for signing in",
        "Le certificat présenté est fait pour un autre usage, par exemple la signature de documents.",
        "The certificate presented is made for another use, for example to sign documents.",
        "Recommencez et choisissez le certificat d'authentification de votre carte, et non celui de signature.",
        "Start over and choose the authentication certificate of your card, not the one for signatures.",
        CARD,
    ),
    Reason.CARD_TEST_NOT_ALLOWED: Explanation(
        403,
        "Carte de test",
        "Test card",
        "Cette carte est une carte de test : elle n'ouvre rien sur ce portail.",
        "This card is a test card: it opens nothing on this portal.",
        "Présentez votre carte CPS personnelle.",
        "Present your own CPS card.",
        CARD,
    ),
    Reason.CARD_IDENTITY_INVALID: Explanation(
        403,
        "L'identité de la carte ne peut pas être lue",
        "The identity on the card cannot be read",
        "Le nom ou le numéro national inscrit dans le certificat n'a pas la forme attendue ; il est donc refusé.",
        "The name or the national number in the certificate has not the expected form; to be safe, it is refused.",
        "Une carte de service sans nom ne suffit pas : présentez une carte à votre nom, ou appelez le support de votre "
        "portail.",
        "A service card without a name will not do: present a card in your name, or call your portal's support.",
        HOME,
    ),
}
