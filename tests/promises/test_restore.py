# SPDX-License-Identifier: EUPL-1.2
"""Backup and restore of the ledger, through a whole gateway and by the commands an operator types, on both databases.

A copy is put back and served on; one that is older than what was kept outside is not (L3), until its loss is accepted,
on record and under another name.
"""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from gateway.cli.main import main
from gateway.ledger.lock import hold
from gateway.ledger.tree_rows import open_tree_store
from gateway.state_files import NEWEST_FILE
from support.house import House
from support.postgres import NAME, PostgresServer, program, the_server
from support.servers import wait_until
from support.settings_file import NOBODY

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.ledger.place import PostgresAddress

pytestmark = pytest.mark.system

ACCOUNT = "750012346"


class Kept:
    """A gateway whose ledger is one of two databases; `grow` and `copy` while it serves, `put_back` when not."""

    def __init__(self, folder: Path, **ledger: object) -> None:
        self.folder = folder
        self.house = House(folder / "gateway", NOBODY, settings={"ledger": ledger})
        self.house.sign_in(ACCOUNT)

    def herse(self, *words: object) -> int:
        return main([*map(str, words), "--config", str(self.house.settings_file)])

    def grow(self) -> int:
        """Some events, and their signature; how many there are now."""
        before, acts = self.size(), ("lock", "unlock") * 2
        for act in acts:
            assert self.herse("account", act, ACCOUNT, "--reason", "test") == 0
        wait_until("they are signed", lambda: self.size() >= before + len(acts))
        return self.size()

    def size(self) -> int:
        with closing(open_tree_store(self.place(), writes=False)) as store:
            head = store.head()
            return 0 if head is None else head.size

    def rename(self, origin: str) -> None:
        text = self.house.settings_file.read_text()
        self.house.settings_file.write_text(text.replace("[ledger]\n", f'[ledger]\norigin = "{origin}"\n'))

    def place(self):
        return self.house.ledger_file


class InFile(Kept):
    def copy(self, name: str) -> Path:
        assert self.herse("ledger", "backup", self.folder / name) == 0
        return self.folder / name

    def put_back(self, copy: Path) -> None:
        """As the README says."""
        state = self.house.ledger_file.parent
        aside = self.folder / f"aside-{copy.name}"
        aside.mkdir()
        for path in state.glob("ledger.db*"):
            path.rename(aside / path.name)
        subprocess.run(["install", "-m", "600", copy, self.house.ledger_file], check=True)


