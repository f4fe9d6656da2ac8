# SPDX-License-Identifier: EUPL-1.2
"""The README held against the code: each reason, event, setting and command is in it, and none that does not exist.

In each of four sections (their headings hold the words below) tables list the names, in backticks, in the first column.
"""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import BaseModel

from gateway.cli.main import build_parser
from gateway.model import EventKind, Reason
from gateway.settings import Settings
from support.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# A word of the heading -> what the table below it lists.
SECTIONS = ("Commands", "Settings", "Reasons", "Events")


def setting_keys(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """`section.key` for every value of a settings model; sections inside lists and options are walked too."""
    for name, field in model.model_fields.items():
        key = f"{before}{field.alias or name}"
        inner = next((one for one in _types(field.annotation) if issubclass(one, BaseModel)), None)
        if inner is None:
            yield key
        else:
            yield from setting_keys(inner, f"{key}.")


def _types(annotation: object) -> Iterator[type]:
    if isinstance(annotation, type):
        yield annotation
    for argument in get_args(annotation):
        yield from _types(argument)


def commands(parser: argparse.ArgumentParser, before: str) -> Iterator[str]:
    """Every command that can be run, `herse policy check` and the like, from the parser that runs them."""
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield before
    for action in nested:
        for name, child in action.choices.items():
            yield from commands(child, f"{before} {name}")


def listed(text: str, section: str) -> list[str]:
    """The names in backticks of the first column of the tables in a section, headings and rulers left out."""
    sections = re.split(r"^#{2,} +", text, flags=re.MULTILINE)
    own = [part for part in sections if section.lower() in part.partition("\n")[0].lower()]
    cells = re.findall(r"^\| *(`[^|\n]+)\|", "\n".join(own), re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def expected() -> dict[str, set[str]]:
    return {
        "Commands": set(commands(build_parser(), "herse")),
        "Settings": set(setting_keys(Settings)),
        "Reasons": {str(reason) for reason in Reason},
        "Events": {str(kind) for kind in EventKind},
    }


def command_of(words: str, known: set[str]) -> str:
    """`herse policy check FILE` -> `herse policy check`; the text itself if no command begins it."""
    fitting = [name for name in known if words == name or words.startswith(f"{name} ")]
    return max(fitting, key=len, default=words)


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("section", SECTIONS)
def test_the_readme_lists_what_there_is_and_nothing_else(readme, section):
    due, found = expected()[section], listed(readme, section)
    if section == "Commands":
        found = [command_of(words, due) for words in found]
    assert sorted(due - set(found)) == [], f"missing in the table of the section {section!r} of README.md"
    assert sorted(set(found) - due) == [], f"listed in the section {section!r} of README.md, but not in the code"
    assert len(found) == len(set(found)), "listed twice"


def test_every_command_shown_anywhere_exists(readme):
    known = expected()["Commands"]
    nouns = {" ".join(name.split()[:2]) for name in known}
    shown = re.findall(r"`(herse [a-z][^`\n]*)`", readme) + re.findall(r"^\$? *(herse [a-z].*)$", readme, re.MULTILINE)
    assert [words for words in shown if command_of(words, known) == words and words not in known | nouns] == []


def test_every_make_target_shown_exists(readme):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", readme)) <= targets


def test_the_walks_find_what_they_should():
    assert {"public.origin", "policy.file"} <= set(setting_keys(Settings))
    table = "## Reasons\n| a | b |\n|---|---|\n| `one`, `two` | told by `three` |\n## Else\n| `four` | |\n"
    assert listed(table, "Reasons") == ["one", "two"]
    assert command_of("herse policy check FILE", {"herse policy check", "herse policy"}) == "herse policy check"
