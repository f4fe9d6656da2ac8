# SPDX-License-Identifier: EUPL-1.2
"""Promise 8, through a whole gateway and by the commands that an auditor types: what was signed stays what it was."""

from __future__ import annotations

import itertools
import json
import shutil
import sqlite3
import sys
import time

import pytest

from gateway.ledger.note_file import notes_in
from support.lookups import Demo, Load, people
from support.servers import wait_until
from support.warm import run

pytestmark = pytest.mark.system

LOOKUPS = 300
WHY = ("--reason", "an audit")


class Audit:
    """A gateway that was killed in the middle of its work and served once more; its checkpoints were kept outside."""

    def __init__(self, folder):
        self.folder = folder
        self.kept = folder / "kept.txt"
        ledger = {"checkpoints": [f"file:{self.kept}"], "checkpoint_seconds": 1.0}
        self.demo = Demo(folder, settings={"ledger": ledger})
        load = Load(self.demo, [("750012346", self.demo.house.sign_in("750012346"))] * 3, people(8))
        with self.demo.portal:
            with self.demo.house.serve() as gateway:
                load.start()
                wait_until("enough look-ups", lambda: load.statuses[200] >= LOOKUPS)
                wait_until("a checkpoint outside", lambda: self.kept.exists() and self.kept.stat().st_size > 0)
                gateway.kill()
                load.stop()
            with self.demo.house.serve():
                before = self.kept.stat().st_size
                wait_until("another checkpoint outside", lambda: self.kept.stat().st_size > before)
        self.config = self.demo.house.settings_file
        self.key = self.run("key", "--config", self.config).stdout.strip()

    def run(self, act, *words):
        command = [sys.executable, "-m", "gateway.cli", "ledger", act, *map(str, words)]
        return run(command, self.folder, seconds=120)

    def verify(self, file):
        return self.run("verify", "--file", file, "--key", self.key, "--checkpoint", self.kept)

    def copy(self, name, *statements):
        """A copy of the ledger with a hand in it."""
        copy = self.folder / f"{name}.db"
        if not copy.exists():
            with sqlite3.connect(self.demo.house.ledger_file) as source, sqlite3.connect(copy) as target:
                source.backup(target)
            source.close()
            target.close()
        with sqlite3.connect(copy) as changing:
            for statement in statements:
                assert changing.execute(statement).rowcount != 0
        changing.close()
        return copy


@pytest.fixture(scope="module")
def audit(tmp_path_factory):
    return Audit(tmp_path_factory.mktemp("audit"))


def test_what_a_killed_gateway_left_is_what_was_signed(audit):
    done = audit.run("verify", "--config", audit.config, "--checkpoint", audit.kept)
    assert done.returncode == 0, done.stderr
    assert "is what was signed" in done.stdout
    notes = notes_in(audit.kept.read_text(encoding="utf-8"), "kept")
    assert f"{len(notes)} checkpoints kept outside agree" in done.stdout
    assert len(notes) >= 2


