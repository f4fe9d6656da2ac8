# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger retention`: what it tells, what it deletes off line, and what it refuses."""

from __future__ import annotations

import argparse
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.cli.ledger import add_parser
from gateway.errors import StartError
from gateway.identity.database import create_database
from gateway.ledger.sealer import Sealer
from gateway.ledger.store import create_ledger, open_ledger
from gateway.ledger.tree_rows import open_tree_store
from gateway.ledger_key import signing_key
from gateway.model import EventKind
from gateway.settings import load_settings
from support.keeping_rows import an_event
from support.off_line import settle
from support.servers import wait_until
from support.sources import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A gateway with five sign-ins whose time is over, and one of today, all sealed."""
    settle(tmp_path)
    for name in ("yaml", "cases.yaml"):
        (tmp_path / f"policy.{name}").write_text((ROOT / "policies" / f"demo.{name}").read_text(encoding="utf-8"))
    key = tmp_path / "keys" / "ledger.key"
    key.touch(mode=0o600)
    key.write_text("1e" * 32 + "\n")
    create_database(tmp_path / "state" / "accounts.db").dispose()
    path = tmp_path / "state" / "ledger.db"
    create_ledger(path)
    now = datetime.now(UTC)
    with closing(open_ledger(path)) as ledger:
        ledger.append_now([an_event(EventKind.SIGN_IN, now - timedelta(days=400)) for _ in range(5)])
        ledger.append_now([an_event(EventKind.SIGN_IN, now)])
    with closing(open_tree_store(path)) as store:
        Sealer(store, signing_key(load_settings(tmp_path / "herse.toml"))).seal(now, timedelta(seconds=1))
    return tmp_path


def there(folder: Path) -> tuple[int, int]:
    """How many sign-ins there are, and how many deletions were told."""
    with closing(sqlite3.connect(folder / "state" / "ledger.db")) as other:
        kinds = dict(other.execute("select kind, count(*) from event group by kind"))
    return kinds.get("sign-in", 0), kinds.get("events-deleted", 0)


@pytest.fixture
def typed(folder: Path) -> Callable[..., int]:
    parser = argparse.ArgumentParser(prog="herse")
    add_parser(parser.add_subparsers(required=True))

    def run(*words: str) -> int:
        arguments = parser.parse_args(["ledger", *words, "--config", str(folder / "herse.toml")])
        code: int = arguments.run(arguments)
        return code

    return run


def test_it_tells_what_is_kept_how_long_and_what_would_go(typed, capsys):
    assert typed("retention") == 0
    told = capsys.readouterr().out
    assert "security     12 months, from " in told
    assert "5 would go now" in told
    assert "disclosures  36 months, from " in told
    assert told.count("nothing would go now") == 2
    assert "for ever: events that tell of deletions" in told


def test_what_is_due_goes_at_once_and_the_ledger_is_what_was_signed(typed, capsys):
    assert typed("retention", "--now", "--reason", "room on the disk") == 0
    assert "Deleted: 5 of security." in capsys.readouterr().out
    assert typed("verify") == 0
    assert "5 rows are gone, their time being over, as 1 events of the ledger tell" in capsys.readouterr().out
    assert typed("retention", "--now", "--reason", "once more") == 0
    assert "Deleted: none was due" in capsys.readouterr().out


def test_an_export_after_it_is_whole_and_what_is_gone_cannot_be_proved(typed, folder, capsys):
    typed("retention", "--now", "--reason", "room")
    assert typed("export", "--out", str(folder / "all.jsonl"), "--reason", "audit") == 0
    lines = (folder / "all.jsonl").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ['["herse-gone/1"'] * 5 + ['["herse-event/1"'] * 2
    assert "asked by " in lines[-1]
    assert "room" in lines[-1]
    capsys.readouterr()
    assert typed("prove", "--out", str(folder / "proof"), "--event", "3", "--reason", "audit") == 1
    assert "event 3 was deleted when its time was over, as event 7 tells" in capsys.readouterr().err
    assert typed("prove", "--out", str(folder / "proof"), "--event", "6", "--reason", "audit") == 0


def test_a_gateway_starts_over_the_hole_that_a_deletion_left(typed, folder):
    typed("retention", "--now", "--reason", "room")
    with closing(open_ledger(folder / "state" / "ledger.db")) as ledger:
        assert ledger.append_now([an_event(EventKind.SIGN_IN, datetime.now(UTC))]).sequence == 8


def test_it_does_not_start_over_a_hole_that_nobody_told(typed, folder):
    path = folder / "state" / "ledger.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("delete from event where sequence in (3, 4)")
    with pytest.raises(StartError, match="has a hole after event 2"):
        open_ledger(path)


@pytest.mark.parametrize("words", [("--now",), ("--reason", "room")])
def test_now_and_a_reason_come_together(typed, capsys, words):
    assert typed("retention", *words) == 1
    assert "expected --now and --reason together" in capsys.readouterr().err


def test_an_incident_that_cannot_be_read_stops_it(typed, folder, capsys):
    (folder / "state" / "incidents").mkdir()
    (folder / "state" / "incidents" / "2026-11-20-1.json").write_text("{}")
    assert typed("retention", "--now", "--reason", "room") == 1
    assert "is not an incident that this version knows" in capsys.readouterr().err
    assert typed("retention") == 1


@pytest.mark.system
def test_killed_in_the_midst_of_it_it_leaves_what_was_signed_and_the_next_one_ends_it(typed, folder, capsys):
    path, over = folder / "state" / "ledger.db", datetime.now(UTC) - timedelta(days=400)
    with closing(open_ledger(path)) as ledger:
        ledger.append_now([an_event(EventKind.SIGN_IN, over)] * 8_000)
    command = [sys.executable, "-m", "gateway.cli", "ledger", "retention", "--config", str(folder / "herse.toml")]
    left = []
    for told, share in ((1, 0.0), (0, 0.001), (0, 0.5)):  # something is told; some more is done; half of the rest is
        rows, events = there(folder)
        with subprocess.Popen([*command, "--now", "--reason", "room"], stdout=subprocess.DEVNULL) as running:
            goal = rows * (1 - share)
            at_it = lambda: there(folder)[0] <= goal and there(folder)[1] >= events + told  # noqa: B023, E731
            wait_until("it deletes", at_it, 60)
            running.kill()
        assert typed("verify") == 0
        left.append(there(folder)[0])
    assert left[0] > 1, "killed before it was done"
    assert typed("retention", "--now", "--reason", "the rest") == 0
    assert there(folder)[0] == 1
    capsys.readouterr()
    assert typed("verify") == 0
    assert "8005 rows are gone, their time being over" in capsys.readouterr().out
