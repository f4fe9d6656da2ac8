# SPDX-License-Identifier: EUPL-1.2
"""The pure rooms: which files they are, which test file is each one's own, and that it alone covers every branch.

Run as a command it measures each file by its own test file and prints a line for each; exit 1 if one is below 100 %.
Each is measured in a process of its own, forked from one that has loaded what all tests need, and nothing of ours.
`--ignored` prints the words by which pytest leaves out the tests that this has run, all of which must have passed.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import sys
import time
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path

import coverage
import pytest

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
    "gateway/metering/risks.py",
    "gateway/metering/seen.py",
    "gateway/metering/signals.py",
    "gateway/metering/tails.py",
    "gateway/metering/tally.py",
    "gateway/metering/together.py",
    "gateway/metering/watched.py",
    "gateway/ledger/deletion.py",
    "gateway/ledger/leaf.py",
    "gateway/ledger/retention.py",
    "gateway/ledger/tree.py",
    "gateway/ledger/tree_proof.py",
    "gateway/ledger/proof.py",
    "gateway/ledger/batch_proof.py",
    "gateway/ledger/wrong.py",
    "gateway/ledger/verify*.py",
    "gateway/upstream/filter.py",
    "gateway/upstream/headers.py",
    "gateway/upstream/scanned_kind.py",
    "gateway/identity/card.py",
    "gateway/identity/card_profile.py",
    "gateway/identity/cookie.py",
    "gateway/identity/strength.py",
    "gateway/incident/exposed.py",
    "gateway/incident/incident.py",
    "gateway/incident/listing.py",
    "gateway/incident/people.py",
    "gateway/incident/sealed_list.py",
)
_NEEDED = ("hypothesis", "hypothesis.strategies", "yaml", "pydantic", "cryptography.x509", "sqlalchemy")
"""Loaded before the processes part."""
_WORDS = ("-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_WHOLE = 100.0


def pure_files(root: Path = ROOT) -> list[Path]:
    """Every file of a pure room, as a path below the root; a package's own `__init__` holds only its law."""
    found = (path for pattern in PATTERNS for path in root.glob(pattern))
    return sorted(path.relative_to(root) for path in found if path.name != "__init__.py")


def own_tests(source: Path) -> Path:
    """`gateway/policy/target.py` -> `tests/policy/test_target.py`; `gateway/errors.py` -> `tests/test_errors.py`."""
    return Path("tests", *source.parts[1:-1], f"test_{source.name}")


def measure(source: Path) -> tuple[bool, str]:
    """Run the file's own tests under coverage; (whole, what to print). Once in a process: what is loaded stays."""
    tests = own_tests(source)
    if not (ROOT / tests).is_file():
        return False, f"{source}: has no test file of its own; expected {tests}"
    os.chdir(ROOT)
    settings = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["coverage"]
    told, began = io.StringIO(), time.monotonic()
    measured = coverage.Coverage(branch=True, data_file=None, include=[str(ROOT / source)], config_file=False)
    for pattern in settings["report"]["exclude_also"]:
        measured.exclude(pattern)
    with redirect_stdout(told), redirect_stderr(told):
        measured.start()
        code = pytest.main([*_WORDS, str(tests)])
        measured.stop()
        percent = 0.0 if code else measured.report(show_missing=True, file=told)
    took = time.monotonic() - began
    if code:
        return False, f"{source}: its own tests fail\n{told.getvalue()}"
    if percent < _WHOLE:
        return False, f"{source}: below 100 % of branches by {tests} alone\n{told.getvalue()}"
    return True, f"{source}: 100 % by {tests} ({took:.0f} s)"


def main(arguments: list[str]) -> int:
    """Measure all files, or those named; several at a time."""
    parser = argparse.ArgumentParser(description="Hold each pure file to 100 % of branches by its own tests.")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--ignored", action="store_true")
    parser.add_argument("files", nargs="*", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.ignored:
        print(*(f"--ignore={own_tests(source)}" for source in pure_files()))
        return 0
    whole = True
    for name in _NEEDED:
        import_module(name)
    with multiprocessing.get_context("fork").Pool(chosen.jobs, maxtasksperchild=1) as pool:
        for good, line in pool.imap(measure, chosen.files or pure_files()):
            whole &= good
            print(line, flush=True)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
