# SPDX-License-Identifier: EUPL-1.2
"""Reasons of the ways back in (reset by mail, quarantine, recovery codes), told to a person."""

from __future__ import annotations

from typing import Final

from gateway.model import Reason
from gateway.pages.explanation import CARD, Explanation, Way

_RESET: Final = Way("/.herse/reset", "Demander un nouveau lien", "Ask for a new link")
_RECOVERY: Final = Way("/.herse/step-up/recovery", "Saisir un code de secours", "Enter a recovery code", keeps=True)

EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.RESET_TICKET_WRONG: Explanation(
        401,
        "Lien périmé ou déjà utilisé",
        "Link out of date or already used",
        "Ce lien ne permet plus de choisir un mot de passe : il vaut 30 minutes, une seule fois, et seul le dernier "
        "envoyé compte.",
        "This link no longer lets you choose a password: it is good for 30 minutes, once, and only the latest sent "
        "counts.",
        "Demandez un nouveau lien. Si vous n'avez rien demandé, appelez le support de votre portail.",
        "Ask for a new link. If you have not asked for anything, call your portal's support.",
        _RESET,
    ),
    Reason.ACCOUNT_QUARANTINED: Explanation(
        403,
        "Prouvez d'abord que ce compte est le vôtre",
        "First prove that this account is yours",
        "Le mot de passe a été changé par un lien reçu par courriel : les données des patients et les réglages de "
        "sécurité restent fermés.",
        "The password was changed through a link received by e-mail: patients' data and the security settings stay "
        "closed.",
        "Utilisez votre carte CPS, Pro Santé Connect, ou la clé d'accès ou l'application de codes que vous aviez déjà. "
        "Sinon, appelez le support de votre portail.",
        "Use your CPS card, Pro Santé Connect, or the passkey or the code application that you had already. Otherwise "
        "call your portal's support.",
        CARD,
    ),
    Reason.RECOVERY_CODE_WRONG: Explanation(
        401,
        "Code de secours incorrect",
        "Wrong recovery code",
        "Ce code de secours n'est pas le bon, a déjà servi, ou a été remplacé par une liste plus récente.",
        "This recovery code is not right, has been used, or was replaced by a newer list.",
        "Vérifiez-le, ou prenez le code suivant de votre dernière liste. Sans aucun code : appelez le support de votre "
        "portail.",
        "Check it, or take the next code of your latest list. Without any code: call your portal's support.",
        _RECOVERY,
    ),
}
