# SPDX-License-Identifier: EUPL-1.2
"""incident: what it is survives its file, its clock is never stopped, and nonsense is told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from gateway.incident.incident import Act, IncidentError, as_text, check_span, from_plain, load_incident
from support.incident_rows import NOON, incident


def test_it_is_the_same_from_its_file():
    made = incident("A12", "B12", teleservices=("infopatient",), frozen=("A12",), source=7, networks=("192.0.2.1",))
    assert load_incident(as_text(made), "x") == made
    assert from_plain(json.loads(as_text(made))) == made


def test_the_file_of_an_earlier_build_has_no_addresses_and_means_all():
    plain = incident("A12").plain()
    del plain["networks"]
    assert from_plain(plain) == incident("A12")


def test_72_hours_run_from_awareness_whatever_happens():
    made = incident(aware_at=NOON)
    assert made.due_at == NOON + timedelta(days=3)
    closed = made.done(Act(NOON + timedelta(days=1), "bob", "closed", "over"))
    assert closed.due_at == made.due_at
    assert (made.closed_at, closed.closed_at) == (None, NOON + timedelta(days=1))
    assert made.span.accounts == ("A12",)


@pytest.mark.parametrize(
    "change",
    [
        {"herse-incident": 2},
        {"herse-incident": None},
        {"id": 7},
        {"accounts": [1]},
        {"accounts": None},
        {"since": "yesterday"},
        {"since": "2026-11-20T12:00:00"},
        {"since": "2026-11-20T12:00:00+01:00"},
        {"source": "7"},
        {"source": True},
        {"acts": [{}]},
        {"acts": 1},
    ],
)
def test_what_is_none_of_this_version_is_told_with_its_name(change):
    text = json.dumps(json.loads(as_text(incident())) | change)
    with pytest.raises(IncidentError, match=r"some\.json is not an incident that this version knows"):
        load_incident(text, "some.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "{}"])
def test_what_is_no_incident_at_all_is_told(text):
    with pytest.raises(IncidentError, match="restore it from a backup"):
        load_incident(text, "some.json")


def test_a_span_in_which_nothing_can_lie_is_told():
    hour = timedelta(hours=1)
    check_span(("A12",), NOON - hour, NOON + hour, NOON)
    for accounts, since, until, said in (
        ((), NOON - hour, NOON, "no account is named"),
        (("A12",), NOON, NOON, "not after its beginning"),
        (("A12",), NOON, NOON - hour, "not after its beginning"),
        (("A12",), NOON + hour, NOON + 2 * hour, "is to come"),
    ):
        with pytest.raises(IncidentError, match=said):
            check_span(accounts, since, until, NOON)
