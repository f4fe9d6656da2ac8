# SPDX-License-Identifier: EUPL-1.2
"""Announcements to all professionals: the ready-made ones, and how one is shown. Values in, values out.

The ready-made texts are what people are told after each theft of the past: whoever is in a hurry need not write them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.pages import when
from gateway.pages.typography import typeset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Announcement
    from gateway.pages.language import Language


class Text(NamedTuple):
    """What is announced, in both languages."""

    fr: str
    en: str


READY_MADE: Final[dict[str, Text]] = {
    "passwords": Text(
        "Par précaution, choisissez un nouveau mot de passe, que vous n'utilisez nulle part ailleurs : "
        "« Mon compte », puis « Mot de passe ».",
        "As a precaution, choose a new password that you use nowhere else: “My account”, then “Password”.",
    ),
    "rib": Text(
        "Nous ne vous demandons jamais un RIB complet, ni un mot de passe ou un code, par courriel, par SMS ou par "
        "téléphone. Ne répondez pas à un tel message et signalez-le au support.",
        "We never ask you for full bank details (RIB), a password or a code, by e-mail, text message or telephone. "
        "Do not answer such a message, and report it to support.",
    ),
    "3608": Text(
        "Une connexion ou une consultation n'est pas de vous, un message vous paraît suspect ? Appelez vous-même "
        "le 36 08 : ne rappelez jamais un numéro reçu par message.",
        "A sign-in or a look-up is not yours, or a message looks suspicious? Call 36 08 yourself: never call back "
        "a number that came by a message.",
    ),
}
"""By what they are about."""


def shown(announcements: Iterable[Announcement], language: Language) -> list[dict[str, Any]]:
    """What the pages show of them, newest first: the day, and the text."""
    newest_first = sorted(announcements, key=lambda one: (one.since, one.number), reverse=True)
    return [
        {
            "at": one.since,
            "day": when.day(one.since, language),
            "text": typeset(one.fr if language == "fr" else one.en, language),
        }
        for one in newest_first
    ]
