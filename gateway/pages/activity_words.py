# SPDX-License-Identifier: EUPL-1.2
"""A person's activities as he reads them: where he works, what that is, and small the numbers that tell two apart.

Words are those of the ANS registers (TRE_R02 sectors, TRE_R23 modes, TRE_G15 professions) where a pharmacist would say
them; a code that is not known here is shown small, as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.pages.typography import typeset

if TYPE_CHECKING:
    from gateway.model import Activity
    from gateway.pages.language import Language

_SECTORS: Final[dict[str, tuple[str, str]]] = {
    "SA01": ("hôpital public", "public hospital"),
    "SA02": ("hôpital des armées", "military hospital"),
    "SA03": ("établissement privé d'intérêt collectif", "private non-profit hospital"),
    "SA04": ("établissement privé", "private hospital"),
    "SA05": ("centre de santé", "health centre"),
    "SA07": ("cabinet individuel", "private practice"),
    "SA08": ("cabinet de groupe", "group practice"),
    "SA09": ("exercice en société", "practice in a company"),
    "SA16": ("établissement pour personnes handicapées", "home for people with disabilities"),
    "SA17": ("établissement pour personnes âgées", "home for elderly people"),
    "SA25": ("laboratoire de biologie médicale", "medical laboratory"),
    "SA29": ("laboratoire de biologie médicale", "medical laboratory"),
    "SA31": ("distribution de médicaments", "distribution of medicines"),
    "SA32": ("fabrication de médicaments", "manufacture of medicines"),
    "SA33": ("pharmacie d'officine", "community pharmacy"),
    "SA34": ("centre de dialyse", "dialysis centre"),
    "SA38": ("pharmacie minière", "miners' pharmacy"),
    "SA39": ("pharmacie mutualiste", "mutual pharmacy"),
    "SA40": ("secteur privé à l'hôpital", "private sector in a hospital"),
    "SA52": ("maison de santé", "multi-professional practice"),
    "SA64": ("téléconsultation", "teleconsultation"),
    "SA65": ("antenne de pharmacie", "branch of a pharmacy"),
}
_MODES: Final[dict[str, tuple[str, str]]] = {
    "L": ("exercice libéral", "self-employed"),
    "S": ("salarié", "employed"),
    "B": ("bénévole", "volunteer"),
}
_PROFESSIONS: Final[dict[str, tuple[str, str]]] = {
    "10": ("médecin", "physician"),
    "21": ("pharmacien", "pharmacist"),
    "40": ("chirurgien-dentiste", "dentist"),
    "50": ("sage-femme", "midwife"),
    "60": ("infirmier", "nurse"),
    "70": ("masseur-kinésithérapeute", "physiotherapist"),
    "80": ("pédicure-podologue", "podiatrist"),
}
_NAMELESS: Final = ("Activité sans nom de structure", "Activity without a structure's name")
_SECTOR: Final = ("secteur", "sector")
_MODE: Final = ("mode", "mode")
_ROLE: Final = ("rôle", "role")
_PROFESSION: Final = ("profession", "profession")
_SPECIALITY: Final = ("spécialité", "speciality")
_ID: Final = ("structure", "structure")


class ActivityWords(NamedTuple):
    """`name` of the place, `kind` of the work (may be empty), `numbers` in small print (may be empty)."""

    name: str
    kind: str
    numbers: str

    @property
    def line(self) -> str:
        """In one line, without the numbers."""
        return f"{self.name} ({self.kind})" if self.kind else self.name


def activity_words(activity: Activity, language: Language) -> ActivityWords:
    """One activity in words."""
    english = language == "en"
    known, small = [], []
    coded = (
        (activity.profession, _PROFESSIONS, _PROFESSION),
        (activity.sector, _SECTORS, _SECTOR),
        (activity.mode, _MODES, _MODE),
    )
    for code, names, label in coded:
        if code in names:
            known.append(typeset(names[code][english], language))
        elif code:
            small.append(f"{label[english]} {code}")
    numbers = [("SIRET", activity.siret), ("FINESS", activity.finess), (_ID[english], activity.structure_id)]
    numbers += [(_SPECIALITY[english], activity.speciality), (_ROLE[english], activity.role)]
    small = [f"{label} {value}" for label, value in numbers if value] + small
    name = activity.structure or typeset(_NAMELESS[english], language)
    return ActivityWords(name, ", ".join(known), ", ".join(small))
