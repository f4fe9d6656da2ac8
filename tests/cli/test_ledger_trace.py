# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger trace` as it is typed: all of one account, all of one person, on record first, and what it refuses."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import stat
import sys
from contextlib import closing

import pytest

from gateway.cli.main import main
from gateway.ledger.lock import hold
from gateway.ledger.read import LedgerReader
from gateway.metering.pseudonym import Pseudonymizer
from gateway.model import AlertReason, Event, EventKind
from gateway.state_files import LEDGER_FILE, PSEUDONYM_KEY_FILE
from support.incident_rows import NOON, add_to_ledger, looked_up
from support.off_line import CREATE, PHARMACY, account_command, kinds, settle

OTHER = "130005671"
DAY = ("--from", "2026-11-20", "--to", "2026-11-20")
WHY = ("--reason", "asked by its holder")
NIR = "255081416802538"  # public, in the tests of the health insurance
KEY = bytes(range(32))


@pytest.fixture
def folder(tmp_path, capsys):
    """Two accounts that saw people on one day, the person of NIR among them."""
    settle(tmp_path)
    key = tmp_path / "keys" / PSEUDONYM_KEY_FILE
    key.touch(mode=0o600)
    key.write_text(KEY.hex() + "\n")
    account = account_command(tmp_path)
    assert account(*CREATE) == 0
    assert account("create", OTHER, *CREATE[2:]) == 0
    person = Pseudonymizer(KEY)(NIR[:13])
    looks = [looked_up(place % 4, place * 60, (PHARMACY, OTHER)[place >= 8]) for place in range(12)]
    looks += [looked_up(99, 6_000, name)._replace(pseudonym=person) for name in (PHARMACY, OTHER)]
    odd = Event(EventKind.SIGN_IN, PHARMACY, NOON, holder="=cmd|' /C calc'!A0", method="pwd+otp", device="-x")
    alert = Event(EventKind.ALERTED, PHARMACY, NOON, reason=AlertReason.DECOY, details="decoy 1")
    add_to_ledger(tmp_path / "state" / LEDGER_FILE, [odd, alert, *looks])
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def herse(folder, capsys, monkeypatch):
    """`herse ledger trace` with these words; exit code, output and errors."""

    def run(*words, typed=None, config=True):
        if typed is not None:
            monkeypatch.setitem(vars(sys), "stdin", io.StringIO(typed + "\n"))
        settings = ("--config", str(folder / "herse.toml")) if config else ()
        code = main(["ledger", "trace", *map(str, words), *settings])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def reads(folder):
    with closing(sqlite3.connect(folder / "state" / LEDGER_FILE)) as ledger:
        words = "select account, reason, details, pseudonym from event where kind = 'ledger-read' order by sequence"
        return ledger.execute(words).fetchall()


def test_all_of_one_account_on_the_terminal_in_the_words_of_its_page(herse, folder):
    code, said, _ = herse("75 001 2346", *DAY, *WHY)
    assert code == 0
    lines = said.splitlines()
    assert lines[-1] == "11 events; 9 look-ups of 5 different people."
    assert lines[0].startswith(
        "20/11/2026 13:00:00  Connexion · par =cmd|' /C calc'!A0 · mot de passe + code à 6 chiffres"
    )
    assert "decoy" not in said, "as on the page"
    look = next(line for line in lines if "consultation" in line)
    assert re.search(r"infopatient\s: consultation · personne [0-9a-f]{12} · nom et prénom, droits", look)
    assert kinds(folder)[-1] == ("ledger-read", "asked by its holder"), "the holder sees it"
    ((account, reason, details, person),) = reads(folder)
    assert (account, reason, person) == (PHARMACY, "asked by its holder", None)
    assert details.startswith("trace from 2026-11-19T23:00Z to 2026-11-20T23:00Z; asked by ")


def test_other_accounts_and_its_own_question_are_not_in_it(herse):
    code, said, told = herse(OTHER, "--from", "2026-11-20", "--to", "2999-01-01", *WHY, "--format", "jsonl")
    assert code == 0
    rows = [json.loads(line) for line in said.splitlines()]
    assert {row["account"] for row in rows} == {OTHER}
    assert [row["kind"] for row in rows] == ["lookup"] * 5 + ["account-created"]
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert "6 events" in told
    assert NIR[:13] not in said


def test_people_are_joined_in_one_trace_and_in_no_two(herse):
    marks = [
        [json.loads(line)["person"] for line in herse(OTHER, *DAY, *WHY, "--format", "jsonl")[1].splitlines()]
        for _ in range(2)
    ]
    assert [len(set(found)) for found in marks] == [5, 5]
    assert set(marks[0]).isdisjoint(marks[1])


def test_a_file_is_for_its_owner_whole_and_safe_in_a_spreadsheet(herse, folder):
    out = folder / "trace.csv"
    code, said, _ = herse(PHARMACY, *DAY, *WHY, "--out", out)
    assert (code, f"Made {out}: 11 events" in said) == (0, True)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    text = out.read_bytes().decode()
    assert text.count("\r\n") == 12
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    assert len(rows) == 11
    assert rows[0]["par"] == "'=cmd|' /C calc'!A0"
    assert rows[0]["appareil"] == "'-x"
    assert {row["details"] for row in rows} == {""}
    code, _, told = herse(PHARMACY, *DAY, *WHY, "--out", out)
    assert (code, "exists already" in told) == (2, True)


