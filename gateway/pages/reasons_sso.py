# SPDX-License-Identifier: EUPL-1.2
"""Reasons of signing in through Pro Santé Connect or another provider, told to a person."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import SIGN_IN, Explanation

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.SSO_UNREACHABLE: Explanation(
        503,
        "Pro Santé Connect ne répond pas",
        "Pro Santé Connect does not answer",
        "Le service de connexion Pro Santé Connect ne répond pas en ce moment ; rien n'est à corriger de votre côté.",
        "The sign-in service Pro Santé Connect does not answer at the moment; there is nothing to correct on your "
        "side.",
        "Recommencez dans quelques minutes, ou utilisez votre carte CPS ou un autre moyen de connexion. Aide : 36 08.",
        "Try again in a few minutes, or use your CPS card or another way to sign in. Help: 36 08.",
        SIGN_IN,
    ),
    Reason.SSO_REFUSED: Explanation(
        403,
        "Connexion refusée par Pro Santé Connect",
        "Sign-in refused by Pro Santé Connect",
        "Pro Santé Connect n'a pas confirmé la connexion : elle a été annulée, refusée ou a trop attendu.",
        "Pro Santé Connect did not confirm the sign-in: it was cancelled, refused, or waited too long.",
        "Recommencez. Si vous avez reçu une demande que vous n'attendiez pas, refusez-la toujours et appelez le 36 08.",
        "Try again. If you received a request that you did not expect, always refuse it and call 36 08.",
        SIGN_IN,
    ),
    Reason.SSO_ANSWER_INVALID: Explanation(
        502,
        "Réponse de Pro Santé Connect inutilisable",
        "Unusable answer from Pro Santé Connect",
        "La réponse reçue de Pro Santé Connect n'a pas passé nos vérifications ; la connexion n'a pas été ouverte.",
        "The answer received from Pro Santé Connect did not pass our checks; the sign-in was not opened.",
        "Recommencez. Si cela se reproduit, appelez le 36 08 : le problème n'est pas sur votre poste.",
        "Try again. If it happens again, call 36 08: the problem is not on your computer.",
        SIGN_IN,
    ),
    Reason.SSO_STATE_WRONG: Explanation(
        400,
        "Connexion à recommencer",
        "Sign-in to be started over",
        "Cette connexion a déjà servi, a commencé il y a trop longtemps, ou a été commencée dans un autre navigateur.",
        "This sign-in was used already, began too long ago, or was begun in another browser.",
        "Recommencez depuis la page de connexion du portail. N'utilisez pas un lien reçu par message.",
        "Start over from the portal's sign-in page. Do not use a link received in a message.",
        SIGN_IN,
    ),
    Reason.SSO_TOO_OLD: Explanation(
        401,
        "Une nouvelle connexion est demandée",
        "A new sign-in is needed",
        "Votre dernière preuve auprès de Pro Santé Connect est trop ancienne pour ce que vous demandez.",
        "Your last proof with Pro Santé Connect is too old for what you ask.",
        "Déconnectez-vous de Pro Santé Connect, puis connectez-vous de nouveau avec votre carte ou votre téléphone.",
        "Sign out of Pro Santé Connect, then sign in again with your card or your phone.",
        SIGN_IN,
    ),
    Reason.SSO_ACR_TOO_LOW: Explanation(
        403,
        "Moyen de connexion insuffisant",
        "Way to sign in not strong enough",
        "Le moyen utilisé auprès de Pro Santé Connect n'offre pas le niveau de sûreté demandé ici.",
        "The means used with Pro Santé Connect does not give the level of assurance asked for here.",
        "Recommencez avec votre carte CPS ou l'application e-CPS. Aide : 36 08.",
        "Try again with your CPS card or the e-CPS application. Help: 36 08.",
        SIGN_IN,
    ),
    Reason.SSO_IDENTITY_INVALID: Explanation(
        403,
        "Identité non reconnue",
        "Identity not recognised",
        "L'identité transmise par Pro Santé Connect est incomplète ou ne porte pas de numéro RPPS valable.",
        "The identity sent by Pro Santé Connect is incomplete or has no valid RPPS number.",
        "Vérifiez avec votre ordre votre inscription au RPPS, ou appelez le 36 08.",
        "Check your registration in the RPPS with your professional body, or call 36 08.",
        SIGN_IN,
    ),
}
