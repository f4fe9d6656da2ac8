# SPDX-License-Identifier: EUPL-1.2
"""report: the clock, the figures in words, and the keys of the JSON that others read."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from gateway.incident.exposed import exposed
from gateway.incident.incident import Act
from gateway.incident.report import as_json, clock_sentence, exposure_json, exposure_text, incident_line, incident_text
from support.incident_rows import NOON, incident, look, span

LOOKS = [
    look(None, 1),
    look(1, -60, categories='["identity", "rights"]'),
    look(1, 60, sequence=7),
    look(2, 120, "B12", sequence=8, categories='["identity"]'),
    look(3, 30, sequence=6, network=None),
    look(3, 90, "B12", sequence=9),
]


@pytest.fixture
def found():
    return exposed(LOOKS, span("A12", "B12"))


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0, "72.0 h of 72 left to notify the CNIL, until 2026-11-23T12:00:00Z"),
        (30.5, "41.5 h of 72 left"),
        (72, "0.0 h of 72 left"),
        (80, "the 72 h to notify the CNIL ended 8.0 h ago, 2026-11-23T12:00:00Z: notify now, with the reasons"),
    ],
)
def test_the_clock_is_told(hours, words):
    assert clock_sentence(incident(aware_at=NOON), NOON + timedelta(hours=hours)).startswith(words)


def test_one_incident_is_told_whole():
    at = NOON + timedelta(hours=4)
    made = incident("A12", "B12", frozen=("B12",), source=41, teleservices=("infopatient",))
    text = incident_text(made.done(Act(at, "bob", "closed", "over")), at)
    for words in (
        "closed 2026-11-20T16:00:00Z",
        "A12, B12",
        "event 41",
        "closed by bob: over",
        "70.0 h of 72",
        "B12\n",
    ):
        assert words in text
    assert "none (herse incident change --freeze)" in incident_text(incident(), at)
    assert "all" in incident_text(incident(), at)


def test_a_list_tells_the_clock_of_those_that_are_open():
    made, at = incident(), NOON + timedelta(hours=3)
    assert incident_line(made, at).startswith("2026-11-20-1  1 accounts, a call; 71.0 h of 72 left")
    assert incident_line(made.done(Act(at, "bob", "closed", "over")), at).endswith("closed 2026-11-20T15:00:00Z")


def test_the_json_has_the_keys_that_others_read(found):
    told = json.loads(as_json(exposure_json(incident("A12", "B12"), found, 90)))
    assert (told["people"], told["looks"], told["unnamed"]) == (2, 3, 1)
    assert (told["first"], told["last"]) == ("2026-11-20T12:00:30Z", "2026-11-20T12:02:00Z")
    assert (told["first_event"], told["last_event"]) == (6, 8)
    assert told["categories"] == {"identity": 2, "rights": 1}
    assert told["accounts"]["B12"] == {
        "people": 2,
        "looks": 2,
        "first": "2026-11-20T12:01:30Z",
        "last": "2026-11-20T12:02:00Z",
        "first_event": 9,
        "last_event": 8,
    }
    assert set(told["networks"]) == {"", "192.0.2.1"}
    assert set(told["teleservices"]) == {"infopatient"}
    assert told["minus_honest"] == {"days": 90, "people": 1}
    assert exposure_json(incident(), found, None)["minus_honest"] is None
    assert exposure_json(incident(), exposed([], span()), None)["first"] is None


def test_the_text_tells_the_same_and_what_was_left_out_means(found):
    text = exposure_text(incident("A12", "B12"), found, 90)
    assert text.startswith("Incident 2026-11-20-1: 2 different people, 3 look-ups\n  first 2026-11-20T12:00:30Z")
    assert "Left out: 1 people of whom the same accounts had already been shown the same data in the 90 days" in text
    assert "does not say that the thief did not see them" in text
    assert "Besides: 1 disclosures" in text
    assert "(none)" in text
    plain = exposure_text(incident(), exposed([look(1)], span()), None)
    assert "Left out" not in plain
    assert "Besides" not in plain


def test_long_tables_are_cut_and_say_so():
    many = [look(place, place, network=f"192.0.2.{place}") for place in range(30)]
    text = exposure_text(incident(), exposed(many, span()), None)
    assert "and 10 more: --json tells all" in text
