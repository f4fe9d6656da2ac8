# SPDX-License-Identifier: EUPL-1.2
"""A gateway's folder before it is started: settings, keys, a policy of fifty teleservices, somebody signed in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.cli.certs import make_keys
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import DATABASE_FILE, create_database
from gateway.identity.session import Sessions
from gateway.ledger.officer_key import new_officer_key
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import create_ledger
from gateway.model import Method, Proof
from gateway.state_files import OFFICER_FILE
from support.servers import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

HOST = "localhost:8443"
COOKIE = "__Host-herse"
TELESERVICES = 50
# Name of the file below state.folder.
LEDGER_FILE = "ledger.db"

_SETTINGS = """\
[public]
origin = "https://{host}"
listen = "{loopback}:{port}"

[portal]
url = "http://{loopback}:{origin}"

[policy]
file = "policy.yaml"

[state]
folder = "state"

[keys]
folder = "keys"
"""

_MEASURED = """\
version: 1
portal: bench
title: Bench
teleservices:
  page:
    title: The page that is measured
    assurance: password
    professions: [physician]
    routes: [GET /s, GET /s64, GET /download]
  lookup:
    title: The look-up that is measured
    assurance: mfa
    fresh_for: 4h
    professions: [physician]
    patient: {path: nir}
    budgets:
      - {people: 1000000, window: 1d, past: deny}
    discloses: [identity]
    attestation: {reference: TEST-1, until: 2099-12-31}
    routes: ["GET /infopatient/{nir}"]
"""

_OTHER = """\
  service-{n}:
    title: Service {n}
    assurance: mfa
    professions: [physician, pharmacist]
    routes: ["GET /service-{n}", "GET,POST /service-{n}/{{_file}}", "GET /service-{n}/files/{{_rest}}"]
"""

_CASES = """\
version: 1
portal: bench
cases:
  - name: nobody is asked to sign in
    request: GET /s
    expect: challenge
  - name: a professional sees the page
    as: {account: BENCH, profession: physician, assurance: password}
    request: GET /s
    expect: permit
"""


def policy_text() -> str:
    """The policy: the two that are measured, and as many others as make up fifty."""
    return _MEASURED + "".join(_OTHER.format(n=number) for number in range(TELESERVICES - 2))


def cases_text() -> str:
    """The cases beside it."""
    return _CASES


@dataclass(frozen=True, slots=True)
class World:
    """A gateway's folder, the port it will listen on, and the headers of the one who is signed in."""

    folder: Path
    port: int
    headers: dict[str, str]

    @property
    def settings(self) -> Path:
        """The file for `herse serve --config`."""
        return self.folder / "herse.toml"

    def lookups(self) -> int:
        """How many look-ups the ledger holds."""
        reader = LedgerReader(self.folder / "state" / LEDGER_FILE)
        try:
            return sum(1 for _ in reader.lookups_since(datetime.fromtimestamp(0, UTC)))
        finally:
            reader.close()


def make_world(folder: Path, port: int, origin: int) -> World:
    """Prepare a gateway on loopback port `port` before the upstream on `origin`. Not started here."""
    state = folder / "state"
    state.mkdir(parents=True)
    settings = _SETTINGS.format(host=HOST, loopback=LOOPBACK, port=port, origin=origin)
    (folder / "herse.toml").write_text(settings, encoding="utf-8")
    (folder / "policy.yaml").write_text(policy_text(), encoding="utf-8")
    (folder / "policy.cases.yaml").write_text(cases_text(), encoding="utf-8")
    make_keys(folder / "keys")
    (folder / "keys" / OFFICER_FILE).write_text(new_officer_key().public.text(), encoding="ascii")
    create_ledger(state / LEDGER_FILE)
    return World(folder, port, {"Host": HOST, "Cookie": f"{COOKIE}={_signed_in(state)}"})


def _signed_in(state: Path) -> str:
    """The token of a session with both factors proved a moment ago."""
    at = datetime.now(UTC)
    engine = create_database(state / DATABASE_FILE)
    # Nothing of this account is sealed, so the key does not matter.
    accounts = Accounts(engine, AtRest(secrets.token_bytes(32)))
    account = accounts.create("BENCH", "Cabinet du banc d'essai", "physician", None, (), at)
    sessions = Sessions(engine, timedelta(minutes=30), timedelta(hours=4))
    proofs = (Proof(Method.PASSWORD, at), Proof(Method.TOTP, at))
    token, _ = sessions.open(account, proofs, at, LOOPBACK, "")
    engine.dispose()
    return token
