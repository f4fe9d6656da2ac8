# SPDX-License-Identifier: EUPL-1.2
"""A whole gateway for a test: its folder with settings, keys, databases and people signed in, and `herse serve`.

The gateway is the real command in a process of its own; only how people got in is shortened: their sessions are opened
in the database before it starts, and its imports were done before (`support.warm`), unless it is wrapped. Plain HTTP on
loopback unless `tls` is given.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.cli.certs import make_dev_authority, make_keys
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import DATABASE_FILE, create_database, open_database
from gateway.identity.session import Sessions
from gateway.ledger.officer_key import new_officer_key
from gateway.ledger.read import LIMIT_AT_MOST, LedgerReader
from gateway.ledger.store import create_ledger
from gateway.model import Level, Method, Proof
from gateway.portal.cookies import SESSION_COOKIE
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE, LEDGER_FILE, OFFICER_FILE
from support.crew import Crew
from support.servers import LOOPBACK, Process, Warm, accepts, free_port
from support.settings_file import in_toml, least

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.ledger.event import StoredEvent

METHODS = {
    Level.PASSWORD: (Method.PASSWORD,),
    Level.MFA: (Method.PASSWORD, Method.TOTP),
    Level.CARD: (Method.PASSWORD, Method.SMART_CARD),
}
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

# Everything passes, nobody need sign in: for tests of the wire.
OPEN_POLICY = """\
version: 1
portal: open
title: Open
teleservices:
  all:
    title: All
    anonymous: true
    streams: true
    upgrade: websocket
    routes: ["GET,POST,PUT,PATCH,DELETE,OPTIONS /", "GET,POST,PUT,PATCH,DELETE,OPTIONS /{_rest...}"]
"""
OPEN_CASES = """\
version: 1
portal: open
cases:
  - {name: anybody, request: GET /x, expect: permit}
"""


@dataclass
class House:
    """One gateway's folder. `port` is where it listens; `host` is what its Host field must say."""

    folder: Path
    portal_url: str
    policy: str = OPEN_POLICY
    cases: str = OPEN_CASES
    tls: bool = False
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    host: str = "localhost:8443"
    port: int = field(default_factory=free_port)
    workers: int = 1

    def __post_init__(self) -> None:
        state = self.folder / "state"
        state.mkdir(parents=True)
        self.policy_file.write_text(self.policy, encoding="utf-8")
        (self.folder / "policy.cases.yaml").write_text(self.cases, encoding="utf-8")
        make_keys(self.folder / "keys")
        self.officer = new_officer_key()
        (self.folder / "keys" / OFFICER_FILE).write_text(self.officer.public.text(), encoding="ascii")
        if self.tls:
            make_dev_authority(self.folder / "certs", "localhost", datetime.now(UTC))
        create_ledger(self.ledger_file)
        create_database(self.accounts_file).dispose()
        self.settings_file.write_text(self._settings_text(), encoding="utf-8")

    @property
    def policy_file(self) -> Path:
        return self.folder / "policy.yaml"

    @property
    def settings_file(self) -> Path:
        return self.folder / "herse.toml"

    @property
    def ledger_file(self) -> Path:
        return self.folder / "state" / LEDGER_FILE

    @property
    def accounts_file(self) -> Path:
        return self.folder / "state" / DATABASE_FILE

    @property
    def origin(self) -> str:
        return f"https://{self.host}"

    @property
    def authority(self) -> Path:
        """The PEM file to trust, with `tls`."""
        return self.folder / "certs" / "authority.pem"

    def _settings_text(self) -> str:
        sections = least(self.origin, self.portal_url)
        sections["public"]["listen"] = f"{LOOPBACK}:{self.port}"
        if self.tls:
            sections["public"] |= {"certificate": "certs/server.pem", "key": "certs/server.key"}
        for name, values in self.settings.items():
            sections.setdefault(name, {}).update(values)
        return in_toml(sections)

    def sign_in(
        self,
        identifier: str = "750012346",
        level: Level = Level.MFA,
        profession: str = "pharmacist",
        *,
        proved_ago: timedelta = timedelta(0),
    ) -> str:
        """Open a session before the start; gives the value of the Cookie field."""
        at = datetime.now(UTC)
        engine = open_database(self.accounts_file)
        accounts = Accounts(engine, AtRest(read_key(self.folder / "keys" / AT_REST_KEY_FILE)))
        account = accounts.find(identifier) or accounts.create(identifier, "Compte d'essai", profession, None, (), at)
        sessions = Sessions(engine, timedelta(minutes=30), timedelta(hours=4))
        proofs = [Proof(method, at - proved_ago) for method in METHODS[level]]
        token, _ = sessions.open(account, proofs, at, LOOPBACK, "")
        engine.dispose()
        return f"{SESSION_COOKIE}={token}"

    def serve(self, *, environment: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()) -> Process:
        """Give the gateway as a child, to be started (`with house.serve(): ...`). `prefix` wraps the command."""
        if self.workers > 1:
            return Crew(self, self.workers)
        if prefix or environment:
            command = [*prefix, *self._command()]
            return Process(command, self.folder, ready=accepts(self.port), environment=environment, name="herse")
        return Warm("gateway.cli", self._command()[3:], self.folder, ready=accepts(self.port), name="herse")

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "gateway.cli", "serve", "--config", str(self.settings_file)]

    def serve_cheaply(self) -> Process:
        """The same, with password hashes that cost next to nothing (see cheap_gateway)."""
        words = (str(self.settings_file),)
        return Warm("support.cheap_gateway", words, self.folder, ready=accepts(self.port), name="herse")

    def fails_to_start(self) -> tuple[int, str]:
        """Serve with something wrong, and wait for the end; the exit code, and what was said."""
        process = Warm("gateway.cli", self._command()[3:], self.folder, name="herse").start()
        try:
            code = process.wait(60)
        finally:
            process.kill()
        return code, process.output().partition("\n")[2].strip()

    def events(self, account: str = "750012346") -> list[StoredEvent]:
        """Every event of an account, oldest first, read from the ledger's own file."""
        reader = LedgerReader(self.ledger_file)
        try:
            found = page = reader.events(account, limit=LIMIT_AT_MOST)
            while len(page) == LIMIT_AT_MOST:
                page = reader.events(account, before=page[-1].cursor, limit=LIMIT_AT_MOST)
                found += page
            return found[::-1]
        finally:
            reader.close()

    def disclosed(self) -> list[bytes]:
        """The pseudonym of every recorded look-up, oldest first."""
        reader = LedgerReader(self.ledger_file)
        try:
            return [look.pseudonym for look in reader.lookups_since(EPOCH)]
        finally:
            reader.close()
