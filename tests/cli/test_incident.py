# SPDX-License-Identifier: EUPL-1.2
"""`herse incident` as it is typed: from the opening to the closing, off line, and what it says to bad input."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from gateway.cli.main import main
from gateway.console.asker import unix_user
from gateway.ledger.exposure import open_exposure
from gateway.ledger.lock import hold
from gateway.ledger.note import SigningKey
from gateway.ledger.sealer import Sealer
from gateway.ledger.tree_rows import open_tree_store
from gateway.model import AlertReason, Event, EventKind
from gateway.state_files import LEDGER_FILE, LEDGER_KEY_FILE
from support.incident_rows import NOON, Officer, add_to_ledger, looked_up, number
from support.off_line import CREATE, PHARMACY, account_command, kinds, settle
from support.servers import wait_until

OTHER = "130005671"
SPAN = ("--from", "2026-11-20T12:00Z", "--to", "2026-11-21T12:00Z")
PASSWORD = "a password of the officer"


@pytest.fixture
def officer():
    return Officer()


@pytest.fixture
def folder(tmp_path, officer, capsys):
    """Two accounts, a ledger with thirty people between them, an officer's key beside them."""
    settle(tmp_path)
    account = account_command(tmp_path)
    assert account(*CREATE) == 0
    assert account("create", OTHER, *CREATE[2:]) == 0
    capsys.readouterr()
    looks = [looked_up(place, 60 + place * 60, (PHARMACY, OTHER)[place >= 20]) for place in range(30)]
    honest = looked_up(3, -86_400, PHARMACY)
    add_to_ledger(tmp_path / "state" / LEDGER_FILE, officer.sealed(honest, *looks))
    (tmp_path / "officer.key").write_text(officer.key.text(PASSWORD, memory_kib=8, passes=1), encoding="ascii")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    return tmp_path


@pytest.fixture
def herse(folder, capsys):
    """`herse incident` with these words; the exit code, and what was printed."""

    def run(*words, config=True):
        settings = ("--config", str(folder / "herse.toml")) if config else ()
        code = main(["incident", *map(str, words), *settings])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.fixture
def opened(herse):
    """The number of an incident about both accounts."""
    code, said = herse("open", "--account", PHARMACY, "--account", OTHER, *SPAN, "--reason", "a call")
    assert code == 0
    assert "In it are 30 look-ups" in said
    return re.search(r"Incident (\S+): open", said)[1]


def numbers(path):
    return [json.loads(line)["nir"] for line in path.read_text(encoding="utf-8").splitlines()]


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


def test_the_complaint_carries_proofs_that_anybody_checks(herse, folder, opened, capsys):
    key = SigningKey("portail.example/ledger", bytes(range(32)))
    (folder / "keys" / LEDGER_KEY_FILE).touch(mode=0o600)
    (folder / "keys" / LEDGER_KEY_FILE).write_text(bytes(range(32)).hex() + "\n")
    with closing(open_tree_store(folder / "state" / LEDGER_FILE)) as store:
        Sealer(store, key).seal(datetime.now(UTC), timedelta(seconds=9))
    code, said = herse("notify", opened, "--out", folder / "drafts")
    assert (code, "7-plainte-preuves/LISEZ-MOI.txt" in said) == (0, True)
    proofs, verifier = folder / "drafts" / "7-plainte-preuves", key.verifier().text()
    complaint = (folder / "drafts" / "7-plainte.txt").read_text("utf-8")
    for name in ("leaves.txt", "hashes.txt", "checkpoint.txt"):
        assert hashlib.sha256((proofs / name).read_bytes()).hexdigest() in complaint
    check = ["ledger", "check", str(proofs), "--key", verifier]
    assert main(check) == 0
    assert "Proved: 3" in capsys.readouterr().out
    line = (proofs / "leaves.txt").read_bytes()
    (proofs / "leaves.txt").write_bytes(line.replace(b"infopatient", b"infopatienT", 1))
    assert main(check) == 1
    assert "expected" in capsys.readouterr().err
    (proofs / "hashes.txt").unlink()
    assert main(check) == 2
    assert "expected the folder that herse incident notify made" in capsys.readouterr().err


