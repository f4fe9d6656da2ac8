# SPDX-License-Identifier: EUPL-1.2
"""Promises of the Dockerfile, the Makefile, the package list and the CI entry, as far as they can be read off."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from support.sources import ROOT
from support.system_packages import LIST, VENV, is_installed, packages


def instructions() -> list[tuple[str, str]]:
    """(instruction, arguments) of the Dockerfile, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


def values(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def test_the_image_can_be_built_from_any_base():
    assert instructions()[0] == ("ARG", "BASE=python:3.11-slim-bookworm")
    assert [rest.split()[0] for rest in values("FROM")] == ["${BASE}", "${BASE}"]


def test_the_image_fetches_nothing_but_what_the_locks_hash():
    assert values("ADD") == []
    runs = " && ".join(values("RUN"))
    assert not re.search(r"https?://|\b(curl|wget|git|apt-get)\b", runs)
    installs = re.findall(r"pip install ([^&]*)", runs)
    assert installs
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)


def test_the_image_runs_herse_as_nobody_in_particular():
    stage = instructions()[[word for word, _ in instructions()].index("FROM", 2) :]
    said = dict(stage)
    assert said["USER"] == "10001:10001"
    words = [word for word, _ in stage]
    assert "RUN" not in words[words.index("USER") :]
    assert json.loads(said["ENTRYPOINT"]) == ["herse"]
    assert json.loads(said["CMD"]) == ["serve", "--config", "/etc/herse/herse.toml"]
    assert json.loads(said["VOLUME"]) == ["/var/lib/herse"]
    assert "PYTHONDONTWRITEBYTECODE=1" in said["ENV"]


def test_the_image_takes_only_files_that_exist_and_are_let_through():
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"
    }
    copied = {word for rest in values("COPY") if "--from" not in rest for word in rest.split()[:-1]}
    assert copied == let_through
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_ci_runs_what_a_person_runs():
    run = ROOT / ".ci" / "run"
    assert os.access(run, os.X_OK)
    text = run.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    assert text.rstrip().endswith("exec make test")


@pytest.mark.parametrize("target", ["setup", "system", "test", "check", "fmt", "bench", "lock", "clean", "demo"])
def test_each_target_can_be_planned_by_make(target):
    planned = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert planned.returncode == 0, planned.stderr


def test_setup_installs_from_the_lock_alone():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)


def test_the_package_list_is_read_without_its_comments():
    assert packages("# all\n\nnginx-light  # a proxy\ncurl\n") == ["nginx-light", "curl"]
    assert {VENV, "nginx-light", "chromium", "fiu-utils", "wrk"} <= set(packages(LIST.read_text(encoding="utf-8")))


def test_dpkg_is_asked_and_an_unknown_package_is_not_there():
    assert is_installed("libc6-dev")
    assert not is_installed("no-such-package-of-herse")


def test_without_dpkg_the_exact_names_are_printed(tmp_path):
    script = ROOT / "tests" / "support" / "system_packages.py"
    run = subprocess.run(
        [sys.executable, script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert "not a Debian system" in run.stderr
    assert "nginx-light chromium fiu-utils" in run.stderr
    assert VENV not in run.stderr  # this Python can make a venv already