class InPostgres(Kept):
    def __init__(self, folder: Path, server: PostgresServer | None = None) -> None:
        self.server = server or the_server()
        self.database = self.server.database()
        super().__init__(folder, **self.server.section(self.database, folder))

    def place(self):
        return self.database

    def copy(self, name: str) -> Path:
        self.run("pg_dump", "--format=custom", f"--file={self.folder / name}", self.database.database)
        return self.folder / name

    def put_back(self, copy: Path) -> None:
        """As the README says, into a new database."""
        fresh = self.server.database(ledger=False)
        self.run("pg_restore", "--exit-on-error", f"--dbname={fresh.database}", copy)
        self.lie_at(fresh)

    def lie_at(self, place: PostgresAddress) -> None:
        """The settings name another database."""
        before, after = (f":{one.port}/{one.database}" for one in (self.database, place))
        text = self.house.settings_file.read_text()
        self.house.settings_file.write_text(text.replace(before, after))
        self.database = place

    def run(self, name: str, *words: object) -> None:
        login = ["--host", str(self.server.folder), "--port", str(self.server.port), "--username", NAME]
        subprocess.run([program(name), *login, *map(str, words)], check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("kind", [InFile, InPostgres])
def test_L3_a_copy_is_served_on_and_an_older_one_only_under_another_name(kind, tmp_path, capsys):
    kept = kind(tmp_path)
    with kept.house.serve():
        signed = kept.grow()
        older = kept.copy("older")
        assert kept.grow() > signed
    newest = kept.copy("newest")
    whole = kept.size()
    assert (kept.house.folder / "state" / NEWEST_FILE).stat().st_size > 0

    kept.put_back(newest)
    with kept.house.serve():
        assert kept.grow() > whole
    assert kept.herse("ledger", "verify", "--checkpoint", kept.house.folder / "state" / NEWEST_FILE) == 0

    kept.put_back(older)
    there = kept.size()
    code, said = kept.house.fails_to_start()
    assert (code, f"it has {there} signed events" in said, "accept-loss" in said) == (2, True, True), said
    capsys.readouterr()
    assert kept.herse("account", "lock", ACCOUNT, "--reason", "test") == 2, "off line it is not written to, either"
    assert kept.herse("ledger", "accept-loss", "--reason", "disk lost") == 1
    assert "set origin in [ledger]" in capsys.readouterr().err
    with hold(kept.house.folder / "state"):
        assert kept.herse("ledger", "accept-loss", "--reason", "disk lost") == 2, "not beside a gateway"
    kept.rename("localhost/ledger-2")
    assert kept.house.fails_to_start()[0] == 2, "another name alone is no acceptance"
    assert kept.herse("account", "lock", ACCOUNT, "--reason", "test") == 2
    assert kept.size() == there
    capsys.readouterr()
    assert kept.herse("ledger", "accept-loss", "--reason", "disk lost") == 0
    assert "go on as localhost/ledger-2" in capsys.readouterr().out
    with kept.house.serve():
        assert kept.grow() > there
    assert kept.herse("ledger", "verify") == 0
    assert kept.herse("ledger", "accept-loss", "--reason", "again") == 1
    told = tmp_path / "leaves"
    assert kept.herse("ledger", "export", "--out", told, "--reason", "audit") == 0
    (line,) = [one for one in told.read_text(encoding="utf-8").splitlines() if '"ledger-restored"' in one]
    assert "disk lost" in line
    assert f"{there} are left; goes on as localhost/ledger-2; asked by " in line


def test_a_backup_says_what_it_holds_and_what_is_in_its_way(tmp_path, capsys):
    kept = InFile(tmp_path)
    with kept.house.serve():
        signed = kept.grow()
        copy = kept.copy("copy.db")
        said = capsys.readouterr().out
        assert f"Made {copy}: " in said
        assert "it is what was signed" in said
        assert "not on record" not in said
    assert kept.herse("ledger", "backup", copy) == 2
    assert "exists already" in capsys.readouterr().err
    with hold(kept.house.folder / "state"):
        assert kept.herse("ledger", "backup", tmp_path / "unrecorded.db") == 0
    assert "Its making is not on record: " in capsys.readouterr().out
    with closing(sqlite3.connect(tmp_path / "unrecorded.db")) as made:
        words = "select account, details from event where kind = 'ledger-read'"
        ((account, details),) = made.execute(words).fetchall()
        assert (account, details.partition(";")[0]) == ("", "copy of the whole ledger")
    with closing(sqlite3.connect(kept.house.ledger_file)) as changing:
        changing.execute("update event set account = 'A99' where sequence = 2")
        changing.commit()
    assert signed > 2
    assert kept.herse("ledger", "backup", tmp_path / "changed.db") == 1
    assert "the copy is not what was signed" in capsys.readouterr().err
    assert not (tmp_path / "changed.db").exists()
    assert kept.herse("ledger", "backup", tmp_path / "none" / "copy.db") == 2


def test_a_database_is_copied_by_its_own_means(tmp_path, capsys):
    kept = InPostgres(tmp_path)
    assert kept.herse("ledger", "backup", tmp_path / "copy.db") == 2
    assert "pg_dump" in capsys.readouterr().err


def test_a_cluster_recovered_from_base_backup_and_archive_to_its_end_is_served_on(tmp_path):
    server = PostgresServer("archive_mode = on", "archive_command = 'cp %p ../archive/%f'")
    archive = server.folder / "archive"
    archive.mkdir()
    archive.chmod(0o777)  # the server's user is another one
    back = f"restore_command = 'cp {archive}/%f %p'"
    with ExitStack() as stack:
        stack.enter_context(server)
        kept = InPostgres(tmp_path, server)
        with kept.house.serve():
            early = kept.grow()
            copy = PostgresServer("archive_mode = off", back, copied=server)
            stack.callback(copy.remove)
            whole = kept.grow()
        ((last,),) = server.ask("postgres", "select pg_walfile_name(pg_switch_wal())")
        newest = "select last_archived_wal from pg_stat_archiver"  # and not only begun to be copied
        wait_until("all is archived", lambda: (server.ask("postgres", newest)[0][0] or "") >= last, 60)
        server.crash()
        (copy.data / "recovery.signal").touch()
        copy.start()
        wait_until("it is recovered", lambda: copy.ask("postgres", "select pg_is_in_recovery()") == [(False,)], 60)
        kept.lie_at(copy.address(kept.database.database))
        assert kept.size() == whole > early
        with kept.house.serve():
            assert kept.grow() > whole
        assert kept.herse("ledger", "verify", "--checkpoint", kept.house.folder / "state" / NEWEST_FILE) == 0
