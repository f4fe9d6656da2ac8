# SPDX-License-Identifier: EUPL-1.2
"""unsealing: numbers come back with the right keys, and with the wrong ones a sentence does."""

from __future__ import annotations

import pytest

from gateway.incident.incident import IncidentError
from gateway.incident.people import officers_of, people
from gateway.incident.unsealing import Unsealing
from gateway.model import EventKind
from support.incident_rows import Officer, look, looked_up, mark, number


@pytest.fixture
def officer():
    return Officer()


@pytest.fixture
def other():
    return Officer()


def listed(events):
    """Data keys, and the people of these rows, as the ledger's reader would give them."""
    keys = [event.sealed for event in events if event.kind is EventKind.DATA_KEY]
    looks = [
        look(event.pseudonym[0], sealed=event.sealed)._replace(request=event.request)
        for event in sorted(events, key=lambda event: event.pseudonym or b"")
        if event.kind is EventKind.LOOKUP
    ]
    return keys, list(people(looks, officers_of(keys)))


def test_everybody_gets_his_number(officer):
    keys, found = listed(officer.sealed(*(looked_up(place, place * 600) for place in range(20))))
    unsealing = Unsealing([officer.unsealer()])
    heard: list[int] = []
    unsealing.learn(keys, heard.append)
    assert [unsealing.number(person) for person in found] == [number(place) for place in range(20)]
    assert heard == list(range(1, len(keys) + 1))
    unsealing.check_whole()
    assert (unsealing.unsealed, unsealing.unopened) == (0, 0)


def test_a_wrong_key_is_told_before_anything_is_read(officer, other):
    keys, _ = listed(officer.sealed(looked_up(1)))
    with pytest.raises(IncidentError, match="none of the 1 data keys of this interval opens with the officer's key"):
        Unsealing([other.unsealer()]).learn(keys)


def test_after_a_rotation_both_keys_open_everything_and_one_says_what_is_missing(officer, other):
    before, after = officer.sealed(looked_up(1, 0), looked_up(3, 0)), other.sealed(looked_up(2, 60), looked_up(3, 60))
    keys, found = listed([*before, *after])
    both = Unsealing([officer.unsealer(), other.unsealer()])
    both.learn(keys)
    assert [both.number(person) for person in found] == [number(1), number(2), number(3)]
    one = Unsealing([officer.unsealer()])
    one.learn(keys)
    assert [one.number(person) for person in found] == [number(1), None, number(3)]
    with pytest.raises(IncidentError, match=r"the numbers of 1 people do not open \(data key .* is sealed to"):
        one.check_whole()


def test_who_was_looked_up_before_sealing_has_no_number_and_is_no_fault(officer):
    unsealing = Unsealing([officer.unsealer()])
    unsealing.learn([])
    (person,) = people([look(1)], {})
    assert unsealing.number(person) is None
    unsealing.check_whole()
    assert unsealing.unsealed == 1


def test_one_damaged_row_does_not_hide_a_person_who_has_another(officer):
    hour = 3_600
    events = officer.sealed(looked_up(5, hour), looked_up(5, 2 * hour))
    broken = [
        event._replace(sealed=event.sealed[:-1] + b"\0") if event.at.hour == 13 and event.pseudonym else event
        for event in events
    ]
    keys, (person,) = listed(broken)
    unsealing = Unsealing([officer.unsealer()])
    unsealing.learn(keys)
    assert unsealing.number(person) == number(5)


def test_a_damaged_data_key_stops_only_whom_it_seals(officer):
    events = officer.sealed(looked_up(6, 5 * 3_600), looked_up(7, 6 * 3_600))
    keys, found = listed(events)
    keys[0] = keys[0][:-1] + bytes([keys[0][-1] ^ 1])
    unsealing = Unsealing([officer.unsealer()])
    unsealing.learn(keys)
    assert [unsealing.number(person) for person in found] == [None, number(7)]
    with pytest.raises(IncidentError, match="expected it at most two hours"):
        unsealing.check_whole()
    with pytest.raises(IncidentError, match=r"none of the 1 data keys .*\(data key .*does not open this data key"):
        Unsealing([officer.unsealer()]).learn(keys[:1])
    assert found[0].pseudonym == mark(6)
