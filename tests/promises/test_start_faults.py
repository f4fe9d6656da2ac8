# SPDX-License-Identifier: EUPL-1.2
"""What keeps a gateway from starting is told in one go, exit 2, before its port serves; and a policy changed while it
serves (promise 9: a bad one never replaces one that works).
"""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import pytest

from gateway.model import Level
from support.house import House
from support.link import Link
from support.lookups import CASES, WIDE, lookup_policy
from support.servers import LOOPBACK, free_port, wait_until
from support.warm import run

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Process

pytestmark = pytest.mark.system


def house_in(folder: Path, **more) -> House:
    return House(folder / "gateway", f"http://{LOOPBACK}:{free_port()}", lookup_policy(), CASES, **more)


@pytest.fixture
def house(tmp_path) -> House:
    return house_in(tmp_path)


def refused(house: House) -> str:
    """What a start that must fail says: exit 2, no traceback, a sentence that begins with the command's name."""
    return as_told(house, run(house.serve().command, house.folder))


def as_told(house: House, done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout == ""
    said = "".join(line for line in done.stderr.splitlines(keepends=True) if not line.startswith("{"))  # less the log
    assert said.startswith("herse: "), done.stderr
    with socket.socket() as probe:
        assert probe.connect_ex((LOOPBACK, house.port)) != 0 or "in use" in said, "it listens all the same"
    return said


def test_a_house_without_a_fault_starts(house):
    """Else the refusals below would prove nothing. Started as by hand: what it imports says nothing either."""
    with house.serve(environment={"PYTHONWARNINGS": "default"}) as gateway:
        assert gateway.stop() == 0
    said = gateway.log.read_text(encoding="utf-8").splitlines()
    assert [line for line in said if not line.startswith("{")] == []


def test_a_start_by_hand_tells_a_fault_in_the_same_way(house):
    """The refusals below are of commands whose imports were done before."""
    house.policy_file.unlink()
    command, told = house.serve().command, refused(house)
    done = subprocess.run(command, cwd=house.folder, capture_output=True, text=True, timeout=120, check=False)
    assert as_told(house, done) == told


def test_a_broken_policy_tells_all_its_faults_at_once(house):
    broken = lookup_policy().replace("assurance: password", "assurance: passwort").replace("past: deny", "past: maybe")
    house.policy_file.write_text(broken + "surprise: 1\n", encoding="utf-8")
    said = refused(house).splitlines()
    assert len(said) == 3
    for fault in ("passwort", "maybe", "surprise"):
        line = next(line for line in said if fault in line)
        assert "policy.yaml:" in line
        assert "found" in line
        assert "expected" in line


def test_a_policy_that_is_no_yaml_and_one_that_is_not_there_are_told(house):
    house.policy_file.write_text("version: [1", encoding="utf-8")
    assert "policy.yaml" in refused(house)
    house.policy_file.unlink()
    assert "No such file" in refused(house)


def test_a_policy_whose_cases_fail_is_told_by_the_name_of_the_case(house):
    text = CASES.replace("expect: challenge", "expect: permit")
    house.policy_file.with_suffix(".cases.yaml").write_text(text, encoding="utf-8")
    assert "nobody looks up before he signed in" in refused(house)


def test_unknown_settings_and_wrong_ones_are_told_at_once(house):
    text = house.settings_file.read_text(encoding="utf-8")
    text = text.replace("[portal]", "[portal]\nretries = 3\nhead_seconds = '5'") + "[surprise]\nx = 1\n"
    house.settings_file.write_text(text, encoding="utf-8")
    said = refused(house)
    for key in ("portal.retries", "portal.head_seconds", "surprise"):
        assert key in said


@pytest.mark.parametrize(
    ("which", "table", "column"),
    [("ledger_file", "alembic_version", "version_num"), ("accounts_file", "meta", "schema_version")],
)
def test_a_database_of_a_newer_version_is_left_alone(house, which, table, column):
    path = getattr(house, which)
    connection = sqlite3.connect(path)
    connection.execute(f"update {table} set {column} = {column} + 1000")
    ((newer,),) = connection.execute(f"select {column} from {table}").fetchall()
    connection.commit()
    connection.close()
    said = refused(house)
    assert path.name in said
    assert "newer" in said
    assert f"version {newer}" in said


@pytest.mark.parametrize("which", ["ledger_file", "accounts_file"])
def test_a_missing_and_a_damaged_database_are_told(house, which):
    path = getattr(house, which)
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    assert path.name in refused(house)
    path.unlink()
    assert path.name in refused(house)
    assert not path.exists(), "an opener that creates would hide a lost ledger"


def test_a_port_in_use_is_told(house):
    with socket.socket() as taken:
        taken.bind((LOOPBACK, house.port))
        taken.listen()
        said = refused(house)
    assert f"{LOOPBACK}:{house.port}: Address already in use" in said
    assert len(said.splitlines()) == 1


def test_a_certificate_that_cannot_be_used_is_told(tmp_path):
    house = house_in(tmp_path, tls=True)
    certificate = house.folder / "certs" / "server.pem"
    certificate.write_text("nothing of the kind\n", encoding="ascii")
    assert "server.pem" in refused(house)
    certificate.unlink()
    said = refused(house)
    assert "server.pem: No such file" in said
    assert len(said.splitlines()) == 1


def test_L3_a_state_folder_held_by_another_server_is_told_with_its_process(house):
    text = house.settings_file.read_text(encoding="utf-8")
    port = free_port()
    second = house.folder / "second.toml"
    second.write_text(text.replace(f":{house.port}", f":{port}"), encoding="utf-8")
    with house.serve() as gateway:
        command = [str(second) if word == str(house.settings_file) else word for word in gateway.command]
        done = run(command, house.folder)
        assert done.returncode == 2
        assert "another Herse" in done.stderr
        assert str(gateway.pid) in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert gateway.returncode is None
        gateway.kill()
    with house.serve() as gateway:  # the lock is free again after its holder, even a killed one
        assert gateway.returncode is None


def test_a_key_that_others_can_read_is_told(house):
    key = house.folder / "keys" / "pseudonym.key"
    key.chmod(0o644)
    said = refused(house)
    assert "pseudonym.key" in said
    assert "0600" in said
    assert key.read_text(encoding="ascii").strip() not in said


@pytest.mark.parametrize("content", [None, "", "-----BEGIN HERSE ENCRYPTED OFFICER KEY-----\nAQ==\n", "\xe9"])
def test_a_gateway_without_the_officer_s_public_key_does_not_start(house, content):
    key = house.folder / "keys" / "officer.pub"
    key.unlink()
    if content is not None:
        key.write_text(content, encoding="latin-1")
    said = refused(house)
    assert "officer.pub" in said
    assert "herse ledger keygen" in said


# ---- a policy changed while serving

OPEN_ACCUEIL = "assurance: password"
CLOSED_ACCUEIL = "assurance: card"
HOME = b"GET /accueil HTTP/1.1\r\naccept: application/json\r\n"
PERMITTED, CARD = 502, 401  # there is no portal behind: a permit is told by 502


def told(gateway: Process, event: str) -> list[dict[str, str]]:
    """The lines of this event in the log."""
    lines = (line for line in gateway.output().splitlines() if line.startswith("{"))
    return [line for line in map(json.loads, lines) if line["event"] == event]


def change(house: House, gateway: Process, event: str, policy: str, cases: str = CASES) -> dict[str, str]:
    """Write a policy and its cases, and wait at most 3 s for what the log says to it."""
    before = len(told(gateway, event))
    house.policy_file.with_suffix(".cases.yaml").write_text(cases, encoding="utf-8")
    house.policy_file.write_text(policy, encoding="utf-8")
    wait_until(f"{event} in the log", lambda: len(told(gateway, event)) > before, 3)
    return told(gateway, event)[-1]


def test_promise_9_a_changed_policy_is_in_force_within_seconds_and_a_bad_one_never(house):
    good = lookup_policy()
    strict = good.replace(OPEN_ACCUEIL, CLOSED_ACCUEIL)
    cookie = house.sign_in(level=Level.PASSWORD)
    with house.serve() as gateway, Link(house.port, cookie) as link:
        assert link.ask(HOME).status == PERMITTED
        in_force = change(house, gateway, "policy-in-force", strict)
        assert link.ask(HOME).status == CARD
        bad = good.replace(WIDE, "{people: 0, window: 24h, past: deny}") + "surprise: 1\n"
        refusal = change(house, gateway, "policy-refused", bad)
        assert refusal["in_force"] == in_force["digest"]
        assert "surprise" in refusal["faults"]
        assert "people" in refusal["faults"]
        assert "policy.yaml:" in refusal["faults"]
        assert link.ask(HOME).status == CARD, "a bad file replaces nothing"
        failing = CASES.replace("expect: challenge", "expect: deny")
        refusal = change(house, gateway, "policy-refused", good, failing)
        assert "nobody looks up before he signed in" in refusal["faults"]
        assert link.ask(HOME).status == CARD, "nor does one whose cases fail"
        house.policy_file.unlink()
        wait_until("the missing file told", lambda: "No such file" in told(gateway, "policy-refused")[-1]["faults"], 3)
        assert link.ask(HOME).status == CARD
        assert change(house, gateway, "policy-in-force", good)["before"] == in_force["digest"]
        assert link.ask(HOME).status == PERMITTED
        assert link.connections == 1, "no connection is dropped over it"