def test_drafts_do_not_wait_for_a_ledger_that_proves_nothing(herse, folder, opened):
    assert herse("notify", opened, "--out", folder / "drafts")[0] == 0
    text = (folder / "drafts" / "7-plainte.txt").read_text("utf-8")
    assert "[À COMPLÉTER\u00a0: les joindre\u00a0; elles manquent ici\u00a0: " in text
    assert LEDGER_KEY_FILE in text
    assert not [path for path in (folder / "drafts").iterdir() if path.is_dir()]


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


def test_an_incident_begins_with_an_alert(herse, folder):
    alert = Event(EventKind.ALERTED, PHARMACY, NOON.replace(hour=13), session="s1", reason=AlertReason.RISK_HIGH)
    add_to_ledger(folder / "state" / LEDGER_FILE, [alert, alert._replace(session=None, account=OTHER)])
    reader = open_exposure(folder / "state" / LEDGER_FILE)
    last = next(place for place in range(40, 0, -1) if reader.event(place) is not None)
    reader.close()
    code, said = herse("open", "--from-alert", last - 1, "--to", "2026-11-21", "--reason", "alert")
    assert code == 0
    assert f"accounts      {PHARMACY}\n" in said
    assert "interval      2026-11-20T12:01:00Z" in said  # the session's first event
    assert f"event {last - 1} of the ledger" in said
    code, said = herse("open", "--from-report", last, "--account", PHARMACY, "--reason", "report", "--to", "2026-11-21")
    assert code == 0
    assert f"accounts      {OTHER}, {PHARMACY}\n" in said
    assert "interval      2026-11-19T13:00:00Z" in said  # a day before, since there was no session
    code, said = herse("open", "--from-alert", last - 2, "--reason", "x")
    assert (code, f"event {last - 2} is lookup, and no alert" in said) == (1, True)
    for missing in (999, 3):  # 3: of a data key, which is nobody's
        code, said = herse("open", "--from-report", missing, "--reason", "x")
        assert (code, f"the ledger has no event {missing} of an account" in said) == (1, True)


def test_an_incident_begins_with_what_a_professional_reports(herse, folder, capsys):
    account = account_command(folder)
    with closing(open_exposure(folder / "state" / LEDGER_FILE)) as reader:
        looked = [one for one in range(1, 60) if _kind(reader, one) == (EventKind.LOOKUP, PHARMACY)]
    assert account("report", PHARMACY, "--event", str(looked[5]), "--reason", "that was not me") == 0
    number = re.search(r"on record as event (\d+)", capsys.readouterr().out)[1]
    assert kinds(folder)[-1] == ("reported", "that was not me")
    code, said = herse("open", "--from-report", number, "--reason", "report", "--freeze")
    assert (code, f"began with    event {number} of the ledger" in said) == (0, True)
    assert f"locked by it  {PHARMACY}" in said
    assert "interval      2026-11-20T12:01:00Z" in said, "where the session of that look-up began"
    assert account("report", PHARMACY, "--reason", "by telephone") == 0
    bare = re.search(r"on record as event (\d+)", capsys.readouterr().out)[1]
    code, said = herse("open", "--from-report", bare, "--reason", "report")
    assert (code, "Incident" in said) == (0, True)
    assert account("report", OTHER, "--event", str(looked[5]), "--reason", "x") == 1
    assert "is not one of account" in capsys.readouterr().err
    assert account("report", "NOBODY", "--reason", "x") == 1


def _kind(reader, sequence):
    found = reader.event(sequence)
    return None if found is None else (found.event.kind, found.event.account)


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


