# SPDX-License-Identifier: EUPL-1.2
"""No record, no answer: each command that reads people's events, where the record cannot be written, shows none of
them and makes no file.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from gateway.cli.main import main
from gateway.incident.incident import Act, Incident
from gateway.incident.kept import INCIDENTS_FOLDER, Incidents
from gateway.ledger.lock import hold
from gateway.ledger.note import SigningKey
from gateway.ledger.sealer import Sealer
from gateway.ledger.tree_rows import open_tree_store
from gateway.state_files import LEDGER_FILE
from support.incident_rows import NOON, add_to_ledger, looked_up
from support.off_line import CREATE, PHARMACY, account_command, settle

WHY = ("--reason", "a test")
READS = {
    "incident exposed": ("incident", "exposed", "{incident}"),
    "incident export": ("incident", "export", "{incident}", "--out", "{out}.jsonl"),
    "incident notify": ("incident", "notify", "{incident}", "--out", "{out}"),
    "ledger export": ("ledger", "export", "--out", "{out}", *WHY),
    "ledger prove": ("ledger", "prove", "--event", "3", "--out", "{out}", *WHY),
    "ledger trace": ("ledger", "trace", PHARMACY, "--from", "2026-11-20", *WHY),
    "ledger trace to a file": ("ledger", "trace", PHARMACY, "--from", "2026-11-20", *WHY, "--out", "{out}.csv"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A ledger with look-ups, signed, and an incident about them."""
    folder = settle(tmp_path_factory.mktemp("asked"))
    assert account_command(folder)(*CREATE) == 0
    ledger = folder / "state" / LEDGER_FILE
    add_to_ledger(ledger, [looked_up(place, place, PHARMACY) for place in range(5)])
    with closing(open_tree_store(ledger)) as store:
        Sealer(store, SigningKey("portail.example/ledger", bytes(32))).seal(datetime.now(UTC), timedelta(seconds=1))
    act = Act(NOON, "alice", "opened", "a call")
    made = Incidents(folder / "state" / INCIDENTS_FOLDER).open(
        NOON,
        lambda number: Incident(
            number, NOON, NOON, "alice", "a call", (PHARMACY,), NOON, NOON + timedelta(days=1), acts=(act,)
        ),
    )
    (folder / "incident").write_text(made.id)
    return folder


def words(folder, out, name):
    filled = (word.format(incident=(folder / "incident").read_text(), out=out) for word in READS[name])
    return [*filled, "--config", str(folder / "herse.toml")]


@pytest.mark.parametrize("name", READS)
def test_no_record_no_answer(folder, tmp_path, capsys, name):
    with hold(folder / "state"):
        assert main(words(folder, tmp_path / "out", name)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "in use by another Herse" in shown.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", READS)
def test_each_of_them_answers_else(folder, tmp_path, name):
    """Or the refusals above would prove nothing."""
    assert main(words(folder, tmp_path / "out", name)) == 0


@pytest.mark.parametrize("name", ["ledger export", "ledger prove"])
def test_a_gateway_s_own_ledger_asks_for_a_reason_and_is_no_copy(folder, tmp_path, capsys, name):
    asked = [word for word in words(folder, tmp_path / "out", name) if word not in WHY]
    assert main(asked) == 2
    assert "--reason goes with --config" in capsys.readouterr().err
    assert main([*asked[:-2], "--file", str(folder / "state" / LEDGER_FILE)]) == 2
    assert "is the ledger of a gateway" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
