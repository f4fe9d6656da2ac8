# SPDX-License-Identifier: EUPL-1.2
"""kept: one whole file an incident, numbered by day, and clear words where something is missing or damaged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.incident.incident import Act, IncidentError
from gateway.incident.kept import Incidents
from support.incident_rows import NOON, incident


@pytest.fixture
def incidents(tmp_path):
    return Incidents(tmp_path / "incidents")


def made(number):
    return replace(incident(), id=number)


def test_incidents_are_numbered_by_their_day(incidents, tmp_path):
    assert incidents.numbers() == []
    numbers = [incidents.open(NOON, made).id for _ in range(11)]
    assert numbers[:2] == ["2026-11-20-1", "2026-11-20-2"]
    assert incidents.numbers() == numbers  # 10 after 9
    assert incidents.find("2026-11-20-3") == made("2026-11-20-3")
    assert (tmp_path / "incidents").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "incidents").iterdir()} == {0o600}


def test_a_changed_one_stands_in_the_place_of_what_it_was(incidents, tmp_path):
    opened = incidents.open(NOON, made)
    incidents.put(replace(opened, reason="known better"))
    assert incidents.find(opened.id).reason == "known better"
    assert [path.name for path in (tmp_path / "incidents").iterdir()] == ["2026-11-20-1.json"]


@pytest.mark.parametrize("number", ["2026-11-20-2", "", "x", "../2026-11-20-1", "2026-11-20-1.json", "2026-11-20-01"])
def test_an_unknown_number_is_told_with_those_there_are(incidents, number):
    with pytest.raises(IncidentError, match="none yet"):
        incidents.find(number)
    incidents.open(NOON, made)
    with pytest.raises(IncidentError, match=r"there is no incident .*; expected one of: 2026-11-20-1$"):
        incidents.find(number)


def test_a_damaged_one_is_told_and_the_others_go_on(incidents, tmp_path):
    for _ in range(2):
        incidents.open(NOON, made)
    (tmp_path / "incidents" / "2026-11-20-1.json").write_bytes(b"\xff")
    with pytest.raises(IncidentError, match="restore it from a backup"):
        incidents.find("2026-11-20-1")
    assert incidents.find("2026-11-20-2").id == "2026-11-20-2"


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    incidents = Incidents(tmp_path / "file")
    with pytest.raises(IncidentError, match="cannot be written"):
        incidents.open(NOON, made)
    with pytest.raises(IncidentError, match="cannot be read"):
        incidents.numbers()
    with pytest.raises(IncidentError, match="cannot be read"):
        incidents.find("2026-11-20-1")
    with pytest.raises(IncidentError, match="cannot be written"):
        Incidents(tmp_path / "none").put(incident())


def test_what_the_open_ones_are_about_is_held(incidents, tmp_path):
    first = incidents.open(NOON, lambda number: replace(incident("A12"), id=number))
    second = incidents.open(NOON, lambda number: replace(incident("B7"), id=number))
    assert incidents.open_spans() == [first.span, second.span]
    incidents.put(first.done(Act(NOON, "alice", "closed", "over")))
    assert incidents.open_spans() == [second.span]
    (tmp_path / "incidents" / "2026-11-20-9.json").write_text("{}")
    with pytest.raises(IncidentError, match="is not an incident"):
        incidents.open_spans()
