# SPDX-License-Identifier: EUPL-1.2
"""Categories of data, as a policy names them (`discloses`), in French; and which of the kinds that the CNIL asks about
each of them is. A policy may name others: they are told as they stand, and a person says which kind they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KINDS: Final = {
    "civil-status": "état civil (nom, prénom)",
    "birth": "date de naissance",
    "sex": "sexe",
    "nir": "numéro de sécurité sociale (NIR)",
    "contact": "coordonnées (adresse postale ou électronique, téléphone)",
    "health": "données de santé, et droits qui en disent sur la santé (ALD, exonérations, C2S, AME)",
    "financial": "données économiques et financières (RIB, paiements)",
    "documents": "documents officiels (pièce d'identité, attestations)",
}
"""What the form asks about, in its order."""
_BY_NUMBER: Final = frozenset({"nir", "sex"})
"""What the number itself tells, which each look-up had."""


class _Words(NamedTuple):
    french: str
    kinds: frozenset[str]


_KNOWN: Final = {
    "identity": _Words("nom et prénom", frozenset({"civil-status", "sex"})),
    "birth": _Words("date de naissance", frozenset({"birth"})),
    "rights": _Words("droits à l'assurance maladie (médecin traitant, C2S, AME, exonérations)", frozenset({"health"})),
    "contact": _Words("coordonnées", frozenset({"contact"})),
    "address": _Words("adresse postale", frozenset({"contact"})),
    "bank": _Words("coordonnées bancaires", frozenset({"financial"})),
    "payments": _Words("remboursements et paiements", frozenset({"financial", "health"})),
    "sick-leave": _Words("arrêts de travail", frozenset({"health"})),
    "health": _Words("données de santé", frozenset({"health"})),
    "documents": _Words("documents", frozenset({"documents"})),
}


def category_name(category: str) -> str:
    """`nom et prénom`; a category of the operator's own as it is written."""
    return _KNOWN[category].french if category in _KNOWN else f"« {category} »"


def category_names(categories: Iterable[str]) -> str:
    """All of them in one phrase."""
    return ", ".join(map(category_name, categories))


class KindTold(NamedTuple):
    """One kind of data of the form: whether it was disclosed, and of at most how many people."""

    french: str
    disclosed: bool
    people: int


def kinds_told(categories: Mapping[str, int], people: int) -> list[KindTold]:
    """Every kind of the form, from the people of each category; the number itself each look-up had."""
    found = []
    for kind, french in KINDS.items():
        counts = [
            count for category, count in categories.items() if category in _KNOWN and kind in _KNOWN[category].kinds
        ]
        most = people if kind in _BY_NUMBER else min(sum(counts), people)
        found.append(KindTold(french, most > 0, most))
    return found


def unknown_categories(categories: Iterable[str]) -> list[str]:
    """Those of which only a person knows the kind."""
    return [category for category in categories if category not in _KNOWN]
