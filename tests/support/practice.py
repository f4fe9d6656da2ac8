# SPDX-License-Identifier: EUPL-1.2
"""What the provider tells of where its person works, in the shape of Pro Santé Connect's userinfo. No tests here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CABINET: Final = {
    "codeSecteurDactivite": "SA07",
    "codeModeExercice": "L",
    "raisonSocialeSite": "CABINET M DOC0042788",
    "numeroFinessSite": None,
}
CENTRE: Final = {
    "codeSecteurDactivite": "SA05",
    "codeModeExercice": "S",
    "raisonSocialeSite": "CENTRE DE SANTE",
    "numeroFinessSite": "750012346",
}


def working_in(*activities: Mapping[str, Any]) -> dict[str, Any]:
    """The `SubjectRefPro` of a physician with these activities."""
    return {"exercices": [{"codeProfession": "10", "codeSavoirFaire": "SM26", "activities": list(activities)}]}
