# SPDX-License-Identifier: EUPL-1.2
"""The three accounts of the demo: right in form, passwords that may be used, the file a script reads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gateway.demo.cast import CAST, LEAKED, PHARMACY, Credentials, new_password, read_accounts, write_accounts
from gateway.identity.identifiers import parse_identifier, parse_label, parse_profession, parse_rpps
from gateway.identity.password import check_strength

CARDS = {f"8{one.rpps}": Path(f"{one.rpps}.p12") for player in CAST for one in player.holders}


def credentials() -> dict[str, Credentials]:
    return {player.identifier: Credentials(new_password(), f"SECRET{player.rpps}") for player in CAST}


def test_the_cast_can_be_enrolled():
    for player in CAST:
        assert parse_identifier(player.identifier) == player.identifier
        assert parse_profession(player.profession)
        assert parse_rpps(player.rpps) in {holder.rpps for holder in player.holders}
        assert all(parse_rpps(holder.rpps) and parse_label(holder.name, "holder") for holder in player.holders)
        assert parse_label(player.title, "title") == player.title
    assert len({player.identifier for player in CAST}) == len({player.role for player in CAST}) == 3
    assert len(PHARMACY.holders) == 2
    assert [player for player in CAST if player.leaked] == [LEAKED]


def test_passwords_are_fresh_readable_and_strong_enough():
    made = {new_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert re.fullmatch(r"[a-z]+-[a-z]+-[a-z]+-[0-9]{4}", password)
        check_strength(password, LEAKED.identifier)


def test_the_file_says_who_to_be(tmp_path):
    path, given = tmp_path / "demo" / "accounts.json", credentials()
    write_accounts(path, given, CARDS, "phrase")
    assert path.stat().st_mode & 0o777 == 0o600
    rows = json.loads(path.read_text())
    assert [row["identifier"] for row in rows] == [player.identifier for player in CAST]
    for row in rows:
        assert set(row) == {
            "identifier", "title", "profession", "password", "totp_secret", "rpps", "role", "mail", "note", "cards",
        }  # fmt: skip
    assert rows[0]["cards"][1] == {"holder": "Hugo Marchand", "file": "99700000005.p12", "passphrase": "phrase"}
    assert read_accounts(path) == given
    again = credentials()
    write_accounts(path, again, CARDS, "phrase")
    assert read_accounts(path) == again
    assert list(path.parent.iterdir()) == [path]


def test_an_account_without_credentials_writes_nothing(tmp_path):
    given = credentials()
    del given[LEAKED.identifier]
    with pytest.raises(KeyError):
        write_accounts(tmp_path / "accounts.json", given, CARDS, "phrase")
    assert list(tmp_path.iterdir()) == []


def test_secrets_do_not_show():
    assert "galet" not in repr(Credentials("galet", "GALET")).lower()
