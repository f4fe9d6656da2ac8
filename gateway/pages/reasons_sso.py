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
        "Recommencez dans quelques minutes, ou utilisez votre carte CPS ou un autre moyen de connexion. Aide : le "
        "support de votre portail.",
        "Try again in a few minutes, or use your CPS card or another way to sign in. Help: your portal's support.",
        SIGN_IN,
    ),
    Reason.SSO_REFUSED: Explanation(
        403,
        "Connexion refusée par Pro Santé Connect",
        "Sign-in refused by Pro Santé Connect",
        "Pro Santé Connect n'a pas confirmé la connexion : elle a été annulée, refusée ou a trop attendu.",
        "Pro Santé Connect did not confirm the sign-in: it was cancelled, refused, or waited too long.",
        "Recommencez. Si vous avez reçu une demande que vous n'attendiez pas, refusez-la toujours et appelez le "
        "support de votre portail.",
        "Try again. If you received a request that you did not expect, always refuse it and call your portal's "
        "support.",
        SIGN_IN,
    ),
    Reason.SSO_ANSWER_INVALID: Explanation(
        502,
        "Réponse de Pro Santé Connect inutilisable",
        "Unusable answer from Pro Santé Connect",
        "La réponse reçue de Pro Santé Connect n'a pas passé nos vérifications ; la connexion n'a pas été ouverte.",
        "The answer received from Pro Santé Connect did not pass our checks; the sign-in was not opened.",
        "Recommencez. Si cela se reproduit, appelez le support de votre portail : le problème n'est pas sur votre "
        "poste.",
        "Try again. If it happens again, call your portal's support: the problem is not on your computer.",
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
        "Recommencez avec votre carte CPS ou l'application e-CPS. Aide : le support de votre portail.",
        "Try again with your CPS card or the e-CPS application. Help: your portal's support.",
        SIGN_IN,
    ),
    Reason.SSO_IDENTITY_INVALID: Explanation(
        403,
        "Identité non reconnue",
        "Identity not recognised",
        "L'identité transmise par Pro Santé Connect est incomplète ou ne porte pas de numéro RPPS valable.",
        "The identity sent by Pro Santé Connect is incomplete or has no valid RPPS number.",
        "Vérifiez avec votre ordre votre inscription au RPPS, ou appelez le support de votre portail.",
        "Check your registration in the RPPS with your professional body, or call your portal's support.",
        SIGN_IN,
    ),
    Reason.SSO_UNKNOWN: Explanation(
        403,
        "Identité reconnue, mais aucun compte à ce nom",
        "Identity recognised, but no account in its name",
        "Pro Santé Connect vous a bien reconnu, mais aucun compte de ce portail n'est enregistré à votre numéro RPPS.",
        "Pro Santé Connect did recognise you, but no account of this portal is registered under your RPPS number.",
        "Connectez-vous avec l'identifiant de votre cabinet ou officine. Pour y être ajouté, appelez le support de "
        "votre portail.",
        "Sign in with the identifier of your practice. To be added to it, call your portal's support.",
        SIGN_IN,
    ),
    Reason.SSO_OF_ANOTHER: Explanation(
        403,
        "Cette identité n'est pas celle d'un titulaire du compte",
        "This identity is not that of a holder of the account",
        "La personne que Pro Santé Connect a reconnue n'est pas, ou n'est plus, un titulaire de ce compte.",
        "The person whom Pro Santé Connect recognised is not, or is no longer, a holder of this account.",
        "Vérifiez qui est connecté à Pro Santé Connect sur ce poste, puis recommencez. Si le doute reste : appelez le "
        "support de votre portail.",
        "Check who is signed in to Pro Santé Connect on this computer, then start over. If in doubt, call your "
        "portal's support.",
        SIGN_IN,
    ),
    Reason.SSO_NOT_SET_UP: Explanation(
        404,
        "Pro Santé Connect n'est pas en service ici",
        "Pro Santé Connect is not in service here",
        "La connexion par Pro Santé Connect n'est pas en service sur ce portail.",
        "Signing in through Pro Santé Connect is not in service on this portal.",
        "Connectez-vous avec votre carte, ou avec votre identifiant. Pour toute question, appelez le support de votre "
        "portail.",
        "Sign in with your card, or with your identifier. For any question, call your portal's support.",
        SIGN_IN,
    ),
    Reason.RPPS_MALFORMED: Explanation(
        400,
        "Numéro RPPS à vérifier",
        "RPPS number to be checked",
        "Ce numéro n'a pas la forme d'un numéro RPPS, ou un de ses chiffres est faux.",
        "This number has not the form of an RPPS number, or one of its digits is wrong.",
        "Comparez-le à votre carte : 11 chiffres, sans lettre. Personne n'a été sollicité sur son téléphone.",
        "Compare it with your card: 11 digits, no letter. Nobody was asked on his phone.",
        SIGN_IN,
    ),
}
