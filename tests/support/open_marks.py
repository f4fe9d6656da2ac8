# SPDX-License-Identifier: EUPL-1.2
"""Every mark that the drafts of an incident leave open, draft by draft, in their order: what only a person can know.

A mark that is not here, or is here and not there, fails a test: what the ledger could have told must not be asked, and
what it cannot know must not be left out. The first sixty characters of each; figures are N, accounts COMPTE.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARK = re.compile(r"\[À COMPLÉTER\u00a0: ([^\[\]]+)\]")
_FIGURE = re.compile(r"[0-9][0-9\u202f]*")
_LONGEST = 60

_CNIL = (
    "vérifier",
    "raison sociale, adresse, SIREN",
    "santé, protection sociale…",
    "nom, fonction, téléphone, courriel",
    "noms et rôle, ou aucun",
    "noms, ou aucun",
    "avérée, ou supposée : les consultations sont au registre, le",
    "terminée, en cours, inconnue",
    "date et heure, ou sans objet",
    "qui, comment",
    "non, ou laquelle",
    "non, ou laquelle",
    "piratage, hameçonnage, logiciel malveillant, autre",
    "externe ou interne ; malveillante ou accidentelle",
    "dont mineurs, personnes vulnérables",
    "oui, non : comment les comptes ont-ils été pris",
    "oui, non",
    "oui, non : le numéro de sécurité sociale le permet",
    "oui, non",
    "oui, non",
    "lesquels retenir",
    "négligeable, limitée, importante, maximale",
    "à confirmer ; autres mesures",
    "autres mesures immédiates : téléservice fermé, sessions ferm",
    "mesures et dates",
    "mesures et dates",
    "oui, pas encore, non",
    "date",
    "courrier, compte en ligne, courriel, communication publique",
    "combien, sur N",
    "motif, ou sans objet",
    "prévenue le",
    "prévenu le, ou sans objet",
    "déposée le, auprès de",
    "lesquelles, ou aucune",
    "oui, non",
)

OPEN_MARKS = {
    "0-LISEZ-MOI": ("…",),
    "1-anssi-cert-fr": (
        "adresse ou formulaire du CERT-FR en vigueur, à vérifier sur ",
        "organisme, nom et fonction du déclarant, téléphone joignable",
        "TLP:AMBER ou autre",
        "une faille logicielle est-elle en cause ; hypothèse sur l'or",
        "oui, non, inconnu",
        "ce que l'enquête a relevé",
        "autres mesures : téléservice fermé, adresses bloquées, sessi",
        "aucune, ou laquelle",
        "autres journaux : pare-feu, messagerie, annuaire",
    ),
    "2-cert-sante": (
        "oui, non ; sinon signalement volontaire",
        "raison sociale, FINESS, région, type d'établissement",
        "nom, fonction, téléphone, courriel ; RSSI et directeur préve",
        "oui, non, inconnu",
        "aucun effet, ou lequel : téléservices fermés, mode dégradé",
        "oui, non",
        "autres mesures, prises et prévues",
        "mots de passe réutilisés, messagerie compromise, hameçonnage",
        "oui, non, lequel",
        "numéro de la notification",
        "prévenue le",
        "déposée le",
    ),
    "3-cnil-notification-initiale": _CNIL,
    "4-cnil-notification-complementaire": (
        _CNIL[0],
        "numéro et date de l'accusé de réception",
        "faits nouveaux depuis la notification initiale",
        *_CNIL[1:],
    ),
    "5-lettre-aux-personnes": (
        "organisme, adresse, date",
        "organisme",
        "bloqués le ; autres mesures",
        "a été, sera déposée",
        "ce qui n'est pas concerné : coordonnées, données bancaires, ",
        "à confirmer : vous n'avez pas d'autre démarche à faire, et v",
        "nom, adresse, courriel, téléphone, horaires",
        "formule, nom et fonction du signataire",
    ),
    "6-professionnel": (
        "titulaire du compte COMPTE, joint par une voie qui n'est pas",
        "organisme, service, nom",
        "bloqué, ouvert, mot de passe à changer",
        "marche à suivre, contact",
        "démarche, contact, délai",
        "voie de recours, délégué à la protection des données",
        "nom et fonction du signataire",
    ),
    "7-plainte": (
        "organisme, représentant légal, pouvoir du déposant",
        "police, gendarmerie, procureur de la République (section cyb",
        "accès et maintien frauduleux dans un système de traitement a",
        "récit, personnes à entendre",
        "joindre, avec herse ledger prove --since",
        "qui, quand, empreinte SHA-N",
        "pare-feu, messagerie, fournisseur d'identité",
        "coûts, personnes à informer : N, atteinte à l'image",
    ),
}


def marks_of(text: str, accounts: Iterable[str]) -> tuple[str, ...]:
    """The open marks of one draft, as OPEN_MARKS has them."""
    names = re.compile("|".join(map(re.escape, sorted(accounts, key=len, reverse=True))))
    plain = [names.sub("COMPTE", mark).replace("\u00a0", " ").replace("\u2019", "'") for mark in _MARK.findall(text)]
    return tuple(_FIGURE.sub("N", mark)[:_LONGEST] for mark in plain)
