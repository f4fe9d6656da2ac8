# SPDX-License-Identifier: EUPL-1.2
"""`herse demo`: the stand-in portal and a gateway in front of it, on loopback, with accounts to sign in as.

The gateway is the one of `herse serve`, with a settings file like any other, which stays in the demo's folder.
What a first start makes (certificates, keys, accounts) the next start finds and keeps.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyotp

from gateway.cli.card_certs import CARDS_FOLDER, PASSPHRASE, card_file, dev_cards, make_dev_cards
from gateway.cli.certs import make_dev_authority, make_keys
from gateway.cli.ledger import make_officer_pair
from gateway.cli.nouns import NOUNS
from gateway.cli.serve import serve
from gateway.cli.serving import start_log
from gateway.demo.card_pki import STAFF, cast_bearers
from gateway.demo.cast import CAST, Credentials, new_password, read_accounts, write_accounts
from gateway.errors import StartError
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import DATABASE_FILE, create_database
from gateway.identity.otp import Factors, new_secret
from gateway.identity.password import PasswordHasher
from gateway.ledger.store import create_ledger, open_ledger
from gateway.listener.host import listening_socket
from gateway.model import Event, EventKind
from gateway.post_office import LETTERS_FOLDER
from gateway.settings import load_settings, read_key
from gateway.state_files import AT_REST_KEY_FILE, LEDGER_FILE, OFFICER_FILE

if TYPE_CHECKING:
    import argparse

DEFAULT_FOLDER = Path("var/demo")
OFFICER_FOLDER = "officer"
OFFICER_PASSWORD = "officer of the demo"  # noqa: S105  # of a key that opens generated numbers alone
_PORTS = 65_536
_SETTINGS = """\
# The settings of the demo: a gateway like any other. Paths are read from the folder of this file.
[public]
origin = "https://localhost:{port}"
listen = "127.0.0.1:{port}"
certificate = "{certs}/server.pem"
key = "{certs}/server.key"

[portal]
url = "http://127.0.0.1:{portal_port}"

[card]
origin = "https://localhost:{card_port}"
listen = "127.0.0.1:{card_port}"
certificate = "{certs}/server.pem"
key = "{certs}/server.key"
authorities = "{certs}/cards/authorities"
sandbox = true
crl_files = [{lists}]

[policy]
file = "{policy}"

[state]
folder = "state"

[keys]
folder = "keys"

[log]
level = "{level}"
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `demo`."""
    parser = subparsers.add_parser("demo", help=NOUNS["demo"])
    parser.add_argument("--port", type=_port, default=8443, help="port of the gateway (default: %(default)s)")
    parser.add_argument("--card-port", type=_port, default=8444, help="port of the card host (default: %(default)s)")
    parser.add_argument("--portal-port", type=_port, default=9080, help="port of the portal (default: %(default)s)")
    parser.add_argument("--dir", type=Path, default=DEFAULT_FOLDER, help="its folder (default: %(default)s)")
    parser.add_argument("--certs", type=Path, default=Path("certs/dev"), help="certificates (default: %(default)s)")
    parser.add_argument("--policy", type=Path, default=Path("policies/demo.yaml"), help="default: %(default)s")
    parser.add_argument("--served-log", type=Path, metavar="FILE", help="the portal notes whom it disclosed, for tests")
    parser.add_argument("--log-level", default="warning", choices=("debug", "info", "warning", "error"))
    parser.add_argument("--code", metavar="IDENTIFIER", help="only print the six-digit code of an account, now")
    parser.set_defaults(run=run)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) < _PORTS):
        raise ArgumentTypeError(f"found {text!a}; expected a port from 1 to {_PORTS - 1}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo until Ctrl-C, or print one code."""
    if arguments.code is not None:
        return _print_code(arguments.dir / "accounts.json", arguments.code)
    settings_file = prepare(arguments)
    start_log(arguments.log_level)
    for port in (arguments.portal_port, arguments.port, arguments.card_port):
        listening_socket("127.0.0.1", port).close()  # a clear sentence, before anything is started
    portal = _start_portal(arguments)
    try:
        print(welcome(arguments), flush=True)
        serve(load_settings(settings_file))
    finally:
        portal.terminate()
        portal.wait()
    return 0


def prepare(arguments: argparse.Namespace) -> Path:
    """Make what is not there yet, and give the settings file."""
    folder: Path = arguments.dir
    folder.mkdir(parents=True, exist_ok=True)
    if not (arguments.certs / "server.pem").exists():
        make_dev_authority(arguments.certs, "localhost", datetime.now(UTC))
    cards = dev_cards(arguments.certs / CARDS_FOLDER)
    if not cards.authorities.exists():
        make_dev_cards(arguments.certs / CARDS_FOLDER, datetime.now(UTC))
    make_keys(folder / "keys")
    if not (folder / "keys" / OFFICER_FILE).exists():
        _, public, _ = make_officer_pair(folder / OFFICER_FOLDER, OFFICER_PASSWORD)
        (folder / "keys" / OFFICER_FILE).write_bytes(public.read_bytes())
    settings_file = folder / "herse.toml"
    settings_file.write_text(
        _SETTINGS.format(
            port=arguments.port,
            card_port=arguments.card_port,
            lists=", ".join(f'"{_from(folder, path)}"' for path in cards.lists),
            portal_port=arguments.portal_port,
            certs=_from(folder, arguments.certs),
            policy=_from(folder, arguments.policy),
            level=arguments.log_level,
        ),
        encoding="utf-8",
    )
    if not (folder / "accounts.json").exists():
        asyncio.run(_enrol_cast(folder, cards.cards))
    return settings_file


