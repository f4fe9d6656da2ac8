# SPDX-License-Identifier: EUPL-1.2
"""What stands in the letters to the holder of an account: French first, English below, plain text.

Each says what happened, when, from where, and what to do if it was not him. Never a patient number, never a code, never
a link that signs anybody in; and nothing that a stranger could write: a device that is not recognised is not quoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.model import AlertReason
from gateway.pages import when
from gateway.pages.device import recognised_device
from gateway.pages.event_words import method_name
from gateway.pages.typography import typeset

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.model import Event
    from gateway.pages.language import Language


class Words(NamedTuple):
    """Subject, and what happened in both languages; `means`: which means of signing in is told too.

    `reason`: told only where it is the event's.
    """

    subject: str
    fr: str
    en: str
    means: bool = False
    reason: str | None = None


NOTICES: Final[dict[str, Words]] = {
    "invited": Words(
        "Un code d'activation a été créé",
        "Un code d'activation a été créé pour votre compte. Il vous est remis en main propre ou par la poste.",
        "An activation code was made for your account. It is given to you in person or by post.",
    ),
    "account-locked": Words(
        "Votre compte est bloqué",
        "Votre compte a été bloqué : ses connexions sont fermées et personne ne peut plus s'y connecter.",
        "Your account was locked: its sessions are ended and nobody can sign in to it.",
    ),
    "account-unlocked": Words(
        "Votre compte est débloqué",
        "Votre compte a été débloqué : on peut de nouveau s'y connecter.",
        "Your account was unlocked: one can sign in to it again.",
    ),
    "password-set": Words(
        "Un nouveau mot de passe a été choisi",
        "Un nouveau mot de passe a été choisi pour votre compte. L'ancien n'ouvre plus rien.",
        "A new password was chosen for your account. The old one opens nothing any more.",
    ),
    "factor-added": Words(
        "Un moyen de connexion a été ajouté",
        "Un moyen de connexion a été ajouté à votre compte.",
        "A means of signing in was added to your account.",
        means=True,
    ),
    "factor-removed": Words(
        "Un moyen de connexion a été retiré",
        "Un moyen de connexion a été retiré de votre compte.",
        "A means of signing in was removed from your account.",
        means=True,
    ),
    "mail-change-asked": Words(
        "Un changement d'adresse électronique est demandé",
        "Un changement d'adresse électronique a été demandé pour votre compte. Tant que la nouvelle adresse n'est pas"
        " confirmée, celle-ci reste la bonne.",
        "A change of mail address was asked for your account. Until the new address is confirmed, this one stays.",
    ),
    "mail-changed": Words(
        "L'adresse électronique de votre compte a changé",
        "L'adresse électronique de votre compte a changé. Ceci est le dernier message envoyé à l'ancienne adresse.",
        "The mail address of your account has changed. This is the last message sent to the old address.",
    ),
    "sso-linked": Words(
        "Pro Santé Connect a été lié à votre compte",
        "Une identité Pro Santé Connect a été liée à votre compte : elle peut désormais s'y connecter.",
        "A Pro Santé Connect identity was linked to your account: it can sign in to it from now on.",
    ),
    "sso-unlinked": Words(
        "Pro Santé Connect n'est plus lié à votre compte",
        "Une identité Pro Santé Connect a été retirée de votre compte : elle ne peut plus s'y connecter.",
        "A Pro Santé Connect identity was taken off your account: it can no longer sign in to it.",
    ),
    "delegation-given": Words(
        "Un accès a été donné à un collaborateur",
        "Un accès à votre compte a été donné à un collaborateur, pour certains services et jusqu'à une date choisie.",
        "Access to your account was given to an employee, for some services and until a chosen date.",
    ),
    "account-woken": Words(
        "Votre compte est de nouveau ouvert",
        "Votre compte n'avait pas servi depuis six mois et dormait. On peut de nouveau s'y connecter.",
        "Your account had not been used for six months and slept. One can sign in to it again.",
    ),
    "release-asked": Words(
        "La levée d'une suspension est demandée",
        "Un agent du support a demandé que les services qui montrent des données de patients soient rouverts sur votre"
        " compte. Un second agent doit donner son accord.",
        "A support agent asked that services that show patients' data be opened again on your account. A second agent"
        " has to agree.",
    ),
    "device-new": Words(
        "Connexion depuis un nouvel appareil",
        "Quelqu'un s'est connecté à votre compte depuis un appareil qui n'y avait pas encore servi.",
        "Somebody signed in to your account from a device that had not been used for it before.",
        means=True,
    ),
    "quarantine-begun": Words(
        "Accès aux données des patients suspendu",
        "Le mot de passe de votre compte a été remplacé par un lien envoyé par courriel. Par prudence, les services qui"
        " montrent des données de patients restent fermés jusqu'à ce que vous prouviez votre identité.",
        "The password of your account was replaced through a link sent by mail. To be safe, services that show"
        " patients' data stay closed until you prove who you are.",
    ),
    "quarantine-ended": Words(
        "Accès aux données des patients rétabli",
        "Votre identité a été prouvée : les services qui montrent des données de patients sont de nouveau ouverts.",
        "Your identity was proved: services that show patients' data are open again.",
    ),
    "recovery-codes-made": Words(
        "Des codes de secours ont été créés",
        "De nouveaux codes de secours ont été créés pour votre compte. Les anciens n'ouvrent plus rien.",
        "New recovery codes were made for your account. The old ones open nothing any more.",
    ),
    "recovery-code-used": Words(
        "Un code de secours a servi",
        "Un code de secours de votre compte a servi. Il n'ouvre plus rien.",
        "A recovery code of your account was used. It opens nothing any more.",
    ),
    "alerted": Words(
        "Activité inhabituelle sur votre compte",
        "Les consultations de patients faites avec votre compte s'écartent beaucoup de votre usage. Le support de votre"
        " portail en est averti et, par prudence, une preuve d'identité est demandée plus souvent.",
        "Look-ups of patients made with your account are far from how you use it. Your portal's support has been told"
        " and, to be safe, a proof of identity is asked for more often.",
        reason=AlertReason.RISK_HIGH,
    ),
}
"""The events that the holder must know at once, by kind; the others are silent."""

_OF_DELEGATIONS: Final = frozenset({"delegation-given", "delegation-ended"})
"""Acts of the holder about a delegate: the reference in them is what they are about, not who did it."""
_EVENTS: Final = "/.herse/account/events"
_SESSIONS: Final = "/.herse/account/sessions"
_CONFIRM: Final = "/.herse/account/mail/confirm"
_RESET: Final = "/.herse/reset/new"
_RULE: Final = "\n\n----------\n\n"


def notice(events: Sequence[Event], title: str, origin: str) -> tuple[str, str] | None:
    """Subject and text about what one act did to the account `title`; None if all of it is of kinds that stay silent.

    The first event that is told gives subject and facts, each tells what it was.
    """
    told = [(event, NOTICES[event.kind]) for event in events if event.kind in NOTICES]
    told = [(event, words) for event, words in told if words.reason in {None, event.reason}]
    if not told:
        return None
    means = next((event.method for event, words in told if words.means), None)
    happened_fr, happened_en = ("\n\n".join(each) for each in zip(*((it.fr, it.en) for _, it in told), strict=True))
    first, words = told[0]
    french = f"{happened_fr}\n\n{_facts(first, title, means, 'fr')}\n\n{_remedy_fr(origin)}"
    english = f"{happened_en}\n\n{_facts(first, title, means, 'en')}\n\n{_remedy_en(origin)}"
    return _whole(words.subject, french, english)


def confirmation(title: str, origin: str, ticket: str, until: datetime) -> tuple[str, str]:
    """Subject and text for the new address of the account `title`: how it is confirmed, by whom is signed in there."""
    link = f"{origin}{_CONFIRM}?ticket={ticket}"
    french = (
        f"Cette adresse a été donnée pour le compte « {title} ». Pour la confirmer, connectez-vous à ce compte comme"
        f" d'habitude, puis ouvrez :\n\n{link}\n\n"
        f"Ce lien sert une fois, jusqu'au {_moment(until, 'fr')}. Il ne connecte personne et ne donne accès à rien.\n\n"
        "Si vous n'avez rien demandé, ne faites rien : l'adresse du compte ne changera pas."
    )
    english = (
        f"This address was given for the account “{title}”. To confirm it, sign in to that account as usual,"
        f" then open:\n\n{link}\n\n"
        f"The link works once, until {_moment(until, 'en')}. It signs nobody in and gives access to nothing.\n\n"
        "If you asked for nothing, do nothing: the address of the account will not change."
    )
    return _whole("Confirmez votre adresse électronique", french, english)


def reset_letter(origin: str, ticket: str, at: datetime, network: str) -> tuple[str, str]:
    """Subject and text with the link of a forgotten password. No account is named: a mailbox may be read by others."""
    link = f"{origin}{_RESET}?ticket={ticket}"
    french = (
        "Quelqu'un a demandé à choisir un nouveau mot de passe pour votre compte, sans l'ancien.\n\n"
        f"Quand : {_moment(at, 'fr')}\nAdresse réseau : {network}\n\n"
        f"Si c'était vous, ouvrez :\n\n{link}\n\n"
        "Ce lien sert une fois, pendant 30 minutes. Il ne connecte personne. Ensuite, les données des patients restent"
        " fermées jusqu'à une preuve de votre identité : carte CPS, Pro Santé Connect, ou la clé d'accès ou"
        " l'application de codes que vous avez déjà.\n\n"
        "Si ce n'était pas vous, ne faites rien, ne transmettez ce message à personne et prévenez votre support :"
        " le mot de passe ne change pas tant que le lien n'a pas servi."
    )
    english = (
        "Somebody asked to choose a new password for your account, without the old one.\n\n"
        f"When: {_moment(at, 'en')}\nNetwork address: {network}\n\n"
        f"If it was you, open:\n\n{link}\n\n"
        "The link works once, for 30 minutes. It signs nobody in. Afterwards patients' data stay closed until a proof"
        " of your identity: CPS card, Pro Santé Connect, or the passkey or the code application that you have already."
        "\n\nIf it was not you, do nothing, pass this message on to nobody and tell your support:"
        " the password does not change as long as the link is not used."
    )
    return _whole("Choisissez un nouveau mot de passe", french, english)


def masked(address: str) -> str:
    """`c…@exemple.fr`: enough to recognise one's own address."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"


