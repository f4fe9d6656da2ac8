# SPDX-License-Identifier: EUPL-1.2
"""One practice of a person, as the registers of the ANS tell it: where, and in what part. Codes, no words for them."""

from __future__ import annotations

from typing import NamedTuple


class Activity(NamedTuple):
    """Pro Santé Connect tells all activities of a person and picks none: he chooses the one that he works in.

    `profession`, `speciality`, `sector`, `mode` and `role` are codes (`21`, `SA33`, `L`); what was not told is empty.
    """

    profession: str = ""
    speciality: str = ""
    sector: str = ""
    mode: str = ""
    role: str = ""
    structure: str = ""
    structure_id: str = ""
    siret: str = ""
    finess: str = ""

    @property
    def told(self) -> dict[str, str]:
        """What is known of it, by name: `Activity(**told)` is the same again. Empty if nothing is."""
        return {name: value for name, value in self._asdict().items() if value}
