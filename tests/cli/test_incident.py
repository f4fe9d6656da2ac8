# SPDX-License-Identifier: EUPL-1.2
"""`herse incident` as it is typed: from the opening to the closing, off line, and what it says to bad input."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET

import pytest

from gateway.cli.main import main
from gateway.console.asker import unix_user
from gateway.ledger.lock import hold
from support.bad_day import OTHER, SPAN, numbers
from support.incident_rows import number
from support.off_line import PHARMACY, kinds


def test_a_bad_day_from_its_beginning_to_its_end(herse, folder, opened):
    code, said = herse("exposed", opened, "--svg", folder / "grown.svg")
    assert code == 0
    assert said.startswith(f"Incident {opened}: 30 different people, 30 look-ups")
    assert ET.fromstring((folder / "grown.svg").read_text()).tag.endswith("svg")
    sealed, direct, carried = folder / "sealed.jsonl", folder / "direct.jsonl", folder / "carried.csv"
    code, said = herse("export", opened, "--out", sealed)
    assert code == 0
    assert "30 people are in" in said
    assert "herse incident unseal sealed.jsonl" in said
    key = ("--key", folder / "officer.key", "--password-file", folder / "password")
    code, said = herse("export", opened, "--out", direct, *key)
    assert code == 0
    assert "patient numbers in clear" in said
    assert sorted(numbers(direct)) == [number(place) for place in range(30)]
    code, said = herse("unseal", sealed, "--out", carried, *key, config=False)
    assert (code, "30 people" in said) == (0, True)
    assert {line.split(";")[0] for line in carried.read_text().splitlines()[1:]} == set(numbers(direct))
    code, said = herse("notify", opened, "--out", folder / "drafts")
    assert code == 0
    assert "Nothing is sent" in said
    text = (folder / "drafts" / "3-cnil-notification-initiale.txt").read_text(encoding="utf-8")
    assert "30 personnes différentes" in text
    assert herse("close", opened, "--reason", "all are told")[0] == 0
    code, said = herse("show", opened)
    assert [line.split()[1] for line in said.split("what was done:\n")[1].splitlines()] == [
        *("opened", "examined", "exported", "exported", "drafted", "closed")
    ]
    assert f"by {unix_user(os.getpid(), os.geteuid())}" in said
    told = [kind for kind, _ in kinds(folder) if kind.startswith("incident-")]
    assert told == [
        *("incident-opened", "incident-examined", "incident-exported", "incident-exported", "incident-drafted"),
        "incident-closed",
    ]
    assert herse("exposed", opened)[0] == 0, "what is closed may still be asked"


def test_figures_as_json_and_without_whom_honest_use_had_shown(herse, opened):
    code, said = herse("exposed", opened, "--json", "--minus-honest")
    told = json.loads(said)
    assert (code, told["people"], told["minus_honest"]) == (0, 29, {"days": 90, "people": 1})
    assert told["accounts"][PHARMACY]["people"] == 19
    assert json.loads(herse("exposed", opened, "--json")[1])["people"] == 30
    assert "Left out: 0 people" in herse("exposed", opened, "--minus-honest", "1")[1].replace(
        "Left out: 1", "Left out: 0"
    )


def test_a_list_of_incidents_and_one_as_json(herse, opened):
    code, said = herse("list")
    assert (code, opened in said, "h of 72 left" in said) == (0, True, True)
    assert json.loads(herse("show", opened, "--json")[1])["accounts"] == [PHARMACY, OTHER]


def test_one_that_is_damaged_does_not_hide_the_others(herse, folder, opened):
    (folder / "state" / "incidents" / "2026-01-01-1.json").write_text("{")
    code, said = herse("list")
    assert (code, len(said.splitlines())) == (0, 2)
    assert "restore it from a backup" in said.splitlines()[0]
    assert said.splitlines()[1].startswith(opened)


def test_there_is_none_yet(herse):
    assert herse("list") == (0, "There is no incident; to begin one: herse incident open\n")


def test_an_incident_grows(herse, opened):
    code, said = herse("change", opened, "--to", "2026-11-22", "--freeze", "--reason", "found more")
    assert code == 0
    assert f"locked by it  {PHARMACY}, {OTHER}" in said
    assert "2026-11-22T23:00:00Z" in said  # the whole day, in Paris


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("open", "--account", "NOBODY", *SPAN, "--reason", "x"), "there is no account NOBODY"),
        (("open", "--account", PHARMACY, "--reason", "x"), "the interval is missing"),
        (
            ("open", "--account", PHARMACY, "--from", "2026-11-20", "--to", "2026-11-19", "--reason", "x"),
            "not after its beginning",
        ),
        (("open", "--account", PHARMACY, "--from", "2999-01-01", "--to", "2999-01-02", "--reason", "x"), "is to come"),
        (("open", *SPAN, "--reason", "x"), "no account is named"),
        (("open", "--account", PHARMACY, *SPAN, "--reason", " "), "as reason; expected"),
        (("show", "2026-11-20-9"), "there is no incident"),
        (("exposed", "2026-11-20-9"), "there is no incident"),
        (("export", "x", "--out", "x.csv", "--key", "none"), "none cannot be read"),
        (("export", "x", "--out", "x.csv"), "a sealed list is JSON Lines"),
        (("export", "x", "--out", "x.xlsx"), ".csv or .jsonl"),
        (("close", "..", "--reason", "x"), "there is no incident"),
    ],
)
def test_bad_input_is_a_sentence(herse, words, said):
    code, told = herse(*words)
    assert code in {1, 2}
    assert told.startswith("herse: ")
    assert said in told


def test_an_interval_with_nothing_in_it_is_told(herse, folder):
    words = ("--account", PHARMACY, "--from", "2026-01-01", "--to", "2026-01-02", "--reason", "x")
    code, said = herse("open", *words)
    assert (code, "In it is no look-up" in said) == (0, True)
    number = re.search(r"Incident (\S+): open", said)[1]
    code, said = herse("exposed", number)
    assert (code, f"in incident {number} nobody was exposed" in said) == (1, True)
    code, said = herse("exposed", number, "--json")
    assert (code, '"people": 0' in said, "nobody was exposed" in said) == (1, True, True)
    code, said = herse("export", number, "--out", folder / "list.jsonl")
    assert (code, "nobody was looked up" in said) == (1, True)
    assert not (folder / "list.jsonl").exists()


def test_a_file_that_is_there_is_not_written_over(herse, folder, opened):
    (folder / "list.jsonl").write_text("mine")
    code, said = herse("export", opened, "--out", folder / "list.jsonl")
    assert (code, "exists already" in said) == (1, True)
    assert (folder / "list.jsonl").read_text() == "mine"
    for svg in (folder, folder / "none" / "x.svg"):
        code, said = herse("exposed", opened, "--svg", svg)
        assert (code, "cannot be written" in said) == (2, True)


def test_while_another_process_holds_the_state_nothing_is_read(herse, folder, opened):
    with hold(folder / "state"):
        code, said = herse("exposed", opened)
    assert (code, "in use by another Herse" in said) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("open", "--from", "yesterday", "--reason", "x"),
        ("open", "--from-alert", "-1", "--reason", "x"),
        ("open", "--from-alert", "1", "--from-report", "2", "--reason", "x"),
        ("exposed", "x", "--minus-honest", "0"),
        ("unseal", "x", "--out", "y.csv"),
        ("open", "--account", PHARMACY, *SPAN),
    ],
)
def test_words_that_are_none_are_told_by_the_parser(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["incident", *words])
    assert caught.value.code == 2
    assert "usage: herse incident" in capsys.readouterr().err
