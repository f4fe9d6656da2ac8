# SPDX-License-Identifier: EUPL-1.2
"""An incident begins with an alert, or with what a professional reports; its drafts carry proofs of what was there."""

from __future__ import annotations

import hashlib
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta

from gateway.cli.main import main
from gateway.ledger.exposure import open_exposure
from gateway.ledger.note import SigningKey
from gateway.ledger.sealer import Sealer
from gateway.ledger.tree_rows import open_tree_store
from gateway.model import AlertReason, Event, EventKind
from gateway.state_files import LEDGER_FILE, LEDGER_KEY_FILE
from support.bad_day import OTHER
from support.incident_rows import NOON, add_to_ledger
from support.off_line import PHARMACY, account_command, kinds


def test_an_incident_begins_with_an_alert(herse, folder):
    alert = Event(EventKind.ALERTED, PHARMACY, NOON.replace(hour=13), session="s1", reason=AlertReason.RISK_HIGH)
    add_to_ledger(folder / "state" / LEDGER_FILE, [alert, alert._replace(session=None, account=OTHER)])
    reader = open_exposure(folder / "state" / LEDGER_FILE)
    last = next(place for place in range(40, 0, -1) if reader.event(place) is not None)
    reader.close()
    code, said = herse("open", "--from-alert", last - 1, "--to", "2026-11-21", "--reason", "alert")
    assert code == 0
    assert f"accounts      {PHARMACY}\n" in said
    assert "interval      2026-11-20T12:01:00Z" in said  # the session's first event
    assert f"event {last - 1} of the ledger" in said
    code, said = herse("open", "--from-report", last, "--account", PHARMACY, "--reason", "report", "--to", "2026-11-21")
    assert code == 0
    assert f"accounts      {OTHER}, {PHARMACY}\n" in said
    assert "interval      2026-11-19T13:00:00Z" in said  # a day before, since there was no session
    code, said = herse("open", "--from-alert", last - 2, "--reason", "x")
    assert (code, f"event {last - 2} is lookup, and no alert" in said) == (1, True)
    for missing in (999, 3):  # 3: of a data key, which is nobody's
        code, said = herse("open", "--from-report", missing, "--reason", "x")
        assert (code, f"the ledger has no event {missing} of an account" in said) == (1, True)


def test_an_incident_begins_with_what_a_professional_reports(herse, folder, capsys):
    account = account_command(folder)
    with closing(open_exposure(folder / "state" / LEDGER_FILE)) as reader:
        looked = [one for one in range(1, 60) if _kind(reader, one) == (EventKind.LOOKUP, PHARMACY)]
    assert account("report", PHARMACY, "--event", str(looked[5]), "--reason", "that was not me") == 0
    number = re.search(r"on record as event (\d+)", capsys.readouterr().out)[1]
    assert kinds(folder)[-1] == ("reported", "that was not me")
    code, said = herse("open", "--from-report", number, "--reason", "report", "--freeze")
    assert (code, f"began with    event {number} of the ledger" in said) == (0, True)
    assert f"locked by it  {PHARMACY}" in said
    assert "interval      2026-11-20T12:01:00Z" in said, "where the session of that look-up began"
    assert account("report", PHARMACY, "--reason", "by telephone") == 0
    bare = re.search(r"on record as event (\d+)", capsys.readouterr().out)[1]
    code, said = herse("open", "--from-report", bare, "--reason", "report")
    assert (code, "Incident" in said) == (0, True)
    assert account("report", OTHER, "--event", str(looked[5]), "--reason", "x") == 1
    assert "is not one of account" in capsys.readouterr().err
    assert account("report", "NOBODY", "--reason", "x") == 1


def _kind(reader, sequence):
    found = reader.event(sequence)
    return None if found is None else (found.event.kind, found.event.account)


def test_the_complaint_carries_proofs_that_anybody_checks(herse, folder, opened, capsys):
    key = SigningKey("portail.example/ledger", bytes(range(32)))
    (folder / "keys" / LEDGER_KEY_FILE).touch(mode=0o600)
    (folder / "keys" / LEDGER_KEY_FILE).write_text(bytes(range(32)).hex() + "\n")
    with closing(open_tree_store(folder / "state" / LEDGER_FILE)) as store:
        Sealer(store, key).seal(datetime.now(UTC), timedelta(seconds=9))
    code, said = herse("notify", opened, "--out", folder / "drafts")
    assert (code, "7-plainte-preuves/LISEZ-MOI.txt" in said) == (0, True)
    proofs, verifier = folder / "drafts" / "7-plainte-preuves", key.verifier().text()
    complaint = (folder / "drafts" / "7-plainte.txt").read_text("utf-8")
    for name in ("leaves.txt", "hashes.txt", "checkpoint.txt"):
        assert hashlib.sha256((proofs / name).read_bytes()).hexdigest() in complaint
    check = ["ledger", "check", str(proofs), "--key", verifier]
    assert main(check) == 0
    assert "Proved: 3" in capsys.readouterr().out
    line = (proofs / "leaves.txt").read_bytes()
    (proofs / "leaves.txt").write_bytes(line.replace(b"infopatient", b"infopatienT", 1))
    assert main(check) == 1
    assert "expected" in capsys.readouterr().err
    (proofs / "hashes.txt").unlink()
    assert main(check) == 2
    assert "expected the folder that herse incident notify made" in capsys.readouterr().err


def test_drafts_do_not_wait_for_a_ledger_that_proves_nothing(herse, folder, opened):
    assert herse("notify", opened, "--out", folder / "drafts")[0] == 0
    text = (folder / "drafts" / "7-plainte.txt").read_text("utf-8")
    assert "[À COMPLÉTER\u00a0: les joindre\u00a0; elles manquent ici\u00a0: " in text
    assert LEDGER_KEY_FILE in text
    assert not [path for path in (folder / "drafts").iterdir() if path.is_dir()]
