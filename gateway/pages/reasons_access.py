# SPDX-License-Identifier: EUPL-1.2
"""Reasons of the policy and the meter, told to a person: challenges, denials, patient numbers."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import CONFIRM, EVENTS, HOME, MEANS, SIGN_IN, STEP_UP, Explanation

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.PERMITTED: Explanation(
        200,
        "Accès autorisé",
        "Access granted",
        "L'accès est autorisé.",
        "Access is granted.",
        "Vous n'avez rien à faire.",
        "There is nothing to do.",
    ),
    Reason.SIGN_IN_REQUIRED: Explanation(
        401,
        "Connectez-vous pour continuer",
        "Sign in to continue",
        "Cette page est réservée aux professionnels connectés.",
        "This page is for professionals who are signed in.",
        "Connectez-vous ; vous arriverez ensuite à la page demandée.",
        "Sign in; you will then land on the page you asked for.",
        SIGN_IN,
    ),
    Reason.SECOND_FACTOR_REQUIRED: Explanation(
        401,
        "Un code est demandé",
        "A code is needed",
        "Ce téléservice donne accès à des données de patients : le mot de passe seul ne suffit pas.",
        "This service gives access to patients' data: the password alone is not enough.",
        "Saisissez le code à 6 chiffres de votre application ; vous arriverez ensuite à la page demandée.",
        "Enter the 6-digit code from your application; you will then land on the page you asked for.",
        STEP_UP,
    ),
    Reason.SECOND_FACTOR_STALE: Explanation(
        401,
        "Un nouveau code est demandé",
        "A new code is needed",
        "Votre dernier code a été saisi il y a trop longtemps pour ce téléservice.",
        "Your last code was entered too long ago for this service.",
        "Saisissez un nouveau code à 6 chiffres ; vous arriverez ensuite à la page demandée.",
        "Enter a new 6-digit code; you will then land on the page you asked for.",
        STEP_UP,
    ),
    Reason.SESSION_MOVED: Explanation(
        401,
        "Confirmez que c'est bien vous",
        "Confirm that it is you",
        "Votre session est utilisée depuis un autre réseau ou un autre appareil que celui où elle a été ouverte. Avant "
        "de montrer d'autres patients, nous vérifions que c'est bien vous.",
        "Your session is used from another network or device than the one it was opened with. Before it shows other "
        "patients, we check that it is you.",
        "Confirmez votre identité une fois, par un code à 6 chiffres, une clé d'accès, votre carte ou Pro Santé "
        "Connect. Si vous n'avez changé ni d'appareil ni de lieu, déconnectez-vous et appelez le support de votre "
        "portail.",
        "Confirm your identity once, with a 6-digit code, a passkey, your card or Pro Santé Connect. "
        "If you changed neither device nor place, sign out and call your portal's support.",
        CONFIRM,
    ),
    Reason.CARD_REQUIRED: Explanation(
        401,
        "Votre carte CPS est demandée",
        "Your CPS card is needed",
        "Ce téléservice demande une connexion avec votre carte CPS ou e-CPS.",
        "This service asks for a connection with your CPS or e-CPS card.",
        "La carte ne peut pas être lue ici : passez par votre accès habituel avec la carte, ou appelez le support de "
        "votre portail.",
        "The card cannot be read here: use your usual access with the card, or call your portal's support.",
        HOME,
    ),
    Reason.METHOD_REQUIRED: Explanation(
        401,
        "Un autre moyen de connexion est demandé",
        "Another means of signing in is needed",
        "Ce téléservice ne s'ouvre qu'avec certains moyens de connexion.",
        "This service opens with certain means of signing in alone.",
        "Choisissez un des moyens proposés ; vous arriverez ensuite à la page demandée.",
        "Choose one of the means on offer; you will then land on the page you asked for.",
        MEANS,
    ),
    Reason.BUDGET_PROOF_REQUIRED: Explanation(
        401,
        "Confirmez que c'est bien vous",
        "Confirm that it is you",
        "Vous avez consulté beaucoup de patients en peu de temps : nous vérifions que c'est bien vous.",
        "You have looked up many patients in a short time: we check that it is you.",
        "Confirmez votre identité : vous continuez aussitôt.",
        "Confirm your identity: you go on at once.",
        CONFIRM,
    ),
    Reason.NO_TELESERVICE: Explanation(
        403,
        "Cette adresse n'est pas ouverte",
        "This address is not open",
        "L'adresse demandée n'appartient à aucun téléservice ouvert sur ce portail.",
        "The address you asked for belongs to no service that is open on this portal.",
        "Vérifiez l'adresse, ou revenez à l'accueil du portail.",
        "Check the address, or go back to the portal's home page.",
        HOME,
    ),
    Reason.PROFESSION_NOT_ALLOWED: Explanation(
        403,
        "Téléservice non ouvert à votre profession",
        "Service not open to your profession",
        "Ce téléservice n'est pas ouvert à la profession enregistrée pour votre compte.",
        "This service is not open to the profession registered for your account.",
        "Si votre profession est mal enregistrée, appelez le support de votre portail.",
        "If your profession is registered wrongly, call your portal's support.",
        HOME,
    ),
    Reason.ACCOUNT_NOT_ALLOWED: Explanation(
        403,
        "Téléservice non ouvert à votre compte",
        "Service not open to your account",
        "Votre compte ne fait pas partie de ceux qui peuvent utiliser ce téléservice.",
        "Your account is not one of those that may use this service.",
        "Si vous devriez y avoir accès, appelez le support de votre portail.",
        "If you should have access to it, call your portal's support.",
        HOME,
    ),
    Reason.NOT_DELEGATED: Explanation(
        403,
        "Non compris dans votre délégation",
        "Not part of your delegation",
        "Vous agissez pour un autre professionnel, et cela n'est pas ouvert à ses délégués, ou ne l'est pas à vous.",
        "You act for another professional, and this is not open to delegates, or not to you.",
        "S'il s'agit d'un téléservice, demandez-lui de l'ajouter à votre délégation, sur la page « Délégations ».",
        "If it is a service, ask him to add it to your delegation, on the page “Delegations” of his account.",
        HOME,
    ),
    Reason.DELEGATION_ENDED: Explanation(
        403,
        "Votre délégation a pris fin",
        "Your delegation has ended",
        "L'accès que le titulaire du compte vous avait donné est arrivé à son terme, ou il l'a retiré.",
        "The access that the holder of the account gave you has reached its end, or he has withdrawn it.",
        "S'il doit continuer, le titulaire peut en donner un nouveau, sur la page « Délégations » de son compte.",
        "If it is to go on, the holder can give a new one, on the page “Delegations” of his account.",
        HOME,
    ),
    # Nobody has this number. The page does not say so: whoever works through a list would learn what to leave out.
    Reason.SEARCH_REFUSED: Explanation(
        403,
        "Recherche refusée",
        "Search refused",
        "Cette recherche a été refusée, et le support de votre portail en est averti.",
        "This search was refused, and your portal's support has been told of it.",
        "Vérifiez le numéro sur la carte Vitale du patient ; s'il est exact, appelez le support.",
        "Check the number on the patient's Vitale card; if it is right, call support.",
    ),
    Reason.BUDGET_EXHAUSTED: Explanation(
        429,
        "Limite de consultations atteinte",
        "Limit of look-ups reached",
        "Le nombre de patients différents que ce compte peut consulter sur cette période est atteint ; cette limite "
        "protège les données des patients si un compte est volé.",
        "The number of different patients this account may look up in this period is reached; the limit protects "
        "patients' data if an account is stolen.",
        "Attendez, ou appelez le support de votre portail si vous devez continuer avant. Si ces consultations ne "
        "viennent pas de vous, appelez tout de suite.",
        "Wait, or call your portal's support if you must go on sooner. If these look-ups are not yours, call at once.",
        EVENTS,
    ),
    Reason.PATIENT_NUMBER_MISSING: Explanation(
        400,
        "Numéro de sécurité sociale absent",
        "Social security number missing",
        "La demande ne contient pas le numéro de sécurité sociale du patient.",
        "The request does not contain the patient's social security number.",
        "Revenez au formulaire et saisissez le numéro : 13 chiffres, ou 15 avec la clé.",
        "Go back to the form and enter the number: 13 digits, or 15 with the key.",
    ),
    Reason.PATIENT_NUMBER_MALFORMED: Explanation(
        400,
        "Numéro de sécurité sociale inexact",
        "Social security number not valid",
        "Le numéro saisi n'est pas un numéro de sécurité sociale valable, ou sa clé ne correspond pas.",
        "The number entered is not a valid social security number, or its key does not match.",
        "Vérifiez le numéro sur la carte Vitale ou l'attestation : 13 chiffres, ou 15 avec la clé.",
        "Check the number on the Vitale card or the certificate: 13 digits, or 15 with the key.",
    ),
    Reason.PATIENT_NUMBER_AMBIGUOUS: Explanation(
        400,
        "Plusieurs numéros dans la demande",
        "Several numbers in the request",
        "La demande contient plusieurs numéros de sécurité sociale là où un seul est attendu.",
        "The request contains several social security numbers where one is expected.",
        "Revenez au formulaire et consultez un patient à la fois. Si vous utilisez un logiciel, prévenez son éditeur.",
        "Go back to the form and look up one patient at a time. If you use software, tell its publisher.",
    ),
    Reason.UPGRADE_NOT_ALLOWED: Explanation(
        403,
        "Connexion continue refusée",
        "Live connection refused",
        "Cette page ne permet pas de connexion continue (WebSocket).",
        "This page does not allow a live connection (WebSocket).",
        "Utilisez les pages du portail. Si vous utilisez un logiciel, prévenez son éditeur.",
        "Use the portal's pages. If you use software, tell its publisher.",
        HOME,
    ),
    Reason.SERVICE_WORKER_NOT_ALLOWED: Explanation(
        403,
        "Script d'arrière-plan refusé",
        "Background script refused",
        "La page a voulu installer un script qui reste dans le navigateur (service worker) ; ce n'est pas permis ici.",
        "The page wanted to install a script that stays in the browser (service worker); that is not allowed here.",
        "Vous n'avez rien à faire : le portail fonctionne sans lui.",
        "There is nothing for you to do: the portal works without it.",
        HOME,
    ),
    Reason.ORIGIN_NOT_ALLOWED: Explanation(
        403,
        "Demande venue d'un autre site",
        "Request from another site",
        "Cette demande a été préparée par un autre site que le portail ; elle n'a pas été transmise.",
        "This request was prepared by another site than the portal; it was not passed on.",
        "Revenez à l'accueil du portail et recommencez depuis ses propres pages.",
        "Go back to the portal's home page and start again from its own pages.",
        HOME,
    ),
    # The number is amelipro's line for professionals; other portals have their own support.
    Reason.TELESERVICE_CLOSED: Explanation(
        503,
        "Téléservice fermé",
        "Service closed",
        "Ce téléservice est fermé pour le moment.",
        "This service is closed at the moment.",
        "Les autres téléservices restent ouverts. Si vous veniez d'envoyer un formulaire, il n'a pas été transmis.\n"
        "Pour une urgence ou une question, appelez le support de votre portail (amelipro : 36 08).",
        "The other services stay open. If you had just sent a form, it was not passed on.\n"
        "If it is urgent, or for any question, call your portal's support (amelipro: 36 08).",
        HOME,
    ),
    Reason.PORTAL_CLOSED: Explanation(
        503,
        "Portail fermé",
        "Portal closed",
        "Tout le portail est fermé pour le moment.",
        "The whole portal is closed at the moment.",
        "Votre compte et vos derniers événements restent consultables. Si vous veniez d'envoyer un formulaire, il n'a "
        "pas été transmis.\n"
        "Pour une urgence ou une question, appelez le support de votre portail (amelipro : 36 08).",
        "Your account and its latest events can still be read. If you had just sent a form, it was not passed on.\n"
        "If it is urgent, or for any question, call your portal's support (amelipro: 36 08).",
        EVENTS,
    ),
}
