# SPDX-License-Identifier: EUPL-1.2
"""lock: the second is told who is there, and the lock ends with its holder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StartError
from gateway.ledger.lock import LOCK_NAME, hold

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, pathlib
from gateway.ledger.lock import hold
lock = hold(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_L3_a_second_holder_is_refused_and_told_the_first(tmp_path: Path):
    with hold(tmp_path) as lock, pytest.raises(StartError, match=rf"another Herse \(process {os.getpid()}\)"):
        hold(tmp_path)
    lock.close()
    hold(tmp_path).close()
    assert (tmp_path / LOCK_NAME).exists(), "removing it would let two lock two files"


def test_L3_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(StartError, match=rf"process {child.pid}\)"):
            hold(tmp_path)
        child.send_signal(signal.SIGKILL)
        child.wait()
        hold(tmp_path).close()


def test_a_missing_folder_is_told(tmp_path: Path):
    with pytest.raises(StartError, match="expected a folder that exists"):
        hold(tmp_path / "none")


def test_a_disk_without_room_is_told():
    """/dev/full takes no byte: the pid cannot be written."""
    folder = FullFolder()
    with pytest.raises(StartError, match="cannot be locked"):
        hold(folder)


class FullFolder:
    """A folder in which every file is /dev/full."""

    def __truediv__(self, _name: str) -> str:
        return "/dev/full"
