# SPDX-License-Identifier: EUPL-1.2
"""For the tests of `herse incident`: a state with thirty people in its ledger, the officer's key, the command typed."""

from __future__ import annotations

import re

import pytest

from gateway.cli.main import main
from gateway.state_files import LEDGER_FILE
from support.bad_day import OTHER, PASSWORD, SPAN
from support.incident_rows import Officer, add_to_ledger, looked_up
from support.off_line import CREATE, PHARMACY, account_command, settle


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
