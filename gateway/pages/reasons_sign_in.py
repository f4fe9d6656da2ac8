# SPDX-License-Identifier: EUPL-1.2
"""Reasons of sign-in and enrolment, told to a person."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import ANOTHER_WAY, ENROL, HOME, SIGN_IN, STEP_UP, Explanation

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.CREDENTIALS_WRONG: Explanation(
        401,
        "Identifiant ou mot de passe incorrect",
        "Wrong identifier or password",
        "L'identifiant ou le mot de passe n'est pas le bon.",
        "The identifier or the password is not right.",
        "Vérifiez les deux et recommencez. Mot de passe oublié : demandez un lien pour en choisir un autre.",
        "Check both and try again. Password forgotten: ask for a link to choose another one.",
        SIGN_IN,
    ),
    Reason.CREDENTIALS_OR_CODE_WRONG: Explanation(
        401,
        "Identifiant, mot de passe ou code incorrect",
        "Wrong identifier, password or code",
        "L'identifiant, le mot de passe ou le code n'est pas le bon.",
        "The identifier, the password or the code is not right.",
        "Vérifiez les trois ; un code ne sert qu'une fois. Sans application de codes, laissez le code vide.",
        "Check all three; a code works once only. Without a code application leave the code empty.",
        SIGN_IN,
    ),
    Reason.CODE_WRONG: Explanation(
        401,
        "Code incorrect",
        "Wrong code",
        "Le code saisi n'est pas le bon.",
        "The code entered is not right.",
        "Attendez le code suivant dans votre application et saisissez ses 6 chiffres. Vérifiez aussi que l'heure de "
        "votre téléphone est réglée automatiquement.",
        "Wait for the next code in your application and enter its 6 digits. Check too that the clock of your phone "
        "is set automatically.",
        STEP_UP,
    ),
    Reason.CODE_USED: Explanation(
        401,
        "Code déjà utilisé",
        "Code already used",
        "Ce code a déjà servi ; chaque code ne sert qu'une fois.",
        "This code has been used already; each code works once.",
        "Attendez le code suivant dans votre application (30 secondes au plus). Si vous n'avez pas utilisé ce code, "
        "appelez le support de votre portail.",
        "Wait for the next code in your application (30 seconds at most). If you have not used this code, call your "
        "portal's support.",
        STEP_UP,
    ),
    Reason.THROTTLED: Explanation(
        429,
        "Trop d'essais",
        "Too many tries",
        "Trop d'essais ont échoué ; une attente protège le compte contre qui chercherait à deviner.",
        "Too many tries have failed; a waiting time protects the account from guessing.",
        "Attendez avant de recommencer. Si ces essais ne viennent pas de vous, appelez le support de votre portail.",
        "Wait before you try again. If these tries are not yours, call your portal's support.",
    ),
    Reason.ACCOUNT_LOCKED: Explanation(
        403,
        "Compte bloqué",
        "Account locked",
        "Votre compte est bloqué : personne ne peut s'y connecter.",
        "Your account is locked: nobody can sign in to it.",
        "Appelez le support de votre portail pour le débloquer après vérification de votre identité.",
        "Call your portal's support to have it unlocked after a check of your identity.",
    ),
    Reason.ACCOUNT_ASLEEP: Explanation(
        403,
        "Compte en sommeil",
        "Account asleep",
        "Ce compte n'a pas servi depuis six mois : pour protéger vos patients, il est mis en sommeil.",
        "This account has not been used for six months: to protect your patients, it was put to sleep.",
        "Connectez-vous avec votre carte CPS ou avec Pro Santé Connect : le compte se réveille aussitôt. Sans carte ni "
        "téléphone : appelez le support de votre portail, qui le réveille après vérification de votre identité.",
        "Sign in with your CPS card or with Pro Santé Connect: the account wakes at once. Without card or phone: call "
        "your portal's support to have it woken after a check of your identity.",
        ANOTHER_WAY,
    ),
    Reason.SECOND_FACTOR_MISSING: Explanation(
        403,
        "Aucune application de codes sur ce compte",
        "No code application on this account",
        "Ce téléservice demande un code à 6 chiffres, et aucune application de codes n'est encore liée à ce compte.",
        "This service asks for a 6-digit code, and no code application is linked to this account yet.",
        "Demandez un code d'activation au support de votre portail : il permet de lier une application en quelques "
        "minutes.",
        "Ask for an activation code from your portal's support: with it you link an application in a few minutes.",
        ENROL,
    ),
    Reason.INVITATION_WRONG: Explanation(
        401,
        "Code d'activation incorrect",
        "Wrong activation code",
        "L'identifiant ou le code d'activation n'est pas le bon, ou le code a déjà servi ou expiré.",
        "The identifier or the activation code is not right, or the code has been used or has expired.",
        "Vérifiez les deux. Pour obtenir un nouveau code d'activation, appelez le support de votre portail.",
        "Check both. To get a new activation code, call your portal's support.",
        ENROL,
    ),
    Reason.PASSWORD_TOO_WEAK: Explanation(
        400,
        "Mot de passe trop facile à deviner",
        "Password too easy to guess",
        "Ce mot de passe serait deviné trop vite : il faut au moins 12 caractères, et rien que l'on devine de vous.",
        "This password would be guessed too quickly: it takes at least 12 characters, and nothing known of you.",
        "Choisissez par exemple une phrase de cinq mots ou plus. Le code d'activation ou le lien reçu reste bon.",
        "Choose for example a phrase of five words or more. The activation code or the link still works.",
        ENROL,
    ),
    Reason.FORM_FORGED: Explanation(
        403,
        "Formulaire non reconnu",
        "Form not recognised",
        "Ce formulaire ne vient pas de cette page, ou il est resté ouvert trop longtemps ; rien n'a été fait.",
        "This form does not come from this page, or it stayed open too long; nothing was done.",
        "Ouvrez de nouveau la page et recommencez. N'utilisez pas un lien reçu par message.",
        "Open the page again and start over. Do not use a link received in a message.",
        HOME,
    ),
    Reason.PROOF_TOO_OLD: Explanation(
        401,
        "Une preuve récente est demandée",
        "A recent proof is needed",
        "Pour changer ce qui protège le compte, un code doit avoir été saisi il y a moins de 15 minutes.",
        "To change what protects the account, a code must have been entered less than 15 minutes ago.",
        "Saisissez un code à 6 chiffres, puis recommencez. Sans application : demandez un code d'activation au support "
        "de votre portail.",
        "Enter a 6-digit code, then try again. Without an application: ask for an activation code from your portal's "
        "support.",
        STEP_UP,
    ),
}
