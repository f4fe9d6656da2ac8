# SPDX-License-Identifier: EUPL-1.2
"""What an operator has closed, told to a professional: what, since when, until when if that is known, and what to do.

The operator's own reason is not told: it may say more than a stranger should know. Pure; the time is an argument.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.model import Reason
from gateway.pages import when
from gateway.pages.reasons import explanation

if TYPE_CHECKING:
    from gateway.model import Closure
    from gateway.pages.explanation import Explanation


def closed_words(closure: Closure, title: str) -> Explanation:
    """The page of a closure; `title` is the teleservice's."""
    fr, en = (f"depuis le {when.moment(closure.since, 'fr')}", f"since {when.moment(closure.since, 'en')}")
    until_fr, until_en = _until(closure)
    if closure.teleservice is None:
        told = explanation(Reason.PORTAL_CLOSED)
        return replace(
            told,
            fr=f"Tout le portail est fermé {fr}. {until_fr}",
            en=f"The whole portal has been closed {en}. {until_en}",
        )
    told = explanation(Reason.TELESERVICE_CLOSED)
    return replace(
        told,
        title_fr=f"{title} : téléservice fermé",
        title_en=f"{title}: service closed",
        fr=f"Le téléservice « {title} » est fermé {fr}. {until_fr}",
        en=f"The service “{title}” has been closed {en}. {until_en}",
    )


def closed_members(closure: Closure) -> dict[str, Any]:
    """The members of a problem document that tell the same to a program."""
    told = {"closed_since": when.iso(closure.since)}
    return told if closure.until is None else told | {"closed_until": when.iso(closure.until)}


def _until(closure: Closure) -> tuple[str, str]:
    if closure.until is None:
        return "L'heure de réouverture n'est pas encore connue.", "It is not known yet when it opens again."
    fr, en = when.moment(closure.until, "fr"), when.moment(closure.until, "en")
    return f"Réouverture prévue : {fr}.", f"It is to open again on {en}."
