# SPDX-License-Identifier: EUPL-1.2
"""How one reason is told to a person: status, title, sentence, remedy, and the way on, in French and in English.

The sentences are for a pharmacist at the counter: no jargon, no blame, always a way on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from gateway.pages.typography import typeset

if TYPE_CHECKING:
    from gateway.pages.language import Language


PROVIDER: Final = "Pro Santé Connect"


@dataclass(frozen=True, slots=True)
class Way:
    """A link that leads on: one of the gateway's own pages. `keeps`: the return reference `to` is passed along."""

    href: str
    fr: str
    en: str
    keeps: bool = False

    def label(self, language: Language) -> str:
        """The text of the link."""
        return typeset(self.fr if language == "fr" else self.en, language)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One reason told to a person: a short title, one sentence, one remedy, each in both languages.

    The lines of a remedy are paragraphs of its own.
    """

    status: int
    title_fr: str
    title_en: str
    fr: str
    en: str
    remedy_fr: str
    remedy_en: str
    way: Way | None = None

    def naming(self, provider: str | None) -> Explanation:
        """The same with this provider in the place of Pro Santé Connect; None: as it is."""
        if provider is None or provider == PROVIDER:
            return self
        names = ("title_fr", "title_en", "fr", "en", "remedy_fr", "remedy_en")
        return replace(self, **{name: getattr(self, name).replace(PROVIDER, provider) for name in names})

    def title(self, language: Language) -> str:
        """The heading."""
        return typeset(self.title_fr if language == "fr" else self.title_en, language)

    def sentence(self, language: Language) -> str:
        """What happened."""
        return typeset(self.fr if language == "fr" else self.en, language)

    def remedy(self, language: Language) -> str:
        """What to do next."""
        return typeset(self.remedy_fr if language == "fr" else self.remedy_en, language)


HOME: Final = Way("/", "Retour à l'accueil du portail", "Back to the portal's home page")
SIGN_IN: Final = Way("/.herse/sign-in", "Se connecter", "Sign in", keeps=True)
STEP_UP: Final = Way("/.herse/step-up", "Saisir un code à 6 chiffres", "Enter a 6-digit code", keeps=True)
MEANS: Final = Way("/.herse/step-up", "Voir les moyens proposés", "See the means on offer", keeps=True)
CONFIRM: Final = Way("/.herse/step-up", "Confirmer mon identité", "Confirm my identity", keeps=True)
CARD: Final = Way("/.herse/card", "Utiliser ma carte CPS", "Use my CPS card", keeps=True)
ANOTHER_WAY: Final = Way(
    "/.herse/sign-in", "Choisir un autre moyen de connexion", "Choose another way to sign in", keeps=True
)
ENROL: Final = Way("/.herse/enrol", "Utiliser un code d'activation", "Use an activation code")
PASSKEYS: Final = Way("/.herse/account/passkeys", "Voir mes clés d'accès", "See my passkeys")
EVENTS: Final = Way("/.herse/account/events", "Voir mes derniers événements", "See my latest events")
