# SPDX-License-Identifier: EUPL-1.2
"""`herse incident export | unseal`: by the right key alone, whole or not at all, and again where a try was broken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from gateway.state_files import LEDGER_FILE
from support.bad_day import PASSWORD, numbers
from support.incident_rows import Officer, add_to_ledger, looked_up, number
from support.off_line import PHARMACY
from support.servers import wait_until


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
