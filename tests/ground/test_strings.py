# SPDX-License-Identifier: EUPL-1.2
"""What no committed file may hold: the name of a registry host, a path of somebody's machine, a key.

The words are put together here, so that this file may be committed too.
"""

from __future__ import annotations

import re

import pytest

from support.sources import ROOT, committed

REGISTRIES = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "docker" + ".io",
    "ghcr" + ".io",
    "quay" + ".io",
)
FORBIDDEN = {
    "a registry host": "|".join(map(re.escape, REGISTRIES)),
    "a path of one machine": r"(?<![\w.*)\]}])/(?:(?:work|root|tmp/herse)/|(?:home|Users)/[A-Za-z][\w.-]*/)",
    "a private key": "BEGIN [A-Z ]*PRIVATE" + " KEY-----\n[A-Za-z0-9+/=]{20}",
}
LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-build.txt")


def faults_of(text: str) -> list[str]:
    found = []
    for what, pattern in FORBIDDEN.items():
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            found += [f"{what}, line {line}: {match.group()!r}"]
    return found


@pytest.mark.parametrize(
    "text",
    [
        "https://" + REGISTRIES[0] + "/simple",
        "# via -r /" + "work/main/requirements.in",
        "open('/" + "tmp/herse/x')",
        "/" + "root/.cache",
        "/" + "home/anna/herse",
        "-----BEGIN EC PRIVATE" + " KEY-----\nMHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY",
    ],
)
def test_the_check_of_forbidden_words_sees_each_of_them(text):
    assert faults_of(text)


@pytest.mark.parametrize("text", ["folder/work/main", "GET /workers", "/roots", "/homes", "/homepage", "/home/x"])
def test_it_leaves_ordinary_words_alone(text):
    assert faults_of(text) == []


def test_no_committed_file_holds_a_forbidden_word():
    found = []
    for path in committed():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image or a font
        found += [f"{path}: {fault}" for fault in faults_of(text)]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_name_versions_and_hashes_and_nothing_else(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    logical = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.lstrip().startswith("#")]
    odd = [
        line[:80]
        for line in logical
        if not re.fullmatch(r"[a-zA-Z0-9._-]+==[\w.]+( +--hash=sha256:[0-9a-f]{64})+", line)
    ]
    assert odd == []
    assert logical


def test_nothing_that_is_made_at_run_time_is_committed():
    made = {"var", ".venv", "dist", "build"}
    names = [path for path in committed() if path.parts[0] in made or path.suffix in {".pem", ".key", ".db", ".pyc"}]
    assert [str(path) for path in names] == []
    assert not any(path.parts[0] == "certs" and path.name != "README.md" for path in committed())