def test_it_is_signed_at_least_every_second_under_load(tmp_path):
    demo = Demo(tmp_path)
    load = Load(demo, [("750012346", demo.house.sign_in("750012346"))] * 3, people(8))
    heads = set()
    with demo.portal, demo.house.serve():
        load.start()
        wait_until("the first look-ups", lambda: load.statuses[200] >= 20)
        reading = sqlite3.connect(f"file:{demo.house.ledger_file}?mode=ro", uri=True)
        begun = time.monotonic()
        while time.monotonic() - begun < 5:
            heads.update(reading.execute("select size, at from head"))
            time.sleep(0.05)
        reading.close()
        load.stop()
    times = sorted(at for _, at in heads)
    assert len(times) >= 5
    gaps = [(later - earlier) / 1e6 for earlier, later in itertools.pairwise(times)]
    assert sorted(gaps)[len(gaps) // 2] < 1.0


def test_a_copy_needs_no_key_of_the_gateway(audit):
    done = audit.verify(audit.copy("sound"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "statement", "told"),
    [
        ("changed", "update event set account = '750012347' where sequence = 40", "sequence 40"),
        ("sealed", "update event set sealed = zeroblob(45) where sequence = 41", "sequence 41"),
        ("dropped", "delete from event where sequence = 42", "sequence 42"),
        ("cut", "delete from event where sequence > 200", "cut"),
        ("key", "delete from event where kind = 'data-key'", "missing"),
        ("tile", "update tile set hashes = zeroblob(length(hashes)) where level = 0 and place = 0", "tile"),
    ],
)
def test_what_was_changed_is_named(audit, name, statement, told):
    done = audit.verify(audit.copy(name, statement))
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_older_copy_that_is_put_back_is_named(audit, tmp_path):
    notes = notes_in(audit.kept.read_text(encoding="utf-8"), "kept")
    first = int(notes[0].splitlines()[1])
    copy = audit.copy("older", f"delete from event where sequence > {first}")
    with sqlite3.connect(copy) as changing:
        changing.execute("update head set size = ?, last_sequence = ?, note = ?", (first, first, notes[0]))
    changing.close()
    done = audit.verify(copy)
    assert done.returncode == 1
    assert "an older copy was put back, or the tail was cut" in done.stderr


def test_another_key_s_signature_is_refused(audit, tmp_path):
    name, rest = audit.key.split("+", 1)
    other = Demo(tmp_path, settings={"ledger": {"origin": name}})
    foreign = audit.run("key", "--config", other.house.settings_file).stdout.strip()
    assert foreign.split("+", 1)[0] == name
    assert foreign.split("+", 1)[1] != rest
    done = audit.run("verify", "--file", audit.copy("sound"), "--key", foreign)
    assert done.returncode == 1
    assert "key" in done.stderr


def test_an_export_is_verified_without_the_database(audit, tmp_path):
    done = audit.run("export", "--config", audit.config, *WHY, "--out", tmp_path / "leaves.jsonl")
    assert done.returncode == 0, done.stderr
    words = ("--key", audit.key, "--checkpoint", audit.kept)
    assert audit.run("verify", "--export", tmp_path / "leaves.jsonl", *words).returncode == 0
    lines = (tmp_path / "leaves.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "leaves.jsonl").write_bytes(b"".join(lines[:10] + lines[11:]))
    done = audit.run("verify", "--export", tmp_path / "leaves.jsonl", *words)
    assert done.returncode == 1
    again = audit.run("export", "--config", audit.config, *WHY, "--out", tmp_path / "leaves.jsonl")
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_one_event_is_proved_to_somebody_with_the_public_key_alone(audit, tmp_path):
    proof = tmp_path / "proof.json"
    assert audit.run("prove", "--config", audit.config, *WHY, "--event", 77, "--out", proof).returncode == 0
    done = audit.run("check", proof, "--key", audit.key)
    assert done.returncode == 0, done.stderr
    assert "event 77 is leaf 76" in done.stdout
    changed = json.loads(proof.read_text(encoding="utf-8"))
    changed["line"] = changed["line"].replace("750012346", "750012347")
    proof.write_text(json.dumps(changed, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    assert audit.run("check", proof, "--key", audit.key).returncode == 1


def test_the_ledger_is_proved_to_go_on_from_an_older_checkpoint(audit, tmp_path):
    older, proof = tmp_path / "older.txt", tmp_path / "proof.json"
    older.write_text(notes_in(audit.kept.read_text(encoding="utf-8"), "kept")[0], encoding="utf-8")
    done = audit.run("prove", "--config", audit.config, "--since", older, "--out", proof)
    assert done.returncode == 0, done.stderr
    assert "goes on from the older checkpoint" in audit.run("check", proof, "--key", audit.key).stdout


@pytest.mark.parametrize("number", [0, 10_000_000])
def test_an_event_that_is_not_there_is_told(audit, tmp_path, number):
    done = audit.run("prove", "--config", audit.config, *WHY, "--event", number, "--out", tmp_path / "proof.json")
    assert done.returncode == 1
    assert f"event {number} is not there" in done.stderr
    assert not (tmp_path / "proof.json").exists()


def test_a_gateway_does_not_start_over_a_tree_that_was_changed(audit, tmp_path):
    house = Demo(tmp_path).house
    with house.serve():
        pass
    shutil.copy(audit.copy("sound"), house.ledger_file)
    for suffix in ("-wal", "-shm"):
        house.ledger_file.with_name(house.ledger_file.name + suffix).unlink(missing_ok=True)
    done = run(house.serve().command, tmp_path)
    assert done.returncode == 2
    assert "the ledger cannot be sealed" in done.stderr
