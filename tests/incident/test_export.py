# SPDX-License-Identifier: EUPL-1.2
"""export: the list is there whole or not at all, in bounded memory, on a disk that may be full."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.incident.export import clear_left, write_opened, write_sealed
from gateway.incident.incident import IncidentError
from gateway.incident.people import officers_of, people
from gateway.incident.sealed_list import SealedList
from gateway.incident.unsealing import Unsealing
from gateway.model import EventKind
from support.incident_rows import Officer, look, looked_up, number
from support.sources import ROOT


@pytest.fixture
def officer():
    return Officer()


def stored(officer, count):
    """Data keys and look-ups of so many people."""
    events = officer.sealed(*(looked_up(place, place) for place in range(count)))
    keys = [event.sealed for event in events if event.kind is EventKind.DATA_KEY]
    looks = [
        look(event.pseudonym[0], sealed=event.sealed)._replace(request=event.request)
        for event in events
        if event.kind is EventKind.LOOKUP
    ]
    return keys, looks


def unsealing(officer, keys):
    made = Unsealing([officer.unsealer()])
    made.learn(keys)
    return made


def test_both_ways_lead_to_the_same_list(officer, tmp_path):
    keys, looks = stored(officer, 30)
    direct, sealed, opened = tmp_path / "direct.jsonl", tmp_path / "sealed.jsonl", tmp_path / "opened.jsonl"
    assert write_opened(direct, people(looks, {}), unsealing(officer, keys)) == 30
    assert write_sealed(sealed, "2026-11-20-1", keys, people(looks, officers_of(keys)), looks=30) == 30
    assert not [number(place) for place in range(30) if number(place) in sealed.read_text()]
    with sealed.open(encoding="utf-8") as lines:
        carried = SealedList(lines, "sealed.jsonl")
        here = unsealing(officer, carried.data_keys())
        assert write_opened(opened, carried.people(), here) == 30
    assert opened.read_bytes() == direct.read_bytes()
    assert [json.loads(line)["nir"] for line in opened.read_text().splitlines()] == [
        number(place) for place in range(30)
    ]
    assert direct.stat().st_mode & 0o777 == 0o600


def test_progress_is_told_as_people_are_written(officer, tmp_path):
    heard: list[int] = []
    looks = (look(1)._replace(pseudonym=place.to_bytes(16, "big")) for place in range(2_500))
    write_sealed(tmp_path / "list.jsonl", "x", [], people(looks, {}), looks=2_500, told=heard.append)
    assert heard == [1_000, 2_000]


@pytest.mark.parametrize("fault", [IncidentError("no more"), KeyboardInterrupt()])
def test_what_stops_in_between_leaves_no_list(officer, tmp_path, fault):
    keys, looks = stored(officer, 3)

    def stops():
        yield from people(looks, {})
        raise fault

    with pytest.raises(type(fault)):
        write_opened(tmp_path / "list.csv", stops(), unsealing(officer, keys))
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_no_list(officer, tmp_path):
    for write in (
        lambda: write_sealed(tmp_path / "list.jsonl", "x", [], people([], {}), looks=0),
        lambda: write_opened(tmp_path / "list.csv", people([look(None)], {}), unsealing(officer, [])),
    ):
        with pytest.raises(IncidentError, match="nobody was looked up"):
            write()
    assert list(tmp_path.iterdir()) == []


def test_a_list_with_somebody_whose_number_does_not_open_is_written_only_if_asked_for(officer, tmp_path):
    keys, looks = stored(officer, 2)
    _, foreign = stored(Officer(), 3)
    found = [*looks, foreign[2]]
    with pytest.raises(IncidentError, match="the numbers of 1 people do not open"):
        write_opened(tmp_path / "list.csv", people(found, {}), unsealing(officer, keys))
    assert list(tmp_path.iterdir()) == []
    here = unsealing(officer, keys)
    assert write_opened(tmp_path / "list.csv", people(found, {}), here, incomplete=True) == 3
    assert here.unopened == 1


def test_nothing_is_written_over(officer, tmp_path):
    keys, looks = stored(officer, 1)
    (tmp_path / "list.csv").write_text("mine")
    with pytest.raises(IncidentError, match="exists already"):
        write_opened(tmp_path / "list.csv", people(looks, {}), unsealing(officer, keys))
    assert (tmp_path / "list.csv").read_text() == "mine"
    with pytest.raises(IncidentError, match="cannot be written"):
        write_opened(tmp_path / "none" / "list.csv", people(looks, {}), unsealing(officer, keys))


def test_what_a_killed_try_left_is_taken_away_and_what_is_being_written_is_not(officer, tmp_path):
    keys, looks = stored(officer, 3)
    for name in (".list.csv.0a1b2c3d.new", ".other.csv.0a1b2c3d.new", ".list.csv.new", "list.csv.0a1b2c3d.new"):
        (tmp_path / name).write_text("half a list")
    assert clear_left(tmp_path / "list.csv") == 1
    assert clear_left(tmp_path / "list.csv") == 0
    assert not (tmp_path / ".list.csv.0a1b2c3d.new").exists()
    assert len(list(tmp_path.iterdir())) == 3

    def meanwhile():
        yield from people(looks, {})
        with pytest.raises(IncidentError, match="is being written by another command now"):
            clear_left(tmp_path / "list.csv")

    assert write_opened(tmp_path / "list.csv", meanwhile(), unsealing(officer, keys)) == 3
    with pytest.raises(IncidentError, match="cannot be taken away"):
        clear_left(tmp_path / "none" / "list.csv")


FULL_DISK = """
set -eu
mount -t tmpfs -o size=1m tmpfs "$1"
"$2" "$3" "$1"
ls -A "$1"
"""
WRITER = """
import sys
from pathlib import Path
from gateway.errors import HerseError
from gateway.incident.export import write_sealed
from gateway.incident.people import people
from support.incident_rows import look
looks = (look(1)._replace(pseudonym=place.to_bytes(16, "big")) for place in range(100_000))
try:
    write_sealed(Path(sys.argv[1]) / "list.jsonl", "x", [], people(looks, {}), looks=0)
except HerseError as error:
    print("told:", error)
"""


@pytest.mark.system
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    disk, script = tmp_path / "disk", tmp_path / "writer.py"
    disk.mkdir()
    script.write_text(WRITER)
    unshare = shutil.which("unshare")
    apart = [unshare or "unshare", "--mount", *(() if os.getuid() == 0 else ("--map-root-user",))]
    done = subprocess.run(
        [*apart, "sh", "-c", FULL_DISK, "sh", str(disk), sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{Path(ROOT, 'tests')}"},
    )
    (line,) = done.stdout.splitlines()  # nothing else: the disk is empty again
    assert line.startswith("told: ")
    assert "No space left on device" in line
    assert "Nothing is left under that name" in line
