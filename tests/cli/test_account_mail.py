# SPDX-License-Identifier: EUPL-1.2
"""`herse account create --mail` and `herse account mail` as they are typed, off line under the lock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.identity.at_rest import AtRest
from gateway.mail.outbox import Outbox
from gateway.settings import read_key
from support.off_line import CREATE, PHARMACY, account_command, accounts, kinds, settle


@pytest.fixture
def folder(tmp_path):
    return settle(tmp_path)


@pytest.fixture
def herse(folder):
    return account_command(folder)


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
