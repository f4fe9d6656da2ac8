# SPDX-License-Identifier: EUPL-1.2
"""`herse account create --mail` and `herse account mail` as they are typed, off line under the lock."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import pytest

from gateway.cli.account import add_parser
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database
from gateway.ledger.read import LedgerReader
from gateway.mail.outbox import Outbox
from gateway.settings import read_key

PHARMACY = "750012346"
SETTINGS = """
[public]
origin = "https://localhost:8443"
[portal]
url = "http://127.0.0.1:9"
[policy]
file = "policy.yaml"
[state]
folder = "state"
[keys]
folder = "keys"
"""
CREATE = ["create", PHARMACY, "--title", "Pharmacie du Port", "--profession", "pharmacist"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "herse.toml").write_text(SETTINGS)
    for name in ("state", "keys"):
        (tmp_path / name).mkdir(mode=0o700)
    key = tmp_path / "keys" / "at-rest.key"
    key.touch(mode=0o600)
    key.write_text("0f" * 32 + "\n")
    return tmp_path


@pytest.fixture
def herse(folder):
    parser = argparse.ArgumentParser(prog="herse")
    add_parser(parser.add_subparsers(required=True))

    def run(*words):
        arguments = parser.parse_args(["account", *words, "--config", str(folder / "herse.toml")])
        return arguments.run(arguments)

    return run


def accounts(folder):
    engine = open_database(folder / "state" / "accounts.db")
    return engine, Accounts(engine, AtRest(read_key(folder / "keys" / "at-rest.key")))


def kinds(folder):
    reader = LedgerReader(folder / "state" / "ledger.db")
    try:
        stored = reader.events(PHARMACY, None, None, None, None, 100)
    finally:
        reader.close()
    return [(str(one.event.kind), one.event.reason) for one in reversed(stored)]


def test_a_mail_address_off_line_and_what_waits_for_its_old_one(herse, folder, capsys):
    assert herse(*CREATE, "--mail", "Ancienne@Exemple.example") == 0
    engine, ours = accounts(folder)
    assert ours.find(PHARMACY).mail == "Ancienne@exemple.example"
    assert herse("mail", PHARMACY, "nouvelle@exemple.example", "--reason", "a call") == 0
    assert "its new mail address now; the old address is told" in capsys.readouterr().out
    assert ours.find(PHARMACY).mail == "nouvelle@exemple.example"
    assert herse("mail", PHARMACY, "--none", "--reason", "closed") == 0
    assert herse("mail", PHARMACY, "--none", "--reason", "closed") == 0
    assert "no mail address now; there was no old address to tell" in capsys.readouterr().out
    assert ours.find(PHARMACY).mail is None
    engine.dispose()
    assert kinds(folder)[1:] == [("mail-changed", "a call"), ("mail-changed", "closed"), ("mail-changed", "closed")]
    waiting = Outbox(folder / "state" / "mail.db", AtRest(read_key(folder / "keys" / "at-rest.key")))
    assert waiting.count() == 2
    assert waiting.open(waiting.due(datetime.now(UTC))).to == "Ancienne@exemple.example"
    waiting.close()


def test_a_mail_address_that_is_none_is_a_sentence_and_changes_nothing(herse, folder, capsys):
    assert herse(*CREATE, "--mail", "pharmacie") == 1
    assert "expected one such as" in capsys.readouterr().err
    assert herse(*CREATE) == 0
    for words in (["mail", PHARMACY, "é@b.fr"], ["mail", "NOBODY", "a@b.fr"]):
        assert herse(*words, "--reason", "x") == 1
    assert len(kinds(folder)) == 1
    for words in ([], ["a@b.fr", "--none"]):
        with pytest.raises(SystemExit):
            herse("mail", PHARMACY, *words, "--reason", "x")
    with pytest.raises(SystemExit):
        herse("mail", PHARMACY, "a@b.fr")
