# SPDX-License-Identifier: EUPL-1.2
"""A PostgreSQL server as a child: a cluster of its own in a folder of its own, on loopback and on a Unix socket.

It refuses to run as root: there it runs as `nobody`. Each test has a database of its own, copied from one in which a
ledger was made. A server is kept for all tests of a process, and gone with it.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from gateway.ledger.place import PostgresAddress
from gateway.ledger.store import create_ledger, prepare_days
from gateway.model import Event, EventKind
from support.servers import LOOPBACK, Process, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

NAME = "herse"
PASSWORD = "only for this cluster"  # of a server that lives as long as the tests
AT = datetime(2026, 11, 22, tzinfo=UTC)
"""The day around which tests make up their events."""
_TEMPLATE = "made"
_EMPTY = "delete from event; delete from tile; delete from head; select setval('event_sequence', 1, false)"


class PostgresServer(Process):
    """One cluster, removed with its folder where the block ends. `options` are lines of postgresql.conf. With a
    `certificate` (chain and key) it speaks TLS.

    `prefix` wraps what it runs; `log` is another folder for its write-ahead log, in small pieces. It is new, or begins
    as a base backup of another one, which runs (`copied`).
    """

    def __init__(
        self,
        *options: str,
        certificate: tuple[Path, Path] | None = None,
        authority: Path | None = None,
        prefix: tuple[str, ...] = (),
        log: Path | None = None,
        copied: PostgresServer | None = None,
    ) -> None:
        self._authority, self._prefix, self._wal = authority, prefix, log
        home = Path(tempfile.mkdtemp(prefix="herse-pg-"))
        self.data, self.port = home / "data", free_port()
        self._as = _unprivileged()
        self._used: PostgresAddress | None = None
        self._prepare(home, (*options, *self._tls(home, certificate)), copied)
        # However these tests end, it ends with them.
        command = [*prefix, "setpriv", *self._as, "--pdeathsig=QUIT", "--", program("postgres"), "-D", str(self.data)]
        super().__init__(command, home, ready=self.answers, name="postgres", seconds=60)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self.output())
        self.remove()

    def address(self, database: str, *, socket: bool = False) -> PostgresAddress:
        """Where one database is, as the settings would say."""
        if socket:
            return PostgresAddress(str(self.folder), database, self.port, NAME)
        tls = self._authority is not None
        return PostgresAddress(LOOPBACK, database, self.port, NAME, PASSWORD, tls, self._authority)

    def database(self, *, ledger: bool = True, space: str = "pg_default") -> PostgresAddress:
        """A new database in a tablespace, with an empty ledger in it or nothing."""
        name = f"t{secrets.token_hex(6)}"
        template = self._made() if ledger else "template0"
        self.ask("postgres", f"create database {name} template {template} tablespace {space}")
        return self.address(name)

    def emptied(self) -> PostgresAddress:
        """The one database that tests use in turn, emptied: a new one takes half a second."""
        if self._used is None:
            self._used = self.database()
            prepare_days(self._used, AT)
        self.ask(self._used.database, _EMPTY)
        return self._used

    def section(self, place: PostgresAddress, folder: Path) -> dict[str, object]:
        """The section `[ledger]` of the settings for one database; its password comes to lie in the folder."""
        secret = folder / "db.password"
        secret.touch(0o600)
        secret.write_text(PASSWORD + "\n", encoding="ascii")
        url = f"postgresql://{place.host}:{place.port}/{place.database}"
        found: dict[str, object] = {"database": url, "user": NAME, "password_file": str(secret)}
        return found | ({} if place.authority is None else {"authority": str(place.authority)})

    def shown(self, place: PostgresAddress) -> set[tuple[str, bytes]]:
        """(account, pseudonym) of everybody who is on record there as shown to somebody."""
        return set(self.ask(place.database, "select account, pseudonym from event where kind = 'lookup'"))

    def ask(self, database: str, words: str) -> list[tuple[Any, ...]]:
        """One statement, by the superuser, on a connection of its own."""
        with psycopg.connect(**self._login(database), autocommit=True) as link:
            found = link.execute(words.encode())
            return found.fetchall() if found.description else []

    def crash(self) -> None:
        """kill -9 the server and all it started, as if its machine had lost them."""
        children = [int(pid) for (pid,) in self.ask("postgres", "select pid from pg_stat_activity")]
        os.kill(self.pid, signal.SIGKILL)
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._running().wait(10)
        wait_until("the server's processes are gone", lambda: not any(map(_alive, children)))

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It neither answers nor fails: all of its processes stand still."""
        children = [int(pid) for (pid,) in self.ask("postgres", "select pid from pg_stat_activity")]
        with ExitStack() as stack:
            for pid in filter(_alive, (self.pid, *children)):
                with suppress(ProcessLookupError):  # one of them may end by itself meanwhile
                    os.kill(pid, signal.SIGSTOP)
                    stack.callback(_go_on, pid)
            yield

    def end_at_once(self) -> None:
        """An immediate end, which tells nobody and leaves all to the next start."""
        os.kill(self.pid, signal.SIGQUIT)
        self._running().wait(30)

    def stop(self, seconds: float = 10.0) -> int:
        """A fast end: who is connected is told, not waited for."""
        if self._running().poll() is None:
            os.kill(self.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                return self._running().wait(seconds)
        return self.kill()

    def remove(self) -> None:
        """End it without a last checkpoint, which nobody needs, and remove the folder."""
        if self._running().poll() is None:
            self.end_at_once()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prepare(self, home: Path, options: tuple[str, ...], copied: PostgresServer | None) -> None:
        self._give(home)
        words = self._new(home) if copied is None else copied.copying(self.data)
        made = [*self._prefix, "setpriv", *self._as, "--", *words]
        subprocess.run(made, check=True, capture_output=True, timeout=120, cwd=home)
        own = (
            f"listen_addresses = '{LOOPBACK}'",
            f"port = {self.port}",
            f"unix_socket_directories = '{home}'",
            "shared_buffers = 64MB",
            "max_connections = 60",
            "recovery_init_sync_method = syncfs",  # after a crash, file by file it would take long
        )
        with (self.data / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.write("\n".join((*own, *options, "")))

    def _new(self, home: Path) -> list[str | Path]:
        secret = home / "password"
        secret.write_text(PASSWORD, encoding="ascii")
        self._give(secret)
        words: list[str | Path] = [program("initdb"), "-D", self.data, "-U", NAME, "--pwfile", secret, "--no-sync"]
        words += ["--encoding", "UTF8", "--locale", "C", "--auth-local", "trust", "--auth-host", "scram-sha-256"]
        return words if self._wal is None else [*words, "-X", self._wal, "--wal-segsize=1"]

    def copying(self, to: Path) -> list[str | Path]:
        """The command that copies this cluster while it runs."""
        login = ["-h", str(self.folder), "-p", str(self.port), "-U", NAME]
        return [program("pg_basebackup"), *login, "-D", to, "--checkpoint=fast", "--no-sync"]

    def _tls(self, home: Path, certificate: tuple[Path, Path] | None) -> tuple[str, ...]:
        if certificate is None:
            return ()
        for source, name in zip(certificate, ("server.pem", "server.key"), strict=True):
            shutil.copy(source, home / name)
            (home / name).chmod(0o600)
            self._give(home / name)
        return ("ssl = on", f"ssl_cert_file = '{home}/server.pem'", f"ssl_key_file = '{home}/server.key'")

    def _give(self, path: Path) -> None:
        if self._as:
            owner = pwd.getpwnam("nobody")
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _login(self, database: str) -> dict[str, Any]:
        return {"host": str(self.folder), "port": self.port, "user": NAME, "dbname": database, "connect_timeout": 5}

    def answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            return bool(self.ask("postgres", "select 1"))
        return False

    def _made(self) -> str:
        if not self.ask("postgres", f"select 1 from pg_database where datname = '{_TEMPLATE}'"):  # ours
            self.ask("postgres", "create database draft template template0")
            create_ledger(self.address("draft"))
            self.ask("postgres", f"alter database draft rename to {_TEMPLATE}")
        return _TEMPLATE


@cache
def the_server() -> PostgresServer:
    """The one of this process."""
    return PostgresServer().start()


def remove_the_server() -> None:
    """At the end of the tests, if any of them had it."""
    if the_server.cache_info().currsize:
        the_server().remove()
        the_server.cache_clear()


def _unprivileged() -> list[str]:
    """What `setpriv` is told, as root."""
    if os.getuid() != 0:
        return []
    return ["--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def program(name: str) -> str:
    """Debian keeps the server's programs out of the path; the newest there is."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = str(places[-1]) if places else shutil.which(name)
    if found is None:
        raise RuntimeError(f"{name} is missing; `make test` installs what it needs, or names the packages")
    return found


def a_look_up(at: datetime = AT, **values: object) -> Event:
    """Of account `a`."""
    return Event(EventKind.LOOKUP, "a", at, teleservice="t", pseudonym=b"p", **values)  # type: ignore[arg-type]


def _go_on(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
