# SPDX-License-Identifier: EUPL-1.2
"""« Mes derniers événements » in words: names of kinds and of proofs, and how kinds are grouped for the filter.

Never a patient number: look-ups are told as a number of people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import EventKind, Method, Reason
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
    "refusals": frozenset({EventKind.CHALLENGED, EventKind.REFUSED}),
    "security": frozenset(
        {
            EventKind.ACCOUNT_CREATED,
            EventKind.ACCOUNT_LOCKED,
            EventKind.ACCOUNT_UNLOCKED,
            EventKind.INVITED,
            EventKind.PASSWORD_SET,
            EventKind.PASSWORD_CHANGE_ASKED,
            EventKind.FACTOR_ADDED,
            EventKind.FACTOR_REMOVED,
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
    EventKind.INVITED: ("Code d'activation remis", "Activation code issued"),
    EventKind.PASSWORD_SET: ("Mot de passe choisi", "Password set"),
    EventKind.PASSWORD_CHANGE_ASKED: ("Nouveau mot de passe demandé", "New password asked for"),
    EventKind.FACTOR_ADDED: ("Moyen de connexion ajouté au compte", "Means of signing in added to the account"),
    EventKind.FACTOR_REMOVED: ("Moyen de connexion retiré du compte", "Means of signing in removed from the account"),
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
}

_ALARMING: Final = frozenset(
    {EventKind.SIGN_IN_FAILED, EventKind.STEP_UP_FAILED, EventKind.REFUSED, EventKind.ACCOUNT_LOCKED}
)

_METHODS: Final[dict[str, tuple[str, str]]] = {
    Method.PASSWORD: ("mot de passe", "password"),
    Method.TOTP: ("code à 6 chiffres", "6-digit code"),
    Method.PASSKEY: ("clé d'accès", "passkey"),
    Method.SMART_CARD: ("carte", "card"),
    Method.SSO: ("Pro Santé Connect", "Pro Santé Connect"),
    Method.SSO_CARD: ("Pro Santé Connect, carte", "Pro Santé Connect, card"),
    Method.INVITATION: ("code d'activation", "activation code"),
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


def reason_sentence(reason: str | None, language: Language) -> str:
    """The sentence of a stored reason; empty if there is none, or if it is a word of another version of Herse."""
    try:
        return "" if reason is None else explanation(Reason(reason)).sentence(language)
    except ValueError:
        return ""


def method_name(method: str | None, language: Language) -> str:
    """`mot de passe`, `code à 6 chiffres`; empty if there is none; several methods are joined by `+`."""
    named = (_METHODS[one][language == "en"] if one in _METHODS else one for one in (method or "").split("+") if one)
    return typeset(" + ".join(named), language)


def is_alarming(kind: EventKind) -> bool:
    """Whether the line is marked on the page, so that the eye finds what the holder may not have done himself."""
    return kind in _ALARMING
