# SPDX-License-Identifier: EUPL-1.2
"""`herse agent` and `herse account release` as they are typed: off line, and through a running server."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime

import pyotp
import pytest

from gateway.identity import quarantine
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import open_database, writing
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE
from support.house import House
from support.warm import run

PHARMACY = "750012346"
PASSWORD = "cinq mots pour ouvrir la porte"


class Shell:
    """Types commands at the gateway of a house."""

    def __init__(self, house):
        self.house = house
        self.engine = open_database(house.accounts_file)
        at_rest = AtRest(read_key(house.folder / "keys" / AT_REST_KEY_FILE))
        self.accounts = Accounts(self.engine, at_rest)
        self.secrets = {}

    def herse(self, *words, typed=()):
        command = [sys.executable, "-m", "gateway.cli", *words, "--config", str(self.house.settings_file)]
        lines = "".join(f"{line}\n" for line in typed)
        return run(command, self.house.folder, typed=lines)

    def create(self, name):
        done = self.herse("agent", "create", name, typed=[PASSWORD])
        self.secrets[name] = re.search(r"secret: ([A-Z2-7]{32})\n", done.stdout)[1]
        return done

    def release(self, name, password=PASSWORD, code=None):
        typed = [password, code or pyotp.TOTP(self.secrets[name]).now()]
        return self.herse("account", "release", PHARMACY, "--agent", name, "--reason", "called back", typed=typed)

    def put_in_quarantine(self):
        with writing(self.engine) as connection:
            quarantine.begin(connection, PHARMACY, datetime.now(UTC))

    @property
    def quarantined(self):
        return self.accounts.find(PHARMACY).quarantined_at is not None

    def told(self):
        return [(str(one.event.kind), one.event.method, one.event.reason) for one in self.house.events(PHARMACY)]


@pytest.fixture
def shell(tmp_path):
    shell = Shell(House(tmp_path / "house", "http://127.0.0.1:9"))
    shell.accounts.create(PHARMACY, "Pharmacie du Port", "pharmacist", None, [], datetime.now(UTC))
    yield shell
    shell.engine.dispose()


def two_agents_agree(shell):
    for name in ("marie", "paul"):
        assert shell.create(name).returncode == 0
    shell.put_in_quarantine()
    invite = shell.herse("account", "invite", PHARMACY)
    assert (invite.returncode, "by two agents" in invite.stderr) == (1, True)
    first = shell.release("marie")
    assert (first.returncode, "Nothing is ended yet" in first.stdout) == (0, True)
    wrong = shell.release("paul", password="another password of words")
    assert (wrong.returncode, "is not right" in wrong.stderr) == (1, True)
    assert shell.quarantined
    second = shell.release("paul")
    assert (second.returncode, "Agents marie and paul agree" in second.stdout) == (0, True)
    assert not shell.quarantined
    code = re.search(r"^ {4}([A-Z2-7-]{29})$", second.stdout, re.MULTILINE)[1]
    assert shell.accounts.redeem_invitation(PHARMACY, code, datetime.now(UTC)).identifier == PHARMACY
    assert shell.told() == [
        ("release-asked", "agent marie", "called back"),
        ("quarantine-ended", "agents", "marie + paul: called back"),
        ("invited", None, None),
    ]


def test_off_line(shell):
    two_agents_agree(shell)


def test_through_a_running_server(shell):
    with shell.house.serve():
        two_agents_agree(shell)
        listed = shell.herse("agent", "list").stdout
        assert re.fullmatch(r"marie, since .*\npaul, since .*\n", listed)
        assert shell.herse("agent", "remove", "paul").returncode == 0
        gone = shell.release("paul")
        assert (gone.returncode, "is not right" in gone.stderr) == (1, True)


def test_what_is_wrong_is_said_and_changes_nothing(shell):
    assert "There is no agent" in shell.herse("agent", "list").stdout
    weak = shell.herse("agent", "create", "marie", typed=["court"])
    assert (weak.returncode, "guessed too quickly" in weak.stderr) == (1, True)
    none = shell.herse("agent", "create", "marie")
    assert (none.returncode, "no password of the new agent was typed" in none.stderr) == (1, True)
    assert shell.create("marie").returncode == 0
    again = shell.herse("agent", "create", "marie", typed=[PASSWORD])
    assert (again.returncode, "exists already" in again.stderr) == (1, True)
    free = shell.release("marie")
    assert (free.returncode, "is in no quarantine" in free.stderr) == (1, True)
    missing = shell.herse("agent", "remove", "nobody")
    assert (missing.returncode, "there is no agent 'nobody'" in missing.stderr) == (1, True)
    assert shell.told() == []


def test_the_same_agent_twice_ends_nothing(shell):
    shell.create("marie")
    shell.put_in_quarantine()
    assert shell.release("marie").returncode == 0
    used = shell.release("marie")
    assert (used.returncode, "used already" in used.stderr or "has agreed already" in used.stderr) == (1, True)
    assert shell.quarantined
