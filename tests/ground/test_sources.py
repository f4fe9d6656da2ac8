# SPDX-License-Identifier: EUPL-1.2
"""The measures the code holds itself to: what each file begins with, how long it is, and what it never does."""

from __future__ import annotations

import ast
import re
import tokenize
from io import StringIO
from pathlib import Path

import pytest

from support.pure_rooms import own_tests, pure_files
from support.sources import ROOT, Source, dotted, python_sources

SPDX = "# SPDX-License-Identifier: EUPL-1.2\n"
FILE_LINES = 300
FUNCTION_LINES = 60
# Nine functions in ten stay below this.
USUAL_FUNCTION_LINES = 25
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "misc"}
# Folders below tests/ that mirror no room: the ground itself, the tools, and walks through the whole house.
OTHER_TEST_FOLDERS = {"ground", "support", "house", "promises", "walk", "workers", "browser", "__pycache__"}
# Put together here, so that this file passes its own check.
LATER = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
# CPython issue 106052: Debian 12's Python 3.11.2 takes `/x/..` for a plain path by such a group.
POSSESSIVE_GROUP = re.compile(r"\)(?:\+\+|\*\+|\?\+|\{[0-9,]+\}\+)|\(\?>")
CHARACTER_CLASS = re.compile(r"\[[^\]]*\]")
FORBIDDEN_EVERYWHERE = {
    "pytest.skip",
    "pytest.xfail",
    "pytest.importorskip",
    "pytest.mark.skip",
    "pytest.mark.skipif",
    "pytest.mark.xfail",
    "unittest.skip",
    "monkeypatch.setattr",
    "monkeypatch.delattr",
}


def faults_of(source: Source) -> list[str]:
    """What one file does that the house does not do."""
    found = []
    for node in ast.walk(source.tree):
        line = f"{source.path}:{getattr(node, 'lineno', 1)}"
        if isinstance(node, ast.Import):
            found += [f"{line}: {alias.name}" for alias in node.names if alias.name.startswith("unittest.mock")]
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [f"{line}: {name}" for name in names if name.startswith("unittest.mock")]
        if isinstance(node, ast.Attribute):
            name = dotted(node)
            if name in FORBIDDEN_EVERYWHERE:
                found.append(f"{line}: {name}")
            if source.in_gateway and (name == "request.url" or name.endswith(".request.url")):
                found.append(f"{line}: {name} (A13: the Host header writes into it; use the raw target)")
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and source.in_gateway:
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if "(?" in text and POSSESSIVE_GROUP.search(CHARACTER_CLASS.sub("", text)):
                found.append(f"{line}: possessive or atomic group (matches wrongly before Python 3.11.5)")
        if isinstance(node, ast.Assert) and source.in_gateway:
            found.append(f"{line}: assert (it is gone under -O; raise instead)")
    for token in tokenize.generate_tokens(StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and any(word in token.string for word in LATER):
            found.append(f"{source.path}:{token.start[0]}: {token.string}")
    return found


def source_of(text: str, path: str = "gateway/some.py") -> Source:
    return Source(Path(path), text, ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "import unittest.mock",
        "from unittest import mock",
        "from unittest.mock import patch",
        "def test(monkeypatch):\n    monkeypatch.setattr('a.b', 1)",
        "pytest.skip('later')",
        "@pytest.mark.xfail\ndef test(): ...",
        "def f(request):\n    return request.url.path",
        "def f(self):\n    return self.request.url",
        "assert True",
        "PATTERN = rb'(?:/[a-z]++(?<!x))++'",
        "PATTERN = r'(?>a|ab)c'",
        "x = 1  # TO" + "DO: later",
    ],
)
def test_the_check_of_forbidden_things_sees_each_of_them(text):
    assert faults_of(source_of(text))


def test_an_assert_is_what_tests_are_made_of():
    assert faults_of(source_of("assert True", "tests/policy/test_some.py")) == []


def test_A13_no_file_does_what_the_house_does_not_do():
    assert [fault for source in python_sources() for fault in faults_of(source)] == []


def test_every_file_names_its_licence_and_its_law():
    bare = [str(source.path) for source in python_sources() if not source.text.startswith(SPDX)]
    assert bare == [], f"must begin with {SPDX!r}"
    lawless = [str(source.path) for source in python_sources() if not ast.get_docstring(source.tree)]
    assert lawless == [], "need a module docstring: what lives here, what never"


def test_files_and_functions_stay_short():
    long_files = {str(one.path): len(one.text.splitlines()) for one in python_sources()}
    assert {path: lines for path, lines in long_files.items() if lines > FILE_LINES} == {}
    lengths = [(f"{one.path}:{line} {name}", size) for one in python_sources() for name, line, size in one.functions()]
    assert [found for found in lengths if found[1] > FUNCTION_LINES] == []
    ours = [size for where, size in lengths if where.startswith("gateway")]
    assert sum(size < USUAL_FUNCTION_LINES for size in ours) >= 0.9 * len(ours)


def test_no_file_has_a_name_that_says_nothing():
    named = [source.path for source in python_sources() if {source.path.stem, *source.path.parts} & BANNED_NAMES]
    assert named == []


def rooms() -> set[str]:
    return {source.path.parts[1] for source in python_sources() if source.in_gateway and len(source.path.parts) > 2}


def test_each_room_has_tests_of_its_own_and_each_folder_of_tests_a_room():
    tested = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("test_*.py"))}
    assert sorted(rooms() - tested) == [], "rooms without tests/<room>/test_*.py"
    assert sorted(tested - rooms() - OTHER_TEST_FOLDERS) == [], "folders of tests that mirror no room"


def test_each_pure_file_has_a_test_file_of_its_own():
    assert [str(own_tests(path)) for path in pure_files() if not (ROOT / own_tests(path)).is_file()] == []


def test_the_pure_rooms_are_found():
    found = {str(path) for path in pure_files()}
    assert {"gateway/model/reason.py", "gateway/policy/evaluate.py", "gateway/metering/budget.py"} <= found