def _whole(subject: str, french: str, english: str) -> tuple[str, str]:
    return typeset(subject, "fr"), f"{typeset(french, 'fr')}{_RULE}{typeset(english, 'en')}\n"


def _facts(event: Event, title: str, method: str | None, language: Language) -> str:
    first = language == "fr"
    lines = [
        f"{'Compte : ' if first else 'Account: '}{title}",
        f"{'Quand : ' if first else 'When: '}{_moment(event.at, language)}",
    ]
    if event.delegate is not None and event.kind not in _OF_DELEGATIONS:
        lines.append(
            "Par : un collaborateur à qui un accès est donné" if first else "By: an employee who was given access"
        )
    means = method_name(method, language) if method else ""
    if means:
        lines.append(f"{'Moyen : ' if first else 'Means: '}{means}")
    if event.device is not None:
        shown = recognised_device(event.device, language) or ("appareil inconnu" if first else "unknown device")
        lines.append(f"{'Appareil : ' if first else 'Device: '}{shown}")
    if event.network:
        lines.append(f"{'Adresse réseau : ' if first else 'Network address: '}{event.network}")
    return "\n".join(lines)


def _moment(at: datetime, language: Language) -> str:
    """`dimanche 22 novembre 2026, 9 h 05 (heure de Paris, UTC+1)`: read without knowing where one is."""
    there = at.astimezone(when.PARIS)
    hours = int((there.utcoffset() or there - there).total_seconds()) // 3600
    zone = "heure de Paris" if language == "fr" else "Paris time"
    return f"{when.moment(at, language)} ({zone}, UTC+{hours})"


def _remedy_fr(origin: str) -> str:
    return (
        "Si c'était vous, ou attendu, il n'y a rien à faire.\n\n"
        f"Sinon : tapez {origin}{_EVENTS} dans votre navigateur et regardez ce qui s'est passé, fermez sur "
        f"{origin}{_SESSIONS} les connexions que vous ne reconnaissez pas, et prévenez votre support sans attendre.\n\n"
        "Personne ne vous demandera jamais votre mot de passe ni un code, ni par courriel ni au téléphone."
    )


def _remedy_en(origin: str) -> str:
    return (
        "If it was you, or expected, there is nothing to do.\n\n"
        f"Otherwise: type {origin}{_EVENTS} in your browser and see what happened, end on {origin}{_SESSIONS}"
        " the sessions that you do not recognise, and tell your support without delay.\n\n"
        "Nobody will ever ask you for your password or a code, neither by mail nor on the telephone."
    )
