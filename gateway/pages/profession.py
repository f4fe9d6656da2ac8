# SPDX-License-Identifier: EUPL-1.2
"""Professions as people read them; a word that is not known here is shown as it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.pages.language import Language

_NAMES: Final[dict[str, tuple[str, str]]] = {
    "pharmacist": ("Pharmacien", "Pharmacist"),
    "physician": ("Médecin", "Physician"),
    "nurse": ("Infirmier", "Nurse"),
    "dentist": ("Chirurgien-dentiste", "Dentist"),
    "midwife": ("Sage-femme", "Midwife"),
    "physiotherapist": ("Masseur-kinésithérapeute", "Physiotherapist"),
    "employee": ("Employé", "Employee"),
    "other": ("Autre profession de santé", "Other health profession"),
}


def profession_name(profession: str, language: Language) -> str:
    """`pharmacist` as `Pharmacien`."""
    known = _NAMES.get(profession)
    return profession if known is None else known[language == "en"]
