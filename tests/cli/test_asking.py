# SPDX-License-Identifier: EUPL-1.2
"""Who asks: the person behind sudo, else the Unix user."""

from __future__ import annotations

import os
import subprocess
import sys

ASK = "from gateway.cli.asking import asked_by; print(asked_by())"


def asked(**environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "SUDO_USER"}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_person_behind_sudo_is_named_and_else_the_user():
    own = asked()
    assert own
    assert asked(SUDO_USER="alice") == "alice"
    assert asked(SUDO_USER="") == own
    assert asked(SUDO_USER="a\u202eb") == own