def test_an_auditor_is_told_the_whole_in_english(herse):
    code, said, _ = herse(PHARMACY, *DAY, *WHY, "--whole", "--language", "en")
    assert code == 0
    assert "Unusual activity reported to support · A search was refused and reported. · decoy 1" in said
    bare = json.loads(herse(PHARMACY, *DAY, *WHY, "--format", "jsonl")[1].splitlines()[1])
    whole = json.loads(herse(PHARMACY, *DAY, *WHY, "--format", "jsonl", "--whole")[1].splitlines()[1])
    assert (bare["reason"], "details" in bare) == ("search-refused", False)
    assert (whole["reason"], whole["details"]) == ("decoy", "decoy 1")


def test_who_saw_one_person_and_each_of_them_sees_that_it_was_asked(herse, folder):
    code, said, told = herse("--patient", *DAY, *WHY, "--format", "jsonl", typed=NIR)
    assert code == 0
    assert [json.loads(line)["account"] for line in said.splitlines()] == [PHARMACY, OTHER]
    assert told.splitlines()[-1] == f"herse: 2 events of this person, at 2 accounts: {OTHER}, {PHARMACY}"
    assert NIR[:13] not in said + told
    found = reads(folder)
    assert [(account, person) for account, _, _, person in found] == [
        ("", Pseudonymizer(KEY)(NIR[:13])),
        (PHARMACY, None),
        (OTHER, None),
    ]
    assert all(NIR[:13] not in str(one) for one in found)


@pytest.mark.parametrize(
    ("typed", "said"),
    [("1234", "no patient number"), ("170209935200493", "no event of this person"), ("", "no number")],
)
def test_a_person_of_whom_nothing_is_there(herse, folder, typed, said):
    code, shown, told = herse("--patient", *DAY, *WHY, "--out", folder / "x.csv", typed=typed)
    assert (code, shown, said in told) == (1, "", True)
    assert not (folder / "x.csv").exists()
    assert typed not in told or not typed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("NOBODY", *DAY, *WHY), 1, "there is no account NOBODY"),
        (("é", *DAY, *WHY), 1, "as identifier; expected"),
        ((PHARMACY, "--from", "2026-01-01", "--to", "2026-01-02", *WHY), 1, "has no event of account 750012346 from"),
        ((PHARMACY, "--from", "2026-11-20", "--to", "2026-11-19", *WHY), 1, "not after its beginning"),
        ((PHARMACY, "--from", "2999-01-01", *WHY), 1, "is to come"),
        ((PHARMACY, *DAY), 2, "--reason goes with --config"),
        ((PHARMACY, *DAY, "--reason", " "), 1, "as reason; expected"),
        ((PHARMACY, *DAY, *WHY, "--out", "trace.xlsx"), 1, "a name in .csv or .jsonl"),
    ],
)
def test_bad_input_is_a_sentence(herse, words, code, said):
    found, shown, told = herse(*words)
    assert (found, shown) == (code, "")
    assert told.startswith("herse: ")
    assert said in told


def test_a_ledger_of_a_newer_herse_is_not_read(herse, folder):
    ledger = folder / "state" / LEDGER_FILE
    copy = folder / "copy.db"
    for path in (copy, ledger):
        with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(path)) as target:
            if path == copy:
                source.backup(target)
            target.execute("update alembic_version set version_num = '9000'")
            target.commit()
    for words, config in (((*DAY, *WHY), True), ((*DAY, "--file", copy), False)):
        code, shown, told = herse(PHARMACY, *words, config=config)
        assert (code, shown) == (2, "")
        assert "schema version 9000" in told


def test_a_copy_is_read_without_a_record_and_a_gateway_s_own_file_is_none(herse, folder):
    ledger, copy = folder / "state" / LEDGER_FILE, folder / "copy.db"
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    code, said, _ = herse(PHARMACY, *DAY, "--file", copy, config=False)
    assert (code, "11 events" in said) == (0, True)
    assert reads(folder) == []
    code, said, told = herse(PHARMACY, *DAY, "--file", ledger, config=False)
    assert (code, said) == (2, "")
    assert "is the ledger of a gateway" in told
    assert herse(PHARMACY, *DAY, "--file", copy, *WHY, config=False)[0] == 2
    assert herse("--patient", *DAY, "--file", copy, config=False, typed=NIR)[0] == 2
    assert "no ledger at" in herse(PHARMACY, *DAY, "--file", folder / "none.db", config=False)[2]


def test_no_record_no_answer(herse, folder):
    out = folder / "trace.csv"
    with hold(folder / "state"):
        for words, typed in (((PHARMACY,), None), (("--patient",), NIR)):
            code, shown, told = herse(*words, *DAY, *WHY, "--out", out, typed=typed)
            assert (code, shown, out.exists()) == (2, "", False)
            assert "in use by another Herse" in told


def test_a_long_trace_comes_page_by_page_in_order(herse, folder):
    path = folder / "state" / LEDGER_FILE
    add_to_ledger(path, [looked_up(place % 200, 7_200 + place // 3, PHARMACY) for place in range(3_500)])
    rows = [json.loads(line) for line in herse(PHARMACY, *DAY, *WHY, "--format", "jsonl")[1].splitlines()]
    assert len(rows) == 3_511
    places = [(row["at"], row["sequence"]) for row in rows]
    assert places == sorted(set(places))
    reader = LedgerReader(path)
    assert len(reader.events(PHARMACY, limit=1)) == 1
    reader.close()
