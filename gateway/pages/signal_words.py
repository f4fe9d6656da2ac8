# SPDX-License-Identifier: EUPL-1.2
"""What made the use of an account look like a robot's, in one sentence with its figures, for operator and holder alike.

Sentences say what was seen and against what it is measured, never who did it. No patient, no number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import Signal
from gateway.pages.typography import typeset

if TYPE_CHECKING:
    from gateway.model import Finding

NAMES: Final[dict[Signal, tuple[str, str]]] = {
    Signal.PACE: ("rythme de machine", "pace of a machine"),
    Signal.NEW_PEOPLE: ("part de nouveaux patients", "share of new patients"),
    Signal.MISSES: ("recherches sans résultat", "searches without result"),
    Signal.NO_PAUSES: ("travail sans pause", "work without a pause"),
    Signal.IN_ORDER: ("numéros dans l'ordre", "numbers in order"),
    Signal.FAR_AWAY: ("patients venus d'ailleurs", "patients from elsewhere"),
    Signal.MANY_ACCOUNTS: ("un réseau, plusieurs comptes", "one network, several accounts"),
    Signal.VOLUME: ("volume inhabituel", "unusual volume"),
    Signal.DRIFT: ("dérive sur plusieurs jours", "drift over several days"),
    Signal.ALIKE: ("comptes qui agissent de même", "accounts that act alike"),
}
"""What a signal is called, French and English."""

_STEADY: Final = (
    "{people} patients à intervalle régulier, un toutes les {every_seconds} s à {varies_percent} % près.",
    "{people} patients at even intervals, one each {every_seconds} s, varying by {varies_percent} %.",
)
_DRIFT_WITHOUT_PLACES: Final = (
    "Sur {days} jours, {new} nouveaux patients sur {people}, pour {usual_percent} % d'habitude (indice {evidence}).",
    "Over {days} days {new} new patients of {people}, against {usual_percent} % usually (evidence {evidence}).",
)
_SENTENCES: Final[dict[Signal, tuple[str, str]]] = {
    Signal.PACE: (
        "{people} patients en {seconds} s, plus vite que la saisie à la main ne le permet.",
        "{people} patients in {seconds} s, faster than typing by hand allows.",
    ),
    Signal.NEW_PEOPLE: (
        "{count} nouveaux patients sur les {of} derniers, contre {usual_percent} % au plus d'habitude pour ce compte.",
        "{count} new patients among the last {of}, against {usual_percent} % at most usually for this account.",
    ),
    Signal.MISSES: (
        "{count} recherches sans résultat sur les {of} dernières, contre {usual_percent} % au plus d'habitude.",
        "{count} searches without result among the last {of}, against {usual_percent} % at most usually.",
    ),
    Signal.NO_PAUSES: (
        "{people} patients en {hours} h sans dix minutes de pause.",
        "{people} patients in {hours} h without a pause of ten minutes.",
    ),
    Signal.IN_ORDER: (
        "{count} numéros voisins parmi les {of} derniers patients, comme une liste parcourue dans l'ordre.",
        "{count} neighbouring numbers among the last {of} patients, as in a list worked through in order.",
    ),
    Signal.FAR_AWAY: (
        (
            "{count} des {of} derniers nouveaux patients viennent de départements que ce compte voit peu, "
            "contre {usual_percent} % au plus d'habitude."
        ),
        (
            "{count} of the last {of} new patients come from départements this account seldom sees, "
            "against {usual_percent} % at most usually."
        ),
    ),
    Signal.MANY_ACCOUNTS: (
        "{accounts} comptes utilisés en une heure depuis le même réseau, {usual} au plus d'habitude.",
        "{accounts} accounts used within an hour from the same network, usually at most {usual}.",
    ),
    Signal.VOLUME: (
        "{people} patients aujourd'hui, pour {usual} un tel jour d'habitude.",
        "{people} patients today, against {usual} on such a day usually.",
    ),
    Signal.DRIFT: (
        (
            "Sur {days} jours, {new} nouveaux patients sur {people}, pour {usual_percent} % d'habitude, dont {far} de "
            "départements que ce compte voit peu, pour {usual_far_percent} % d'habitude (indice {evidence})."
        ),
        (
            "Over {days} days {new} new patients of {people}, against {usual_percent} % usually, {far} of them from "
            "départements this account seldom sees, against {usual_far_percent} % usually (evidence {evidence})."
        ),
    ),
    Signal.ALIKE: (
        "{accounts} comptes montrent la même chose dans la même heure ({name}), {usual} d'habitude.",
        "{accounts} accounts show the same within the same hour ({name}), usually {usual}.",
    ),
}


def sentence(finding: Finding) -> tuple[str, str]:
    """The finding in one sentence with its figures, French and English."""
    figures = {name: str(value) for name, value in finding.figures}
    french, english = _pattern(finding.signal, figures)
    names = NAMES[Signal(figures["signal"])] if "signal" in figures else ("", "")
    decimal = {name: value.replace(".", ",") for name, value in figures.items()}
    return (
        typeset(french.format(**decimal, name=names[0]), "fr"),
        typeset(english.format(**figures, name=names[1]), "en"),
    )


def _pattern(signal: Signal, figures: dict[str, str]) -> tuple[str, str]:
    if "every_seconds" in figures:
        return _STEADY
    return _DRIFT_WITHOUT_PLACES if signal is Signal.DRIFT and "far" not in figures else _SENTENCES[signal]
