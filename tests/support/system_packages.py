# SPDX-License-Identifier: EUPL-1.2
"""Debian packages the tests need: install the missing ones, or name them. Runs on a bare Python, before .venv exists.

Exit 0: all there. Exit 2: some are missing and cannot be installed from here; the exact names are printed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

LIST = Path(__file__).resolve().parents[2] / "system-packages.txt"
VENV = "python3.11-venv"

# A package may start its daemon when it is installed (nginx does); these two keep the tests' machine as it was.
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1", "RUNLEVEL": "1"}


def packages(text: str) -> list[str]:
    """The names in a list with one name per line and `#` comments."""
    names = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [name for name in names if name]


def can_make_venv() -> bool:
    """Debian's Python comes without `ensurepip` until its -venv package is there; others bring it along."""
    return importlib.util.find_spec("ensurepip") is not None


def is_installed(package: str) -> bool:
    """Asks dpkg; a package removed but not purged does not count, a command of that name from elsewhere does."""
    if shutil.which(package):
        return True
    asked = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.returncode == 0 and asked.stdout == "installed"


def rights() -> list[str] | None:
    """What to put before a command that needs root: nothing, sudo, or None if neither will do."""
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def install(names: list[str], prefix: list[str]) -> bool:
    """Refresh the lists once and install; apt's own words go to the terminal."""
    apt = [*prefix, "env", *(f"{name}={value}" for name, value in _QUIET.items()), "apt-get", "--quiet=2"]
    commands = [[*apt, "update"], [*apt, "install", "--yes", "--no-install-recommends", *names]]
    return all(subprocess.run(command, check=False).returncode == 0 for command in commands)


def main(arguments: list[str]) -> int:
    """`--for-venv`: only what .venv itself needs."""
    wanted = [VENV] if "--for-venv" in arguments else packages(LIST.read_text(encoding="utf-8"))
    if can_make_venv():
        wanted = [name for name in wanted if name != VENV]
    if not wanted:
        return 0
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        return _stop("this is not a Debian system", wanted)
    missing = [name for name in wanted if not is_installed(name)]
    if not missing:
        return 0
    prefix = rights()
    if prefix is None:
        return _stop("installing needs root, or sudo without a password", missing)
    print("Installing " + " ".join(missing), flush=True)
    if install(missing, prefix) and all(is_installed(name) for name in missing):
        return 0
    return _stop("apt-get could not install them", [name for name in missing if not is_installed(name)])


def _stop(why: str, names: list[str]) -> int:
    print(f"Debian packages are missing, and {why}. Install these, then run the same command again:", file=sys.stderr)
    print("  apt-get install --no-install-recommends " + " ".join(names), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