def _from(folder: Path, path: Path) -> str:
    """Write a path as seen from the settings file."""
    return os.path.relpath(path.resolve(), folder.resolve())


async def _enrol_cast(folder: Path, cards: dict[str, Path]) -> None:
    """Create databases and accounts. `accounts.json` comes last: without it a half-made start is seen and told."""
    state = folder / "state"
    if state.exists():
        raise StartError(f"{folder}: found a state folder without accounts.json; remove {folder} to start anew")
    state.mkdir(mode=0o700)
    engine = create_database(state / DATABASE_FILE)
    create_ledger(state / LEDGER_FILE)
    sealing = AtRest(read_key(folder / "keys" / AT_REST_KEY_FILE))
    accounts, factors, hasher = Accounts(engine, sealing), Factors(engine, sealing), PasswordHasher(1, 8)
    ledger = open_ledger(state / LEDGER_FILE)
    at = datetime.now(UTC)
    given = {}
    for player in CAST:
        name = player.identifier
        credentials = given[name] = Credentials(new_password(), new_secret())
        accounts.create(name, player.title, player.profession, player.rpps, player.holders, at, player.mail)
        accounts.set_password(name, await hasher.hash(credentials.password), at)
        factors.add_totp(name, credentials.totp_secret, at)
        kinds = (EventKind.ACCOUNT_CREATED, EventKind.PASSWORD_SET, EventKind.FACTOR_ADDED)
        ledger.append_now([Event(kind, name, at) for kind in kinds])
    ledger.close()
    hasher.close()
    engine.dispose()
    write_accounts(folder / "accounts.json", given, cards, PASSPHRASE)


def _start_portal(arguments: argparse.Namespace) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "gateway.demo", "--port", str(arguments.portal_port)]
    words += ["--issuer", f"https://localhost:{arguments.port}"]
    words += ["--jwks-url", f"https://localhost:{arguments.port}/.herse/jwks.json"]
    words += ["--jwks-ca", str(arguments.certs / "authority.pem")]
    if arguments.served_log is not None:
        words += ["--served-log", str(arguments.served_log)]
    return subprocess.Popen(words)


def welcome(arguments: argparse.Namespace) -> str:
    """What somebody who has just started the demo needs to know."""
    given = read_accounts(arguments.dir / "accounts.json")
    lines = [
        "",
        f"  Herse demo   https://localhost:{arguments.port}/   (Ctrl-C stops it)",
        f"  The certificate is throw-away: trust {arguments.certs / 'authority.pem'}, or pass the browser's warning.",
        "",
        f"  {'Who to be':<26} {'identifier':<12} {'password':<34} note",
    ]
    for player in CAST:
        note = player.note.rsplit(" / ", 1)[-1]
        lines.append(f"  {player.title:<26} {player.identifier:<12} {given[player.identifier].password:<34} {note}")
    lines += [
        "",
        f"  Codes: any TOTP app with the secret in {arguments.dir / 'accounts.json'}, or  {_code_command(arguments)}",
        f"  Try:   https://localhost:{arguments.port}/infopatient   then   /.herse/account/events",
        f"  Cards: import a .p12 of {arguments.certs / CARDS_FOLDER} into the browser (passphrase {PASSPHRASE}):",
        *_cards(),
        f"  Delegates: a holder lets Lou Martin in by {STAFF} at /.herse/account/delegates",
        f"  Officer of data protection: the key in {arguments.dir / OFFICER_FOLDER} (password: {OFFICER_PASSWORD})",
        f"  Mail:  letters to the accounts lie as files in {arguments.dir / 'state' / LETTERS_FOLDER}",
        "",
    ]
    return "\n".join(lines)


def _code_command(arguments: argparse.Namespace) -> str:
    """What prints a code of this demo, as its operator called us."""
    where = "" if arguments.dir == DEFAULT_FOLDER else f" --dir {arguments.dir}"
    return f"{Path(sys.argv[0])} demo{where} --code IDENTIFIER"


def _cards() -> list[str]:
    named = [(f"{one.given_name} {one.family_name}".title(), card_file(one.common_name)) for one in cast_bearers()]
    return [f"         {name:<20} {file}" for name, file in named]


def _print_code(accounts: Path, identifier: str) -> int:
    try:
        secret = read_accounts(accounts)[identifier].totp_secret
    except (OSError, KeyError):
        raise StartError(f"{accounts}: no account {identifier!a} there; start the demo once with `make demo`") from None
    print(pyotp.TOTP(secret).now())
    return 0