def test_the_wrong_officer_a_damaged_key_and_a_wrong_password_write_nothing(herse, folder, opened):
    out, password = folder / "list.csv", ("--password-file", folder / "password")
    (folder / "other.key").write_text(Officer().key.text(PASSWORD, memory_kib=8, passes=1), encoding="ascii")
    whole = (folder / "officer.key").read_text()
    (folder / "cut.key").write_text(whole[: len(whole) // 2])
    (folder / "wrong").write_text("another password\n")
    (folder / "empty").write_text("")
    for words, said in (
        (("--key", folder / "other.key", *password), "opens with the officer's key given"),
        (("--key", folder / "cut.key", *password), "herse ledger keygen"),
        (("--key", folder / "officer.key", "--password-file", folder / "wrong"), "the password does not open"),
        (("--key", folder / "officer.key", "--password-file", folder / "empty"), "expected one password for each"),
    ):
        code, told = herse("export", opened, "--out", out, *words)
        assert (code in {1, 2}, said in told, out.exists()) == (True, True, False), told
    assert [name for name in folder.iterdir() if name.name.startswith(".")] == []


def test_a_file_that_is_there_is_not_written_over(herse, folder, opened):
    (folder / "list.jsonl").write_text("mine")
    code, said = herse("export", opened, "--out", folder / "list.jsonl")
    assert (code, "exists already" in said) == (1, True)
    assert (folder / "list.jsonl").read_text() == "mine"
    for svg in (folder, folder / "none" / "x.svg"):
        code, said = herse("exposed", opened, "--svg", svg)
        assert (code, "cannot be written" in said) == (2, True)


def test_a_list_that_is_none_or_not_there_is_told(herse, folder):
    key = ("--key", folder / "officer.key", "--password-file", folder / "password")
    code, said = herse("unseal", folder / "none.jsonl", "--out", folder / "x.csv", *key, config=False)
    assert (code, "expected a sealed list" in said) == (2, True)
    code, said = herse("unseal", folder / "herse.toml", "--out", folder / "x.csv", *key, config=False)
    assert (code, "line 1: not as it was written" in said) == (1, True)


@pytest.mark.system
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_list_that_is_broken_half_way_is_not_there_and_is_made_by_the_same_command_again(herse, folder, opened, how):
    sealed, pipe, out = folder / "sealed.jsonl", folder / "pipe.jsonl", folder / "list.jsonl"
    assert herse("export", opened, "--out", sealed)[0] == 0
    lines = sealed.read_text("utf-8").splitlines(keepends=True)
    key = ("--key", folder / "officer.key", "--password-file", folder / "password")
    os.mkfifo(pipe)
    words = [sys.executable, "-m", "gateway.cli", "incident", "unseal", pipe, "--out", out, *key]
    command = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    with command, pipe.open("w", encoding="utf-8") as file:  # which waits until it reads
        file.writelines(lines[: len(lines) // 2])
        file.flush()
        wait_until("it writes", lambda: list(folder.glob(".list.jsonl.*.new")))
        command.send_signal(how)
        said = command.communicate(timeout=60)[1]
    assert not out.exists()
    if how is signal.SIGKILL:
        assert len(list(folder.glob(".list.jsonl.*.new"))) == 1, "what nobody could take away"
    else:
        assert (command.returncode, f"stopped by {how.name}" in said) == (1, True)
        assert list(folder.glob(".*")) == []
    code, told = herse("unseal", sealed, "--out", out, *key, config=False)
    assert (code, "half a list" in told) == (0, how is signal.SIGKILL)
    assert sorted(numbers(out)) == [number(place) for place in range(30)]
    assert list(folder.glob(".*")) == []


def test_rotated_keys_are_given_together(herse, folder, officer, opened, capsys):
    later = Officer()
    add_to_ledger(folder / "state" / LEDGER_FILE, later.sealed(looked_up(200, 7_200, PHARMACY)))
    (folder / "later.key").write_text(later.key.text("later password", memory_kib=8, passes=1), encoding="ascii")
    (folder / "passwords").write_text(f"{PASSWORD}\nlater password\n")
    one = ("--key", folder / "officer.key", "--password-file", folder / "passwords")
    code, said = herse("export", opened, "--out", folder / "list.jsonl", *one)
    assert (code, "the numbers of 1 people do not open" in said) == (1, True)
    code, said = herse("export", opened, "--out", folder / "some.jsonl", *one, "--incomplete")
    assert (code, "1 of them without number, because it does not open" in said) == (0, True)
    both = ("--key", folder / "officer.key", "--key", folder / "later.key", "--password-file", folder / "passwords")
    assert herse("export", opened, "--out", folder / "list.jsonl", *both)[0] == 0
    assert set(numbers(folder / "list.jsonl")) == {number(200), *map(number, range(30))}


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


def test_the_password_is_typed_where_no_file_has_it(folder, opened):
    words = ["export", opened, "--out", folder / "list.csv", "--key", folder / "officer.key"]
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "incident", *words, "--config", folder / "herse.toml"],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "30 people" in done.stdout) == (0, True), done.stderr
    assert PASSWORD not in done.stdout + done.stderr
