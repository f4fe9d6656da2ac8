# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger keygen`: two files, over no other, and a password that is worth one."""

import stat
import subprocess
import sys

import pytest

from gateway.cli.ledger import OFFICER_KEY_FILE, make_officer_pair
from gateway.errors import StartError
from gateway.ledger.officer_key import load_private, load_public
from gateway.state_files import OFFICER_FILE

PASSWORD = "cerise à l'eau-de-vie"


def keygen(folder, typed):
    """The command, with these lines at its standard input."""
    command = [sys.executable, "-m", "gateway.cli", "ledger", "keygen", "--dir", str(folder)]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


def test_the_pair_is_made_and_opens_with_its_password(tmp_path):
    made = keygen(tmp_path / "officer", PASSWORD + "\n")
    assert (made.returncode, made.stderr) == (0, "")
    private, public = tmp_path / "officer" / OFFICER_KEY_FILE, tmp_path / "officer" / OFFICER_FILE
    key = load_private(private.read_text(), PASSWORD)
    assert key.public == load_public(public.read_text())
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert str(private) in made.stdout
    assert key.public.id.hex() in made.stdout
    assert PASSWORD not in made.stdout


@pytest.mark.parametrize(("text", "told"), [("", "no password"), ("eleven char\n", "11 characters; expected 12")])
def test_no_password_or_a_short_one_makes_nothing(tmp_path, text, told):
    made = keygen(tmp_path, text)
    assert made.returncode == 2
    assert told in made.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [OFFICER_KEY_FILE, OFFICER_FILE])
def test_a_key_is_never_written_over(tmp_path, there):
    (tmp_path / there).write_text("of another ledger")
    with pytest.raises(StartError, match=f"{there} exists already"):
        make_officer_pair(tmp_path, PASSWORD, memory_kib=8)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "of another ledger"


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StartError, match="expected a folder this user may write to"):
        make_officer_pair(tmp_path / "file" / "below", PASSWORD, memory_kib=8)
