# SPDX-License-Identifier: EUPL-1.2
"""A folder with settings and keys, `herse account` typed over it in this process, and what it left there.

No assertions here.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gateway.cli.account import add_parser
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import DATABASE_FILE, open_database
from gateway.ledger.read import LedgerReader
from gateway.settings import read_key
from gateway.state_files import AT_REST_KEY_FILE, LEDGER_FILE
from support.settings_file import LEAST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import sqlalchemy as sa

PHARMACY = "750012346"
CREATE = ["create", PHARMACY, "--title", "Pharmacie du Port", "--profession", "pharmacist"]


def settle(folder: Path) -> Path:
    """Settings, keys, and a state that is empty yet."""
    (folder / "herse.toml").write_text(LEAST)
    for name in ("state", "keys"):
        (folder / name).mkdir(mode=0o700)
    key = folder / "keys" / AT_REST_KEY_FILE
    key.touch(mode=0o600)
    key.write_text("0f" * 32 + "\n")
    return folder


def account_command(folder: Path) -> Callable[..., int]:
    """`herse account` with these words; gives the exit code."""
    parser = argparse.ArgumentParser(prog="herse")
    add_parser(parser.add_subparsers(required=True))

    def run(*words: str) -> int:
        arguments = parser.parse_args(["account", *words, "--config", str(folder / "herse.toml")])
        code: int = arguments.run(arguments)
        return code

    return run


def accounts(folder: Path) -> tuple[sa.Engine, Accounts]:
    """What it wrote; the engine is to be disposed of."""
    engine = open_database(folder / "state" / DATABASE_FILE)
    return engine, Accounts(engine, AtRest(read_key(folder / "keys" / AT_REST_KEY_FILE)))


def kinds(folder: Path) -> list[tuple[str, str | None]]:
    """What it recorded about the pharmacy, oldest first: the kind and the reason."""
    reader = LedgerReader(folder / "state" / LEDGER_FILE)
    try:
        stored = reader.events(PHARMACY, None, None, None, None, 100)
    finally:
        reader.close()
    return [(str(one.event.kind), one.event.reason) for one in reversed(stored)]
