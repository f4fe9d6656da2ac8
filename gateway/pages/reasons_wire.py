# SPDX-License-Identifier: EUPL-1.2
"""Reasons of the wire and of the house, told to a person: requests that cannot be read, parts that are down."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import HOME, Explanation

_TRY_LATER_FR: Final = "Réessayez dans quelques minutes. Si cela continue, appelez le support de votre portail."
_TRY_LATER_EN: Final = "Try again in a few minutes. If it goes on, call your portal's support."
_SOFTWARE_FR: Final = (
    "Revenez à l'accueil du portail et recommencez. Si vous utilisez un logiciel, prévenez son éditeur."
)
_SOFTWARE_EN: Final = "Go back to the portal's home page and start again. If you use software, tell its publisher."

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.MALFORMED_REQUEST: Explanation(
        400,
        "Demande illisible",
        "Request not understood",
        "La demande envoyée par votre navigateur ou votre logiciel n'a pas pu être lue sans ambiguïté.",
        "The request sent by your browser or software could not be read without ambiguity.",
        _SOFTWARE_FR,
        _SOFTWARE_EN,
        HOME,
    ),
    Reason.PATH_AMBIGUOUS: Explanation(
        400,
        "Adresse ambiguë",
        "Ambiguous address",
        "L'adresse demandée peut se lire de plusieurs façons ; par prudence, elle est refusée.",
        "The address you asked for can be read in several ways; to be safe, it is refused.",
        _SOFTWARE_FR,
        _SOFTWARE_EN,
        HOME,
    ),
    Reason.COOKIE_AMBIGUOUS: Explanation(
        400,
        "Cookie de connexion en double",
        "Sign-in cookie sent twice",
        "Votre navigateur a envoyé plusieurs cookies de connexion ; nous ne pouvons pas savoir lequel est le vôtre.",
        "Your browser sent several sign-in cookies; we cannot know which one is yours.",
        "Effacez les cookies de ce site dans votre navigateur, puis connectez-vous de nouveau.",
        "Clear this site's cookies in your browser, then sign in again.",
    ),
    Reason.HOST_UNKNOWN: Explanation(
        421,
        "Nom de site inconnu",
        "Unknown site name",
        "Le nom de site demandé n'est pas servi ici.",
        "The site name you asked for is not served here.",
        "Vérifiez l'adresse dans votre navigateur.",
        "Check the address in your browser.",
    ),
    Reason.HEAD_TOO_LARGE: Explanation(
        431,
        "En-têtes trop volumineux",
        "Headers too large",
        "Votre navigateur a envoyé trop d'informations avec la demande (souvent, trop de cookies).",
        "Your browser sent too much information with the request (often, too many cookies).",
        "Effacez les cookies de ce site dans votre navigateur, puis recommencez.",
        "Clear this site's cookies in your browser, then try again.",
    ),
    Reason.URL_TOO_LONG: Explanation(
        414,
        "Adresse trop longue",
        "Address too long",
        "L'adresse demandée est plus longue que ce que le portail accepte.",
        "The address you asked for is longer than the portal accepts.",
        _SOFTWARE_FR,
        _SOFTWARE_EN,
        HOME,
    ),
    Reason.BODY_TOO_LARGE: Explanation(
        413,
        "Envoi trop volumineux",
        "Too much was sent",
        "Le formulaire ou le fichier envoyé est plus grand que ce qui est accepté ici.",
        "The form or file you sent is larger than what is accepted here.",
        "Réduisez le fichier ou envoyez-le en plusieurs fois.",
        "Make the file smaller or send it in parts.",
    ),
    Reason.REQUEST_TIMEOUT: Explanation(
        408,
        "Demande reçue trop lentement",
        "Request received too slowly",
        "La demande n'est pas arrivée en entier dans le temps prévu.",
        "The request did not arrive in full in the time allowed.",
        "Vérifiez votre connexion à internet, puis recommencez.",
        "Check your internet connection, then try again.",
    ),
    Reason.NOT_IMPLEMENTED: Explanation(
        501,
        "Type de demande non pris en charge",
        "Kind of request not supported",
        "Votre navigateur ou votre logiciel a demandé une opération que ce portail ne connaît pas.",
        "Your browser or software asked for an operation that this portal does not know.",
        _SOFTWARE_FR,
        _SOFTWARE_EN,
        HOME,
    ),
    Reason.PORTAL_UNREACHABLE: Explanation(
        502,
        "Le portail ne répond pas",
        "The portal does not answer",
        "Votre accès fonctionne, mais le portail est injoignable pour le moment.",
        "Your access works, but the portal cannot be reached at the moment.",
        _TRY_LATER_FR,
        _TRY_LATER_EN,
    ),
    Reason.PORTAL_TIMEOUT: Explanation(
        504,
        "Le portail met trop de temps à répondre",
        "The portal takes too long to answer",
        "Votre accès fonctionne, mais le portail n'a pas répondu dans le temps prévu.",
        "Your access works, but the portal did not answer in the time allowed.",
        "Attendez une minute avant de recommencer : si vous enregistriez quelque chose, vérifiez d'abord que ce n'est "
        "pas déjà fait.",
        "Wait a minute before trying again: if you were saving something, check first that it is not done already.",
    ),
    Reason.PORTAL_ANSWER_INVALID: Explanation(
        502,
        "Réponse du portail incorrecte",
        "Incorrect answer from the portal",
        "Le portail a donné une réponse que nous ne pouvons pas vous transmettre sans risque.",
        "The portal gave an answer that we cannot pass on to you safely.",
        _TRY_LATER_FR,
        _TRY_LATER_EN,
    ),
    Reason.LEDGER_UNAVAILABLE: Explanation(
        503,
        "Journal des accès indisponible",
        "Access record unavailable",
        "Chaque accès aux données des patients doit être enregistré ; l'enregistrement est en panne, donc rien n'est "
        "communiqué.",
        "Each access to patients' data must be recorded; recording is out of order, so nothing is disclosed.",
        "Vous n'avez rien à corriger : nos équipes doivent intervenir. Réessayez plus tard ou appelez le support de "
        "votre portail.",
        "There is nothing for you to mend: our teams have to act. Try again later or call your portal's support.",
    ),
    Reason.METER_UNAVAILABLE: Explanation(
        503,
        "Décompte des consultations indisponible",
        "Count of look-ups unavailable",
        "Le nombre de patients consultés doit être compté à chaque consultation ; le décompte est en panne, donc rien "
        "n'est communiqué.",
        "How many patients are looked up must be counted at each look-up; the count is out of order, so nothing is "
        "disclosed.",
        "Vous n'avez rien à corriger : réessayez dans quelques minutes. Les pages sans données de patients restent "
        "ouvertes. Si cela dure, appelez le support de votre portail.",
        "There is nothing for you to mend: try again in a few minutes. Pages without patients' data stay open. If it "
        "lasts, call your portal's support.",
    ),
    Reason.BUSY: Explanation(
        503,
        "Trop de demandes en ce moment",
        "Too many requests right now",
        "Le service reçoit trop de demandes à la fois et n'a pas pu traiter la vôtre.",
        "The service receives too many requests at once and could not handle yours.",
        "Réessayez dans une minute.",
        "Try again in a minute.",
    ),
    Reason.INTERNAL_ERROR: Explanation(
        500,
        "Une erreur est survenue",
        "Something went wrong",
        "Une erreur de notre côté a empêché de répondre ; par prudence, rien n'a été communiqué.",
        "A fault on our side prevented an answer; to be safe, nothing was disclosed.",
        "Réessayez. Si cela continue, appelez le support de votre portail en donnant la référence de la demande.",
        "Try again. If it goes on, call your portal's support and give the reference of the request.",
    ),
}
