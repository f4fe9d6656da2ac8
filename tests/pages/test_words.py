# SPDX-License-Identifier: EUPL-1.2
"""Small words: moments in Paris, waiting times, devices, event sentences, typography, professions."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import AlertReason, EventKind, Method, Reason
from gateway.pages.device import LONGEST, clean_device, readable_device
from gateway.pages.event_words import (
    GROUP_NAMES,
    GROUPS,
    by_whom,
    is_alarming,
    method_name,
    reason_sentence,
    sentence,
)
from gateway.pages.profession import profession_name
from gateway.pages.typography import typeset
from gateway.pages.when import delay, end_of_day, iso, moment, start_of_day

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E Safari/604.1"


def test_moments_are_shown_in_the_time_of_Paris():
    winter = datetime(2026, 11, 22, 23, 5, 9, tzinfo=UTC)
    assert iso(winter) == "2026-11-22T23:05:09Z"
    assert moment(winter, "fr") == "lundi 23 novembre 2026, 0\u00a0h\u00a005"
    assert moment(winter, "en") == "Monday 23 November 2026, 00:05"
    assert moment(datetime(2026, 7, 1, 7, 5, tzinfo=UTC), "fr") == "mercredi 1er juillet 2026, 9\u00a0h\u00a005"


def test_a_day_in_Paris_has_23_24_or_25_hours():
    def hours(day):
        return (end_of_day(day) - start_of_day(day)).total_seconds() / 3600

    assert hours(date(2026, 3, 29)) == 23
    assert hours(date(2026, 10, 25)) == 25
    assert hours(date(2026, 11, 22)) == 24
    assert start_of_day(date(2026, 11, 22)) == datetime(2026, 11, 21, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "fr", "en"),
    [
        (0, "1 seconde", "1 second"),
        (30, "30 secondes", "30 seconds"),
        (91, "2 minutes", "2 minutes"),
        (3600, "60 minutes", "60 minutes"),
        (86_400, "24 heures", "24 hours"),
    ],
)
def test_a_wait_is_told_as_one_remembers_it(seconds, fr, en):
    assert delay(seconds, "fr") == fr
    assert delay(seconds, "en") == en


@pytest.mark.parametrize(
    ("agent", "fr"),
    [
        (FIREFOX, "Firefox sur Windows"),
        (EDGE, "Edge sur Windows"),
        (IPHONE, "Safari sur iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "appareil inconnu"),
        (None, "appareil inconnu"),
        ("Logiciel-Officine 12", "Logiciel-Officine 12"),
    ],
)
def test_a_device_is_shortened_for_reading(agent, fr):
    assert readable_device(agent, "fr") == fr


def test_a_device_speaks_English_too():
    assert readable_device(FIREFOX, "en") == "Firefox on Windows"
    assert readable_device("x" * 100, "en") == "x" * 39 + "…"


@given(st.binary(max_size=400))
def test_K1_a_cleaned_device_is_one_line_of_printable_ASCII(agent):
    cleaned = clean_device(agent)
    assert len(cleaned) <= LONGEST
    assert cleaned.isascii()
    assert cleaned.isprintable()


def test_every_kind_of_event_is_in_one_group_and_has_words():
    grouped = [kind for group in GROUPS.values() for kind in group]
    assert sorted(grouped) == sorted(EventKind)
    assert set(GROUP_NAMES) == set(GROUPS)
    for kind in EventKind:
        assert sentence(kind, "fr") != sentence(kind, "en")
        assert sentence(kind, "fr")[0].isupper()
        assert is_alarming(kind) in {True, False}


@pytest.mark.parametrize(
    ("kind", "people", "fr", "en"),
    [
        (EventKind.LOOKUP, 1, "1 personne consultée", "1 person looked up"),
        (EventKind.LOOKUP, 12, "12 personnes consultées", "12 people looked up"),
        (EventKind.LOOKUP_MISSED, 1, "1 personne recherchée sans résultat", "1 person searched for, not found"),
        (EventKind.LOOKUP_MISSED, 3, "3 personnes recherchées sans résultat", "3 people searched for, not found"),
    ],
)
def test_look_ups_are_told_as_a_number_of_people(kind, people, fr, en):
    assert sentence(kind, "fr", "Infopatient", people) == f"Infopatient\u00a0: {fr}"
    assert sentence(kind, "en", "Infopatient", people) == f"Infopatient: {en}"


def test_methods_and_reasons_in_words():
    assert method_name(Method.TOTP, "fr") == "code à 6 chiffres"
    assert method_name("pwd+invite", "en") == "password + activation code"
    assert method_name(None, "fr") == ""
    assert method_name("fpt", "fr") == "fpt"
    assert {method_name(method, "fr") for method in Method}.isdisjoint(set(Method))
    assert reason_sentence(None, "fr") == ""
    assert reason_sentence("of-a-later-version", "fr") == ""
    assert "déjà servi" in reason_sentence(Reason.CODE_USED, "fr")


@pytest.mark.parametrize("reason", AlertReason)
def test_why_an_alert_was_raised_is_told_in_words_and_not_that_a_number_was_a_decoy(reason):
    french, english = reason_sentence(reason, "fr"), reason_sentence(str(reason), "en")
    assert french
    assert english
    assert french != english
    for word in ("leurre", "decoy", "robot"):
        assert word not in (french + english).lower()


def test_professions_in_words():
    assert profession_name("pharmacist", "fr") == "Pharmacien"
    assert profession_name("pharmacist", "en") == "Pharmacist"
    assert profession_name("osteopath", "fr") == "osteopath"


def test_typography_of_both_languages():
    assert typeset("L'accès : « ici » ; 36 08 !", "fr") == (
        "L\u2019accès\u00a0: «\u00a0ici\u00a0»\u00a0; 36\u00a008\u00a0!"
    )
    assert typeset("It's here: 36 08!", "en") == "It\u2019s here: 36\u00a008!"


def test_who_it_was_is_told_where_it_is_known():
    assert by_whom(None, "fr", delegate=False) == ""
    assert by_whom("Claire Fontaine", "fr", delegate=False) == "par Claire Fontaine"
    assert by_whom("Lou Martin", "fr", delegate=True) == "par Lou Martin (par délégation)"
    assert by_whom("Lou Martin", "en", delegate=True) == "by Lou Martin (by delegation)"


def test_a_proof_of_another_provider_has_its_name():
    assert method_name("pwd+psc", "fr", "Plage") == "mot de passe + Plage"
    assert method_name("psc-sc", "en", "Plage") == "Plage, card"
    assert method_name("psc", "fr") == "Pro Santé Connect"
    told = reason_sentence("sso-refused", "fr", "Plage")
    assert told.startswith("Plage n")
    assert "Pro Santé" not in told
