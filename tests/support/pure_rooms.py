# SPDX-License-Identifier: EUPL-1.2
"""The pure rooms: which files they are, which test file is each one's own, and that it alone covers every branch.

Run as a command it measures each file by its own test file and prints a line for each; exit 1 if one is below 100 %.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = (
    "gateway/model/*.py",
    "gateway/errors.py",
    "gateway/policy/*.py",
    "gateway/metering/budget.py",
    "gateway/metering/patient.py",
    "gateway/metering/scan*.py",
    "gateway/metering/drift.py",
    "gateway/metering/history.py",
    "gateway/metering/seen.py",
    "gateway/metering/signals.py",
    "gateway/metering/tails.py",
    "gateway/metering/tally.py",
    "gateway/metering/together.py",
    "gateway/metering/watched.py",
    "gateway/upstream/filter.py",
    "gateway/upstream/headers.py",
    "gateway/upstream/scanned_kind.py",
    "gateway/identity/card.py",
    "gateway/identity/card_profile.py",
    "gateway/identity/cookie.py",
    "gateway/identity/strength.py",
)


def pure_files(root: Path = ROOT) -> list[Path]:
    """Every file of a pure room, as a path below the root; a package's own `__init__` holds only its law."""
    found = (path for pattern in PATTERNS for path in root.glob(pattern))
    return sorted(path.relative_to(root) for path in found if path.name != "__init__.py")


def own_tests(source: Path) -> Path:
    """`gateway/policy/target.py` -> `tests/policy/test_target.py`; `gateway/errors.py` -> `tests/test_errors.py`."""
    return Path("tests", *source.parts[1:-1], f"test_{source.name}")


def measure(source: Path) -> tuple[bool, str]:
    """Run the file's own tests under coverage; (whole, what to print)."""
    tests = own_tests(source)
    if not (ROOT / tests).is_file():
        return False, f"{source}: has no test file of its own; expected {tests}"
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "COVERAGE_FILE": str(Path(folder, "coverage"))}
        coverage = [sys.executable, "-m", "coverage"]
        pytest = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", str(tests)]
        began = time.monotonic()
        run = _run([*coverage, "run", "--branch", *pytest], environment)
        if run.returncode != 0:
            return False, f"{source}: its own tests fail\n{run.stdout}{run.stderr}"
        report = _run([*coverage, "report", f"--include={source}", "--show-missing", "--fail-under=100"], environment)
        took = time.monotonic() - began
    if report.returncode != 0:
        return False, f"{source}: below 100 % of branches by {tests} alone\n{report.stdout}{report.stderr}"
    return True, f"{source}: 100 % by {tests} ({took:.0f} s)"


def _run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def main(arguments: list[str]) -> int:
    """Measure all files, or those named; several at a time."""
    parser = argparse.ArgumentParser(description="Hold each pure file to 100 % of branches by its own tests.")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("files", nargs="*", type=Path)
    chosen = parser.parse_args(arguments)
    whole = True
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for good, line in pool.map(measure, chosen.files or pure_files()):
            whole &= good
            print(line, flush=True)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
