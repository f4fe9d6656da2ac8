# SPDX-License-Identifier: EUPL-1.2
"""`herse drill` as it is typed: a whole small drill, what it leaves behind, and what it says to bad input."""

from __future__ import annotations

import json

import pytest

from gateway.cli.main import main
from gateway.cli.progress import Progress
from gateway.ledger.read import LedgerReader
from support.sources import ROOT

POLICY = str(ROOT / "policies" / "demo.yaml")


def drill(*words: str) -> int:
    return main(["drill", *words, "--policy", POLICY])


def test_a_small_drill_from_beginning_to_end(tmp_path, capsys):
    svg, keep = tmp_path / "drawn.svg", tmp_path / "kept"
    words = ("viamedis-2024", "--accounts", "2", "--days", "1", "--json", "--svg", str(svg), "--keep", str(keep))
    assert drill(*words) == 0
    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert printed.err == ""
    assert [one["exposed"] for one in told["scenarios"][:2]] == [0, 0]
    lists = next(one for one in told["scenarios"] if one["name"] == "stolen-sessions-lists")
    assert lists["exposed_without"] == 20_000_000
    assert told["honest"]["accounts"] == 2
    assert svg.read_text("utf-8").startswith("<svg ")
    assert {folder.name for folder in keep.iterdir()} == {
        "honest",
        "officer",
        *(one["name"] for one in told["scenarios"]),
    }
    assert {"exact": True, "missing": 0, "surplus": 0}.items() <= lists["incident"].items()
    assert lists["incident"]["people_listed"] == lists["incident"]["people_served"] == lists["exposed"]
    assert all(one["incident"]["exact"] for one in told["scenarios"])
    reader = LedgerReader(keep / "honest" / "ledger.db")
    assert len(reader.events("DRILL-000000", limit=1_000)) > 0
    reader.close()


def test_the_honest_drill_has_no_scenarios_and_prints_for_people(capsys):
    assert drill("honest", "--accounts", "3", "--days", "2", "--seed", "8") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("honest: nobody attacks (seed 8, policy ")
    assert "3 accounts" in printed


@pytest.mark.parametrize(
    "words",
    [
        ["amelipro-2021"],
        ["honest", "--accounts", "0"],
        ["honest", "--accounts", "-5"],
        ["honest", "--days", "-1"],
        ["honest", "--days", "1.5"],
        ["honest", "--days", "99999"],
        ["honest", "--seed", "-1"],
        ["honest", "--seed", "x"],
    ],
)
def test_what_is_no_drill_or_no_number_is_told(words, capsys):
    with pytest.raises(SystemExit) as caught:
        drill(*words)
    assert caught.value.code == 2
    assert "usage: herse drill" in capsys.readouterr().err


def test_places_that_cannot_be_written_are_told_before_the_drill(tmp_path, capsys):
    there = tmp_path / "there"
    there.mkdir()
    (there / "file").write_text("mine")
    for words, said in (
        (("amelipro-2022", "--svg", str(tmp_path / "none" / "x.svg")), "cannot be written"),
        (("amelipro-2022", "--svg", str(there)), "cannot be written"),
        (("honest", "--svg", str(tmp_path / "x.svg")), "nobody is exposed"),
        (("amelipro-2022", "--keep", str(there)), "found files in it"),
        (("amelipro-2022", "--keep", str(there / "file")), "expected a folder"),
    ):
        assert drill(*words) == 2
        assert said in capsys.readouterr().err
    assert [one.name for one in there.iterdir()] == ["file"]
    assert (there / "file").read_text() == "mine"


def test_a_policy_with_faults_is_told_with_its_lines(tmp_path, capsys):
    file = tmp_path / "p.yaml"
    file.write_text("version: 1\nportal: x\ntitle: X\nteleservices: {}\nextra: 1\n")
    assert main(["drill", "honest", "--policy", str(file)]) == 2
    assert f"{file}:5" in capsys.readouterr().err


def test_a_policy_that_counts_nobody_is_told(tmp_path, capsys):
    file = tmp_path / "p.yaml"
    home = "  home: {title: Home, routes: [GET /], assurance: password}\n"
    file.write_text(f"version: 1\nportal: x\ntitle: X\nteleservices:\n{home}")
    assert main(["drill", "honest", "--policy", str(file)]) == 2
    assert "counts no patient at GET /api/infopatient/" in capsys.readouterr().err


def test_progress_is_for_terminals(capsys):
    silent = Progress(False)
    assert silent.part("x", 10.0) is None
    silent.end()
    assert capsys.readouterr().err == ""
    shown = Progress(True)
    shown.parts = 2
    passed = shown.part("first", 10.0)
    passed(5.0)
    assert " 25% first" in capsys.readouterr().err
    shown.part("second", 10.0)(20.0)
    assert "100% second" in capsys.readouterr().err
    shown.end()
    assert capsys.readouterr().err == "\r\x1b[K"
