# SPDX-License-Identifier: EUPL-1.2
"""The one parser: all commands are listed, and nobody waits for what he did not ask for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gateway.cli.main import main
from gateway.cli.nouns import NOUNS

LOADED = """\
import json, sys
from contextlib import suppress
{act}
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(act):
    done = subprocess.run([sys.executable, "-c", LOADED.format(act=act)], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_help_names_every_command_and_loads_none():
    loaded = loaded_by("from gateway.cli.main import main\nwith suppress(SystemExit):\n    main(['--help'])")
    assert "gateway.cli.main" in loaded
    assert [noun for noun in NOUNS if f"gateway.cli.{noun}" in loaded] == []


def test_every_command_stands_in_the_help(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert left.value.code == 0
    assert [noun for noun, told in NOUNS.items() if f" {noun} {told}" not in said] == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ledger", "key"], "herse ledger key: error: the following arguments are required: --config"),
        (["keys"], "herse: error: argument COMMAND: invalid choice: 'keys' (choose from 'serve', 'demo', "),
        ([], "herse: error: the following arguments are required: COMMAND"),
    ],
)
def test_words_that_are_no_command_are_told(words, told, capsys):
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("room", "unused"),
    [
        ("gateway.cli.ledger", {"authlib", "httpx", "joserfc", "limits", "alembic", "gateway.building"}),
        ("gateway.app", {"authlib", "httpx", "alembic", "psycopg", "redis"}),
        ("gateway.worker", {"authlib", "httpx", "alembic", "psycopg", "redis", "limits", "webauthn"}),
    ],
)
def test_what_the_settings_may_not_ask_for_is_not_loaded(room, unused):
    loaded = loaded_by(f"import {room}")
    assert room in loaded
    assert loaded & unused == set()
