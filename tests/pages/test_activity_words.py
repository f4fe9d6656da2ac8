# SPDX-License-Identifier: EUPL-1.2
"""Activities in the words of who works there: the codes that are known, and small what tells two of them apart."""

from __future__ import annotations

from gateway.model import Activity
from gateway.pages.activity_words import activity_words

PONT = Activity("21", "", "SA33", "L", "", "PHARMACIE DU PONT", "", "11122233300019", "750012346")


def test_a_pharmacy_as_its_pharmacist_reads_it():
    french, english = activity_words(PONT, "fr"), activity_words(PONT, "en")
    assert french == ("PHARMACIE DU PONT", "pharmacien, pharmacie d\u2019officine, exercice libéral", french.numbers)
    assert french.numbers == "SIRET 11122233300019, FINESS 750012346"
    assert french.line == "PHARMACIE DU PONT (pharmacien, pharmacie d\u2019officine, exercice libéral)"
    assert english.kind == "pharmacist, community pharmacy, self-employed"


def test_the_codes_that_domain_names():
    assert activity_words(Activity(sector="SA01"), "fr").kind == "hôpital public"
    assert activity_words(Activity(sector="SA07"), "fr").kind == "cabinet individuel"


def test_an_unknown_code_is_shown_as_it_is_and_nothing_is_left_out():
    odd = Activity("99", "SM26", "SA99", "X", "R1", "", "F75")
    words = activity_words(odd, "fr")
    assert (words.name, words.kind) == ("Activité sans nom de structure", "")
    assert words.line == words.name
    assert words.numbers == "structure F75, spécialité SM26, rôle R1, profession 99, secteur SA99, mode X"
    assert activity_words(odd, "en").numbers.endswith("role R1, profession 99, sector SA99, mode X")
    assert activity_words(Activity(role="R1"), "fr").numbers == "rôle R1"
