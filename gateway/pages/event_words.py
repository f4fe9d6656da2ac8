# SPDX-License-Identifier: EUPL-1.2
"""« Mes derniers événements » in words: names of kinds and of proofs, and how kinds are grouped for the filter.

Never a patient number: look-ups are told as a number of people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import AlertReason, EventKind, Method, Reason
from gateway.pages.explanation import PROVIDER
from gateway.pages.reasons import explanation
from gateway.pages.typography import typeset

if TYPE_CHECKING:
    from gateway.pages.language import Language

GROUPS: Final[dict[str, frozenset[EventKind]]] = {
    "sign-ins": frozenset(
        {
            EventKind.SIGN_IN,
            EventKind.SIGN_IN_FAILED,
            EventKind.STEP_UP,
            EventKind.STEP_UP_FAILED,
            EventKind.SIGN_OUT,
        }
    ),
    "look-ups": frozenset({EventKind.LOOKUP, EventKind.LOOKUP_MISSED, EventKind.ATTEMPT}),
    "refusals": frozenset({EventKind.CHALLENGED, EventKind.REFUSED, EventKind.OBSERVED}),
    "security": frozenset(
        {
            EventKind.ALERTED,
            EventKind.REPORTED,
            EventKind.DATA_KEY,
            EventKind.LEDGER_READ,
            EventKind.LEDGER_RESTORED,
            EventKind.ACCOUNT_CREATED,
            EventKind.ACCOUNT_LOCKED,
            EventKind.ACCOUNT_UNLOCKED,
            EventKind.ACCOUNT_WOKEN,
            EventKind.DEVICE_NEW,
            EventKind.DEVICE_FORGOTTEN,
            EventKind.INVITED,
            EventKind.PASSWORD_SET,
            EventKind.PASSWORD_CHANGE_ASKED,
            EventKind.RESET_ASKED,
            EventKind.QUARANTINE_BEGUN,
            EventKind.QUARANTINE_ENDED,
            EventKind.RELEASE_ASKED,
            EventKind.RECOVERY_CODES_MADE,
            EventKind.RECOVERY_CODE_USED,
            EventKind.FACTOR_ADDED,
            EventKind.FACTOR_REMOVED,
            EventKind.MAIL_CHANGE_ASKED,
            EventKind.MAIL_CHANGED,
            EventKind.SSO_LINKED,
            EventKind.SSO_UNLINKED,
            EventKind.DELEGATION_GIVEN,
            EventKind.DELEGATION_ENDED,
            EventKind.SESSIONS_ENDED,
            EventKind.TELESERVICE_CLOSED,
            EventKind.TELESERVICE_OPENED,
            EventKind.PORTAL_CLOSED,
            EventKind.PORTAL_OPENED,
            EventKind.NOTICE_SET,
            EventKind.NOTICE_CLEARED,
            EventKind.INCIDENT_OPENED,
            EventKind.INCIDENT_CHANGED,
            EventKind.INCIDENT_EXAMINED,
            EventKind.INCIDENT_EXPORTED,
            EventKind.INCIDENT_DRAFTED,
            EventKind.INCIDENT_CLOSED,
            EventKind.EVENTS_DELETED,
        }
    ),
}
"""The filter of the page: every kind in exactly one group."""

GROUP_NAMES: Final[dict[str, tuple[str, str]]] = {
    "sign-ins": ("Connexions", "Sign-ins"),
    "look-ups": ("Consultations", "Look-ups"),
    "refusals": ("Refus", "Refusals"),
    "security": ("Sécurité du compte", "Account security"),
}

_SENTENCES: Final[dict[EventKind, tuple[str, str]]] = {
    EventKind.ACCOUNT_CREATED: ("Compte créé", "Account created"),
    EventKind.ACCOUNT_LOCKED: ("Compte bloqué", "Account locked"),
    EventKind.ACCOUNT_UNLOCKED: ("Compte débloqué", "Account unlocked"),
    EventKind.ACCOUNT_WOKEN: ("Compte réveillé après six mois sans connexion", "Account woken after six months unused"),
    EventKind.DEVICE_NEW: ("Connexion depuis un nouvel appareil", "Sign-in from a new device"),
    EventKind.DEVICE_FORGOTTEN: ("Appareil oublié", "Device forgotten"),
    EventKind.INVITED: ("Code d'activation remis", "Activation code issued"),
    EventKind.PASSWORD_SET: ("Mot de passe choisi", "Password set"),
    EventKind.PASSWORD_CHANGE_ASKED: ("Nouveau mot de passe demandé", "New password asked for"),
    EventKind.RESET_ASKED: ("Lien demandé pour changer le mot de passe", "Link asked for to change the password"),
    EventKind.QUARANTINE_BEGUN: (
        "Données des patients fermées jusqu'à preuve de votre identité",
        "Patients' data closed until your identity is proved",
    ),
    EventKind.QUARANTINE_ENDED: (
        "Identité prouvée, données des patients accessibles de nouveau",
        "Identity proved, patients' data can be opened again",
    ),
    EventKind.RELEASE_ASKED: ("Réouverture demandée par un agent du support", "Reopening asked for by a support agent"),
    EventKind.RECOVERY_CODES_MADE: ("Nouveaux codes de secours créés", "New recovery codes made"),
    EventKind.RECOVERY_CODE_USED: ("Code de secours utilisé", "Recovery code used"),
    EventKind.FACTOR_ADDED: ("Moyen de connexion ajouté au compte", "Means of signing in added to the account"),
    EventKind.FACTOR_REMOVED: ("Moyen de connexion retiré du compte", "Means of signing in removed from the account"),
    EventKind.DELEGATION_GIVEN: ("Délégation donnée", "Delegation given"),
    EventKind.DELEGATION_ENDED: ("Délégation terminée", "Delegation ended"),
    EventKind.SSO_LINKED: ("Identité de connexion liée au compte", "Sign-in identity linked to the account"),
    EventKind.SSO_UNLINKED: ("Identité de connexion retirée du compte", "Sign-in identity removed from the account"),
    EventKind.MAIL_CHANGE_ASKED: ("Changement d'adresse électronique demandé", "Change of mail address asked for"),
    EventKind.MAIL_CHANGED: ("Adresse électronique changée", "Mail address changed"),
    EventKind.SIGN_IN: ("Connexion", "Signed in"),
    EventKind.SIGN_IN_FAILED: ("Échec de connexion", "Sign-in failed"),
    EventKind.STEP_UP: ("Identité confirmée", "Identity confirmed"),
    EventKind.STEP_UP_FAILED: ("Échec de confirmation d'identité", "Identity not confirmed"),
    EventKind.SIGN_OUT: ("Déconnexion", "Signed out"),
    EventKind.ATTEMPT: ("demande envoyée", "request sent"),
    EventKind.LOOKUP: ("consultation", "look-up"),
    EventKind.LOOKUP_MISSED: ("recherche sans résultat", "search without result"),
    EventKind.CHALLENGED: ("Preuve demandée", "Proof asked for"),
    EventKind.REFUSED: ("Accès refusé", "Access refused"),
    EventKind.OBSERVED: ("Limite à l'essai dépassée, sans effet", "Limit on trial passed, without effect"),
    EventKind.ALERTED: ("Activité inhabituelle signalée au support", "Unusual activity reported to support"),
    EventKind.REPORTED: ("Signalé au support : « Ce n'était pas moi »", "Reported to support: “That was not me”"),
    EventKind.DATA_KEY: ("Clé de l'heure scellée au délégué", "Key of the hour sealed to the officer"),
    EventKind.LEDGER_READ: (
        "Événements du compte lus par un responsable du portail",
        "Events of the account read by somebody in charge of the portal",
    ),
    EventKind.LEDGER_RESTORED: ("Registre restauré, sa fin est perdue", "Ledger restored, its end is lost"),
    EventKind.SESSIONS_ENDED: ("Sessions fermées par le support", "Sessions ended by support"),
    EventKind.TELESERVICE_CLOSED: ("Téléservice fermé", "Service closed"),
    EventKind.TELESERVICE_OPENED: ("Téléservice rouvert", "Service opened again"),
    EventKind.PORTAL_CLOSED: ("Portail fermé", "Portal closed"),
    EventKind.PORTAL_OPENED: ("Portail rouvert", "Portal opened again"),
    EventKind.NOTICE_SET: ("Message affiché à tous", "Message shown to everybody"),
    EventKind.NOTICE_CLEARED: ("Message retiré", "Message taken away"),
    EventKind.INCIDENT_OPENED: (
        "Incident de sécurité ouvert, qui concerne ce compte",
        "Security incident opened that concerns this account",
    ),
    EventKind.INCIDENT_CHANGED: (
        "Incident de sécurité complété : comptes, dates ou téléservices",
        "Security incident changed: accounts, dates or teleservices",
    ),
    EventKind.INCIDENT_EXAMINED: (
        "Consultations du compte examinées pour un incident",
        "Look-ups of the account examined for an incident",
    ),
    EventKind.INCIDENT_EXPORTED: (
        "Liste des personnes à informer établie pour un incident",
        "List of the people to inform made for an incident",
    ),
    EventKind.INCIDENT_DRAFTED: (
        "Projets de notification rédigés pour un incident",
        "Drafts of notifications written for an incident",
    ),
    EventKind.INCIDENT_CLOSED: ("Incident de sécurité clos", "Security incident closed"),
    EventKind.EVENTS_DELETED: ("Événements supprimés en fin de conservation", "Events deleted, their time being over"),
}

_ALERTS: Final[dict[str, tuple[str, str]]] = {
    AlertReason.RISK_HIGH: (
        "Les consultations s'écartent beaucoup de l'usage de ce compte : une preuve est demandée bien plus souvent.",
        "Look-ups are far from how this account is used: a proof is asked for much more often.",
    ),
    AlertReason.RISK_ELEVATED: (
        "Les consultations s'écartent de l'usage de ce compte : une preuve est demandée plus souvent.",
        "Look-ups are not as this account is used: a proof is asked for more often.",
    ),
    AlertReason.BUDGET: (
        "Le nombre de consultations a dépassé un seuil de surveillance.",
        "The number of look-ups has passed a threshold that is watched.",
    ),
    AlertReason.DECOY: ("Une recherche a été refusée et signalée.", "A search was refused and reported."),
    AlertReason.UNANSWERED: (
        "Des demandes se répètent sans la preuve demandée.",
        "Requests go on without the proof that was asked for.",
    ),
    AlertReason.UNREADABLE: (
        "Une réponse du portail n'a pas pu être lue pour y compter les patients.",
        "An answer of the portal could not be read to count the patients in it.",
    ),
}
_ALARMING: Final = frozenset(
    {
        EventKind.SIGN_IN_FAILED,
        EventKind.STEP_UP_FAILED,
        EventKind.REFUSED,
        EventKind.ALERTED,
        EventKind.REPORTED,
        EventKind.ACCOUNT_LOCKED,
        EventKind.RESET_ASKED,
        EventKind.QUARANTINE_BEGUN,
        EventKind.RELEASE_ASKED,
        EventKind.RECOVERY_CODE_USED,
        EventKind.SESSIONS_ENDED,
        EventKind.INCIDENT_OPENED,
    }
)

_METHODS: Final[dict[str, tuple[str, str]]] = {
    Method.PASSWORD: ("mot de passe", "password"),
    Method.TOTP: ("code à 6 chiffres", "6-digit code"),
    Method.PASSKEY: ("clé d'accès", "passkey"),
    Method.SMART_CARD: ("carte", "card"),
    Method.SSO: (PROVIDER, PROVIDER),
    Method.SSO_CARD: (f"{PROVIDER}, carte", f"{PROVIDER}, card"),
    Method.INVITATION: ("code d'activation", "activation code"),
    Method.RECOVERY: ("code de secours", "recovery code"),
    "mail": ("lien reçu par courriel", "link received by e-mail"),
    "agents": ("deux agents du support", "two support agents"),
}


def sentence(kind: EventKind, language: Language, teleservice: str | None = None, people: int | None = None) -> str:
    """What happened: `Infopatient : 12 personnes consultées`. `teleservice` is its title."""
    words = _looked_up(kind, language, people) if people is not None else _SENTENCES[kind][language == "en"]
    if teleservice is None:
        return typeset(words[:1].upper() + words[1:], language)
    first = f"{teleservice} : " if language == "fr" else f"{teleservice}: "
    return typeset(first + words[:1].lower() + words[1:], language)


def _looked_up(kind: EventKind, language: Language, people: int) -> str:
    missed = kind is EventKind.LOOKUP_MISSED
    if language == "en":
        return (
            f"{people} {'person' if people == 1 else 'people'} {'searched for, not found' if missed else 'looked up'}"
        )
    many = "s" if people > 1 else ""
    return f"{people} personne{many} {f'recherchée{many} sans résultat' if missed else f'consultée{many}'}"


def reason_sentence(reason: str | None, language: Language, provider: str | None = None) -> str:
    """The sentence of a stored reason; empty if there is none, or if it is a word of another version of Herse."""
    if reason in _ALERTS:
        return typeset(_ALERTS[reason][language == "en"], language)
    try:
        return "" if reason is None else explanation(Reason(reason)).naming(provider).sentence(language)
    except ValueError:
        return ""


def method_name(method: str | None, language: Language, provider: str | None = None) -> str:
    """`mot de passe`, `code à 6 chiffres`; empty if there is none; several methods are joined by `+`.

    `provider`: what stands in the place of Pro Santé Connect, where another one is set.
    """
    named = (_METHODS[one][language == "en"] if one in _METHODS else one for one in (method or "").split("+") if one)
    return typeset(" + ".join(one.replace(PROVIDER, provider or PROVIDER) for one in named), language)


def by_whom(holder: str | None, language: Language, *, delegate: bool) -> str:
    """`par Mme Martin (par délégation)`; empty where it is not known who of those that use the account it was."""
    if holder is None:
        return ""
    words = ("par", "par délégation") if language == "fr" else ("by", "by delegation")
    return f"{words[0]} {holder} ({words[1]})" if delegate else f"{words[0]} {holder}"


def is_alarming(kind: EventKind) -> bool:
    """Whether the line is marked on the page, so that the eye finds what the holder may not have done himself."""
    return kind in _ALARMING
