# SPDX-License-Identifier: EUPL-1.2
"""The file of switches: what is written is in force, over a restart and elsewhere; a damaged one stops a start."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import StartError
from gateway.model import Announcement, Closure, Switches
from gateway.switches import ALL_OPEN, Switchboard, SwitchError, switches_of, text_of

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)
CLOSED = Switches(
    (Closure(None, AT, None, "vol", "anne as root"), Closure("infopatient", AT, AT + timedelta(hours=1), "é", None)),
    (Announcement(3, AT, AT + timedelta(days=1), "À tous", "To all", "why", "anne"),),
)


def test_what_is_written_is_read_again():
    assert switches_of(text_of(CLOSED)) == CLOSED
    assert switches_of(text_of(Switches())) == Switches()


def test_without_a_file_nothing_is_switched_and_a_change_outlives_the_process(tmp_path):
    path = tmp_path / "switches.json"
    board = Switchboard(path)
    assert board.closed is ALL_OPEN.closed is None
    board.write(CLOSED)
    assert board.closed == board.switches == CLOSED
    assert path.stat().st_mode & 0o777 == 0o600
    assert Switchboard(path).closed == CLOSED
    board.write(Switches((), CLOSED.announcements))
    assert board.closed is None, "a message alone asks nothing of the hallway"
    assert Switchboard(path).switches.announcements == CLOSED.announcements
    assert [one.name for one in tmp_path.iterdir()] == ["switches.json"]


def test_another_process_takes_over_what_was_written_and_keeps_what_it_has_if_it_cannot(tmp_path, caplog):
    path = tmp_path / "switches.json"
    desk, worker = Switchboard(path), Switchboard(path)
    asyncio.run(worker.look())
    desk.write(CLOSED)
    assert worker.closed is None
    asyncio.run(worker.look())
    assert worker.closed == CLOSED
    path.write_text("{")
    asyncio.run(worker.look())
    asyncio.run(worker.look())
    path.unlink()
    asyncio.run(worker.look())
    assert worker.closed == CLOSED, "a lost or damaged file opens nothing"
    assert [one.message for one in caplog.records].count("switches-unreadable") == 2
    desk.write(Switches())
    asyncio.run(worker.look())
    assert worker.closed is None


def test_a_full_disk_changes_nothing_and_says_so(tmp_path):
    path = tmp_path / "switches.json"
    board = Switchboard(path)
    path.with_name(".switches.json.draft").mkdir()
    with pytest.raises(SwitchError, match=r"cannot be written .*nothing is changed"):
        board.write(CLOSED)
    assert board.closed is None
    assert not path.exists()


def broken(**changes):
    found = json.loads(text_of(CLOSED))
    for key, value in changes.items():
        found["closed"][0][key] = value
    return json.dumps(found)


FAULTS = {
    "nothing": "",
    "half": text_of(CLOSED)[:40],
    "a list": "[]",
    "no closures": '{"version": 1}',
    "another version": text_of(CLOSED).replace('"version": 1', '"version": 2'),
    "twice": broken(teleservice="infopatient"),
    "a naive time": broken(since="2026-11-22T08:00:00"),
    "no time": broken(until="soon"),
    "a number as time": broken(since=1),
    "a number as name": broken(teleservice=1),
    "one key more": broken(more=1),
    "a number that is none": text_of(CLOSED).replace('"number": 3', '"number": "3"'),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_does_not_tell_what_is_closed_stops_the_start(tmp_path, fault):
    path = tmp_path / "switches.json"
    path.write_text(FAULTS[fault], encoding="utf-8")
    with pytest.raises(StartError, match=r"switches.json does not tell what is closed .*Restore it from a backup"):
        Switchboard(path)


def test_a_file_that_may_not_be_read_stops_the_start(tmp_path):
    (tmp_path / "switches.json").mkdir()
    with pytest.raises(StartError, match="Is a directory"):
        Switchboard(tmp_path / "switches.json")
