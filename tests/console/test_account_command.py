# SPDX-License-Identifier: EUPL-1.2
"""`herse account` as it is typed: off line under the lock, and through a running server."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.admin_socket import serve_admin
from gateway.identity import schema
from gateway.identity.database import writing
from gateway.ledger.lock import hold
from support.off_line import CREATE, PHARMACY, account_command, accounts, kinds, settle
from support.settings_file import LEAST


@pytest.fixture
def folder(tmp_path):
    return settle(tmp_path)


@pytest.fixture
def herse(folder):
    return account_command(folder)


def test_off_line_from_creation_to_unlock(herse, folder, capsys):
    assert herse(*CREATE, "--rpps", "10101010105", "--holder", "Anne Roux", "--holder", "Jean Petit,99700218896") == 0
    assert f"herse account invite {PHARMACY}" in capsys.readouterr().out
    assert herse("invite", "75 001 2346", "--valid-for", "12h") == 0
    code = re.search(r"^ +([A-Z2-7-]{29})$", capsys.readouterr().out, re.MULTILINE)[1]
    engine, ours = accounts(folder)
    assert ours.redeem_invitation(PHARMACY, code, datetime.now(UTC)).holders[1].rpps == "99700218896"
    assert herse("lock", PHARMACY, "--reason", "leaked") == 0
    assert ours.find(PHARMACY).locked
    assert herse("unlock", PHARMACY, "--reason", "called back") == 0
    assert not ours.find(PHARMACY).locked
    engine.dispose()
    assert kinds(folder) == [
        ("account-created", None),
        ("invited", None),
        ("account-locked", "leaked"),
        ("account-unlocked", "called back"),
    ]


def test_an_account_that_sleeps_is_woken_and_then_invited(herse, folder, capsys):
    assert herse(*CREATE) == 0
    assert herse("wake", PHARMACY, "--reason", "called back") == 1
    engine, _ = accounts(folder)
    with writing(engine) as connection:
        connection.execute(schema.account.update().values(created_at=datetime.now(UTC) - timedelta(days=184)))
    engine.dispose()
    assert herse("invite", PHARMACY) == 1
    assert f"herse account wake {PHARMACY}" in capsys.readouterr().err
    assert herse("wake", PHARMACY, "--reason", "called back") == 0
    assert f"Account {PHARMACY} is awake" in capsys.readouterr().out
    assert herse("invite", PHARMACY) == 0
    assert kinds(folder)[1:] == [("account-woken", "called back"), ("invited", None)]


def test_a_refusal_is_a_sentence_and_exit_1(herse, folder, capsys):
    assert herse(*CREATE) == 0
    assert herse(*CREATE) == 1
    assert "exists already" in capsys.readouterr().err
    assert herse("lock", "NOBODY", "--reason", "x") == 1
    assert "there is no account NOBODY" in capsys.readouterr().err
    assert len(kinds(folder)) == 1


def test_no_state_and_no_settings_are_exit_2(herse, folder, capsys):
    assert herse("lock", PHARMACY, "--reason", "x") == 2
    assert "no database of accounts" in capsys.readouterr().err
    assert herse(*CREATE) == 0
    (folder / "state" / "accounts.db").rename(folder / "elsewhere")
    assert herse(*CREATE) == 2  # a lost database is never replaced by an empty one
    assert "no database of accounts" in capsys.readouterr().err
    (folder / "keys" / "at-rest.key").unlink()
    assert herse("lock", PHARMACY, "--reason", "x") == 2
    assert "at-rest.key" in capsys.readouterr().err
    (folder / "herse.toml").write_text("x = 1")
    assert herse(*CREATE) == 2


def test_the_first_account_makes_the_state_for_its_own_user_alone(herse, folder, capsys):
    (folder / "state").rmdir()
    assert herse("lock", PHARMACY, "--reason", "x") == 2
    assert "the first `herse account create` makes it" in capsys.readouterr().err
    assert not (folder / "state").exists()
    assert herse(*CREATE) == 0
    assert (folder / "state").stat().st_mode & 0o777 == 0o700
    (folder / "herse.toml").write_text(LEAST.replace('"state"', '"not/there"'))
    assert herse(*CREATE) == 2
    assert "not/there cannot be made (No such file or directory)" in capsys.readouterr().err


def test_a_state_in_use_without_a_socket_is_exit_2(herse, folder, capsys):
    lock = hold(folder / "state")
    try:
        assert herse(*CREATE) == 2
    finally:
        lock.close()
    assert "in use by another Herse" in capsys.readouterr().err
    assert not (folder / "state" / "accounts.db").exists()


@pytest.mark.parametrize("time", ["", "7", "0d", "-1d", "7w", "31d", "1d ", "\u0667d"])
def test_a_time_is_a_number_and_a_unit(herse, time, capsys):
    with pytest.raises(SystemExit):
        herse("invite", PHARMACY, f"--valid-for={time}")
    assert "--valid-for: found" in capsys.readouterr().err


def test_through_a_running_server(herse, folder, capsys):
    asked = []

    def handler(name, result):
        def answer(arguments):
            asked.append((name, arguments))
            return {"identifier": PHARMACY, **result}

        return answer

    handlers = {
        "account.create": handler("create", {}),
        "account.invite": handler("invite", {"code": "ABCD", "valid_until": "2026-11-29T08:00:00+00:00"}),
        "account.lock": handler("lock", {"sessions_ended": 3}),
        "account.unlock": handler("unlock", {}),
    }

    def work():
        return [
            herse(*CREATE),
            herse("invite", PHARMACY),
            herse("lock", PHARMACY, "--reason", "leaked"),
            herse("unlock", PHARMACY, "--reason", "x"),
        ]

    async def walk():
        listening = await serve_admin(folder / "state" / "admin.sock", handlers)
        try:
            return await asyncio.to_thread(work)
        finally:
            await listening.close()

    assert asyncio.run(walk()) == [0, 0, 0, 0]
    out = capsys.readouterr().out
    assert "ABCD" in out
    assert "sessions ended: 3" in out
    assert asked == [
        (
            "create",
            {
                "identifier": PHARMACY,
                "title": "Pharmacie du Port",
                "profession": "pharmacist",
                "rpps": None,
                "holders": [],
                "mail": None,
            },
        ),
        ("invite", {"identifier": PHARMACY, "valid_for_seconds": 7 * 86_400}),
        ("lock", {"identifier": PHARMACY, "reason": "leaked"}),
        ("unlock", {"identifier": PHARMACY, "reason": "x"}),
    ]
    assert not (folder / "state" / "accounts.db").exists()


def test_a_campaign_off_line_and_its_status(herse, folder, capsys):
    assert herse(*CREATE) == 0
    engine, ours = accounts(folder)
    ours.set_password(PHARMACY, "$argon2id$", datetime.now(UTC))
    engine.dispose()
    assert herse("password-campaign", "--status") == 0
    assert "No new password" in capsys.readouterr().out
    assert herse("password-campaign", "--account", PHARMACY, "--reason", "leak") == 0
    assert "new password: 1 " in capsys.readouterr().out
    assert herse("password-campaign", "--all", "--reason", "leak") == 0
    assert "new password: 0 " in capsys.readouterr().out
    assert herse("password-campaign", "--status") == 0
    assert "waiting: 1, changed: 0 (leak)" in capsys.readouterr().out
    assert kinds(folder)[-1] == ("password-change-asked", "leak")
    assert herse("password-campaign", "--account", "NOBODY", "--reason", "leak") == 1


def test_a_campaign_needs_a_reason_and_a_status_takes_none(herse, capsys):
    assert herse("password-campaign", "--all") == 2
    assert herse("password-campaign", "--status", "--reason", "x") == 2
    assert "--reason" in capsys.readouterr().err
    for words in (["--all", "--account", PHARMACY], []):
        with pytest.raises(SystemExit):
            herse("password-campaign", *words, "--reason", "x")


def test_a_list_of_breached_passwords_is_imported_and_told(herse, folder, capsys):
    assert herse("breached", "status") == 0
    assert "No list is imported" in capsys.readouterr().out
    (folder / "list.txt").write_text("0" * 40 + ":3\n" + "F" * 40 + ":1\n")
    assert herse("breached", "import", str(folder / "list.txt")) == 0
    told = capsys.readouterr()
    assert "2 breached passwords are in force" in told.out
    assert told.err == ""  # the bar is for a terminal
    assert herse("breached", "status") == 0
    assert "UTC: 2 passwords, 0.5 MB" in capsys.readouterr().out
    (folder / "list.txt").write_text("123456\n")
    assert herse("breached", "import", str(folder / "list.txt")) == 1
    assert "line 1 of the list is no hash" in capsys.readouterr().err
    (folder / "state" / "breached.bin").write_bytes(b"damaged")
    assert herse("breached", "status") == 2
    assert "Import it anew" in capsys.readouterr().err
    (folder / "state" / "breached.bin").unlink()
    (folder / "state").rename(folder / "elsewhere")
    assert herse("breached", "status") == 2


def terminal_text(handle):
    """What is written to a terminal until its other side is closed, which reads as an error."""
    try:
        while piece := os.read(handle, 4096):
            yield piece.decode()
    except OSError:
        os.close(handle)


def test_on_a_terminal_an_import_shows_how_far_it_is(herse, folder):
    (folder / "list.txt").write_text("0" * 40 + ":3\n")
    words = ["account", "breached", "import", str(folder / "list.txt"), "--config", str(folder / "herse.toml")]
    ours, theirs = os.openpty()
    run = [sys.executable, "-m", "gateway.cli", *words]
    importing = subprocess.Popen(run, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = "".join(terminal_text(ours))
    assert importing.wait() == 0
    assert "80%" in shown
    assert "[########################################] 100%" in shown
